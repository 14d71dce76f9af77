"""What a bank refused half-way is fetched back by a job, once, and only then counts as failed."""

import asyncio
import json
import uuid
from types import SimpleNamespace

import psycopg
import pytest
from pydantic import SecretStr

from tests.fixtures.people import error_code
from workers.core.db import make_pool
from workers.core.settings import Settings
from workers.payments.base import WithdrawalStranded
from workers.payments.recalls import recall_withdrawal

OPEN = "select (private.open_request('stripe', 'payments.send_withdrawal', %s, '{}')).id"
REQUESTS = (
    "select status, tries, reference, note from private.provider_requests"
    " where action = 'payments.recall_withdrawal'"
)


@pytest.fixture
def db(own_database):
    with psycopg.connect(own_database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def told(db):
    """What is booked of withdrawals, whatever the database makes of it elsewhere."""
    db.execute("drop function if exists private.change_withdrawal(text, text, uuid, text, text)")
    db.execute("create table private.told (fact jsonb)")
    db.execute(
        "create function private.change_withdrawal("
        " provider text, reference text, key uuid, status text, reason text) returns void"
        " language sql security definer set search_path = '' as $$"
        " insert into private.told"
        " values (jsonb_build_array(provider, reference, key, status, reason)) $$"
    )
    db.execute("grant execute on function private.change_withdrawal to guildhall_worker")
    return lambda: [fact for (fact,) in db.execute("select fact from private.told")]


def _book(db, fact):
    with db.transaction():
        db.execute("set local role guildhall_worker")
        db.execute(*fact.booking("stripe"))


def _jobs(db):
    return db.execute(
        "select args from procrastinate.procrastinate_jobs"
        " where task_name = 'payments.recall_withdrawal'"
    ).fetchall()


@pytest.fixture
async def stranded(db, shop):
    """A withdrawal that was sent, and the fact that its bank refused it."""
    withdrawal = uuid.uuid4()
    ((key,),) = db.execute(OPEN, [withdrawal]).fetchall()
    ask = await shop.withdrawal() | {"key": key}
    sent = await shop.gateway.send(**ask)
    shop.control(f"transfers/{sent.reference}/payout/failed")
    (fact,) = shop.facts(WithdrawalStranded)
    return withdrawal, fact


async def _run(own_database, gateway, withdrawal):
    known = Settings(_env_file=None, database_url=SecretStr(own_database))
    async with make_pool(known) as pool:
        more = {"pool": pool, "providers": {"stripe": gateway}}
        await recall_withdrawal(SimpleNamespace(additional_context=more), str(withdrawal))


async def test_it_is_fetched_back_once(own_database, db, shop, gateway, stranded, told):
    withdrawal, fact = stranded
    for _ in range(3):
        _book(db, fact)
    assert _jobs(db) == [({"subject_id": str(withdrawal)},)]
    assert told() == []
    for _ in range(2):
        await _run(own_database, gateway, withdrawal)
    reason = "The bank account has been closed."
    assert told() == [["stripe", fact.reference, str(fact.key), "failed", reason]]
    assert db.execute(REQUESTS).fetchall() == [("succeeded", 2, fact.reference, None)]
    assert shop.balance() == {"EUR": 1000}
    _book(db, fact)
    assert len(_jobs(db)) == 1


async def test_in_doubt_it_stays_open_and_is_asked_again(
    own_database, db, shop, gateway, sandbox, stranded, told
):
    withdrawal, fact = stranded
    _book(db, fact)
    sandbox.fail("stripe", "500_before", "/reversals")
    await _run(own_database, gateway, withdrawal)
    ((status, *_, note),) = db.execute(REQUESTS).fetchall()
    assert (status, told()) == ("unknown", [])
    assert note
    db.execute("update private.provider_requests set look_at = now()")
    db.execute("update private.provider_requests set closed_at = now(), status = 'succeeded'"
               " where action = 'payments.send_withdrawal'")  # fmt: skip
    assert db.execute("select private.reconcile_requests()").fetchone() == (1,)
    assert len(_jobs(db)) == 2
    await _run(own_database, gateway, withdrawal)
    assert [fact[3] for fact in told()] == ["failed"]
    assert shop.balance() == {"EUR": 1000}


async def test_a_provider_switched_off_still_gives_back(
    own_database, db, shop, gateway, stranded, told
):
    withdrawal, fact = stranded
    db.execute("update private.providers set is_enabled = false")
    _book(db, fact)
    await _run(own_database, gateway, withdrawal)
    assert len(told()) == 1


async def test_eight_workers_fetch_it_back_once(own_database, db, shop, gateway, stranded, told):
    withdrawal, fact = stranded
    _book(db, fact)
    await asyncio.gather(*(_run(own_database, gateway, withdrawal) for _ in range(8)))
    assert {json.dumps(one) for one in told()} == {json.dumps(told()[0])}
    assert len(shop.sandbox.worlds["stripe"].all("transfer_reversal")) == 1
    assert shop.balance() == {"EUR": 1000}


def test_of_a_withdrawal_that_nobody_knows(db):
    with pytest.raises(psycopg.Error) as refused:
        _book(db, WithdrawalStranded("tr_1", uuid.uuid4(), "x"))
    assert error_code(refused.value) == "payments.request_not_found"
