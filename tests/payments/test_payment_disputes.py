"""A payer's bank questions a payment: what is left stands still, and what is lost is taken back."""

import itertools

import pytest

from tests.fixtures.people import appoint

STATUS = "select status::text, remaining_minor, refunded_minor, frozen_at is not null from escrows"


@pytest.fixture
def paid(till):
    escrow, order = till.escrow()
    return escrow, till.pay(order, 1100)


def _to(till, escrow, *steps):
    people = {"start_work": "creator", "submit_work": "creator"}
    for step in steps:
        more = ", 'Here it is.'" if step in ("submit_work", "reject_work", "dispute_escrow") else ""
        till.cast[people.get(step, "sponsor")].rows(f"select {step}(%s{more})", [escrow])


def test_open_freezes_and_won_frees(till, paid):
    escrow, payment = paid
    _to(till, escrow, "start_work", "submit_work", "start_review")
    till.dispute(payment, "open", 1100)
    approve = "select approve_escrow(%s)"
    assert till.payer.outcome(approve, [escrow]) == "escrow.frozen"
    refund = "select refund_escrow(%s, 'x', 100)"
    assert till.cast["creator"].outcome(refund, [escrow]) == "escrow.frozen"
    till.db.execute("update escrows set review_due_at = now() - interval '1 day'")
    assert till.one("select private.approve_next_overdue()") is None
    for _ in range(2):
        till.dispute(payment, "won", 1100)
    assert till.payer.outcome(approve, [escrow]) == "row"
    assert till.db.execute(STATUS).fetchall() == [("under_review", 1100, 0, False)]


@pytest.mark.parametrize(
    "steps",
    [
        (),
        ("start_work",),
        ("start_work", "submit_work"),
        ("start_work", "submit_work", "start_review"),
        ("start_work", "submit_work", "start_review", "reject_work"),
        ("start_work", "dispute_escrow"),
    ],
)
def test_lost_takes_what_is_held_however_far_the_work_is(till, paid, steps):
    escrow, payment = paid
    _to(till, escrow, *steps)
    for status in ("open", "lost", "lost", "open"):
        till.dispute(payment, status, 1100)
    assert till.db.execute(STATUS).fetchall() == [("refunded", 0, 1100, False)]
    assert till.held("clearing") == till.held("loss") == 0
    assert till.findings() == []


def test_a_part_leaves_the_rest(till, paid):
    escrow, payment = paid
    _to(till, escrow, "start_work")
    till.dispute(payment, "open", 300)
    till.dispute(payment, "lost", 300)
    assert till.db.execute(STATUS).fetchall() == [("work_in_progress", 800, 300, False)]
    assert till.findings() == []


def test_after_release_creator_and_platform_give_back(till, paid):
    """1000 to the creator and 100 to the platform: of 550 they give 500 and 50."""
    escrow, payment = paid
    _to(till, escrow, "start_work", "submit_work", "start_review", "approve_escrow")
    till.dispute(payment, "lost", 550)
    assert till.held(person=till.cast["creator"]) == 500
    assert till.held("fees") == 50
    assert till.held("clearing") == -550
    assert till.findings() == []


@pytest.fixture
def parted(till, paid):
    """600 of 1100 go back by the provider; what happens then, in the order given."""
    escrow, payment = paid
    till.cast["creator"].rows("select refund_escrow(%s, 'x', 600)", [escrow])
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)

    def happen(order, taken):
        for event in order:
            if event in ("pending", "succeeded"):
                till.refund(payment, event, 600, request=request)
            else:
                till.dispute(payment, "lost", taken)
        return till.db.execute(STATUS).fetchall()

    return happen


BOTH_ORDERS = pytest.mark.parametrize(
    "order",
    [("succeeded", "bank"), ("bank", "succeeded"), ("pending", "bank", "pending", "succeeded")],
)


@BOTH_ORDERS
def test_a_refund_on_its_way_is_not_the_payers_a_second_time(till, parted, order):
    """Refunded 600, the bank takes the other 500: the escrow is empty, the payer owes nothing."""
    assert parted(order, 500) == [("refunded", 0, 1100, False)]
    assert till.held(person=till.payer) == till.held("loss") == till.held("clearing") == 0
    assert till.findings() == []


@BOTH_ORDERS
def test_what_the_payer_got_twice_the_payer_owes(till, parted, order):
    """Refunded 600, and the bank takes all 1100: paid 1100, got 1700."""
    assert parted(order, 1100) == [("refunded", 0, 1100, False)]
    assert till.held(person=till.payer) == -600
    assert (till.held("loss"), till.held("clearing")) == (0, 600)
    assert till.findings() == []


@pytest.mark.parametrize(
    ("events", "mine"),
    [
        (("hand 400", "bank"), -400),
        (("bank", "hand 400"), -400),
        (("hand 1100", "bank"), -1100),
        # it comes back from the payer's bank: no longer twice
        (("hand 1100", "bank", "hand fails"), 0),
        (("hand 1100", "hand fails", "bank"), 0),
        (("bank", "hand 1100", "hand fails"), 0),
    ],
)
def test_a_refund_by_hand_counts_like_one_of_ours(till, paid, events, mine):
    """Refunded at the provider, and the bank takes all 1100: what is above is the payer's debt."""
    _, payment = paid
    for event in events:
        what, _, amount = event.partition(" ")
        if what == "bank":
            till.dispute(payment, "lost", 1100)
        elif amount == "fails":
            till.refund(payment, "failed", 1100, "re_hand")
        else:
            till.refund(payment, "succeeded", int(amount), "re_hand")
    assert (till.held(person=till.payer), till.held("loss")) == (mine, 0)
    assert till.held("clearing") == -mine
    assert till.one("select charged_back_minor from payments") == 1100
    assert till.findings() == []


@BOTH_ORDERS
def test_what_nobody_has_is_the_platforms_loss(till, parted, order):
    """The bank takes 200 more than was ever paid and refunded."""
    parted(order, 1900)
    assert till.held(person=till.payer) == -600
    assert (till.held("loss"), till.held("clearing")) == (-800, 1400)
    assert till.findings() == []


@pytest.mark.parametrize("steps", [(), ("start_work", "submit_work", "start_review")])
def test_a_dispute_in_another_currency_holds_all_until_operators_decide(till, paid, steps):
    escrow, payment = paid
    _to(till, escrow, *steps)
    for status in ("open", "lost", "lost"):
        assert till.told(
            "select private.change_payment_dispute("
            "'stripe', 'dp_1', %s, %s, 7000, 'JPY', 'x', null)",
            till.reference(payment), status,
        ) == "ok"  # fmt: skip
        assert till.db.execute(STATUS).fetchone()[1:] == (1100, 0, True)
    assert till.db.execute(
        "select status, amount_minor, reason from payment_disputes"
    ).fetchall() == [("open", 1100, "lost of 7000 JPY: x")]
    dispute = till.one("select id from payment_disputes")
    propose = "select id from propose_dispute_outcome(%s, 'lost', 'x', %s)"
    for amount in (0, 1101):
        assert till.cast["moderator"].outcome(propose, [dispute, amount]) == (
            "payments.invalid_amount"
        )
    ((approval,),) = till.cast["moderator"].rows(propose, [dispute, 300])
    till.cast["admin"].rows("select confirm_approval(%s)", [approval])
    assert till.db.execute(STATUS).fetchone()[1:] == (800, 300, False)
    assert till.findings() == []


def test_a_case_that_was_lost_meanwhile_is_not_won(till, paid):
    """In another currency it stays open when its provider says `lost`."""
    told = (
        "select private.change_payment_dispute("
        " 'stripe', 'dp_1', %s, %s, 7000, 'JPY', 'fraudulent', null)"
    )
    reference = till.reference(paid[1])
    assert till.told(told, reference, "open") == "ok"
    dispute = till.one("select id from payment_disputes")
    ((approval,),) = till.cast["moderator"].rows(
        "select id from propose_dispute_outcome(%s, 'won', 'x')", [dispute]
    )
    assert till.told(told, reference, "lost") == "ok"
    confirm = "select confirm_approval(%s)"
    assert till.cast["admin"].outcome(confirm, [approval]) == "ops.approval_expired"
    assert till.one("select status from payment_disputes") == "open"


@pytest.mark.parametrize("party", ["creator", "sponsor"])
def test_who_has_a_part_in_it_does_not_say_how_it_ended(till, paid, party):
    till.dispute(paid[1], "open", 1100)
    dispute = till.one("select id from payment_disputes")
    propose = "select id from propose_dispute_outcome(%s, 'won', 'x')"
    party = appoint(till.db, till.cast[party], "moderator")
    assert party.outcome(propose, [dispute]) == "ops.second_operator_required"
    ((approval,),) = till.cast["moderator"].rows(propose, [dispute])
    confirm = "select confirm_approval(%s)"
    assert party.outcome(confirm, [approval]) == "ops.second_operator_required"
    till.cast["admin"].rows(confirm, [approval])
    assert till.one("select status from payment_disputes") == "won"


def test_a_balance_is_held_back_and_becomes_a_debt(till):
    payment = till.pay(till.order(500))
    till.dispute(payment, "open", 500)
    assert till.payer.rows("select available_minor from ledger_balances") == [(0,)]
    till.dispute(payment, "lost", 500)
    assert till.payer.rows("select available_minor from ledger_balances") == [(0,)]
    # a second payment was spent meanwhile
    payment = till.pay(till.order(300))
    account = till.one("select id from ledger_accounts where owner_id = %s", till.payer.id)
    fees = till.one("select private.ledger_account('fees', 'EUR')")
    till.one(
        "select private.post_transaction('spent', 'test.spend', %s, '{-300,300}')", [account, fees]
    )
    till.dispute(payment, "lost", 300, "dp_2")
    assert till.payer.rows("select available_minor from ledger_balances") == [(-300,)]
    assert till.findings() == []


@pytest.mark.parametrize("order", list(itertools.permutations(["open", "won", "open"])))
def test_forward_only(till, paid, order):
    _, payment = paid
    for status in order:
        till.dispute(payment, status, 1100)
    assert till.one("select status from payment_disputes") == "won"
    assert till.db.execute(STATUS).fetchone()[3] is False


def test_two_disputes_of_one_payment(till, paid):
    _, payment = paid
    till.dispute(payment, "open", 500, "dp_1")
    till.dispute(payment, "open", 600, "dp_2")
    till.dispute(payment, "won", 500, "dp_1")
    assert till.db.execute(STATUS).fetchone()[3] is True
    till.dispute(payment, "lost", 600, "dp_2")
    assert till.db.execute(STATUS).fetchall() == [("locked", 500, 600, False)]


def test_of_no_payment(till):
    ask = "select private.change_payment_dispute('stripe', 'd', 'pi', 'open', 1, 'EUR', '', null)"
    assert till.told(ask) == "payments.payment_not_found"
