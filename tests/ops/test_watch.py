"""What must hold of all money is checked all the time; what does not is kept until it does."""

import pytest

from tests.payments.conftest import Till

FOUND = "select finding from private.check_invariants()"


@pytest.fixture
def till(db, cast):
    return Till(db, cast)


@pytest.fixture
def busy(till):
    """A deal paid, a refund under way, an event that was booked: an ordinary moment."""
    escrow, order = till.escrow()
    till.pay(order, 1300)
    till.db.execute("select private.keep_events('{stripe}', '{evt_1}', '{x}', array['{}'::bytea])")
    return escrow


def _findings(till):
    return sorted({row[0] for row in till.db.execute(FOUND)})


def test_an_ordinary_moment_finds_nothing(till, busy):
    assert _findings(till) == []
    assert till.one("select private.watch_invariants()") == 0
    assert till.cast["admin"].rows("select * from list_findings()") == []


BROKEN = {
    "money does not sum to zero": (
        "update ledger_accounts set posted_minor = posted_minor + 1 where kind = 'available'"
    ),
    "held money differs from its ledger account": (
        "update escrows set remaining_minor = remaining_minor - 1,"
        " refunded_minor = refunded_minor + 1"
    ),
    "reserved differs from its reservations": (
        "update ledger_accounts set reserved_minor = reserved_minor - 1 where reserved_minor > 0"
    ),
    "reservation without its cause": "update refunds set status = 'failed'",
    "a provider's answer is unknown for an hour": (
        "select private.claim_refund(id) from refunds;"
        " update private.provider_requests set created_at = now() - interval '61 minutes'"
    ),
    "a refund waits for an hour": (
        "update refunds set created_at = now() - interval '61 minutes'"
    ),
    "an event waits for ten minutes": (
        "update private.webhook_events set received_at = now() - interval '11 minutes'"
    ),
    "an event was not booked": (
        "select private.finish_event(id, 'failed', 'why') from private.webhook_events"
    ),
    "an escrow is stuck": (
        "update escrows set status = 'work_in_progress';"
        " update escrows set status = 'disputed';"
        " alter table escrows disable trigger user;"
        " update escrows set updated_at = now() - interval '15 days'"
    ),
    "postings wait for a seal": (
        "alter table ledger_transactions disable trigger user;"
        " update ledger_transactions set posted_at = posted_at - interval '31 minutes'"
    ),
    "provider and ledger differ": (
        "select private.import_movement('stripe', 'payment', 'pi_lost', 1, 'EUR', 0,"
        " now() - interval '2 hours')"
    ),
}  # fmt: skip


@pytest.mark.parametrize("finding", BROKEN)
def test_each_violation_is_found(till, busy, finding):
    till.db.execute(BROKEN[finding].encode())
    assert finding in _findings(till)


def test_a_finding_is_kept_until_it_holds_again(till, busy):
    event = till.one("select id from private.webhook_events")
    till.db.execute("select private.finish_event(%s, 'failed', 'why')", [event])
    for _ in range(2):
        assert till.one("select private.watch_invariants()") == 1
    ((finding, subject, *_),) = till.cast["moderator"].rows("select * from list_findings()")
    assert (finding, subject) == ("an event was not booked", f"event {event} of stripe: why")
    told = "select value from private.figures() where name = 'guildhall_findings'"
    assert till.one(told) == 1
    assert till.one("select private.replay_event(%s)", event) is True
    assert till.one("select private.watch_invariants()") == 0
    assert till.one(told) is None
    assert till.one("select cleared_at is not null from private.findings") is True


def test_figures_tell_whether_workers_run_and_how_the_last_day_was_closed(till, busy):
    def figure(name):
        return till.one("select value from private.figures() where name = %s", name)

    till.db.execute("delete from procrastinate.procrastinate_workers")
    assert figure("guildhall_workers") == 0
    till.db.execute("insert into procrastinate.procrastinate_workers default values")
    assert figure("guildhall_workers") == 1
    assert figure("guildhall_day_findings") == 0
    till.db.execute(
        "insert into private.ledger_days (day, transaction_count, trial_balance, findings)"
        " values ('2020-01-01', 0, '[]', '[[\"seal does not match\", \"1\"]]')"
    )
    assert figure("guildhall_day_findings") == 1


def test_the_trial_balance_is_the_operators(till, busy):
    rows = till.cast["admin"].rows("select kind, balance_minor from get_trial_balance()")
    assert dict(rows) == {"available": 200, "clearing": -1300, "escrow": 1100}
    told = till.payer.outcome("select * from get_trial_balance()")
    assert told == "identity.operator_required"
