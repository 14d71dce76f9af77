"""An old transaction keeps the feed of changes from starting: the subscriber is told, and waits."""

import psycopg

from tests.stack.realtime.wire import unique, wire


async def test_the_subscriber_is_told_and_served_later(limited_stack):
    with (
        psycopg.connect(limited_stack.database_url) as old,
        psycopg.connect(limited_stack.database_url, autocommit=True) as database,
    ):
        database.execute("create table if not exists slow_start (id int primary key)")
        database.execute("grant select on slow_start to anon")
        database.execute("alter publication supabase_realtime add table slow_start")
        old.execute("select pg_current_xact_id()")
        async with wire(limited_stack) as socket:
            entry = {"event": "*", "schema": "public", "table": "slow_start"}
            await socket.join(unique("room"), postgres_changes=[entry])
            for _ in range(22):  # the stack closes who is silent for a second
                assert await socket.is_alive()
                try:
                    told = await socket.until(lambda m: m[3] == "system", 0.5)
                    break
                except AssertionError:
                    continue
            assert told[4]["status"] == "error"
            old.rollback()
            for _ in range(16):
                assert await socket.is_alive()
                try:
                    await socket.until(lambda m: m[3] == "system" and m[4]["status"] == "ok", 0.5)
                    break
                except AssertionError:
                    continue
            database.execute("insert into slow_start values (1)")
            await socket.until(lambda m: m[3] == "postgres_changes")
        database.execute("drop table slow_start")
