"""From a plan's outcome to status, headers and body."""

import json
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from stack.rest.errors import Headers, RestError, out_of_bounds, safe_headers
from stack.rest.execute import Outcome
from stack.rest.plan.compile import Plan
from stack.rest.ranges import content_range, page_status
from stack.rest.request import Head

Answer = tuple[int, Headers, bytes]


def answer(head: Head, pairs: Sequence[tuple[str, str]], plan: Plan, outcome: Outcome) -> Answer:
    """The whole answer. Errors: PGRST103 beyond the last row, PGRST111, PGRST112."""
    if plan.shown.plan is not None:
        return 200, _content(head, plan), outcome.body
    match plan.action:
        case "read":
            status, headers, body = _read(head, pairs, plan, outcome)
        case "call":
            status, headers, body = _call(head, plan, outcome)
        case _:
            status, headers, body = _write(head, plan, outcome)
    if outcome.status is not None:
        status = _wanted_status(outcome.status)
    if outcome.headers is not None:
        headers = _with_wanted(headers, outcome.headers)
    return status, headers, body


def _read(head: Head, pairs: Sequence[tuple[str, str]], plan: Plan, outcome: Outcome) -> Answer:
    status, page = _page(plan, outcome)
    location = f"/{_quoted(head.target)}"
    if pairs:
        location += "?" + _encoded(sorted(pairs, key=lambda pair: pair[0]))
    headers = [
        (b"content-range", page),
        (b"content-location", location.encode()),
        *_content(head, plan),
        *_applied(plan, "resolution", "returning", "missing", "max_affected"),
    ]
    return status, headers, b"" if head.method == "HEAD" else outcome.body


def _call(head: Head, plan: Plan, outcome: Outcome) -> Answer:
    assert plan.function is not None
    status, page = _page(plan, outcome)
    headers = [(b"content-range", page), *_applied(plan, "resolution", "returning", "missing")]
    if plan.function.is_void:
        return 204, headers, b""
    return status, [*headers, *_content(head, plan)], outcome.body


def _page(plan: Plan, outcome: Outcome) -> tuple[int, bytes]:
    lower = plan.page[0]
    upper = lower + outcome.rows - 1
    status = page_status(lower, upper, outcome.total)
    if status == 416:
        error = out_of_bounds(lower, outcome.total or 0)
        error.headers = [(b"content-range", content_range(lower, upper, outcome.total))]
        raise error
    return status, content_range(lower, upper, outcome.total)


def _write(head: Head, plan: Plan, outcome: Outcome) -> Answer:
    preferences = plan.preferences
    total = outcome.rows if preferences.count in ("exact", "estimated") else None
    without = ["max_affected"] if plan.action in ("insert", "put") else []
    if plan.action != "insert" or not plan.has_conflict_target:
        without.append("resolution")
    if plan.action not in ("insert", "update"):
        without.append("missing")
    headers: Headers = []
    if outcome.location:
        query = _encoded(outcome.location)
        headers.append((b"location", f"/{_quoted(head.target)}?{query}".encode()))
    if plan.action == "update":
        headers.append((b"content-range", content_range(0, outcome.rows - 1, total)))
    elif plan.action in ("insert", "delete"):
        headers.append((b"content-range", content_range(1, 0, total)))
    headers += _applied(plan, *without)
    created = outcome.created or 0
    if plan.action == "insert":
        merged = preferences.resolution == "merge-duplicates" and plan.has_conflict_target
        status = 200 if merged and created <= 0 else 201
    else:
        status = 204
    if preferences.wants_rows:
        headers += _content(head, plan)
        if plan.action == "put":
            status = 201 if created > 0 else 200
        elif plan.action != "insert":
            status = 200
    return status, headers, outcome.body


def _content(head: Head, plan: Plan) -> Headers:
    headers = [(b"content-type", plan.shown.content_type.encode())]
    if head.is_negotiated:
        headers.append((b"content-profile", head.schema.encode()))
    return headers


def _applied(plan: Plan, *without: str) -> Headers:
    applied = plan.preferences.applied(*without)
    return [(b"preference-applied", applied)] if applied else []


def _encoded(pairs: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)


def _quoted(text: str) -> str:
    return _kept_quoted(text) if len(text) <= 256 else quote(text, safe="-_.~")


@lru_cache(maxsize=2048)
def _kept_quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _wanted_status(text: bytes) -> int:
    if not text.isdigit() or not 100 <= int(text[:4]) <= 599:
        raise RestError(500, "PGRST112", "response.status guc must be a valid status code")
    return int(text)


def _with_wanted(headers: Headers, text: bytes) -> Headers:
    """What a function set in `response.headers` overrules ours."""
    refusal = RestError(
        500,
        "PGRST111",
        "response.headers guc must be a JSON array composed of objects"
        " with a single key and a string value",
    )
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        raise refusal from None
    if not isinstance(entries, list):
        raise refusal
    wanted: Headers = []
    for entry in entries:
        if not isinstance(entry, dict) or len(entry) != 1:
            raise refusal
        ((name, value),) = entry.items()
        if not isinstance(value, str):
            raise refusal
        wanted.append((name.lower().encode(), value.encode("utf-8", "replace")))
    wanted = safe_headers(wanted)
    names = {name for name, _ in wanted}
    return [header for header in headers if header[0] not in names] + wanted
