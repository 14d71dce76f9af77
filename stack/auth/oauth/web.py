"""Calls to providers: short, small, and never to an address that an answer names.

Which hosts are called is decided by config.toml alone; redirects are not followed.
"""

import json
from collections.abc import Mapping
from typing import Any

import httpx

_TIMEOUT = httpx.Timeout(10, connect=5)
_MAX_ANSWER = 1024 * 1024  # bytes


class ProviderFailure(Exception):
    """A provider did not answer, or not with what was asked for."""


class Web:
    """One HTTP client for all providers. Errors, of every call: ProviderFailure."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON at `url`."""
        return _as_json(await self._send("GET", url, headers=headers))

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
    ) -> bytes:
        """The answer to a form. `basic`: user and password."""
        return await self._send("POST", url, headers=headers, data=dict(form), auth=basic)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> bytes:
        if self._client is None:
            # a proxy of the environment is for the outside: it cannot reach our own machine
            here: dict[str, httpx.AsyncBaseTransport | None] = {
                "all://127.0.0.1": None,
                "all://localhost": None,
            }
            self._client = httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, mounts=here)
        shown = {"accept": "application/json", "user-agent": "guildhall-stack", **(headers or {})}
        try:
            async with self._client.stream(method, url, headers=shown, **more) as answer:
                body = b""
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > _MAX_ANSWER:
                        raise ProviderFailure(f"{method} {answer.url.host}: answer is too large")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderFailure(f"{method} failed: {type(error).__name__}") from error
        if not answer.is_success:
            raise ProviderFailure(f"{method} {answer.url.host}: status {answer.status_code}")
        return body


def _as_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise ProviderFailure("answer is no JSON") from error


def json_object(value: Any) -> dict[str, Any]:
    """`value` if it is an object. Errors: ProviderFailure."""
    if not isinstance(value, dict):
        raise ProviderFailure("answer is no JSON object")
    return value


def json_objects(value: Any) -> list[dict[str, Any]]:
    """`value` if it is a list of objects. Errors: ProviderFailure."""
    if not isinstance(value, list):
        raise ProviderFailure("answer is no JSON array")
    return [json_object(item) for item in value]
