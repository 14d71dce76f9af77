"""A refund is held back until its provider has carried it, sent once, and back if it fails."""

import uuid

import pytest


@pytest.fixture
def paid(till):
    """An escrow of 1000 and its fee of 100, paid and then refunded by its sponsor."""
    escrow, order = till.escrow()
    payment = till.pay(order, 1100)
    till.payer.rows("select refund_escrow(%s, 'Changed my mind.')", [escrow])
    ((refund, amount, status),) = till.refunds()
    assert (amount, status) == (1100, "requested")
    return payment, refund


REFUND_OUTCOME = "select id from propose_refund_outcome(%s, %s, 'Their support says so.', %s)"


def test_what_the_provider_said_meanwhile_is_not_overruled(till, paid):
    """Or 11.00 would be the payer's balance while it is on its way to their card."""
    payment, refund = paid
    ((request, *_),) = till.claim(refund)
    till.worker.rows("select private.question_refund(%s, 'timed out')", [request])
    ((stale,),) = till.cast["moderator"].rows(REFUND_OUTCOME, [refund, "failed", None])
    assert till.refund(payment, "pending", 1100, "re_1", request) == "ok"
    confirm = "select confirm_approval(%s)"
    assert till.cast["admin"].outcome(confirm, [stale]) == "ops.approval_expired"
    assert (till.refunds()[0][2], _mine(till)) == ("sent", [(1100, 0)])


@pytest.mark.parametrize(
    ("outcome", "reference", "mine", "later"),
    [("succeeded", "re_1", (0, 0), "ok"), ("failed", None, (0, 1100), "payments.refund_mismatch")],
)
def test_operators_end_a_doubt(till, paid, outcome, reference, mine, later):
    """A key that has expired is never sent again: two people ask the provider, and say."""
    payment, refund = paid
    one, other = till.cast["moderator"], till.cast["admin"]
    propose = [refund, outcome, reference]
    assert one.outcome(REFUND_OUTCOME, propose) == "payments.invalid_transition"
    ((request, *_),) = till.claim(refund)
    till.worker.rows("select private.question_refund(%s, 'timed out')", [request])
    assert till.payer.outcome(REFUND_OUTCOME, propose) == "identity.operator_required"
    for wrong in ([refund, "succeeded", None], [refund, "lost", "re_1"], [refund, None, "re_1"]):
        assert one.outcome(REFUND_OUTCOME, wrong) == "payments.invalid_outcome"
    ((approval,),) = one.rows(REFUND_OUTCOME, propose)
    assert _mine(till) == [(1100, 0)]
    assert one.outcome("select confirm_approval(%s)", [approval]) == "ops.second_operator_required"
    other.rows("select confirm_approval(%s)", [approval])
    assert _mine(till) == [mine]
    assert till.refunds()[0][2] == outcome
    assert till.claim(refund) == []
    # what the provider says after all
    assert till.refund(payment, "succeeded", 1100, request=request) == later
    assert till.findings() == []
    if outcome == "succeeded":  # and comes back after all, told in any order
        assert till.refund(payment, "failed", 1100, request=request) == "ok"
        assert till.refund(payment, "succeeded", 1100, request=request) == "ok"
        assert _mine(till) == [(0, 1100)]


def test_operators_do_not_name_another_refund(till):
    """What is another's reference proves nothing of this one."""
    _, order = till.escrow()
    payment = till.pay(order, 1100)
    till.refund(payment, "succeeded", 100, "re_hand")
    till.cast["creator"].rows("select refund_escrow(id, 'x', 300) from escrows")
    refund = till.one("select id from refunds where reservation_id is not null")
    till.claim(refund)
    for wrong in ("re_hand", " "):
        told = till.cast["moderator"].outcome(REFUND_OUTCOME, [refund, "succeeded", wrong])
        assert told == "payments.invalid_outcome"
    assert till.cast["moderator"].outcome(REFUND_OUTCOME, [refund, "succeeded", "re_2"]) == "row"


def _mine(till):
    return till.payer.rows("select reserved_minor, available_minor from ledger_balances")


def test_it_is_held_back_until_it_has_arrived(till, paid):
    payment, refund = paid
    assert _mine(till) == [(1100, 0)]
    ((request, reference, amount, is_repeat, may_resend),) = till.claim(refund)
    assert (reference, amount, is_repeat, may_resend) == (
        till.reference(payment),
        1100,
        False,
        True,
    )
    for status, mine in (("pending", (1100, 0)), ("succeeded", (0, 0)), ("pending", (0, 0))):
        for _ in range(2):
            assert till.refund(payment, status, 1100, request=request) == "ok"
        assert _mine(till) == [mine]
    assert till.refunds()[0][2] == "succeeded"
    assert till.one("select refunded_minor from payments") == 1100
    assert till.held("clearing") == 0
    assert till.claim(refund) == []
    assert till.findings() == []


def test_a_second_claim_knows_that_it_may_have_been_sent(till, paid):
    _, refund = paid
    ((first, *_),) = till.claim(refund)
    ((second, _, _, is_repeat, may_resend),) = till.claim(refund)
    assert (second, is_repeat, may_resend) == (first, True, True)


def test_a_key_that_the_provider_forgot_is_not_sent_again(till, paid):
    """Stripe knows a key for 24 hours."""
    _, refund = paid
    till.claim(refund)
    till.db.execute("update private.provider_requests set created_at = now() - interval '24 hours'")
    assert till.claim(refund)[0][3:] == (True, False)


def test_a_final_no_leaves_it_with_the_payer(till, paid):
    _, refund = paid
    ((request, *_),) = till.claim(refund)
    for _ in range(2):
        till.worker.rows("select private.decline_refund(%s, 'charge_already_refunded')", [request])
    assert till.refunds()[0][2] == "failed"
    assert _mine(till) == [(0, 1100)]
    assert till.claim(refund) == []


def test_doubt_stays_doubt(till, paid):
    """No time alone makes a failure of it; the next claim is of the same key."""
    payment, refund = paid
    ((request, *_),) = till.claim(refund)
    till.worker.rows("select private.question_refund(%s, 'timed out')", [request])
    assert till.refunds()[0][2] == "unknown"
    assert _mine(till) == [(1100, 0)]
    till.db.execute(
        "update private.provider_requests set created_at = created_at - interval '90 days',"
        " look_at = now()"
    )
    till.worker.rows("select private.reconcile_requests()")
    assert (
        till.one(
            "select count(*) from procrastinate.procrastinate_jobs"
            " where task_name = 'payments.send_refund' and args ->> 'subject_id' = %s",
            str(refund),
        )
        == 2
    )
    assert till.claim(refund)[0][0] == request
    assert till.refunds()[0][2] == "unknown"
    assert till.refund(payment, "succeeded", 1100, request=request) == "ok"
    till.worker.rows("select private.question_refund(%s, 'a slow worker')", [request])
    assert till.refunds()[0][2] == "succeeded"


def test_what_comes_back_after_all_is_the_payers(till, paid):
    """Stripe: a refund may fail after it succeeded, and its money returns to the platform."""
    payment, refund = paid
    ((request, *_),) = till.claim(refund)
    for status in ("succeeded", "failed", "failed"):
        till.refund(payment, status, 1100, request=request)
    assert _mine(till) == [(0, 1100)]
    assert till.one("select refunded_minor from payments") == 0
    assert till.held("clearing") == -1100
    assert till.findings() == []


def test_one_made_at_the_provider_by_hand_takes_the_escrows_money(till):
    _, order = till.escrow()
    payment = till.pay(order, 1100)
    for _ in range(3):
        till.refund(payment, "succeeded", 400)
    assert till.db.execute(
        "select status::text, remaining_minor, refunded_minor from escrows"
    ).fetchall() == [("locked", 700, 400)]
    till.refund(payment, "succeeded", 700, "re_2")
    assert till.db.execute(
        "select status::text, remaining_minor, refunded_minor from escrows"
    ).fetchall() == [("refunded", 0, 1100)]
    assert till.one("select charged_back_minor from payments where id = %s", payment) == 1100
    assert till.held("clearing") == 0
    assert till.findings() == []


@pytest.mark.parametrize("told", [("failed", "succeeded"), ("failed", "pending", "succeeded")])
def test_one_by_hand_that_failed_never_went_whatever_is_told_later(till, told):
    """The provider has the money still: a late, or repeated, word of its way takes nothing."""
    escrow, order = till.escrow()
    payment = till.pay(order, 1100)
    for status in told:
        assert till.refund(payment, status, 1100, "re_hand") == "ok"
    assert till.held("clearing") == -1100
    assert till.one("select remaining_minor from escrows where id = %s", escrow) == 1100
    assert till.findings() == []


def _refund_of_an_escrow(till):
    _, order = till.escrow()
    payment = till.pay(order, 1100)
    till.payer.rows("select refund_escrow((select id from escrows), 'x')")
    ((refund, *_),) = till.refunds()
    return payment, refund


def test_nothing_is_sent_while_a_bank_decides(till):
    payment, refund = _refund_of_an_escrow(till)
    assert till.dispute(payment, "open", 1100) == "ok"
    assert till.claim(refund) == []
    till.db.execute("update refunds set created_at = now() - interval '2 hours'")
    stuck = "select count(*) from private.check_invariants() where finding like 'a refund waits%%'"
    assert till.one(stuck) == 0
    assert till.dispute(payment, "won", 1100) == "ok"
    assert till.one(stuck) == 1
    assert len(till.claim(refund)) == 1


def test_what_the_bank_took_back_is_not_sent_besides(till):
    payment, refund = _refund_of_an_escrow(till)
    assert till.dispute(payment, "lost", 1100) == "ok"
    assert till.claim(refund) == []
    assert [row[1:] for row in till.refunds()] == [(1100, "failed")]
    assert till.held("available", till.payer) == 0
    assert till.held("clearing") == 0
    assert till.findings() == []


def test_operators_send_back_what_was_paid_into_a_balance(till):
    payment = till.pay(till.order(1_000), 1_000)
    moderator = till.cast["moderator"]
    give = "select amount_minor, status from refund_payment(%s, 'by mistake', %s, %s)"
    key = uuid.uuid4()
    for _ in range(2):
        assert moderator.rows(give, [payment, 400, key]) == [(400, "requested")]
    assert len(till.refunds()) == 1
    for amount, other, code in (
        (401, key, "ledger.key_reused"),
        (601, uuid.uuid4(), "payments.not_refundable"),
        (0, uuid.uuid4(), "payments.invalid_amount"),
    ):
        assert moderator.outcome(give, [payment, amount, other]) == code
    assert till.payer.outcome(give, [payment, 1, uuid.uuid4()]) == "identity.operator_required"
    assert moderator.rows(give, [payment, None, uuid.uuid4()]) == [(600, "requested")]
    assert moderator.outcome(give, [payment, None, uuid.uuid4()]) == "payments.not_refundable"
    audited = "select count(*) from audit_log where action = 'payments.refund_payment'"
    assert till.one(audited) == 2
    for refund, *_ in till.refunds():
        (claimed,) = till.claim(refund)
        amount = till.one("select amount_minor from refunds where id = %s", refund)
        till.refund(payment, "succeeded", amount, f"re_{amount}", claimed[0])
    assert (till.held("available", till.payer), till.held("clearing")) == (0, 0)
    assert till.findings() == []


@pytest.mark.parametrize("word", ["open", "lost"])
def test_one_in_doubt_is_looked_up_and_not_sent_again_past_a_bank(till, word):
    payment, refund = _refund_of_an_escrow(till)
    ((request, *_),) = till.claim(refund)
    till.worker.rows("select private.question_refund(%s, 'timed out')", [request])
    ((*_, may_resend),) = till.claim(refund)
    assert may_resend is True
    assert till.dispute(payment, word, 1100) == "ok"
    ((*_, is_repeat, may_resend),) = till.claim(refund)
    assert (is_repeat, may_resend) == (True, False)


def test_what_a_bank_may_take_back_is_not_sent_past_it(till):
    """1000 paid in and spent, 1000 earned and disputed: nothing of it is there to be sent."""
    escrow, order = till.escrow()
    disputed = till.pay(order, 1100)
    creator = till.cast["creator"]
    for person, step in (
        (creator, "start_work(%s)"), (creator, "submit_work(%s, 'x')"),
        (till.payer, "start_review(%s)"), (till.payer, "approve_escrow(%s)"),
    ):  # fmt: skip
        person.rows(f"select {step}", [escrow])
    ((top_up,),) = creator.rows("select (create_order(1000, 'EUR', 'tea')).id")
    payment = till.pay(top_up, 1000)
    spend = "select id from propose_adjustment(%s, -1000, 'EUR', 'fees', 'spent')"
    ((proposal,),) = till.cast["moderator"].rows(spend, [creator.id])
    till.cast["admin"].rows("select confirm_approval(%s)", [proposal])
    assert till.dispute(disputed, "open", 1100) == "ok"
    give = "select amount_minor from refund_payment(%s, 'asked')"
    assert till.cast["moderator"].outcome(give, [payment]) == "payments.not_refundable"
    till.dispute(disputed, "won", 1100)
    assert till.cast["moderator"].rows(give, [payment]) == [(1000,)]


def test_what_is_held_no_more_is_no_credit(till):
    """A debt was allowed for what was held; given up, it is set off, and no further debt is."""
    till.pay(till.order(500), 500)
    payment, refund = _refund_of_an_escrow(till)
    assert till.dispute(payment, "lost", 1100) == "ok"
    assert till.claim(refund) == []
    row = (
        "select posted_minor, reserved_minor, floor_minor from ledger_accounts where owner_id = %s"
    )
    assert till.db.execute(row, [till.payer.id]).fetchone() == (500, 0, 0)


def test_operators_do_not_send_back_an_escrows_money_past_it(till):
    _, order = till.escrow()
    payment = till.pay(order, 1100)
    give = "select id from refund_payment(%s, 'x')"
    assert till.cast["moderator"].outcome(give, [payment]) == "payments.not_refundable"
    assert till.refunds() == []


def test_no_more_goes_back_than_came(till):
    order = till.order(500)
    payment = till.pay(order, 600)
    reference = till.reference(payment)
    request = "select private.request_refund('stripe', %s, %s, %s, 'x')"
    assert till.one(request, reference, 10_000, "one") is not None
    assert sorted(row[1] for row in till.refunds()) == [100, 500]
    assert till.one(request, reference, 10_000, "two") is None
    assert till.one(request, reference, 10_000, "one") is not None
    assert len(till.refunds()) == 2


def test_a_refund_of_no_payment(till):
    reject = "select private.change_refund('stripe', 're', 'pi', 'succeeded', 1, 'EUR', null, '')"
    assert till.told(reject) == "payments.payment_not_found"
