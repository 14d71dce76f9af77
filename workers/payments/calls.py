"""One call of a provider's API, and what its outcome lets us say: done, refused, or in doubt."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from workers.payments.base import OutcomeUnknown, ProviderUnavailable

# after these the same call may be answered otherwise: they are no verdict on it
_NO_VERDICT = frozenset({408, 409, 423, 425})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said: a success (2xx) or a refusal (4xx), and its JSON object."""

    status: int
    body: Mapping[str, Any]

    @property
    def is_success(self) -> bool:
        return self.status < 300


def open_client(
    base_url: object, timeout_seconds: float, auth: tuple[str, str] | None = None
) -> httpx.AsyncClient:
    """Connections to a provider: no call waits for ever, none is led elsewhere."""
    return httpx.AsyncClient(
        base_url=str(base_url), timeout=timeout_seconds, auth=auth, follow_redirects=False
    )


async def call(
    client: httpx.AsyncClient,
    provider: str,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, str | int] | None = None,
    body: object = None,
    content: bytes | None = None,
) -> Answer:
    """Call once; `body` travels as JSON, `content` as it is.

    Errors: ProviderUnavailable where it surely did not act (no connection, 429); OutcomeUnknown
    for time-outs, broken connections, 5xx, redirects, conflicts and what is no JSON object.
    """
    asked = dict(headers or {})
    if body is not None:
        content = json.dumps(body).encode()
    if content is not None:
        asked.setdefault("content-type", "application/json")
    try:
        # httpx waits so long for each part of an answer; this is for all of it
        async with asyncio.timeout(client.timeout.read):
            answer = await client.request(
                method, path, headers=asked, params=parameters or None, content=content
            )
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise ProviderUnavailable(f"{provider} cannot be reached: {_name(error)}") from error
    except (httpx.HTTPError, TimeoutError) as error:
        raise OutcomeUnknown(f"{provider} did not answer: {_name(error)}") from error
    if answer.status_code == 429:
        raise ProviderUnavailable(f"{provider} asks for fewer calls.")
    if answer.status_code >= 500 or answer.status_code in _NO_VERDICT or answer.is_redirect:
        raise OutcomeUnknown(f"{provider} answered {answer.status_code}.")
    try:
        told = answer.json() if answer.content else {}
    except (ValueError, RecursionError) as error:
        raise OutcomeUnknown(f"{provider} answered {answer.status_code}, no JSON.") from error
    if not isinstance(told, dict):
        raise OutcomeUnknown(f"{provider} answered {answer.status_code}, no JSON object.")
    return Answer(answer.status_code, told)


def shown(answer: Answer, provider: str, refusal: str) -> Mapping[str, Any] | None:
    """What a GET shows, None for 404. Errors: OutcomeUnknown for every other refusal."""
    if answer.status == 404:
        return None
    if not answer.is_success:
        raise OutcomeUnknown(f"{provider} does not show it: {refusal}")
    return answer.body


def _name(error: Exception) -> str:
    """The kind alone: the text may quote addresses and headers."""
    return type(error).__name__
