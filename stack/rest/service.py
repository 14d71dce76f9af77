"""The Data API as an ASGI application: reads a request, has it planned and run, answers."""

import asyncio
import logging
import time

from starlette.types import Receive, Scope, Send

from stack.core.http import BodyTooLarge, read_body
from stack.core.service import Ground, shown_credentials
from stack.core.tokens import TokenError
from stack.rest.errors import RestError, token_error
from stack.rest.live import LivePicture, Picture
from stack.rest.parse.body import Body, parse_body
from stack.rest.parse.query import decode_pairs, parse_query
from stack.rest.plan.compile import split_shape
from stack.rest.request import Head, read_head
from stack.rest.respond import Answer, answer
from stack.rest.root import root_answer
from stack.rest.settings import from_config

logger = logging.getLogger("stack.rest")

_CONNECTIONS = 10
_BODY_SECONDS = 60
_CLOCK_SKEW = 30
_WITH_BODY = frozenset(("POST", "PATCH", "PUT"))


class RestService:
    """`/rest/v1`. Source: PostgREST, which hosted projects run."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._live: LivePicture | None = None

    async def start(self) -> None:
        database = self._ground.database
        pool = await database.pool("authenticator", max_size=_CONNECTIONS)
        defaults = from_config(self._ground.config)
        self._live = LivePicture(pool, database.conninfo("authenticator"), defaults)
        await self._live.start()

    async def stop(self) -> None:
        if self._live is not None:
            await self._live.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, headers, body = await self._answer(scope, receive)
        except RestError as error:
            status, headers, body = error.answer()
        except Exception:
            logger.exception("a request failed in an unexpected way")
            failure = RestError(500, "PGRSTX00", "Internal server error")
            status, headers, body = failure.answer()
        if scope["method"] == "HEAD":
            body = b""
        elif status != 204:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        started = time.perf_counter()
        assert self._live is not None
        picture = self._live.now
        credentials = shown_credentials(scope)
        try:
            caller = self._ground.doorkeeper.caller(credentials, leeway=_CLOCK_SKEW)
        except TokenError as error:
            raise token_error(error, credentials.bearer or "") from error
        known = time.perf_counter()
        head = read_head(scope, picture.settings)
        if head.kind == "root":
            return await root_answer(picture, head, caller, self._url(scope))
        pairs = [pair for pair in decode_pairs(head.query_string) if pair[0] != "apikey"]
        is_call = head.kind == "function" and head.method != "POST"
        shape, values = split_shape(pairs, is_call=is_call)
        body = await self._body(head, shape, receive, picture.settings.max_body)
        if body is not None:
            values[0] = body.text
        plan = picture.plan(head, shape, body)
        planned = time.perf_counter()
        outcome = await picture.runner.run(
            picture.frames.frame(head, caller, plan),
            plan,
            values,
            is_anonymous=caller.role == "anon",
            rolls_back=_rolls_back(picture, plan.preferences.transaction),
        )
        found = answer(head, pairs, plan, outcome)
        if picture.settings.shows_timing:
            done = time.perf_counter()
            found[1].append(_timing(known - started, planned - known, done - planned))
        return found

    def _url(self, scope: Scope) -> str:
        return f"http://127.0.0.1:{self._ground.config.api_port}{scope.get('root_path', '')}"

    async def _body(
        self, head: Head, shape: list[tuple[str, str]], receive: Receive, limit: int
    ) -> Body | None:
        if head.method not in _WITH_BODY:
            return None
        try:
            raw = await asyncio.wait_for(read_body(receive, limit), _BODY_SECONDS)
        except BodyTooLarge:
            raise RestError(413, "PGRST102", "The request body is too large") from None
        except TimeoutError:
            raise RestError(408, "PGRST102", "The request body did not arrive in time") from None
        columns = None
        if head.method != "PUT" and any(name == "columns" for name, _ in shape):
            columns = parse_query(shape, is_call=False).columns
        return parse_body(raw, head.content_type, columns, is_call=head.kind == "function")


def _rolls_back(picture: Picture, wanted: str | None) -> bool:
    return wanted == "rollback" or (picture.settings.rolls_back and wanted != "commit")


def _timing(authenticated: float, planned: float, run: float) -> tuple[bytes, bytes]:
    spans = (("jwt", authenticated), ("plan", planned), ("transaction", run))
    text = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in spans)
    return b"server-timing", text.encode()
