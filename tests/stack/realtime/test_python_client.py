"""supabase-py, async: its realtime speaks 1.0.0."""

import asyncio
import uuid

import psycopg
import pytest
from realtime import RealtimeSubscribeStates

from supabase import AsyncClient, acreate_client
from tests.stack.realtime.wire import sign, unique


@pytest.fixture
async def make_client(stack):
    """Clients with or without a user's token; closed in the end."""
    made = []

    async def make(**claims) -> AsyncClient:
        client = await acreate_client(stack.url, stack.publishable_key)
        if claims:
            await client.realtime.set_auth(sign(stack, **claims))
        made.append(client)
        return client

    yield make
    for client in made:
        await client.realtime.close()


async def _joined(channel):
    joined = asyncio.get_running_loop().create_future()

    def on_state(state, error):
        if joined.done():
            return
        if state == RealtimeSubscribeStates.SUBSCRIBED:
            joined.set_result(None)
        else:
            joined.set_exception(error or RuntimeError(state))

    await channel.subscribe(on_state)
    await asyncio.wait_for(joined, 15)


async def _until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_broadcast(make_client):
    name = unique("room")
    config = {"broadcast": {"ack": True, "self": True}, "presence": {"key": "", "enabled": False}}
    one = (await make_client()).channel(name, {"config": {**config, "private": False}})
    two = (await make_client()).channel(name)
    heard = {"one": [], "two": []}
    one.on_broadcast("*", heard["one"].append)
    two.on_broadcast("move", heard["two"].append)
    await _joined(one)
    await _joined(two)
    await one.send_broadcast("move", {"x": 1, "name": "Zoë"})
    await _until(lambda: heard["one"] and heard["two"])
    assert heard["one"][0]["payload"] == heard["two"][0]["payload"] == {"x": 1, "name": "Zoë"}


async def test_private_channels(make_client):
    user = str(uuid.uuid4())
    private = {"config": {"private": True, "broadcast": None, "presence": None}}
    await _joined((await make_client(sub=user)).channel(f"rt:own:{user}", private))
    stranger = (await make_client(sub=str(uuid.uuid4()))).channel(f"rt:own:{user}", private)
    with pytest.raises(Exception, match="You do not have permissions to read"):
        await _joined(stranger)


async def test_messages_from_the_database(make_client, stack):
    name = unique("rt:open")
    private = {"config": {"private": True, "broadcast": None, "presence": None}}
    channel = (await make_client(sub=str(uuid.uuid4()))).channel(name, private)
    heard = []
    channel.on_broadcast("note", heard.append)
    await _joined(channel)
    async with await psycopg.AsyncConnection.connect(stack.database_url) as database:
        await database.execute("select realtime.send('{\"a\": 1}', 'note', %s)", [name])
    await _until(lambda: heard)
    assert heard[0]["payload"]["a"] == 1
    assert heard[0]["meta"]["id"] == heard[0]["payload"]["id"]


async def test_presence(make_client):
    name = unique("here")
    config = {"broadcast": None, "presence": {"key": "ada", "enabled": True}, "private": False}
    one, two = (await make_client()).channel(name, {"config": config}), None
    two = (await make_client()).channel(
        name, {"config": {**config, "presence": {"key": "bob", "enabled": True}}}
    )
    for channel in (one, two):
        channel.on_presence_sync(lambda: None)
        await _joined(channel)
    await one.track({"name": "Ada"})
    await two.track({"name": "Bob"})
    for channel in (one, two):
        await _until(lambda channel=channel: len(channel.presence_state()) == 2)
    assert one.presence_state()["bob"][0]["name"] == "Bob"
    await two.untrack()
    await _until(lambda: list(one.presence_state()) == ["ada"])


async def test_changes(make_client, stack):
    title = unique("py")
    channel = (await make_client(sub=str(uuid.uuid4()))).channel(unique("changes"))
    heard, inserted, system = [], [], []
    where = {"schema": "public", "table": "rt_items"}
    channel.on_postgres_changes("*", heard.append, filter=f"title=like.{title}%", **where)
    channel.on_postgres_changes("INSERT", inserted.append, filter=f"title=eq.{title}", **where)
    channel.on_system(system.append)
    await _joined(channel)
    await _until(lambda: system)
    assert system[0].message == "Subscribed to PostgreSQL"
    async with await psycopg.AsyncConnection.connect(stack.database_url) as database:
        await database.execute("insert into rt_items (title) values (%s)", [title])
        await database.execute(
            "update rt_items set amount = 5, title = %s where title = %s", [title + "!", title]
        )
    await _until(lambda: len(heard) == 2 and inserted)
    assert [message["data"]["type"] for message in heard] == ["INSERT", "UPDATE"]
    assert heard[1]["data"]["record"]["amount"] == 5
    assert heard[1]["data"]["errors"] is None
    assert len(inserted) == 1


async def test_a_token_that_ends_closes_the_channel(make_client):
    client = await make_client(sub=str(uuid.uuid4()), seconds=5)
    private = {"config": {"private": True, "broadcast": None, "presence": None}}
    channel = client.channel(unique("rt:open"), private)
    await _joined(channel)
    await _until(lambda: channel.is_closed)
