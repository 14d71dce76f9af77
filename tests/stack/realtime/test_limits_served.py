"""Limits, on a stack where they are low: what is too much ends as it does upstream."""

import asyncio
import contextlib
import json
from contextlib import AsyncExitStack

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.stack.realtime.wire import unique, wire


async def test_a_connection_has_so_many_channels(limited_stack):
    async with wire(limited_stack) as socket:
        for n in range(3):
            assert (await socket.join(unique(f"room{n}")))["status"] == "ok"
        answer = await socket.join(unique("room"))
        assert answer["response"] == {"reason": "ChannelRateLimitReached: Too many channels"}
        await socket.send("realtime:" + "gone", "phx_leave", {})
        assert await socket.is_alive()


async def test_a_payload_has_so_many_bytes(limited_stack):
    async with wire(limited_stack) as socket:
        for _ in range(
            150
        ):  # the rate is a mean over a minute, which a test before may have used up
            name = unique("room")
            await socket.join(name, broadcast={"ack": True, "self": True})
            content = {"type": "broadcast", "event": "x", "payload": {"text": "x" * 20_000}}
            await socket.send(f"realtime:{name}", "broadcast", content, "big")
            answer = await socket.until(
                lambda m: m[2] == f"realtime:{name}" and (m[1] == "big" or m[3] == "system")  # noqa: B023
            )
            if answer[3] != "system":
                break
            await socket.is_alive()
            await asyncio.sleep(0.5)
        answer = answer[4]
        assert answer == {"status": "error", "response": {"error": "payload_size_exceeded"}}
        assert socket.events("broadcast") == []


async def test_too_many_messages_end_the_channel(limited_stack):
    async with wire(limited_stack) as socket:
        name = unique("room")
        await socket.join(name)
        for n in range(400):  # five a second, as a mean over a minute
            await socket.send(f"realtime:{name}", "broadcast", {"event": "n", "payload": {"n": n}})
        message = await socket.until(lambda m: m[3] == "system")
        assert message[4]["message"] == "Too many messages per second"
        await socket.until(lambda m: m[3] == "phx_close")
        assert await socket.is_alive()


async def test_who_says_nothing_for_the_time_allowed_is_closed(limited_stack):
    async with wire(limited_stack) as socket:
        assert await socket.close_code(8) == 1000


async def test_only_so_many_connections(limited_stack):
    async with AsyncExitStack() as open_ones:
        with pytest.raises(InvalidStatus) as refused:
            await _open(open_ones, limited_stack, 30)
        assert refused.value.response.status_code == 429
        assert json.loads(refused.value.response.body) == {"error": "Too many connected users"}


async def _open(open_ones, stack, count):
    # at once: who says nothing for a second is closed
    await asyncio.gather(*(open_ones.enter_async_context(wire(stack)) for _ in range(count)))


async def test_a_client_that_does_not_read_is_dropped(limited_stack):
    """What waits for it is bounded: its connection ends, others go on."""
    name = unique("room")
    async with wire(limited_stack) as reader, wire(limited_stack) as speaker:
        await speaker.join(name)
        await reader.join(name)
        # the client's buffers fill, then the kernel's, then the server's queue
        reader.connection.transport.pause_reading()
        with psycopg.connect(limited_stack.database_url, autocommit=True) as database:
            for burst in range(1, 6):
                database.execute(
                    "select realtime.send(jsonb_build_object('text', %s::text), 'x', %s, false)"
                    " from generate_series(1, 200)",
                    ["x" * 15_000, name],
                )
                while len(speaker.events("broadcast")) < burst * 200:
                    await asyncio.sleep(0.01)
                assert await speaker.is_alive()
        reader.connection.transport.resume_reading()
        assert await reader.close_code() == 1006  # cut, not closed
        assert len(reader.events("broadcast")) < len(speaker.events("broadcast"))


async def test_the_slot_goes_when_nobody_follows(limited_stack):
    """A permanent slot without a reader would hold back the log until the disk is full."""
    with psycopg.connect(limited_stack.database_url, autocommit=True) as database:
        slots = "select count(*) from pg_replication_slots where slot_name like 'stack_realtime%'"
        async with wire(limited_stack) as socket:
            entry = {"event": "*", "schema": "public", "table": "nothing"}
            await socket.join(unique("room"), postgres_changes=[entry])
            await socket.until(lambda m: m[3] == "system" and m[4]["status"] == "error")
            assert database.execute(slots).fetchone() == (1,)
        for _ in range(100):
            if database.execute(slots).fetchone() == (0,):
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the slot is still there")


async def test_a_frame_above_five_megabytes_closes_the_connection(limited_stack):
    async with wire(limited_stack) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.connection.send("x" * 5_000_001)
        assert await socket.close_code() == 1009
