"""A transaction says first as whom it acts, and leaves nothing of it behind."""

import psycopg
import pytest

from workers.core.db import make_pool, transaction
from workers.core.errors import Rejected
from workers.core.settings import Settings

SHOW = "select current_user::text, current_setting('request.jwt.claims', true)"


@pytest.fixture
async def pool(own_database):
    known = Settings(_env_file=None, database_url=own_database, database_pool_size=1)
    async with make_pool(known) as opened:
        yield opened


async def _row(db, query, arguments=()):
    return await (await db.execute(query, arguments)).fetchone()


@pytest.mark.parametrize("claims", ["", '{"sub": "x"}', "'; select 1; --", "\\' {} %s", '{"ü": 1}'])
async def test_role_and_claims_last_as_long_as_it_does(pool, claims):
    async with transaction(pool, "authenticated", claims, timeout_ms=4321) as db:
        assert await _row(db, SHOW) == ("authenticated", claims)
        assert await _row(db, "show statement_timeout") == ("4321ms",)
    async with pool.connection() as db:
        assert await _row(db, SHOW) == ("postgres", "")
        assert await _row(db, "show statement_timeout") != ("4321ms",)


async def test_a_failure_undoes_all_of_it(pool):
    async def fail(error: type[Exception]) -> None:
        async with transaction(pool, "postgres") as db:
            await db.execute("insert into private.rate_tiers values ('new', 1, 1)")
            if error is ValueError:
                raise error
            await db.execute("select 1 / 0")

    for error in (ValueError, psycopg.errors.DivisionByZero):
        with pytest.raises(error):
            await fail(error)
    async with transaction(pool, "postgres") as db:
        query = "select count(*) from private.rate_tiers where tier = 'new'"
        assert await _row(db, query) == (0,)


async def test_a_savepoint_inside_undoes_only_itself(pool):
    async with transaction(pool, "postgres") as db:
        await db.execute("insert into private.rate_tiers values ('kept', 1, 1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            async with db.transaction():
                await db.execute("insert into private.rate_tiers values ('kept', 1, 1)")
    async with transaction(pool, "postgres") as db:
        await db.execute("delete from private.rate_tiers where tier = 'kept' returning 1")


async def test_a_refusal_bears_its_code_status_and_headers(pool):
    reject = "select private.reject('ops.rate_limited', 'x', '{\"Retry-After\": \"7\"}')"
    with pytest.raises(Rejected) as refused:
        async with transaction(pool, "postgres") as db:
            await db.execute(reject)
    found = refused.value
    assert (found.code, found.http_status) == ("ops.rate_limited", 429)
    assert (found.details, found.headers) == ("x", {"Retry-After": "7"})


async def test_no_role_that_is_not_ours(pool):
    for role in ("postgres; --", "nobody_at_all"):
        with pytest.raises(psycopg.Error):
            async with transaction(pool, role) as db:
                await db.execute("select 1")


async def test_a_restart_of_postgres_is_survived(pool, own_database):
    async with transaction(pool) as db:
        (pid,) = await _row(db, "select pg_backend_pid()")
    with psycopg.connect(own_database) as other:
        other.execute("select pg_terminate_backend(%s)", [pid])
    with pytest.raises(psycopg.OperationalError):
        async with transaction(pool) as db:
            await db.execute("select 1")
    async with transaction(pool) as db:
        assert await _row(db, "select 1") == (1,)
