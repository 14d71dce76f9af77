"""What one operator proposes is done when another confirms it: once, and never about themselves."""

import pytest

from tests.fixtures.people import suspend

OWN = "propose_own_transfer(%s, %s, %s, %s, %s)"
ADJUST = "propose_adjustment(%s, %s, %s, %s, %s)"
LIMIT = "propose_withdrawal_limit('stripe', 'EUR', 'member', 'Demand.', %s)"
CONFIRM = "select confirm_approval(%s)"
DECLINE = "select decline_approval(%s, %s)"


@pytest.fixture
def one(purse):
    return purse.operator()


@pytest.fixture
def other(purse):
    return purse.operator("admin")


def _propose(person, proposal, *arguments):
    return person.rows(f"select id from {proposal}", arguments)[0][0]


def _held(purse, kind):
    return purse.one(
        "select private.account_balance(id) from ledger_accounts where kind = %s", kind
    )


@pytest.mark.parametrize("counterpart", ["fees", "loss"])
@pytest.mark.parametrize("amount", [500, -500])
def test_money_by_hand(purse, one, other, amount, counterpart):
    adjust = (purse.owner.id, amount, "EUR", counterpart, "A mistake of ours.")
    approval = _propose(one, ADJUST, *adjust)
    assert purse.balance() == (10_000, 0)
    assert purse.outcome(one, CONFIRM, approval) == "ops.second_operator_required"
    assert purse.outcome(other, CONFIRM, approval) == "ok"
    assert purse.outcome(other, CONFIRM, approval) == "ops.approval_closed"
    assert purse.balance() == (10_000 + amount, 0)
    assert _held(purse, counterpart) == -amount
    assert purse.db.execute(
        "select action, actor_id, details ->> 'reason' from audit_log order by id"
    ).fetchall() == [
        ("ops.propose_approval", one.id, "A mistake of ours."),
        ("payments.adjust_balance", other.id, "A mistake of ours."),
    ]
    assert purse.findings() == []


def test_no_more_is_taken_than_is_there(purse, one, other):
    approval = _propose(one, ADJUST, purse.owner.id, -10_001, "EUR", "fees", "x")
    assert purse.outcome(other, CONFIRM, approval) == "ledger.insufficient_funds"
    assert purse.one("select status from operator_approvals") == "proposed"
    assert purse.balance() == (10_000, 0)


def _at(purse, provider):
    return purse.one(
        "select coalesce(-private.account_balance(private.ledger_account("
        " 'clearing', 'EUR', provider => %s)), 0)",
        provider,
    )


def test_own_money_moves_between_providers(purse, one, other):
    """Paid in by Stripe and withdrawn by PayPal: somebody has to bring it there."""
    approval = _propose(one, OWN, "stripe", "paypal", 4_000, "EUR", "For the week's payouts.")
    assert (_at(purse, "stripe"), _at(purse, "paypal")) == (10_000, 0)
    assert purse.outcome(one, CONFIRM, approval) == "ops.second_operator_required"
    assert purse.outcome(other, CONFIRM, approval) == "ok"
    assert (_at(purse, "stripe"), _at(purse, "paypal")) == (6_000, 4_000)
    purse.both("propose_own_transfer('stripe', 'bank', 1000, 'EUR', 'What we earned.')")
    assert (_at(purse, "stripe"), _at(purse, "bank")) == (5_000, 1_000)
    assert purse.balance() == (10_000, 0)
    assert purse.findings() == []


@pytest.mark.parametrize(
    ("transfer", "code"),
    [
        (("stripe", "stripe", 1, "EUR"), "payments.invalid_transfer"),
        (("bank", "bank", 1, "EUR"), "payments.invalid_transfer"),
        (("stripe", "wise", 1, "EUR"), "payments.invalid_transfer"),
        ((None, "stripe", 1, "EUR"), "payments.invalid_transfer"),
        ((None, None, 1, "EUR"), "payments.invalid_transfer"),
        (("stripe", "paypal", 0, "EUR"), "payments.invalid_amount"),
        (("stripe", "paypal", -1, "EUR"), "payments.invalid_amount"),
        (("stripe", "paypal", None, "EUR"), "payments.invalid_amount"),
        (("stripe", "paypal", 1, "eur"), "payments.invalid_currency"),
        (("stripe", "paypal", 1, None), "payments.invalid_currency"),
    ],
)
def test_own_money_goes_somewhere_else(purse, one, transfer, code):
    assert purse.outcome(one, f"select {OWN}", *transfer, "x") == code


def test_a_debt_is_written_off_up_to_zero(purse, one, other):
    write_off = "select propose_write_off(%s, 'EUR', 'Gone.')"
    assert purse.outcome(one, write_off, purse.owner.id) == "payments.nothing_owed"
    purse.db.execute("update ledger_accounts set floor_minor = -4000 where kind = 'available'")
    purse.fund(-14_000)
    approval = _propose(one, "propose_write_off(%s, 'EUR', 'Gone.')", purse.owner.id)
    # something was earned meanwhile: the rest is borne
    purse.fund(1_000)
    assert purse.outcome(other, CONFIRM, approval) == "ok"
    assert purse.balance() == (0, 0)
    assert _held(purse, "loss") == -3_000
    assert purse.one("select floor_minor from ledger_accounts where kind = 'available'") == 0
    again = "select propose_write_off(%s, 'EUR', 'Gone.')"
    assert purse.outcome(one, again, purse.owner.id) == "payments.nothing_owed"
    assert purse.findings() == []


def test_what_was_paid_back_meanwhile_is_not_written_off(purse, one, other):
    purse.db.execute("update ledger_accounts set floor_minor = -4000 where kind = 'available'")
    purse.fund(-14_000)
    approval = _propose(one, "propose_write_off(%s, 'EUR', 'Gone.')", purse.owner.id)
    purse.fund(4_000)
    assert purse.outcome(other, CONFIRM, approval) == "payments.nothing_owed"


def test_no_more_is_written_off_than_was_proposed(purse, one, other):
    purse.db.execute("update ledger_accounts set floor_minor = -9000 where kind = 'available'")
    purse.fund(-14_000)
    approval = _propose(one, "propose_write_off(%s, 'EUR', 'Gone.')", purse.owner.id)
    purse.fund(-5_000)
    assert purse.outcome(other, CONFIRM, approval) == "ok"
    assert (purse.balance(), _held(purse, "loss")) == ((-5_000, 0), -4_000)
    assert purse.findings() == []


def test_a_limit_that_two_others_changed_meanwhile_is_proposed_anew(purse, one, other):
    stale = _propose(one, LIMIT, 600)
    # what is not given stays: it meant another daily limit
    purse.both("propose_withdrawal_limit('stripe', 'EUR', 'member', 'x', daily_minor => 600000)")
    assert purse.outcome(other, CONFIRM, stale) == "ops.approval_expired"
    assert purse.asked(599) == "ok"
    assert purse.outcome(other, CONFIRM, _propose(one, LIMIT, 600)) == "ok"
    assert purse.asked(599) == "payments.below_minimum"


def test_limits(purse, one, other):
    assert purse.asked(9_000) == "ok"
    approval = _propose(one, LIMIT, 600)
    assert purse.asked(100) == "ok"
    purse.outcome(other, CONFIRM, approval)
    assert purse.asked(599) == "payments.below_minimum"
    assert purse.asked(600) == "ok"
    result = purse.one("select result from operator_approvals")
    assert (result["before"]["minimum_minor"], result["after"]["minimum_minor"]) == (100, 600)
    assert result["before"] | {"minimum_minor": 600} == result["after"]
    assert purse.outcome(one, f"select {LIMIT}", 500_001) == "payments.invalid_limit"
    assert purse.outcome(one, f"select {LIMIT}", 0) == "payments.invalid_limit"


def test_a_limit_where_there_was_none(purse, one, other):
    new = "propose_withdrawal_limit('stripe', 'NOK', 'member', 'x', 1000, 5000, 5000, 5000"
    assert purse.outcome(one, f"select {new})") == "payments.invalid_limit"
    approval = _propose(one, f"{new}, 4000)")
    purse.outcome(other, CONFIRM, approval)
    purse.fund(5_000, "NOK")
    assert purse.asked(5_000, "NOK") == "ok"
    assert purse.one("select needs_approval from withdrawals")
    coinbase = "select propose_withdrawal_limit('coinbase', 'USD', 'member', 'x')"
    assert purse.outcome(one, coinbase) == "payments.provider_not_available"


@pytest.fixture
def large(purse):
    """A withdrawal of 3,000.00, which two operators must approve."""
    purse.fund(500_000)
    return purse.request(300_000)


APPROVE = "propose_withdrawal_approval(%s, 'Known for years.')"


def test_a_large_withdrawal_waits_for_both(purse, large, one, other):
    assert purse.jobs("payments.send_withdrawal", large) == 0
    purse.db.execute("update private.provider_requests set look_at = now()")
    purse.worker.rows("select private.tend_withdrawals()")
    assert purse.jobs("payments.send_withdrawal", large) == 0
    assert purse.claim(large) is None
    assert ("reserved", 300_000, "review") in purse.explain()
    approval = _propose(one, APPROVE, large)
    assert purse.claim(large) is None
    assert purse.outcome(one, CONFIRM, approval) == "ops.second_operator_required"
    assert purse.outcome(purse.owner, CONFIRM, approval) == "identity.operator_required"
    assert purse.outcome(other, CONFIRM, approval) == "ok"
    assert purse.jobs("payments.send_withdrawal", large) == 1
    assert ("reserved", 300_000, "withdrawal") in purse.explain()
    assert purse.claim(large) is not None
    assert purse.findings() == []


def _bank(purse, label, hours):
    """Stripe tells of another bank account behind the same one, so many hours ago."""
    reference = purse.one("select reference from connected_accounts")
    purse.worker.rows(
        "select private.change_connected_account('stripe', %s, 'active', '{}', %s, md5(%s))",
        [reference, label, label],
    )
    purse.db.execute(
        "update connected_accounts set changed_at = now() - make_interval(hours => %s)", [hours]
    )


def test_what_was_approved_goes_to_no_other_bank_account(purse, large, one, other):
    """3,000.00 were approved to A Bank; B Bank has rested long enough, and waits all the same."""
    _bank(purse, "A Bank •••• 6789", 1_000)
    purse.outcome(other, CONFIRM, _propose(one, APPROVE, large))
    _bank(purse, "B Bank •••• 1111", 73)
    assert purse.claim(large) is None
    assert purse.db.execute("select status, approval_id, note from withdrawals").fetchall() == [
        ("reserved", None, "waits: account_changed")
    ]
    assert ("reserved", 300_000, "review") in purse.explain()
    again = _propose(one, APPROVE, large)
    seen = "select input -> 'was' ->> 'label' from operator_approvals where id = %s"
    assert purse.one(seen, again) == "B Bank •••• 1111"
    assert purse.outcome(other, CONFIRM, again) == "ok"
    assert purse.jobs("payments.send_withdrawal", large) == 2
    assert purse.claim(large) is not None
    assert (purse.status(large), purse.findings()) == ("sending", [])


def test_a_bank_account_that_was_changed_meanwhile_is_not_approved(purse, large, one, other):
    _bank(purse, "A Bank •••• 6789", 1_000)
    approval = _propose(one, APPROVE, large)
    _bank(purse, "B Bank •••• 1111", 73)
    assert purse.outcome(other, CONFIRM, approval) == "ops.approval_expired"
    assert purse.claim(large) is None


def test_an_approval_is_not_taken_back_otherwise(purse, large, one, other):
    purse.outcome(other, CONFIRM, _propose(one, APPROVE, large))
    postgres = type(one)(purse.db, "owner of the schema", role="postgres")
    void = "update withdrawals set approval_id = null"
    assert purse.outcome(postgres, void + ", status = 'cancelled'") == "denied"
    assert purse.claim(large) is not None
    assert purse.outcome(postgres, void) == "denied"


def test_it_is_approved_once(purse, large, one, other):
    first, second = _propose(one, APPROVE, large), _propose(one, APPROVE, large)
    assert purse.outcome(other, CONFIRM, first) == "ok"
    assert purse.outcome(other, CONFIRM, second) == "payments.no_approval_needed"
    propose = f"select {APPROVE}"
    assert purse.outcome(one, propose, large) == "payments.no_approval_needed"
    assert purse.outcome(one, propose, purse.request(1_000)) == "payments.no_approval_needed"
    assert purse.jobs("payments.send_withdrawal", large) == 1


def test_what_was_called_off_is_not_approved(purse, large, one, other):
    approval = _propose(one, APPROVE, large)
    purse.owner.rows("select cancel_withdrawal(%s)", [large])
    assert purse.outcome(other, CONFIRM, approval) == "payments.no_approval_needed"
    assert purse.balance() == (510_000, 0)


OUTCOME = "propose_withdrawal_outcome(%s, %s, 'Their support says so.', %s)"


@pytest.mark.parametrize(
    ("outcome", "reference", "posted"), [("paid", "po_9", 6_000), ("failed", None, 10_000)]
)
def test_a_doubt_is_resolved_by_both(purse, one, other, outcome, reference, posted):
    withdrawal = purse.request(4_000)
    request = purse.claim(withdrawal)
    purse.question(request)
    approval = _propose(one, OUTCOME, withdrawal, outcome, reference)
    assert purse.status(withdrawal) == "unknown"
    assert purse.outcome(other, CONFIRM, approval) == "ok"
    assert purse.status(withdrawal) == outcome
    assert purse.balance() == (posted, 0)
    assert purse.claim(withdrawal) is None
    # what the provider says after all
    expected = "payments.withdrawal_mismatch" if outcome == "failed" else "ok"
    assert purse.told("paid", "po_9", request) == expected
    assert purse.findings() == []


def test_what_was_on_its_way_and_judged_failed_comes_to_light_when_it_arrives(purse, one, other):
    withdrawal, request, reference = purse.sent(4_000)
    purse.outcome(other, CONFIRM, _propose(one, OUTCOME, withdrawal, "failed", None))
    assert purse.balance() == (10_000, 0)
    assert purse.told("paid", reference, request) == "payments.withdrawal_mismatch"
    assert purse.told("failed", reference, request) == "ok"


def test_what_the_provider_said_meanwhile_is_not_overruled(purse, one, other):
    """Or it would be withdrawn once more, and paid twice: 100.00 of 50.00 in doubt."""
    withdrawal = purse.request(5_000)
    request = purse.claim(withdrawal)
    purse.question(request)
    stale = _propose(one, OUTCOME, withdrawal, "failed", None)
    assert purse.told("sent", "tr_1", request) == "ok"
    assert purse.outcome(other, CONFIRM, stale) == "ops.approval_expired"
    assert (purse.status(withdrawal), purse.balance()) == ("sent", (10_000, 5_000))
    assert purse.outcome(other, CONFIRM, _propose(one, OUTCOME, withdrawal, "failed", None)) == "ok"
    assert (purse.status(withdrawal), purse.balance()) == ("failed", (10_000, 0))


def test_only_doubts_are_resolved(purse, one):
    withdrawal = purse.request(4_000)
    propose = f"select {OUTCOME}"
    assert purse.outcome(one, propose, withdrawal, "paid", "x") == "payments.invalid_transition"
    purse.question(purse.claim(withdrawal))
    for outcome, reference in (("paid", None), ("paid", " "), ("returned", "x"), (None, "x")):
        assert purse.outcome(one, propose, withdrawal, outcome, reference) == (
            "payments.invalid_outcome"
        )


def test_nobody_for_themselves(purse, one, other):
    from tests.payments.purses import Purse

    mine = Purse(purse.db, one)
    mine.fund(1_000)
    gift = (one.id, 100, "EUR", "loss", "x")
    assert purse.outcome(one, f"select {ADJUST}", *gift) == "ops.second_operator_required"
    approval = _propose(other, ADJUST, *gift)
    assert purse.outcome(one, CONFIRM, approval) == "ops.second_operator_required"
    assert purse.outcome(one, DECLINE, approval, "x") == "ops.second_operator_required"
    assert purse.outcome(purse.operator(), CONFIRM, approval) == "ok"
    assert mine.balance() == (1_100, 0)


def test_declined_is_declined(purse, one, other):
    adjust = (purse.owner.id, 500, "EUR", "fees", "x")
    for who in (one, other):
        approval = _propose(one, ADJUST, *adjust)
        assert purse.outcome(who, DECLINE, approval, " ") == "identity.invalid_reason"
        assert purse.outcome(who, DECLINE, approval, "No.") == "ok"
        assert purse.outcome(other, CONFIRM, approval) == "ops.approval_closed"
    assert purse.balance() == (10_000, 0)


def test_a_proposal_expires(purse, one, other):
    approval = _propose(one, ADJUST, purse.owner.id, 500, "EUR", "fees", "x")
    purse.db.execute("set local session_replication_role = replica")
    purse.db.execute("update operator_approvals set expires_at = now()")
    purse.db.execute("set local session_replication_role = origin")
    assert purse.outcome(other, CONFIRM, approval) == "ops.approval_expired"
    assert purse.outcome(other, DECLINE, approval, "Too late.") == "ok"


def test_who_proposed_must_still_be_an_operator(purse, one, other):
    approval = _propose(one, ADJUST, purse.owner.id, 500, "EUR", "fees", "x")
    suspend(purse.db, one)
    assert purse.outcome(other, CONFIRM, approval) == "ops.second_operator_required"
    purse.db.execute("update suspensions set lifted_at = now()")
    purse.db.execute("delete from role_assignments where user_id = %s", [one.id])
    assert purse.outcome(other, CONFIRM, approval) == "ops.second_operator_required"


@pytest.mark.parametrize("made", ["one", "other"])
@pytest.mark.parametrize("by", ["each other", "a third"])
def test_one_admin_does_not_make_the_second_operator(purse, one, other, made, by):
    """Who was appointed in the last 72 hours does not count yet, whoever appointed them."""
    approval = _propose(one, ADJUST, purse.owner.id, 500, "EUR", "loss", "x")
    made, by = (
        {"one": one, "other": other}[made],
        purse.operator() if by == "a third" else {"one": other, "other": one}[made],
    )
    appointed = (
        "update role_assignments set granted_by = %s, created_at = now() - %s::interval"
        " where user_id = %s"
    )
    purse.db.execute(appointed, [by.id, "71 hours", made.id])
    assert purse.outcome(other, CONFIRM, approval) == "ops.second_operator_required"
    purse.db.execute(appointed, [by.id, "73 hours", made.id])
    assert purse.outcome(other, CONFIRM, approval) == "ok"


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"amount": 0}, "payments.invalid_amount"),
        ({"amount": None}, "payments.invalid_amount"),
        ({"currency": "eur"}, "payments.invalid_currency"),
        ({"counterpart": "clearing"}, "payments.invalid_counterpart"),
        ({"counterpart": None}, "payments.invalid_counterpart"),
        ({"reason": " "}, "identity.invalid_reason"),
        ({"owner": "00000000-0000-4000-8000-000000000000"}, "identity.user_not_found"),
    ],
)
def test_what_cannot_be_proposed(purse, one, change, refusal):
    values = {
        "owner": purse.owner.id, "amount": 1, "currency": "EUR", "counterpart": "fees",
        "reason": "x",
    } | change  # fmt: skip
    assert purse.outcome(one, f"select {ADJUST}", *values.values()) == refusal


def test_what_was_proposed_never_changes(purse, one):
    approval = _propose(one, ADJUST, purse.owner.id, 500, "EUR", "fees", "x")
    postgres = type(one)(purse.db, "owner of the schema", role="postgres")
    change = "update operator_approvals set input = '{}' where id = %s"
    assert purse.outcome(postgres, change, approval) == "denied"
    assert purse.outcome(postgres, "delete from operator_approvals") == "denied"
    alone = (
        "update operator_approvals set status = 'confirmed', decided_by = proposed_by,"
        " decided_at = now() where id = %s"
    )
    assert purse.outcome(postgres, alone, approval) == "23514"
