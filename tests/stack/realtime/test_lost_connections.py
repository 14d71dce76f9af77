"""Connections to the database are cut while messages are written: each arrives exactly once."""

import asyncio
import contextlib

import psycopg

from tests.stack.realtime.conftest import admin_of
from tests.stack.realtime.wire import sign, unique, wire

_CUT = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where application_name like 'stack: realtime%' and pid <> pg_backend_pid()
"""
_MESSAGES = 300


async def _cut_until(stopped, database_url):
    """Cut every connection of the realtime service, again and again; return how many."""
    cuts = 0
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        while not stopped.is_set():
            row = await (await admin.execute(_CUT)).fetchone()
            cuts += row[0]
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), 0.15)
    return cuts


async def test_messages_arrive_once(stack, admin_url):
    topic = unique("rt:open")
    async with wire(stack) as socket:
        assert (await socket.join(topic, token=sign(stack), private=True))["status"] == "ok"
        stopped = asyncio.Event()
        cutting = asyncio.create_task(_cut_until(stopped, admin_url))
        async with await psycopg.AsyncConnection.connect(
            stack.database_url, autocommit=True
        ) as writer:
            for n in range(_MESSAGES):
                await writer.execute(
                    "select realtime.send(jsonb_build_object('n', %s::int), 'n', %s)", [n, topic]
                )
                await asyncio.sleep(0.003)
        stopped.set()
        assert await cutting > 3
        for _ in range(400):
            if len(socket.events("broadcast")) >= _MESSAGES:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.5)  # a sweep later there is nothing more
        numbers = [payload["payload"]["n"] for payload in socket.events("broadcast")]
        assert sorted(numbers) == list(range(_MESSAGES))


async def test_a_message_inserted_before_the_cut_and_committed_after_it_arrives(stack, admin_url):
    topic = unique("rt:open")
    async with wire(stack) as socket:
        await socket.join(topic, token=sign(stack), private=True)
        async with await psycopg.AsyncConnection.connect(stack.database_url) as writer:
            await writer.execute("select realtime.send('{\"a\": 1}', 'late', %s)", [topic])
            await asyncio.sleep(2.2)  # two sweeps pass over it
            with psycopg.connect(admin_url, autocommit=True) as admin:
                admin.execute(_CUT)
                await writer.commit()
        await socket.until(lambda m: m[3] == "broadcast")
        await asyncio.sleep(1.2)
        assert len(socket.events("broadcast")) == 1


async def test_a_message_nobody_announced_is_found_while_others_keep_coming(stack, admin_url):
    """The sweep does not wait for silence, and forgets nothing that was announced."""
    topic = unique("rt:open")
    async with wire(stack) as socket:
        await socket.join(topic, token=sign(stack), private=True)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            # replica mode: triggers sleep, so nothing is announced
            admin.execute("set session_replication_role = replica")
            admin.execute("select realtime.send('{\"n\": -1}', 'quiet', %s)", [topic])
            admin.execute("set session_replication_role = origin")
            for n in range(25):
                admin.execute(
                    "select realtime.send(jsonb_build_object('n', %s::int), 'loud', %s)", [n, topic]
                )
                await asyncio.sleep(0.1)
        await socket.until(lambda m: m[3] == "broadcast" and m[4]["event"] == "quiet")
        await socket.until(lambda m: m[3] == "broadcast" and m[4]["payload"]["n"] == 24)
        numbers = [payload["payload"]["n"] for payload in socket.events("broadcast")]
        assert sorted(numbers) == list(range(-1, 25))


async def test_changes_arrive_once(stack, admin_url):
    title = unique("cut")
    entry = {"event": "INSERT", "schema": "public", "table": "rt_items"}
    entry["filter"] = f"title=eq.{title}"
    async with wire(stack) as socket:
        await socket.join(unique("changes"), postgres_changes=[entry])
        await socket.until(lambda m: m[3] == "system" and m[4]["status"] == "ok")
        stopped = asyncio.Event()
        cutting = asyncio.create_task(_cut_until(stopped, admin_url))
        async with await psycopg.AsyncConnection.connect(
            stack.database_url, autocommit=True
        ) as writer:
            for n in range(_MESSAGES):
                await writer.execute(
                    "insert into rt_items (title, amount) values (%s, %s)", [title, n]
                )
                await asyncio.sleep(0.003)
        stopped.set()
        assert await cutting > 3
        for _ in range(400):
            if len(socket.events("postgres_changes")) >= _MESSAGES:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        heard = socket.events("postgres_changes")
        assert [change["data"]["record"]["amount"] for change in heard] == list(range(_MESSAGES))


async def test_a_cut_pool_does_not_refuse_a_private_join(limited_stack):
    """The Data API has the same pool: on the stack that others use, they would lose it, too."""
    with psycopg.connect(admin_of(limited_stack), autocommit=True) as admin:
        admin.execute(
            "create policy cut on realtime.messages for select to authenticated using (true)"
        )
        try:
            async with wire(limited_stack) as socket:
                for _ in range(3):
                    cut = admin.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = 'stack: authenticator' and state = 'idle'"
                    )
                    answer = await socket.join(
                        unique("rt:open"), token=sign(limited_stack), private=True
                    )
                    assert answer["status"] == "ok", answer
                    assert cut.rowcount > 0
        finally:
            admin.execute("drop policy cut on realtime.messages")
