"""How much, how often, where to and when: figures are data, and each refusal says which one it was.

A member by Stripe in EUR: 1.00 at least, 5,000.00 at once, 10,000.00 within 24 hours, 50,000.00
within 30 days, two operators from 3,000.00 on, nothing for 72 hours after the account was changed.
"""

import psycopg
import pytest

from tests.fixtures.people import error_code, suspend
from tests.payments.purses import REQUEST

PAST = "update withdrawals set created_at = created_at - %s::interval"


@pytest.fixture
def rich(purse):
    purse.fund(100_000_000)
    return purse


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [
        (99, "payments.below_minimum"),
        (100, "ok"),
        (500_000, "ok"),
        (500_001, "payments.limit_exceeded"),
    ],
)
def test_at_once(rich, amount, outcome):
    assert rich.asked(amount) == outcome


def test_within_a_day(rich):
    for _ in range(2):
        rich.request(500_000)
    assert rich.asked(100) == "payments.limit_exceeded"
    rich.db.execute(PAST, ["23 hours 59 minutes"])
    assert rich.asked(100) == "payments.limit_exceeded"
    rich.db.execute(PAST, ["1 minute"])
    assert rich.asked(500_000) == "ok"


def test_within_a_month(rich):
    for _ in range(5):
        for _ in range(2):
            rich.request(500_000)
        rich.db.execute(PAST, ["24 hours"])
    assert rich.asked(100) == "payments.limit_exceeded"
    rich.db.execute(PAST, ["24 days"])
    assert rich.asked(100) == "payments.limit_exceeded"
    rich.db.execute(PAST, ["1 day"])
    assert rich.asked(500_000) == "ok"


def test_many_small_ones_are_a_large_one(rich):
    """3,000.00 a day need two operators, in one piece or in many."""

    def needs_approval(amount):
        return rich.one(
            "select needs_approval from withdrawals where id = %s", rich.request(amount)
        )

    assert [needs_approval(amount) for amount in (200_000, 99_900, 100)] == [False, False, True]
    rich.db.execute(PAST, ["24 hours"])
    assert needs_approval(299_999) is False
    assert needs_approval(100) is True


def test_two_providers_are_no_way_around_the_two_operators(rich):
    """2,999.99 by Stripe and as much by PayPal in one minute: the second needs them."""
    paypal = rich.account("paypal", reference="me@example.com")
    stripe = rich.request(299_999)
    other = rich.request(299_999, account=paypal)
    assert rich.db.execute(
        "select provider, needs_approval from withdrawals order by needs_approval"
    ).fetchall() == [("stripe", False), ("paypal", True)]
    assert rich.claim(stripe) is not None
    assert rich.claim(other) is None


def test_what_did_not_leave_does_not_count(rich):
    rich.decline(rich.claim(rich.request(200_000)))
    rich.owner.rows("select cancel_withdrawal(%s)", [rich.request(200_000)])
    _, request, _ = rich.sent(200_000)
    rich.told("returned", key=request)
    rich.request(500_000)
    rich.request(500_000)
    assert rich.asked(100) == "payments.limit_exceeded"


def test_a_verified_person_may_take_more(rich):
    rich.db.execute("update profiles set is_verified = true where id = %s", [rich.owner.id])
    assert rich.asked(2_000_000) == "ok"
    assert rich.asked(2_000_001) == "payments.limit_exceeded"
    rich.db.execute("delete from private.withdrawal_limits where tier = 'verified'")
    assert rich.asked(500_001) == "payments.limit_exceeded"


def test_refusals_say_how_much_there_is(rich):
    rich.request(400_000)
    rich.request(400_000)
    with pytest.raises(psycopg.Error) as refusal:
        rich.request(300_000)
    assert '"details" : "a day: 200000"' in refusal.value.diag.message_primary


def test_only_what_the_provider_can_send(purse):
    """Stripe pays whole forint: amounts divisible by a hundred."""
    purse.fund(1_000_000, "HUF")
    assert purse.asked(200_050, "HUF") == "payments.invalid_amount"
    assert purse.asked(200_100, "HUF") == "ok"
    purse.fund(1_000_000, "ISK")
    account = purse.one("select id from connected_accounts")
    assert purse.asked(1_000, "ISK", account) == "payments.withdrawal_not_possible"


def test_a_provider_switched_off(purse):
    purse.db.execute("update private.providers set is_enabled = false where provider = 'stripe'")
    assert purse.asked(1_000) == "payments.withdrawal_not_possible"


@pytest.mark.parametrize(
    ("provider", "status", "outcome"),
    [
        ("stripe", "pending", "payments.account_not_ready"),
        ("stripe", "needs_information", "payments.account_not_ready"),
        ("stripe", "restricted", "payments.account_not_ready"),
        ("stripe", "closed", "payments.account_not_ready"),
        ("stripe", "active", "ok"),
        # PayPal pays an address without asking who it is
        ("paypal", "pending", "ok"),
        ("paypal", "needs_information", "payments.account_not_ready"),
        ("paypal", "active", "ok"),
    ],
)
def test_whom_the_provider_knows(purse, provider, status, outcome):
    account = purse.account(provider, status)
    assert purse.asked(1_000, account=account) == outcome


def test_an_account_that_was_changed_rests(purse):
    account = purse.account("paypal", rested=False)
    assert purse.asked(1_000, account=account) == "payments.account_on_hold"
    change = "update connected_accounts set changed_at = now() - %s::interval where id = %s"
    purse.db.execute(change, ["71 hours 59 minutes", account])
    assert purse.asked(1_000, account=account) == "payments.account_on_hold"
    purse.db.execute(change, ["72 hours", account])
    assert purse.asked(1_000, account=account) == "ok"


def test_another_bank_account_behind_the_same_door_rests_too(purse):
    reference = purse.one("select reference from connected_accounts")
    tell = "select private.change_connected_account('stripe', %s, 'active', '{}', %s)"
    purse.worker.rows(tell, [reference, "to me"])
    assert purse.asked(1_000) == "ok"
    purse.worker.rows(tell, [reference, "•••• 6789"])
    assert purse.asked(1_000) == "payments.account_on_hold"


def test_an_account_of_somebody_else(purse, cast):
    account = purse.one("select id from connected_accounts")
    stranger = cast["stranger"]
    assert purse.outcome(stranger, REQUEST, 1_000, "EUR", account, None) == (
        "payments.account_not_found"
    )


def test_who_is_shut_out(purse):
    waiting = purse.request(1_000)
    suspend(purse.db, purse.owner)
    assert purse.asked(1_000) == "identity.not_active"
    assert purse.claim(waiting) is None
    assert purse.one("select note from withdrawals") == "waits: suspended"
    purse.db.execute("update suspensions set lifted_at = now()")
    assert purse.claim(waiting) is not None


def test_who_owes(purse):
    """A debt in one currency comes before money in another."""
    waiting = purse.request(1_000)
    purse.fund(50, "USD")
    purse.db.execute("update ledger_accounts set floor_minor = -100 where currency = 'USD'")
    purse.fund(-150, "USD")
    assert purse.asked(1_000) == "payments.balance_owed"
    assert purse.claim(waiting) is None
    purse.fund(100, "USD")
    assert purse.asked(1_000) == "ok"
    assert purse.claim(waiting) is not None


def test_what_may_have_to_be_given_back_stays(till, cast):
    """The payer's bank disputes what this creator was paid with: their part of it stays."""
    from tests.payments.purses import Purse

    purse = Purse(till.db, cast["creator"])
    purse.account()
    escrow, order = till.escrow(10_000)
    payment = till.pay(order, 11_000)
    till.db.execute("select private.move_escrow(%s, 'work_in_progress')", [escrow])
    till.db.execute("select private.move_escrow(%s, 'disputed')", [escrow])
    cast["moderator"].rows("select resolve_dispute(%s, 'release', 'x')", [escrow])
    purse.fund(5_000)
    waiting = purse.request(1_000)
    assert till.dispute(payment, "open", 11_000) == "ok"
    assert purse.explain() == [
        ("available", 4_000, "available"), ("waiting", 10_000, "dispute"),
        ("reserved", 1_000, "withdrawal"),
    ]  # fmt: skip
    assert purse.asked(4_001) == "payments.withdrawal_disputed"
    assert purse.asked(14_001) == "ledger.insufficient_funds"
    assert purse.asked(4_000) == "ok"
    # what was asked for before is sent as long as enough stays
    assert purse.claim(waiting) is not None
    assert till.dispute(payment, "won", 11_000) == "ok"
    assert purse.asked(10_000) == "ok"


def test_what_was_asked_for_waits_when_a_dispute_needs_it(till, cast):
    from tests.payments.purses import Purse

    purse = Purse(till.db, cast["creator"])
    purse.account()
    escrow, order = till.escrow(10_000)
    payment = till.pay(order, 11_000)
    till.db.execute("select private.move_escrow(%s, 'work_in_progress')", [escrow])
    till.db.execute("select private.move_escrow(%s, 'disputed')", [escrow])
    cast["moderator"].rows("select resolve_dispute(%s, 'release', 'x')", [escrow])
    waiting = purse.request(10_000)
    till.dispute(payment, "open", 11_000)
    assert purse.claim(waiting) is None
    assert purse.one("select status || ' ' || note from withdrawals") == "reserved waits: dispute"
    till.dispute(payment, "won", 11_000)
    assert purse.claim(waiting) is not None


def test_who_takes_payments_back_by_their_bank_takes_nothing_out(till, cast):
    from tests.payments.purses import Purse

    purse = Purse(till.db, cast["sponsor"])
    purse.account()
    payment = till.pay(till.order(5_000), 5_000)
    purse.fund(5_000)
    till.dispute(payment, "open", 1_000)
    assert purse.asked(1_000) == "payments.withdrawal_disputed"
    till.dispute(payment, "won", 1_000)
    assert purse.asked(1_000) == "ok"


def test_what_was_paid_in_for_nothing_rests_for_two_weeks(till, cast):
    """A stolen card is not turned into money at once; what was earned beside it is free."""
    from tests.payments.purses import Purse

    purse = Purse(till.db, cast["sponsor"])
    purse.account()
    payment = till.pay(till.order(5_000), 5_000)
    paid = "update payments set created_at = now() - %s::interval where id = %s"
    till.db.execute(paid, ["13 days 23 hours", payment])
    assert purse.explain() == [("waiting", 5_000, "payment_hold")]
    ((until,),) = purse.owner.rows("select available_at from explain_balance('EUR')")
    assert until == purse.one("select now() + interval '1 hour'")
    purse.fund(2_000)
    assert purse.explain() == [
        ("available", 2_000, "available"), ("waiting", 5_000, "payment_hold"),
    ]  # fmt: skip
    assert purse.asked(2_001) == "payments.balance_on_hold"
    assert purse.asked(7_001) == "ledger.insufficient_funds"
    assert purse.asked(2_000) == "ok"
    till.db.execute(paid, ["14 days", payment])
    assert purse.asked(5_000) == "ok"


def test_what_was_paid_and_went_back_rests_no_more(till, cast):
    """Too much was paid, and the provider carries the rest back: nothing of it is the payer's."""
    from tests.payments.purses import Purse

    purse = Purse(till.db, cast["sponsor"])
    purse.account()
    _, order = till.escrow(10_000)
    payment = till.pay(order, 12_000)
    purse.fund(500)
    ((refund, amount, _),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    assert amount == 1_000
    assert purse.explain() == [("available", 500, "available"), ("reserved", 1_000, "refund")]
    assert till.refund(payment, "failed", 1_000, request=request) == "ok"
    assert purse.explain() == [("available", 500, "available"), ("waiting", 1_000, "payment_hold")]


def test_earnings_rest_where_the_provider_is_told_to_let_them(till, cast):
    from tests.payments.purses import Purse

    purse = Purse(till.db, cast["creator"])
    purse.account()
    escrow, order = till.escrow(10_000)
    payment = till.pay(order, 11_000)
    till.db.execute("select private.move_escrow(%s, 'work_in_progress')", [escrow])
    till.db.execute("select private.move_escrow(%s, 'disputed')", [escrow])
    cast["moderator"].rows("select resolve_dispute(%s, 'release', 'x')", [escrow])
    assert purse.explain() == [("available", 10_000, "available")]
    till.db.execute("update private.providers set payment_hold_hours = 72")
    assert purse.explain() == [("waiting", 10_000, "payment_hold")]
    assert purse.asked(10_000) == "payments.balance_on_hold"
    # what a dispute holds is not held a second time
    purse.fund(50_000)
    till.dispute(payment, "open", 11_000)
    assert purse.explain() == [("available", 50_000, "available"), ("waiting", 10_000, "dispute")]
    till.dispute(payment, "won", 11_000)
    purse.fund(-50_000)
    till.db.execute(
        "update payments set created_at = now() - interval '72 hours' where id = %s", [payment]
    )
    assert purse.asked(10_000) == "ok"


def test_what_comes_back_to_who_has_gone_is_found(purse):
    purse.fund(-10_000 + 1_000)
    _, key, reference = purse.sent(1_000)
    assert purse.told("paid", reference, key) == "ok"
    purse.db.execute("update profiles set deleted_at = now() where id = %s", [purse.owner.id])
    assert purse.findings() == []
    assert purse.told("returned", reference, key) == "ok"
    assert "balance of a deleted person" in {finding for finding, _ in purse.findings()}


def test_limits_hold_in_the_table_as_well(db):
    for change in ("maximum_minor = 50", "daily_minor = 1", "hold_hours = -1", "tier = 'x'"):
        with pytest.raises(psycopg.errors.CheckViolation) as refusal, db.transaction():
            db.execute(
                f"update private.withdrawal_limits set {change}"
                " where (provider, currency, tier) = ('stripe', 'EUR', 'member')"
            )
        assert error_code(refusal.value) == "23514"
