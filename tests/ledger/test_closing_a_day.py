"""A day that is over is closed once, with what was found wrong and what accounts held."""

import asyncio
from types import SimpleNamespace

import psycopg
import pytest
from pydantic import SecretStr

from tests.ledger.conftest import Books
from workers.core.db import make_pool
from workers.core.settings import Settings
from workers.ops.tasks import close_day

CLOSE = "select private.close_day((now() at time zone 'UTC')::date - %s)"


def test_a_day_is_closed_once(books):
    books.person(100)
    assert books.one(CLOSE, 1) == 0
    assert books.one(CLOSE, 1) is None


def test_a_day_that_is_not_over_stays_open(books):
    assert books.one(CLOSE, 0) is None


def test_what_is_wrong_is_kept_with_it(books):
    books.person(100)
    books.db.execute("set local session_replication_role = replica")  # past every trigger
    books.db.execute("update ledger_accounts set posted_minor = 101 where posted_minor = 100")
    assert books.one(CLOSE, 1) > 0
    told = books.one("select findings::text from private.ledger_days")
    assert "balance differs from its entries" in told


OPEN = "select (now() at time zone 'UTC')::date - day from private.open_days() as open (day)"
AGE = "select value from private.figures() where name = 'guildhall_days_since_close'"
FOUND = "select count(*) from private.check_invariants() where finding = 'a day was not closed'"


def _posted_days_ago(books, days):
    books.person(100)
    books.db.execute("set session_replication_role = replica")
    for table in ("ledger_transactions", "ledger_entries"):
        books.db.execute(
            f"update {table} set posted_at = posted_at - make_interval(days => %s)", [days]
        )
    books.db.execute("reset session_replication_role")


def test_without_postings_nothing_is_open(books):
    assert books.db.execute(OPEN).fetchall() == []
    assert (books.one(AGE), books.one(FOUND)) == (0, 0)


def test_a_ledger_that_never_closed_a_day_says_so(books):
    _posted_days_ago(books, 5)
    assert books.db.execute(OPEN).fetchall() == [(5,), (4,), (3,), (2,), (1,)]
    assert (books.one(AGE), books.one(FOUND)) == (5, 4)


def test_a_gap_is_open_though_a_later_day_is_closed(books):
    _posted_days_ago(books, 5)
    for day in (5, 1):
        assert books.one(CLOSE, day) == 0
    assert books.db.execute(OPEN).fetchall() == [(4,), (3,), (2,)]
    assert (books.one(AGE), books.one(FOUND)) == (4, 3)
    assert books.one("select (now() at time zone 'UTC')::date - day from private.close_next_day()")
    assert books.db.execute(OPEN).fetchall() == [(3,), (2,)]


@pytest.fixture
def shut(own_database):
    """Runs the worker's task to its end."""

    async def run():
        async with make_pool(Settings(database_url=SecretStr(own_database))) as pool:
            await close_day(SimpleNamespace(additional_context={"pool": pool}), 0)

    return lambda: asyncio.run(run())


def test_the_worker_closes_every_open_day_oldest_first(own_database, shut):
    with psycopg.connect(own_database, autocommit=True) as db:
        books = Books(db)
        _posted_days_ago(books, 3)
        shut()
        days = "select (now() at time zone 'UTC')::date - day from private.ledger_days"
        assert db.execute(days + " order by closed_at").fetchall() == [(3,), (2,), (1,)]
        assert (books.one(AGE), books.one(FOUND)) == (0, 0)
        assert books.one("select sum(jsonb_array_length(findings)) from private.ledger_days") == 0
        shut()
        assert len(db.execute(days).fetchall()) == 3
