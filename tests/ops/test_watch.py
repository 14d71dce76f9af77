"""What must hold of all money is checked all the time; what does not is kept until it does."""

import pytest

from tests.bookings.conftest import House
from tests.escrow.conftest import Guild
from tests.fixtures import people
from tests.payments.conftest import Till
from tests.payments.purses import Purse

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


# what each copy of a row that is over must have of its own
OVER = 2000
COPIED = {
    "public.bookings": "'id', gen_random_uuid(), 'payment_reference', 'b' || n",
    "public.escrows": "'id', gen_random_uuid(), 'payment_reference', 'e' || n, 'position', n + 9",
    "public.withdrawals": "'id', gen_random_uuid(), 'reservation_id', gen_random_uuid(),"
    " 'reference', 'w' || n, 'idempotency_key', gen_random_uuid()",
    "public.payments": "'id', gen_random_uuid(), 'reference', 'p' || n, 'receipt_number', n + 9999",
    "public.refunds": "'id', gen_random_uuid(), 'reservation_id', gen_random_uuid(),"
    " 'reference', 'r' || n, 'idempotency_key', 'r' || n",
    "public.ledger_reservations": "'id', gen_random_uuid(), 'idempotency_key', 'x' || n",
    "public.invoices": "'id', gen_random_uuid(), 'reference', 'in_' || n",
    "private.provider_requests": "'subject_id', gen_random_uuid()",
    "private.webhook_events": "'id', n + 99, 'event_id', 'over_' || n",
}
TIMES = ("created_at", "updated_at", "received_at")


def _fill_with_what_is_over(db):
    """Two thousand of everything that has ended, two months ago."""
    house, guild, purse, till = House(db), Guild(db), Purse(db), Till(db, people.cast(db))
    house.into("released")
    guild.into("released")
    purse.fund(5_000)
    purse.account()
    _, key, reference = purse.sent(1_000)
    assert purse.told("paid", reference, key) == "ok"
    payment = till.pay(till.order(500), 700)
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    assert till.refund(payment, "succeeded", 200, "re_1", request) == "ok"
    db.execute(
        "select private.keep_events('{stripe}', '{evt_1}', '{x}', array['{}'::bytea]);"
        " select private.finish_event(id, 'processed', null) from private.webhook_events"
    )
    db.execute("set local session_replication_role = replica")
    db.execute(
        "insert into invoices (owner_id, provider, reference, subscription_reference, status,"
        " currency, total_minor, issued_at, changed_at)"
        " select id, 'stripe', 'in_0', 'sub_0', 'paid', 'EUR', 100, now(), now()"
        " from profiles limit 1"
    )
    for table, fresh in COPIED.items():
        names = [name for (name,) in db.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
            " and attgenerated = '' and not attisdropped order by attnum", [table],
        )]  # fmt: skip
        past = "".join(f", '{name}', now() - interval '60 days'" for name in TIMES if name in names)
        db.execute(
            f"insert into {table} ({', '.join(names)}) overriding system value"
            f" select {', '.join(f'(new).{name}' for name in names)} from (select"
            f" jsonb_populate_record(old, jsonb_build_object({fresh}{past})) as new"
            f" from (select known from {table} as known limit 1) as one (old),"
            f" generate_series(1, {OVER}) as n) as copies"
        )
    db.execute("set local session_replication_role = origin")
    db.execute("analyze")


def test_what_is_over_is_not_looked_at_again(db):
    """The check of every few minutes reads what is open, whatever there has been before."""
    _fill_with_what_is_over(db)
    read = (
        "select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)"
        " from pg_stat_xact_user_tables where schemaname in ('public', 'private')"
    )
    before = dict(db.execute(read))
    db.execute("set local enable_seqscan = off")  # so few rows are as soon read whole
    db.execute("discard plans")  # those of tests before, on this connection
    assert db.execute("select * from private.check_invariants()").fetchall() == []
    looked_at = {name: count - before[name] for name, count in db.execute(read)}
    assert {name: count for name, count in looked_at.items() if count > OVER / 10} == {}
    db.execute("select * from private.check_everything()")
    assert dict(db.execute(read))["bookings"] - before["bookings"] >= OVER


def test_the_whole_is_checked_once_a_day(till, busy):
    """A closed booking that says otherwise than the ledger is no matter of minutes."""
    house = House(till.db)
    house.into("released")
    till.db.execute("set local session_replication_role = replica")
    till.db.execute("update bookings set host_minor = host_minor - 1")
    wrong = "host got something else than the booking says"
    assert wrong not in _findings(till)
    assert till.one("select count(*) from private.check_everything() where finding = %s", wrong)
    assert till.one("select private.close_day((now() at time zone 'UTC')::date - 1)") > 0
    assert wrong in till.one("select findings::text from private.ledger_days")


def test_an_invoice_stays_in_sight_until_it_is_right(till):
    """Found when it was changed; not forgotten because that was days ago."""
    till.db.execute(
        "insert into invoices (owner_id, provider, reference, subscription_reference, status,"
        " currency, total_minor, paid_minor, issued_at, changed_at)"
        " values (%s, 'stripe', 'in_0', 'sub_0', 'paid', 'EUR', 100, 100, now(), now())",
        [till.payer.id],
    )
    assert till.one("select private.watch_invariants()") == 1
    till.db.execute("set local session_replication_role = replica")
    till.db.execute("update invoices set updated_at = now() - interval '3 days'")
    assert till.one("select private.watch_invariants()") == 0
    till.db.execute("update private.findings set cleared_at = null")
    till.db.execute("update private.findings set first_seen_at = now() - interval '2 days'")
    assert till.one("select private.watch_invariants()") == 1


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
