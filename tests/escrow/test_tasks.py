"""The worker's periodic tasks take every overdue escrow, each in a transaction of its own."""

import asyncio
from types import SimpleNamespace

import psycopg
from pydantic import SecretStr

from tests.escrow.conftest import Guild
from workers.core.db import make_pool
from workers.core.settings import Settings
from workers.escrow.tasks import approve_overdue, cancel_unpaid


def test_time_is_told_by_the_worker(own_database):
    async def run(task):
        known = Settings(database_url=SecretStr(own_database))
        async with make_pool(known) as pool:
            await task(SimpleNamespace(additional_context={"pool": pool}), 0)

    with psycopg.connect(own_database, autocommit=True) as db:
        guild = Guild(db)
        late = [guild.into("work_submitted") for _ in range(3)]
        unpaid = guild.open(5, 7)
        db.execute("update escrows set review_due_at = now() where id = any(%s)", [late])
        asyncio.run(run(approve_overdue))
        assert {guild.status(escrow) for escrow in late} == {"released"}
        db.execute("update escrows set created_at = now() - interval '15 days'")
        asyncio.run(run(cancel_unpaid))
        assert [guild.status(escrow) for escrow in unpaid] == ["cancelled", "pending_payment"]
        assert guild.findings() == []
