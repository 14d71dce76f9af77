"""One request, read as far as its head allows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from starlette.types import Scope

from stack.rest.errors import RestError, unknown_schema
from stack.rest.settings import Settings

Kind = Literal["table", "function", "root"]
_LONGEST_KEPT = 4096
_WRITES = frozenset(("POST", "PATCH", "PUT", "DELETE"))


@dataclass(frozen=True, slots=True)
class Head:
    """Path and headers. `target` is a table's or a function's name.

    `request_headers` and `cookies` are what functions read from `request.headers` and
    `request.cookies`, as JSON.
    """

    method: str
    path: str
    kind: Kind
    target: str
    schema: str
    is_negotiated: bool
    query_string: bytes
    accept: str
    prefer: str
    page: str
    content_type: str
    request_headers: str
    cookies: str


@dataclass(frozen=True, slots=True)
class _Headers:
    """What the headers say; None for a profile that is not named."""

    accept: str
    prefer: str
    page: str
    content_type: str
    accept_profile: str | None
    content_profile: str | None
    as_json: str
    cookies: str


def read_head(scope: Scope, settings: Settings) -> Head:
    """Errors: PGRST101, PGRST106, PGRST117, PGRST125."""
    method: str = scope["method"]
    path: str = scope["path"][len(scope.get("root_path", "")) :] or "/"
    headers = tuple(scope["headers"])
    # a client's requests mostly have the same headers: read them once
    is_kept = sum(len(value) for _, value in headers) < _LONGEST_KEPT
    known = _kept_headers(headers) if is_kept else _read_headers(headers)
    kind, target = _resource(path, method, settings)
    profile = known.content_profile if method in _WRITES else known.accept_profile
    if profile is not None and profile not in settings.schemas:
        raise unknown_schema(profile, settings.schemas)
    return Head(
        method=method,
        path=path,
        kind=kind,
        target=target,
        schema=profile or settings.schemas[0],
        is_negotiated=profile is not None or len(settings.schemas) > 1,
        query_string=scope["query_string"],
        accept=known.accept,
        prefer=known.prefer,
        page=known.page if method == "GET" else "",
        content_type=known.content_type,
        request_headers=known.as_json,
        cookies=known.cookies,
    )


def _read_headers(headers: tuple[tuple[bytes, bytes], ...]) -> _Headers:
    known: dict[str, str] = {}
    prefer: list[str] = []
    cookies = ""
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("utf-8", "replace")
        if name == "cookie":
            cookies = value
            continue
        if name == "prefer":
            prefer.append(value)
        known[name] = value
    return _Headers(
        accept=known.get("accept", "*/*"),
        prefer=", ".join(prefer),
        page=known.get("range", ""),
        content_type=known.get("content-type", ""),
        accept_profile=known.get("accept-profile"),
        content_profile=known.get("content-profile"),
        as_json=json.dumps(known, separators=(",", ":")),
        cookies=_cookies(cookies),
    )


_kept_headers = lru_cache(maxsize=512)(_read_headers)


def _resource(path: str, method: str, settings: Settings) -> tuple[Kind, str]:
    if "\0" in path:
        raise RestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    parts: Sequence[str] = path.strip("/").split("/") if path.strip("/") else ()
    match parts:
        case ():
            if method not in ("GET", "HEAD"):
                raise _unsupported(method)
            if settings.openapi == "disabled":
                raise RestError(404, "PGRST126", "Root endpoint metadata is disabled")
            if settings.root_function:
                return "function", settings.root_function.rpartition(".")[2]
            return "root", ""
        case ("rpc", name):
            if method not in ("GET", "HEAD", "POST"):
                raise RestError(405, "PGRST101", f"Cannot use the {method} method on RPC")
            return "function", name
        case (name,):
            if method not in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"):
                raise _unsupported(method)
            return "table", name
        case _:
            raise RestError(404, "PGRST125", "Invalid path specified in request URL")


def _unsupported(method: str) -> RestError:
    return RestError(405, "PGRST117", f"Unsupported HTTP method: {method}")


def _cookies(header: str) -> str:
    if not header:
        return "{}"
    pairs = (part.partition("=") for part in header.split(";"))
    found = {name.strip(): value.strip().strip('"') for name, _, value in pairs if name.strip()}
    return json.dumps(found, separators=(",", ":"))
