"""A whole query string: sorts its parameters and has each one parsed."""

from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from stack.rest.errors import RestError, query_error
from stack.rest.parse.filters import looks_like_filter, parse_filter, parse_logic, parse_path
from stack.rest.parse.order import parse_order
from stack.rest.parse.scanner import Mismatch, Scanner
from stack.rest.parse.select import parse_select
from stack.rest.parse.syntax import Filter, Logic, OrderTerm, Path, Query

_RESERVED = frozenset(("select", "columns", "on_conflict", "apikey"))
_EMBEDDABLE = frozenset(("order", "limit", "offset", "and", "or"))
MAX_QUERY = 128 * 1024
"""Bytes of a query string; longer ones are refused with 414."""


def decode_pairs(query_string: bytes) -> list[tuple[str, str]]:
    """Every `name=value`, in order. Errors: 414 when too long, PGRST100 when it is not UTF-8."""
    if not query_string:
        return []
    if len(query_string) > MAX_QUERY:
        raise RestError(414, "PGRST100", "The query string is too long")
    found = []
    for part in query_string.split(b"&"):
        name, equals, value = part.partition(b"=")
        if equals:
            found.append((_decode(name), _decode(value)))
    return found


def _decode(raw: bytes) -> str:
    if b"%" in raw or b"+" in raw:
        raw = unquote_to_bytes(raw.replace(b"+", b" "))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise query_error("The query string is not valid UTF-8", None) from None
    if "\0" in text:
        raise RestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    return text


def parse_query(pairs: Sequence[tuple[str, str]], *, is_call: bool) -> Query:
    """Sort and parse. With `is_call`, what is no filter is a function's argument.

    Errors: PGRST100.
    """
    given = dict(reversed(pairs))  # of `select` and its like, the first one counts
    columns, on_conflict = given.get("columns"), given.get("on_conflict")
    filters: list[tuple[Path, Filter]] = []
    logic: list[tuple[Path, Logic]] = []
    order: list[tuple[Path, tuple[OrderTerm, ...]]] = []
    bounds: dict[Path, dict[str, int]] = {}
    arguments: list[tuple[str, str]] = []
    for name, value in pairs:
        if name in _RESERVED:
            continue
        last = name.rpartition(".")[2]
        if last not in _EMBEDDABLE:
            if is_call and "." not in name and not looks_like_filter(value):
                arguments.append((name, value))
            else:
                filters.append(parse_filter(name, value))
        elif last in ("and", "or"):
            logic.append(parse_logic(name, value))
        elif last == "order":
            if value:
                order.append((parse_path(name)[0], parse_order(value)))
        else:
            number = _number(value)
            if number is not None:
                bounds.setdefault(parse_path(name)[0], {}).setdefault(last, number)
    return Query(
        select=parse_select(given.get("select", "*")),
        filters=tuple(filters),
        logic=tuple(logic),
        order=tuple(order),
        ranges=tuple(
            (path, (max(found.get("offset", 0), 0), found.get("limit")))
            for path, found in bounds.items()
        ),
        columns=None if columns is None else frozenset(_names(columns, "columns parameter")),
        on_conflict=None if on_conflict is None else _names(on_conflict, "on_conflict parameter"),
        arguments=tuple(arguments),
    )


def _names(text: str, subject: str) -> tuple[str, ...]:
    scanner = Scanner(text, subject)
    try:
        names = [scanner.name()]
        while scanner.accept(","):
            scanner.blanks()
            names.append(scanner.name())
        if not scanner.is_done():
            scanner.fail('","')
    except Mismatch:
        raise scanner.error() from None
    return tuple(names)


def _number(text: str) -> int | None:
    """A count that Postgres can take as bigint; upstream ignores what is no number."""
    text = text.strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        return None
    return int(text)
