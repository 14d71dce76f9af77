"""Every minor unit of a balance is explained: what may be withdrawn, what not, why, and when."""

import random

import pytest

from tests.fixtures.people import suspend
from tests.payments.purses import Purse

HOLD = "update connected_accounts set changed_at = now() - interval '71 hours'"


def _rows(purse, currency="EUR"):
    return purse.owner.rows("select * from explain_balance(%s)", [currency])


def test_all_of_it_may_be_withdrawn(purse):
    ((currency, part, amount, reason, since, at, subject),) = _rows(purse)
    assert (currency, part, amount, reason, since) == (
        "EUR", "available", 10_000, "available", None,
    )  # fmt: skip
    assert at == purse.one("select now()")
    assert subject == purse.one("select id from connected_accounts")
    assert purse.asked(10_000) == "ok"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update connected_accounts set status = 'needs_information'", "needs_kyc"),
        ("update connected_accounts set status = 'pending'", "needs_kyc"),
        ("update connected_accounts set status = 'restricted'", "account_restricted"),
        (
            "update connected_accounts set status = 'closed', is_default = false",
            "no_account",
        ),
        ("update private.providers set is_enabled = false", "not_possible"),
        (HOLD, "account_hold"),
        ("update private.withdrawal_limits set minimum_minor = 10001", "provider_minimum"),
    ],
)
def test_why_nothing(purse, change, reason):
    purse.db.execute(change)
    assert purse.explain() == [("waiting", 10_000, reason)]
    assert purse.asked(10_000) != "ok"


def test_who_is_shut_out(purse):
    suspend(purse.db, purse.owner)
    assert purse.explain() == [("waiting", 10_000, "suspended")]


def test_a_hold_says_since_when_and_until_when(purse):
    purse.db.execute(HOLD)
    ((*_, since, until, account),) = _rows(purse)
    assert until == purse.one("select now() + interval '1 hour'")
    assert since == purse.one("select changed_at from connected_accounts where id = %s", account)


def test_limits_say_when_there_is_more(purse):
    purse.fund(1_490_000)
    for _ in range(2):
        purse.request(500_000)
    purse.db.execute("update withdrawals set created_at = now() - interval '20 hours'")
    rows = _rows(purse)
    assert [row[1:4] for row in rows] == [
        ("waiting", 500_000, "daily_limit"), ("reserved", 500_000, "review"),
        ("reserved", 500_000, "review"),
    ]  # fmt: skip
    assert rows[0][5] == purse.one("select now() + interval '4 hours'")
    purse.db.execute(
        "update private.withdrawal_limits set monthly_minor = 1100000"
        " where (provider, currency, tier) = ('stripe', 'EUR', 'member')"
    )
    assert purse.explain()[:2] == [
        ("waiting", 100_000, "daily_limit"), ("waiting", 400_000, "monthly_limit"),
    ]  # fmt: skip


def test_what_the_provider_cannot_send(purse):
    purse.fund(250_055, "HUF")
    assert purse.explain("HUF") == [
        ("available", 250_000, "available"), ("waiting", 55, "provider_minimum"),
    ]  # fmt: skip


def test_what_is_under_way(purse):
    withdrawal = purse.request(1_000)
    rows = _rows(purse)
    assert [row[1:4] for row in rows] == [
        ("available", 9_000, "available"), ("reserved", 1_000, "withdrawal"),
    ]  # fmt: skip
    assert rows[1][6] == withdrawal


def test_a_debt(purse):
    purse.db.execute("update ledger_accounts set floor_minor = -4000 where kind = 'available'")
    purse.fund(-14_000)
    purse.fund(500, "USD")
    assert purse.explain() == [("owed", -4_000, "owed")]
    assert purse.explain("USD") == [("waiting", 500, "owed")]


def test_refunds_and_disputes_of_ones_own_payments(till, cast):
    """Too much was paid, and the bank disputes some: both are held back, the rest waits."""
    purse = Purse(till.db, cast["sponsor"])
    purse.account()
    payment = till.pay(till.order(5_000), 5_500)
    till.dispute(payment, "open", 1_000)
    assert sorted(purse.explain()) == [
        ("reserved", 500, "refund"), ("reserved", 1_000, "dispute"),
        ("waiting", 4_000, "dispute"),
    ]  # fmt: skip


def test_what_is_coming_is_no_balance_yet(till, cast):
    purse = Purse(till.db, cast["creator"])
    assert purse.explain() == []
    escrow, order = till.escrow(10_000)
    payment = till.pay(order, 11_000)
    assert purse.explain(None) == [("coming", 10_000, "escrow")]
    cast["creator"].rows("select start_work(%s)", [escrow])
    cast["creator"].rows("select submit_work(%s, 'x')", [escrow])
    ((*_, reason, _, at, subject),) = _rows(purse)
    assert (reason, subject) == ("review", escrow)
    assert at == till.one("select review_due_at from escrows where id = %s", escrow)
    till.dispute(payment, "open", 11_000)
    assert purse.explain() == [("coming", 10_000, "dispute")]
    till.dispute(payment, "won", 11_000)
    cast["sponsor"].rows("select start_review(%s)", [escrow])
    cast["sponsor"].rows("select approve_escrow(%s)", [escrow])
    assert purse.explain() == [("waiting", 10_000, "no_account")]


def test_nobody_sees_anothers(purse, cast):
    assert cast["stranger"].rows("select * from explain_balance()") == []
    assert cast["admin"].rows("select * from explain_balance()") == []


def test_the_parts_are_the_balance(purse):
    """Whatever was done: they sum to what is posted, and what is available can be asked for."""
    chance = random.Random(7)
    open_requests = []
    for _ in range(60):
        step = chance.randrange(6)
        if step == 0:
            purse.fund(chance.randrange(1, 900_000), chance.choice(["EUR", "HUF"]))
        elif step == 1:
            purse.asked(chance.randrange(100, 400_000), chance.choice(["EUR", "HUF"]))
        elif step == 2:
            waiting = purse.one("select id from withdrawals where status = 'reserved' limit 1")
            request = waiting and purse.claim(waiting)
            open_requests += [request] if request else []
        elif step == 3 and open_requests:
            request = chance.choice(open_requests)
            purse.told(chance.choice(["sent", "paid", "failed", "returned"]), str(request), request)
        elif step == 4:
            purse.db.execute(
                "update connected_accounts set status = %s",
                [chance.choice(["active", "active", "needs_information"])],
            )
        else:
            purse.db.execute("update withdrawals set created_at = created_at - interval '9 hours'")
        for currency, posted in purse.db.execute(
            "select currency, posted_minor from ledger_accounts where kind = 'available'"
        ).fetchall():
            parts = purse.explain(currency)
            assert sum(amount for part, amount, _ in parts if part != "coming") == posted
            free = [amount for part, amount, _ in parts if part == "available"]
            if free and free[0] <= {"EUR": 500_000, "HUF": 200_000_000}[currency]:
                with purse.db.transaction(force_rollback=True):
                    assert purse.asked(free[0], currency) == "ok"


def test_what_settles(till, cast):
    """Of a booking, the host's part as it is rated now, and when it is theirs."""
    purse = Purse(till.db, cast["creator"])
    till.db.execute("set local session_replication_role = replica")
    for rating, frozen in ((None, None), (2, None), (3, "now()")):
        till.db.execute(
            "insert into bookings (offer_id, host_id, guest_id, title, currency, status, rating,"
            "  starts_at, ends_at, expires_at, completes_at, completed_at, settles_at, frozen_at,"
            "  total_minor, remaining_minor, policy_version, provider, payment_reference,"
            "  funded_at)"
            " select gen_random_uuid(), %s, %s, 'x', 'EUR', 'completed', %s, day, day + '1 hour',"
            "  now(), now(), now(), now() + interval '24 hours', %s::timestamptz, 10001, 10001, 1,"
            "  'stripe', gen_random_uuid()::text, now()"
            " from (select now() + make_interval(days => %s)) as starts (day)",
            [cast["creator"].id, cast["sponsor"].id, rating, frozen, rating or 1],
        )
    till.db.execute("set local session_replication_role = origin")
    tomorrow = till.one("select now() + interval '24 hours'")
    assert sorted((row[2], row[3], row[5]) for row in _rows(purse)) == [
        (6_301, "settling", tomorrow), (8_101, "dispute", None), (9_001, "settling", tomorrow),
    ]  # fmt: skip
