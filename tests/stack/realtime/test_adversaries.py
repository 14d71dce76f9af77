"""Clients that lie, shout or send garbage: they get nothing, and nobody else suffers."""

import asyncio
import json
import uuid

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.stack.realtime.wire import sign, unique, wire

ODD_NAMES = [
    "a b", "ümläut", "🎈", "a/b?c=d#e", "'; drop table x; --", '"quoted"', "a\\b", "%s%d{}", "*",
    "realtime:realtime:x", "../../etc", "a\tb\nc", "x" * 2000, "null", "\u202e", ":", "phoenix",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_names_are_names(stack, name):
    name = f"{name}{uuid.uuid4().hex[:6]}"
    async with wire(stack) as one, wire(stack, "2.0.0") as two:
        for socket in (one, two):
            assert (await socket.join(name))["status"] == "ok"
        content = {"type": "broadcast", "event": name, "payload": {"n": 1}}
        await one.send(f"realtime:{name}", "broadcast", content)
        message = await two.until(lambda m: m[3] == "broadcast")
        assert (message[2], message[4]["event"]) == (f"realtime:{name}", name)
        private = await one.join("rt:open:" + name, token=sign(stack), private=True)
        assert private["status"] == "ok"


async def test_a_nul_in_a_private_name_is_refused(stack):
    async with wire(stack) as socket:
        answer = await socket.join("rt:open:a\0b", token=sign(stack), private=True)
        assert answer["status"] == "error"
        assert await socket.is_alive()


async def test_a_topic_needs_a_name(stack):
    async with wire(stack) as socket:
        answer = await socket.join("")
        assert answer["response"] == {"reason": "TopicNameRequired: You must provide a topic name"}
        await socket.send("elsewhere:x", "phx_join", {}, "odd")
        assert (await socket.reply("odd"))["status"] == "error"


MALFORMED = [
    "", "x", "{}", "[]", "[1,2]", '["1","1",5,"phx_join",{}]', '["1","1","a",null,{}]', "null",
    "[" * 100_000, '["1","1","realtime:a","broadcast",NaN]', '["1",{"a":1},"t","e",{}]',
    b"", b"\x00", b"\x03", b"\x03\xff\xff\xff\xff\xff\x01", b"\x04\x01\x01\x00\x01abc",
    b"\x03\x00\x00\x01\x01\x00\x01\xff\xffx", b"\x03\x01\x01\x01\x01\x00\x0111aa{",
    '["1","1","\\ud800","phx_join",{}]',
]  # fmt: skip


@pytest.mark.parametrize("frame", MALFORMED)
async def test_a_malformed_frame_closes_its_connection_and_no_other(stack, frame):
    async with wire(stack) as bystander, wire(stack) as socket:
        await bystander.join(unique("room"))
        await socket.connection.send(frame)
        assert await socket.close_code() == 1003
        assert await bystander.is_alive()


ODD_PAYLOADS = [None, 1, "x", [], [1], True, {"config": None}, {"config": {"broadcast": 1}},
    {"config": {"presence": [], "postgres_changes": {"a": 1}}}, {"config": {"private": "maybe"}},
    {"config": {"postgres_changes": [None, 1, "x"]}}, {"access_token": 5}]  # fmt: skip


@pytest.mark.parametrize("payload", ODD_PAYLOADS)
async def test_joins_of_any_form_are_joins(stack, payload):
    async with wire(stack) as socket:
        await socket.send(f"realtime:{unique('room')}", "phx_join", payload, "odd")
        assert (await socket.reply("odd"))["status"] == "ok"


ODD_ENTRIES = [
    {}, {"schema": 1}, {"schema": "public", "table": ["a"]}, {"filter": "a=eq.1"},
    {"schema": "public", "table": "rt_items", "filter": "id=eq."},
    {"schema": "public", "table": "rt_items", "filter": "id=in.({"},
    {"schema": "public", "table": "rt_items", "filter": "=eq.1"},
    {"schema": "public", "table": "rt_items", "filter": "a\0=eq.1"},
    {"schema": "public", "table": "rt_items", "filter": "title=eq.a\0b"},
    {"schema": "public\0", "table": "rt_items"},
    {"schema": "public", "table": "rt_items", "select": "id"},
    {"schema": "public", "table": "rt_items", "select": ["nope"]},
    {"schema": "public", "table": "rt_items", "filter": "undefined"},
    {"schema": "public", "table": "rt_items", "filter": "id=eq.1,,id=eq.2"},
]  # fmt: skip


@pytest.mark.parametrize("entry", ODD_ENTRIES)
async def test_odd_subscriptions_are_refused_with_a_system_message(stack, entry):
    async with wire(stack) as socket:
        answer = await socket.join(unique("room"), postgres_changes=[entry])
        assert answer["response"]["postgres_changes"][0].items() >= entry.items()
        message = await socket.until(lambda m: m[3] == "system")
        assert message[4]["status"] == "error"
        assert await socket.is_alive()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
events = st.sampled_from(
    ["phx_join", "phx_leave", "broadcast", "presence", "access_token", "heartbeat", "x"]
)


@given(frames=st.lists(st.tuples(events, json_values), max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_sequence_of_messages_kills_the_server(stack, frames):
    async with wire(stack) as socket:
        name = unique("room")
        await socket.join(name)
        try:
            for event, payload in frames:
                await socket.send(f"realtime:{name}", event, payload)
            await socket.is_alive()
        except (ConnectionClosed, AssertionError):
            assert socket.connection.close_code in (1003, None)
    async with wire(stack) as other:
        assert await other.is_alive()


@given(data=st.binary(max_size=300))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_bytes_kill_the_server(stack, data):
    async with wire(stack) as socket:
        await socket.connection.send(b"\x03" + data)
    async with wire(stack) as other:
        assert await other.is_alive()


async def test_a_user_cannot_forge_what_the_server_sends(stack):
    """No insert policy: neither by text, nor by binary frame, nor by HTTP, nor as an event."""
    name = unique("rt:listen")
    token = sign(stack)
    async with wire(stack) as victim, wire(stack) as forger:
        for socket in (victim, forger):
            assert (await socket.join(name, token=token, private=True))["status"] == "ok"
        topic = f"realtime:{name}"
        content = {"type": "broadcast", "event": "paid", "payload": {}, "meta": {"id": "1"}}
        await forger.send(topic, "broadcast", content)
        names = (b"1", b"2", topic.encode(), b"paid", b"")
        frame = bytes([3, *map(len, names), 1]) + b"".join(names) + b"{}"
        await forger.connection.send(frame)
        for event in ("postgres_changes", "system", "presence_state", "phx_close", "phx_reply"):
            await forger.send(topic, event, {"ids": [1], "data": {}})
        async with httpx.AsyncClient() as http:
            answer = await http.post(
                f"{stack.url}/realtime/v1/api/broadcast",
                headers={"apikey": stack.publishable_key, "authorization": f"Bearer {token}"},
                json={
                    "messages": [{"topic": name, "event": "paid", "payload": {}, "private": True}]
                },
            )
            assert answer.status_code == 202
        assert await forger.is_alive()
        await asyncio.sleep(0.2)
        assert [m for m in victim.heard if isinstance(m, bytes) or m[3] != "phx_reply"] == []


async def test_what_a_client_claims_about_its_message_is_not_passed_on(stack):
    name = unique("room")
    async with wire(stack) as one, wire(stack) as two:
        await one.join(name)
        await two.join(name)
        topic = f"realtime:{name}"
        names = (b"1", b"2", topic.encode(), b"x", b'{"id":"forged","replayed":true}')
        await one.connection.send(bytes([3, *map(len, names), 1]) + b"".join(names) + b"{}")
        while not any(isinstance(m, bytes) for m in two.heard):
            await asyncio.sleep(0.01)
        assert b"forged" not in next(m for m in two.heard if isinstance(m, bytes))


async def _refusal(url):
    with pytest.raises(InvalidStatus) as refused:
        await connect(url)
    return refused.value.response.status_code


async def test_keys_that_prove_nothing_open_no_socket(stack):
    url = stack.url.replace("http", "ws") + "/realtime/v1/websocket"
    for key in ("sb_publishable_wrong", "sb_secret_wrong", "x.y.z", sign(stack)[:-4] + "AAAA"):
        assert await _refusal(f"{url}?apikey={key}&vsn=2.0.0") == 401


async def test_other_paths_and_versions_are_no_sockets(stack):
    base = stack.url.replace("http", "ws") + "/realtime/v1"
    assert await _refusal(f"{base}/other") == 404
    assert await _refusal(f"{base}/websocket?vsn=9.9.9") == 403


async def test_a_client_that_joins_anew_has_one_channel(stack):
    name = unique("room")
    async with wire(stack) as socket, wire(stack) as speaker:
        for _ in range(20):
            assert (await socket.join(name))["status"] == "ok"
        await speaker.join(name)
        await speaker.send(f"realtime:{name}", "broadcast", {"event": "x", "payload": {}})
        await socket.until(lambda m: m[3] == "broadcast")
        await asyncio.sleep(0.1)
        assert len(socket.events("broadcast")) == 1


async def test_messages_for_topics_not_joined_are_answered_and_go_nowhere(stack):
    name = unique("room")
    async with wire(stack) as member, wire(stack) as stranger:
        await member.join(name)
        await stranger.send(f"realtime:{name}", "broadcast", {"event": "x", "payload": {}}, "7")
        answer = await stranger.reply("7")
        assert answer == {"status": "error", "response": {"reason": "unmatched topic"}}
        await asyncio.sleep(0.1)
        assert member.events("broadcast") == []


async def test_http_bodies_of_any_form_are_answered(stack):
    url = f"{stack.url}/realtime/v1/api/broadcast"
    headers = {"apikey": stack.publishable_key, "content-type": "application/json"}
    bodies = [b"", b"null", b"[]", b'{"messages": 5}', b'{"messages": [null]}', b"\xff\xfe",
        b'{"messages":[{"topic":"a","event":"b","payload":{"x":1e999}}]}', b"[" * 50_000,
        json.dumps({"messages": [{"topic": 1, "event": [], "payload": "x"}]}).encode()]  # fmt: skip
    async with httpx.AsyncClient() as http:
        for body in bodies:
            answer = await http.post(url, headers=headers, content=body)
            assert answer.status_code in (400, 422), body
        answer = await http.post(f"{url}/a/events/b", headers=headers, content=b"{")
        assert answer.status_code == 400
        odd = headers | {"content-type": "text/plain"}
        answer = await http.post(f"{url}/a/events/b", headers=odd, content=b"x")
        assert answer.status_code == 415
        assert (await http.get(url, headers=headers)).status_code == 404
        bad = headers | {"authorization": "Bearer " + sign(stack, -10)}
        assert (await http.post(url, headers=bad, content=b"{}")).status_code == 401
