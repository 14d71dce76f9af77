"""Events that arrive together are kept by one commit; each once, and none takes others with it."""

import asyncio

import psycopg
import pytest

from api.inbox import Inbox
from workers.core.db import make_pool
from workers.core.settings import Settings
from workers.payments.base import Event

KEPT = "select event_id from private.webhook_events order by id"


@pytest.fixture
async def inbox(own_database):
    async with make_pool(Settings(_env_file=None, database_url=own_database)) as pool:
        yield Inbox(pool)


def _event(number, body=b"{}"):
    return Event(f"evt_{number}", "a.b", body)


def _rows(database, query=KEPT):
    with psycopg.connect(database) as db:
        return [row[0] for row in db.execute(query.encode())]


async def test_many_at_once_are_few_transactions(inbox, own_database):
    told = await asyncio.gather(*(inbox.keep("stripe", _event(number)) for number in range(500)))
    assert all(told)
    assert sorted(_rows(own_database)) == sorted(f"evt_{number}" for number in range(500))
    transactions = _rows(own_database, "select distinct xmin::text from private.webhook_events")
    assert len(transactions) <= 4
    jobs = "select count(*) from procrastinate.procrastinate_jobs"
    assert _rows(own_database, jobs) == [500]


async def test_a_thousand_of_one_are_one(inbox, own_database):
    """In one batch, in later ones, and from two processes at once."""
    async with make_pool(Settings(_env_file=None, database_url=own_database)) as pool:
        other = Inbox(pool)
        told = await asyncio.gather(
            *(one.keep("stripe", _event(1)) for _ in range(500) for one in (inbox, other))
        )
    assert told.count(True) == 1
    assert _rows(own_database) == ["evt_1"]
    assert _rows(own_database, "select count(*) from procrastinate.procrastinate_jobs") == [1]


async def test_the_same_id_of_two_providers_are_two(inbox):
    assert await asyncio.gather(
        inbox.keep("stripe", _event(1)), inbox.keep("paypal", _event(1))
    ) == [True, True]


async def test_one_that_cannot_be_kept_fails_alone(inbox, own_database):
    broken = Event("evt_\0", "a.b", b"{}")  # Postgres' text has no null byte
    told = await asyncio.gather(
        inbox.keep("stripe", _event(1)),
        inbox.keep("stripe", broken),
        inbox.keep("stripe", _event(2)),
        return_exceptions=True,
    )
    assert (told[0], told[2]) == (True, True)
    assert isinstance(told[1], psycopg.DataError)
    assert _rows(own_database) == ["evt_1", "evt_2"]


async def test_a_client_that_leaves_takes_nothing_back(inbox, own_database):
    leaving = asyncio.create_task(inbox.keep("stripe", _event(1)))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await inbox.keep("stripe", _event(2)) is True
    assert await inbox.keep("stripe", _event(1)) is False
    assert _rows(own_database) == ["evt_1", "evt_2"]


async def test_a_database_that_is_away_is_told_to_each(own_database):
    nowhere = "postgresql://nobody@127.0.0.1:1/nowhere?connect_timeout=1"
    pool = make_pool(Settings(_env_file=None, database_url=nowhere))
    pool.timeout = 0.5
    await pool.open(wait=False)
    try:
        lost = Inbox(pool)
        told = await asyncio.gather(
            *(lost.keep("stripe", _event(number)) for number in range(3)), return_exceptions=True
        )
    finally:
        await pool.close()
    assert all(isinstance(one, psycopg.OperationalError) for one in told)
