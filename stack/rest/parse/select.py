"""`select=`: columns, JSON paths, casts, aggregates and embedded resources."""

import re
from typing import cast

from stack.rest.parse.fields import read_field
from stack.rest.parse.scanner import MAX_DEPTH, Mismatch, Scanner
from stack.rest.parse.syntax import Aggregate, Field, SelectField, SelectItem, SelectRelation

_ALIAS = re.compile(r":(?!:)")
_COUNT = re.compile(r"count\(\)")
_AGGREGATE = re.compile(r"\.(sum|avg|count|min|max)\(\)")


def parse_select(text: str) -> tuple[SelectItem, ...]:
    """The items of a `select` parameter. Errors: PGRST100.

    A closing parenthesis too many, and what follows an embedded resource's own, end the list and
    are ignored, as upstream does.
    """
    scanner = Scanner(text, "select parameter")
    try:
        items = _items(scanner, 0)
        if not (scanner.is_done() or scanner.sees(")") or _ends_in_relation(items)):
            scanner.fail('","')
    except Mismatch:
        raise scanner.error() from None
    return items


def _ends_in_relation(items: tuple[SelectItem, ...]) -> bool:
    return bool(items) and isinstance(items[-1], SelectRelation)


def _items(scanner: Scanner, depth: int) -> tuple[SelectItem, ...]:
    if depth > MAX_DEPTH:
        scanner.fail(f"at most {MAX_DEPTH} levels of embedding")
    scanner.blanks()
    if scanner.is_done() or scanner.sees(")"):
        return ()
    items = [_item(scanner, depth)]
    while scanner.accept(","):
        items.append(_item(scanner, depth))
    return tuple(items)


def _item(scanner: Scanner, depth: int) -> SelectItem:
    scanner.blanks()
    is_spread = scanner.sees("...") and scanner.accept("...")
    if not is_spread and scanner.sees("*"):
        scanner.at += 1
        scanner.blanks()
        return SelectField(_star())
    alias = None if is_spread else _alias(scanner)
    if counted := _COUNT.match(scanner.text, scanner.at):
        scanner.at = counted.end()
        kind = scanner.cast() if scanner.accept("::") else None
        scanner.blanks()
        return SelectField(_star(), alias, None, "count", kind)
    start = scanner.at
    name = scanner.name()
    if is_spread or scanner.sees("!") or scanner.sees("("):
        return _relation(scanner, name, alias, depth, is_spread=is_spread)
    scanner.at = start
    return _field(scanner, alias)


def _star() -> Field:
    return Field("*")


def _alias(scanner: Scanner) -> str | None:
    start = scanner.at
    try:
        name = scanner.name()
    except Mismatch:
        scanner.at = start
        return None
    if found := _ALIAS.match(scanner.text, scanner.at):
        scanner.at = found.end()
        return name
    scanner.at = start
    return None


def _field(scanner: Scanner, alias: str | None) -> SelectField:
    field = read_field(scanner)
    kind = scanner.cast() if scanner.accept("::") else None
    aggregate = aggregate_kind = None
    if found := _AGGREGATE.match(scanner.text, scanner.at):
        scanner.at = found.end()
        aggregate = cast("Aggregate", found[1])
        aggregate_kind = scanner.cast() if scanner.accept("::") else None
    scanner.blanks()
    return SelectField(field, alias, kind, aggregate, aggregate_kind)


def _relation(
    scanner: Scanner, name: str, alias: str | None, depth: int, *, is_spread: bool
) -> SelectRelation:
    hint, is_inner = None, False
    for _ in range(2):
        if not scanner.accept("!"):
            break
        word = scanner.name()
        if word == "inner":
            is_inner = True
        elif word != "left":
            hint = hint or word
    scanner.expect("(")
    children = _items(scanner, depth + 1)
    scanner.expect(")")
    scanner.blanks()
    return SelectRelation(name, children, alias, hint, is_inner, is_spread)
