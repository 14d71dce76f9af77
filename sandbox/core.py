"""What every provider of the sandbox shares: its objects, its faults, and the events it sends."""

import asyncio
import json
import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = Mapping[str, str]
_MAX_ROUNDS = 12
# what a fault does to a call: before it has an effect, or after
CALL_FAULTS = (
    "timeout_before", "timeout_after", "drop_before", "drop_after",
    "500_before", "500_after", "malformed_after", "429",
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """Something to go wrong: `times` more times (None: always), each time by chance.

    `kind` is one of CALL_FAULTS, or a word that a provider's own code asks for (`decline`,
    `wrong_currency`, `return` …). `path` is a part of "METHOD /path"; empty fits all.
    """

    kind: str
    path: str = ""
    times: int | None = 1
    probability: float = 1.0


@dataclass(slots=True)
class Sent:
    """An event that waits for delivery, or was delivered with these answers."""

    id: str
    kind: str
    url: str
    body: bytes
    headers: Headers
    answers: list[int] = field(default_factory=list)
    rounds: int = 0
    created_at: float = field(default_factory=time.time)


@dataclass(slots=True)
class Delivery:
    """How events are sent: how often each, how late, in which order."""

    copies: int = 1
    delay_seconds: float = 0.0
    order: Literal["as_made", "reversed", "shuffled"] = "as_made"
    is_held: bool = False  # kept until `deliver_held`


class World:
    """One provider: everything it knows. Lives in memory, in one event loop, so nothing races."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.objects: dict[str, dict[str, Any]] = {}  # by id, in the order they were made
        self.answers: dict[str, tuple[str, int, dict[str, Any]]] = {}  # by idempotency key
        self.faults: list[Fault] = []
        self.delivery = Delivery()
        self.waiting: deque[Sent] = deque()
        self.sent: deque[Sent] = deque(maxlen=2000)
        self.chance = random.Random(0)  # so that a run can be repeated  # noqa: S311
        self.calls = 0
        self.ahead_seconds = 0.0  # of the true time, when somebody let time pass
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> int:
        """This provider's time, in seconds since 1970."""
        return int(time.time() + self.ahead_seconds)

    def add(self, made: dict[str, Any]) -> dict[str, Any]:
        """Keep a new object, by its `id`."""
        self.objects[made["id"]] = made
        return made

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every object whose `object` (or `entity`) is of this kind, oldest first."""
        return [
            one for one in self.objects.values() if kind in (one.get("object"), one.get("entity"))
        ]

    def take_fault(self, *kinds: str, call: str = "") -> str | None:
        """The next fault of these kinds that fits the call, used up by one; mostly None."""
        for fault in self.faults:
            if fault.kind not in kinds or fault.path not in call:
                continue
            if self.chance.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
            return fault.kind
        return None

    def send(self, event: Sent) -> None:
        """Deliver an event as `delivery` says, without waiting."""
        self.waiting.append(event)
        if not self.delivery.is_held:
            task = asyncio.get_running_loop().create_task(self._deliver_later())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver_later(self) -> None:
        # an event often arrives before the answer to the call that caused it; sometimes after
        await asyncio.sleep(self.delivery.delay_seconds)
        await self.deliver()

    async def deliver(self) -> list[Sent]:
        """Send everything that waits now, in the order and as often as wished; with the answers."""
        taken = list(self.waiting)
        self.waiting.clear()
        batch = [one for one in taken for _ in range(self.delivery.copies)]
        if self.delivery.order == "reversed":
            batch.reverse()
        elif self.delivery.order == "shuffled":
            self.chance.shuffle(batch)
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            for one in batch:
                one.answers.append(await _post(client, one))
        for one in taken:
            one.rounds += 1
        self.sent.extend(taken)
        # what nobody took is tried again, as providers do for days
        failed = [one for one in taken if not any(200 <= code < 300 for code in one.answers)]
        for one in failed:
            if one.rounds < _MAX_ROUNDS:
                self._retry(one)
        return taken

    def _retry(self, event: Sent) -> None:
        async def later() -> None:
            await asyncio.sleep(min(0.5 * 2**event.rounds, 30))
            self.sent = deque((one for one in self.sent if one is not event), maxlen=2000)
            self.send(event)

        task = asyncio.get_running_loop().create_task(later())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def replayed(
        self, key: str | None, call: str, body: object
    ) -> tuple[int, dict[str, Any]] | None:
        """What this key was answered before; `KeyReused` when it came with another body."""
        if key is None or key not in self.answers:
            return None
        known, status, answer = self.answers[key]
        if known != fingerprint(call, body):
            raise KeyReused(key)
        return status, answer

    def remember(
        self, key: str | None, call: str, body: object, status: int, answer: dict[str, Any]
    ) -> None:
        """Keep what a key was answered, for `replayed`."""
        if key is not None:
            self.answers[key] = (fingerprint(call, body), status, json.loads(json.dumps(answer)))


class KeyReused(Exception):
    """An idempotency key came again with another call or body."""


def fingerprint(call: str, body: object) -> str:
    """One text for a call and its body, for comparison."""
    return call + " " + json.dumps(body, sort_keys=True, default=str)


def new_id(prefix: str, separator: str = "_") -> str:
    """An id in the providers' style: `pi_…`, `order_…`."""
    return f"{prefix}{separator}{secrets.token_hex(7)}"


def world(request: Request, name: str) -> World:
    """A provider's world in this app."""
    known: World = request.app.state.worlds[name]
    return known


async def _post(client: httpx.AsyncClient, event: Sent) -> int:
    try:
        answer = await client.post(event.url, content=event.body, headers=dict(event.headers))
    except (httpx.HTTPError, AttributeError):  # httpcore stumbles over a peer that just died
        return 0
    return answer.status_code


class CallFaults:
    """Between the providers' APIs and their callers: what breaks on the way, and when."""

    TIMEOUT_SECONDS = 120.0  # longer than any client waits

    def __init__(self, app: ASGIApp, worlds: Callable[[], Mapping[str, World]]) -> None:
        self._app, self._worlds = app, worlds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = None
        if scope["type"] == "http":
            found = self._worlds().get(scope["path"].split("/")[1])
        if found is None:
            await self._app(scope, receive, send)
            return
        found.calls += 1
        call = f"{scope['method']} {scope['path']}"
        fault = found.take_fault(*CALL_FAULTS, call=call)
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.endswith("_after"):
            await self._app(scope, receive, _unheard)
        if fault.startswith("timeout"):
            await _until_gone(receive, self.TIMEOUT_SECONDS)
        if fault.startswith(("timeout", "drop")):
            # half an answer, then nothing: uvicorn closes the connection
            await _answer(send, 200, b"{", length=1000)
        elif fault == "429":
            await _answer(send, 429, b'{"error": {"message": "slow down"}}')
        elif fault.startswith("malformed"):
            await _answer(send, 200, b"<html>not what you expected")
        else:
            await _answer(send, 500, b"<html>something broke")


async def _answer(send: Send, status: int, body: bytes, length: int | None = None) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % (length or len(body))),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": length is not None})


async def _until_gone(receive: Receive, seconds: float) -> None:
    """Wait until the caller has given up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _unheard(_message: Message) -> None:
    """Where an answer goes that never arrives."""
