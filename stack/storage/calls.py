"""One HTTP call to storage: who calls, what they send, and the parts that answer."""

import json
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from stack.core.callers import Caller, Doorkeeper
from stack.core.query import pairs
from stack.core.service import shown_credentials
from stack.core.tokens import TokenError
from stack.storage.bodies import Body
from stack.storage.buckets import Buckets
from stack.storage.errors import StorageError, from_token
from stack.storage.fields import Fields
from stack.storage.files import Disk
from stack.storage.images import Transformer
from stack.storage.listing import Listing
from stack.storage.objects import Objects
from stack.storage.resumable import Uploads
from stack.storage.settings import MAX_DRAINED_BYTES, MAX_JSON_BYTES, Settings
from stack.storage.signing import Signer

logger = logging.getLogger("stack.storage")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes work with."""

    settings: Settings
    doorkeeper: Doorkeeper
    disk: Disk
    buckets: Buckets
    objects: Objects
    listing: Listing
    signer: Signer
    transformer: Transformer
    uploads: Uploads


class Call:
    """A request, read lazily."""

    def __init__(self, parts: Parts, scope: Scope, receive: Receive) -> None:
        self.parts = parts
        self.request = Request(scope)
        self.headers = self.request.headers
        self.method: str = scope["method"]
        self.body = Body(receive)
        self.query = Fields(dict(reversed(pairs(scope["query_string"]))), "querystring")

    @property
    def bucket(self) -> str:
        return str(self.request.path_params["bucket"])

    @property
    def key(self) -> str:
        return str(self.request.path_params["key"])

    @property
    def is_upsert(self) -> bool:
        return self.headers.get("x-upsert") == "true"

    def caller(self) -> Caller:
        """Who calls, proven. Errors: AccessDenied (403) for a token that proves nothing."""
        try:
            return self.parts.doorkeeper.caller(shown_credentials(self.request.scope))
        except TokenError as error:
            raise from_token(error) from error

    async def fields(self) -> Fields:
        """The JSON body. Errors: InvalidRequest (400), EntityTooLarge (413)."""
        return Fields(await self.body.json(MAX_JSON_BYTES))


Endpoint = Callable[[Call], Awaitable[Response]]


class Answering:
    """An endpoint as an ASGI application: errors become the upstream's JSON."""

    def __init__(self, parts: Parts, endpoint: Endpoint) -> None:
        self._parts, self._endpoint = parts, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(self._parts, scope, receive)
        try:
            response = await self._endpoint(call)
        except ClientDisconnect:
            return
        except StorageError as error:
            response = await _refuse(call, error)
        except Exception:
            logger.exception("storage: %s %s failed", call.method, scope["path"])
            response = await _refuse(
                call, StorageError(500, "InternalError", "Internal server error")
            )
        await response(scope, receive, send)


def route(parts: Parts, path: str, methods: list[str], endpoint: Endpoint) -> Route:
    made = Route(path, Answering(parts, endpoint), methods=methods)
    # a name may hold a line's end, and is refused for it; Starlette would cut it off
    pattern = made.path_regex.pattern.removesuffix("$") + r"\Z"
    made.path_regex = re.compile(pattern, re.DOTALL)
    return made


def json_response(value: Any, status: int = 200) -> Response:
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()
    return Response(body, status, media_type="application/json")


def error_response(error: StorageError) -> Response:
    return json_response(error.body, error.wire_status)


async def _refuse(call: Call, error: StorageError) -> Response:
    response = error_response(error)
    if not await call.body.drain(MAX_DRAINED_BYTES):
        response.headers["connection"] = "close"
    return response
