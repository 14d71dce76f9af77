"""Request bodies: JSON, CSV and forms become one JSON text and the set of its keys."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Any, Never
from urllib.parse import parse_qsl

from stack.rest.errors import RestError

JSON, CSV, FORM = "application/json", "text/csv", "application/x-www-form-urlencoded"
RAW = ("text/plain", "text/xml", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Body:
    """`text`: JSON, or the raw text of a single unnamed argument. `keys`: the columns it names.

    `arguments` are a form's pairs, when a function is called with one; `raw` is bytea's input.
    """

    text: str
    keys: frozenset[str]
    is_object: bool = False
    arguments: tuple[tuple[str, str], ...] | None = None
    is_raw: bool = False


def media_type(content_type: str) -> str:
    """The bare media type of a Content-Type header; JSON when there is none."""
    return content_type.partition(";")[0].strip().lower() or JSON


def parse_body(
    raw: bytes, content_type: str, columns: frozenset[str] | None, *, is_call: bool
) -> Body:
    """Read a body of the given media type. Errors: PGRST102."""
    kind = media_type(content_type)
    if is_call and kind == "application/octet-stream":
        return Body(f"\\x{raw.hex()}", frozenset(), is_raw=True)
    text = _decode(raw)
    if kind == JSON:
        return _json(text, columns, is_call=is_call)
    if kind == CSV:
        return _csv(text, columns)
    if kind == FORM:
        try:
            pairs = tuple(parse_qsl(text, keep_blank_values=True, errors="strict"))
        except ValueError:
            raise _refusal("The form is not valid UTF-8") from None
        if any("\0" in part for pair in pairs for part in pair):
            raise _refusal("The body contains a null character")
        keys = frozenset(name for name, _ in pairs)
        arguments = pairs if is_call else None
        return Body(json.dumps(dict(pairs)), keys, is_object=True, arguments=arguments)
    if is_call and kind in RAW:
        return Body(text, frozenset(), is_raw=True)
    raise _refusal(f"Content-Type not acceptable: {kind}")


def _json(text: str, columns: frozenset[str] | None, *, is_call: bool) -> Body:
    is_object = text.lstrip(" \t\r\n")[:1] == "{"
    if columns is not None:
        return Body(text, columns, is_object)
    if not text and is_call:
        return Body("{}", frozenset(), is_object=True)
    try:
        # only the keys matter here: numbers stay text, so none is too long
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _refusal("Empty or invalid json") from None
    if isinstance(value, dict):
        return Body(text, frozenset(value), is_object=True)
    if not isinstance(value, list) or not value:
        return Body("[]", frozenset())
    return Body(text, _common_keys(value, "All object keys must match"))


def _csv(text: str, columns: frozenset[str] | None) -> Body:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [row for row in reader if row]
    except csv.Error as error:
        raise _refusal(f"invalid csv: {error}") from None
    if not rows:
        raise _refusal("invalid csv: there is no header")
    header = rows[0]
    if any(len(row) != len(header) for row in rows):
        raise _refusal("All lines must have same number of fields")
    objects = [
        {name: None if cell == "NULL" else cell for name, cell in zip(header, row, strict=True)}
        for row in rows[1:]
    ]
    keys = frozenset(header) if objects else frozenset()
    return Body(json.dumps(objects), keys if columns is None else columns)


def _common_keys(rows: list[Any], message: str) -> frozenset[str]:
    if not isinstance(rows[0], dict):
        raise _refusal(message)
    keys = rows[0].keys()
    if any(not isinstance(row, dict) or row.keys() != keys for row in rows):
        raise _refusal(message)
    return frozenset(keys)


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _refusal("The body is not valid UTF-8") from None
    if "\0" in text:
        raise _refusal("The body contains a null character")
    return text


def _no_constant(name: str) -> Never:
    raise ValueError(name)


def _refusal(message: str) -> RestError:
    return RestError(400, "PGRST102", message)
