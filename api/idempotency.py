"""Idempotency-Key: the same request is carried out once, however often it arrives.

The key is kept in Postgres for 24 hours, per caller and route, with a hash of the request. What a
route changes in `caller.transaction()` commits together with the mark that it was done, so that a
process killed in between never leads to a second time.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from api.callers import Caller
from api.context import FUNCTIONS
from api.errors import InvalidInput
from workers.core.db import one, transaction

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class _Claim:
    attempt: UUID | None
    answer_status: int | None
    answer_type: str | None
    answer_body: bytes | None


async def once(
    request: Request, caller: Caller, work: Callable[[Caller], Awaitable[Response]]
) -> Response:
    """Do `work`, or give the answer that it had before.

    Errors: InvalidInput (422) for a bad key; ops.idempotency_… (409) from the database.
    """
    shown = request.headers.getlist(HEADER)
    if len(shown) != 1 or not _KEY.fullmatch(shown[0]):
        raise InvalidInput(
            f"{HEADER} must be 1 to 255 visible ASCII characters.",
            {"fields": [{"field": f"header.{HEADER}", "message": "not acceptable"}]},
        )
    route: Any = request.scope["route"]
    async with transaction(caller.pool) as db:
        claim = await one(
            db,
            _Claim,
            "select * from private.begin_request(%s, %s, %s, %s, make_interval(secs => %s))",
            [
                caller.key,
                f"{request.method} {route.path}",
                shown[0],
                await _fingerprint(request),
                request.app.state.settings.idempotency_stale_seconds,
            ],
        )
    assert claim is not None  # it answers a row or raises
    if claim.attempt is None:
        return Response(
            claim.answer_body,
            claim.answer_status or 200,
            {REPLAYED: "true"},
            media_type=claim.answer_type,
        )
    answer = await work(replace(caller, attempt=claim.attempt))
    async with transaction(caller.pool) as db:
        await db.execute(
            "select private.finish_request(%s, %s, %s, %s, %s)",
            [
                claim.attempt,
                answer.status_code,
                answer.headers.get("content-type"),
                bytes(answer.body),
                # a failure of ours or a limit may pass: the same key may be tried again
                answer.status_code < 500 and answer.status_code not in (408, 429),
            ],
        )
    return answer


async def _fingerprint(request: Request) -> bytes:
    found = hashlib.sha256()
    for part in (
        request.scope["path"].removeprefix(FUNCTIONS).encode(),
        request.scope["query_string"],
        request.headers.get("content-type", "").encode("latin-1"),
        await request.body(),
    ):
        found.update(len(part).to_bytes(8, "big") + part)
    return found.digest()
