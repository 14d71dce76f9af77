"""Many at once on one escrow: exactly one effect, whoever wins; no deadlock between escrows."""

import random
import threading
from collections import Counter

import psycopg
import pytest

from tests.escrow.conftest import Guild
from tests.fixtures.people import Person, error_code

CLIENTS = 64


@pytest.fixture
def open_guild(own_database):
    """A guild that commits, and further connections to act on."""
    connections = []

    def connect():
        connections.append(psycopg.connect(own_database, autocommit=True))
        return connections[-1]

    guild = Guild(connect())
    guild.connect = connect
    yield guild
    for connection in connections:
        connection.close()


def _together(works):
    """Run these at once, each in a thread; what each returned or was refused with."""
    barrier = threading.Barrier(len(works))
    results = [None] * len(works)

    def run(number):
        barrier.wait()
        try:
            results[number] = works[number]()
        except psycopg.Error as error:
            results[number] = error_code(error)

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(results)


def _as(guild, person, query, *arguments):
    """A call by somebody on a connection of its own."""
    other = Person(guild.connect(), person.name, person.role, person.id)
    return lambda: other.rows(query, arguments)[0][0]


def _paid(guild, escrow, reference):
    db = guild.connect()
    query = "select (private.fund_escrow(%s, 'stripe', %s, 11000, 'EUR')).status"
    return lambda: db.execute(query, [escrow, reference]).fetchone()[0]


def test_one_payment_delivered_many_times_funds_once(open_guild):
    (escrow,) = open_guild.open()
    outcomes = _together([_paid(open_guild, escrow, "pi_1") for _ in range(CLIENTS)])
    assert outcomes == {"locked": CLIENTS}
    assert open_guild.one("select count(*) from ledger_transactions") == 1
    assert open_guild.findings() == []


def test_of_many_payments_one_funds(open_guild):
    (escrow,) = open_guild.open()
    outcomes = _together([_paid(open_guild, escrow, f"pi_{number}") for number in range(CLIENTS)])
    assert outcomes == {"locked": 1, "escrow.already_funded": CLIENTS - 1}
    assert open_guild.findings() == []


def test_one_payment_for_many_escrows_funds_one(open_guild):
    escrows = open_guild.open(*[10_000] * 16)
    outcomes = _together([_paid(open_guild, escrow, "pi_1") for escrow in escrows])
    assert outcomes == {"locked": 1, "escrow.payment_reused": 15}
    assert open_guild.findings() == []


def test_many_approvals_release_once(open_guild):
    escrow = open_guild.deliver(open_guild.open()[0])
    call = "select status from approve_escrow(%s)"
    outcomes = _together(
        [_as(open_guild, open_guild.sponsor, call, escrow) for _ in range(CLIENTS)]
    )
    assert outcomes == {"released": 1, "escrow.invalid_transition": CLIENTS - 1}
    assert open_guild.held(open_guild.creator) == 10_000
    assert open_guild.findings() == []


def test_many_refunds_share_what_remains(open_guild):
    escrow = open_guild.into("work_in_progress")
    call = "select status from refund_escrow(%s, 'x', 1000)"
    outcomes = _together(
        [_as(open_guild, open_guild.creator, call, escrow) for _ in range(CLIENTS)]
    )
    assert outcomes == {
        "work_in_progress": 10, "refunded": 1, "escrow.invalid_transition": CLIENTS - 11,
    }  # fmt: skip
    assert open_guild.held(open_guild.sponsor) == 11_000
    assert open_guild.findings() == []


def test_many_operators_resolve_once(open_guild):
    escrow = open_guild.into("disputed")
    call = "select status from resolve_dispute(%s, %s, 'x', %s)"
    ends = [("release", None), ("refund", None), ("split", 5_500)]
    outcomes = _together([
        _as(open_guild, open_guild.moderator, call, escrow, *ends[number % 3])
        for number in range(CLIENTS)
    ])  # fmt: skip
    assert outcomes.pop("escrow.invalid_transition") == CLIENTS - 1
    assert sum(outcomes.values()) == 1
    assert open_guild.one("select count(*) from audit_log") == 1
    assert open_guild.findings() == []


def test_approval_dispute_rejection_and_time_have_one_winner(open_guild):
    guild = open_guild
    escrow = guild.deliver(guild.open()[0])
    guild.db.execute("update escrows set review_due_at = now() - interval '1 s'")
    db = [guild.connect() for _ in range(4)]
    steps = [
        *[_as(guild, guild.sponsor, "select status from approve_escrow(%s)", escrow)] * 1,
        *[
            _as(guild, person, "select status from dispute_escrow(%s, 'x')", escrow)
            for person in (guild.sponsor, guild.creator)
        ],
        _as(guild, guild.sponsor, "select status from reject_work(%s, 'x')", escrow),
        *[
            lambda one=one: one.execute("select private.approve_next_overdue()").fetchone()[0]
            for one in db
        ],
    ]
    _together(steps)
    assert guild.status(escrow) in {"released", "disputed", "rejected"}
    assert guild.one(
        "select count(*) from ledger_transactions where subject_id = %s", escrow
    ) == 1 + (guild.status(escrow) == "released")
    assert guild.findings() == []


def test_workers_share_what_is_overdue(open_guild):
    guild = open_guild
    escrows = guild.open(*[10_000] * 12)
    for escrow in escrows:
        guild.deliver(escrow)
    guild.db.execute("update escrows set review_due_at = now() - interval '1 s'")
    taken = []

    def work():
        db = guild.connect()
        while (row := db.execute("select private.approve_next_overdue()").fetchone())[0]:
            taken.append(row[0])

    _together([work] * 4)
    assert sorted(taken) == sorted(escrows)
    assert guild.held(guild.creator) == 120_000
    assert guild.findings() == []


def test_people_in_every_part_at_once_deadlock_never(open_guild):
    """Each is sponsor, creator and agent somewhere; all escrows end at once, in new accounts."""
    guild = open_guild
    people = [guild.sponsor, guild.creator, guild.agent(), guild.agent()]
    for person in people:
        for role in ("sponsor", "creator", "agent"):
            person.rows("select choose_role(%s)", [role])
    for number, person in enumerate(people):
        guild.refer(people[number - 1], person)
    chance = random.Random(4)
    works = []
    for _ in range(32):
        guild.sponsor, guild.creator = chance.sample(people, 2)
        escrow = guild.into("disputed")
        call = "select status from resolve_dispute(%s, 'split', 'x', 5500)"
        works.append(_as(guild, guild.moderator, call, escrow))
    assert _together(works) == {"released": 32}
    assert guild.findings() == []


@pytest.mark.parametrize("ending", ["approve_next_overdue", "end_next_hold"])
@pytest.mark.parametrize(
    ("settings", "code"), [("set lock_timeout = 0", "40P01"), ("set lock_timeout = 200", "55P03")]
)
def test_what_others_do_is_not_the_escrows_failure(open_guild, ending, settings, code):
    """A lost deadlock, or a lock that was not had in time: it stays due, as it was."""
    guild = open_guild
    escrow = guild.into("work_submitted")
    guild.db.execute("update escrows set review_due_at = now(), hold_until = now()")
    due = "select review_due_at, hold_until, status from escrows"
    before = guild.db.execute(due).fetchall()
    worker, other = guild.connect(), guild.connect()
    worker.execute(settings)
    outcomes = []

    def end():
        try:
            worker.execute(f"select private.{ending}()")
        except psycopg.Error as error:
            outcomes.append(error.sqlstate)

    with other.transaction():
        other.execute("select from ledger_accounts where kind = 'escrow' for update")
        thread = threading.Thread(target=end)
        thread.start()
        waits = "select count(*) from pg_locks where pid = %s and not granted"
        while code == "40P01" and not guild.one(waits, worker.info.backend_pid):
            pass
        if code == "40P01":  # it holds the escrow and waits for the account
            other.execute("select from escrows for update")
        thread.join()
    assert outcomes == [code]
    assert guild.one("select count(*) from private.escrow_failures") == 0
    assert guild.db.execute(due).fetchall() == before
    assert guild.one(f"select private.{ending}()") == escrow
    assert guild.status(escrow) == "released"
