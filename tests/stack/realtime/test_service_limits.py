"""Limits of the whole service, on channels without a server around them."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from stack.core.callers import Caller
from stack.realtime.hub import Hub
from stack.realtime.protocol import Message, Version
from stack.realtime.settings import RealtimeSettings
from stack.realtime.sockets import Socket
from stack.realtime.surroundings import Surroundings


@pytest.fixture
def make_socket():
    """Sockets of one service with the given settings; `heard` is what each was sent."""
    running = []

    def make(count=1, **settings):
        known = RealtimeSettings(**settings)
        nothing = SimpleNamespace(unsubscribe=lambda _: None)
        around = Surroundings(known, None, None, Hub(known), None, nothing)
        made = []
        for _ in range(count):
            socket = Socket(Version.V2, Caller("anon", {}, "{}"), {}, around)
            socket.heard, socket.inbox = [], asyncio.Queue()

            async def send(event, socket=socket):
                heard = event.get("text")
                socket.heard.append(event if heard is None else json.loads(heard))

            running.append(asyncio.create_task(socket.run(socket.inbox.get, send)))
            made.append(socket)
        return made

    yield make
    for task in running:
        task.cancel()


async def _say(socket, topic, event, payload, ref="1"):
    frame = json.dumps(["1", ref, topic, event, payload])
    socket.inbox.put_nowait({"type": "websocket.receive", "text": frame})
    await asyncio.sleep(0.02)


async def test_a_project_may_allow_private_channels_alone(make_socket):
    (socket,) = make_socket(private_only=True)
    await _say(socket, "realtime:a", "phx_join", {})
    assert socket.heard[-1][4]["response"] == {
        "reason": "PrivateOnly: This project only allows private channels"
    }


async def test_joins_have_a_rate(make_socket):
    (socket,) = make_socket(max_joins_per_second=1)
    for n in range(62):
        await _say(socket, f"realtime:{n}", "phx_join", {})
    refused = [m for m in socket.heard if m[3] == "phx_reply" and m[4]["status"] == "error"]
    reason = {"reason": "ClientJoinRateLimitReached: Too many joins per second"}
    assert [m[4]["response"] for m in refused] == [reason] * 2


async def test_presence_has_a_rate(make_socket):
    sockets = make_socket(70, max_presence_events_per_second=1)
    for socket in sockets:
        socket.inbox.put_nowait(_join("realtime:a"))
    await asyncio.sleep(0.1)
    for n, socket in enumerate(sockets):
        await _say(socket, "realtime:a", "presence", {"event": "track", "payload": {"n": n}})
    ended = [
        message[4]["message"]
        for socket in sockets
        for message in socket.heard
        if message[3] == "system"
    ]
    assert ended
    assert set(ended) == {"Too many presence messages per second"}


def _join(topic):
    frame = json.dumps(["1", "1", topic, "phx_join", {"config": {"presence": {"enabled": False}}}])
    return {"type": "websocket.receive", "text": frame}


async def test_what_is_sent_leaves_in_order_when_the_transport_is_slow(make_socket):
    """Without uvicorn's transport, frames go ASGI's way."""
    (socket,) = make_socket()
    await _say(socket, "realtime:a", "phx_join", {"config": {"broadcast": {"self": True}}})
    for n in range(200):
        frame = json.dumps(["1", "1", "realtime:a", "broadcast", {"event": "n", "payload": n}])
        socket.inbox.put_nowait({"type": "websocket.receive", "text": frame})
    await asyncio.sleep(0.2)
    numbers = [m[4]["payload"] for m in socket.heard if m[3] == "broadcast"]
    assert numbers == list(range(200))


async def test_a_channel_that_fails_ends_alone(make_socket, monkeypatch):
    (socket,) = make_socket()
    await _say(socket, "realtime:a", "phx_join", {})
    await _say(socket, "realtime:b", "phx_join", {})
    broken = socket.channels["realtime:a"]
    monkeypatch.setattr(broken, "_broadcast", lambda message: 1 / 0)
    await _say(socket, "realtime:a", "broadcast", {"event": "x"})
    assert socket.heard[-1][2:4] == ["realtime:a", "phx_error"]
    assert list(socket.channels) == ["realtime:b"]
    await _say(socket, "phoenix", "heartbeat", {}, "9")
    assert socket.heard[-1][1] == "9"


async def test_a_channel_holds_back_only_so_much(make_socket):
    (socket,) = make_socket()
    await _say(socket, "realtime:a", "phx_join", {})
    channel = socket.channels["realtime:a"]
    stuck = asyncio.Event()
    message = Message("realtime:a", "x", {}, "1", "1", 1)
    channel._turns._task = asyncio.create_task(stuck.wait())
    for _ in range(1001):
        channel.receive(message)
    assert socket.is_closing
    stuck.set()
