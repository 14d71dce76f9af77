"""`order=`: columns, JSON paths and columns of embedded to-one resources."""

import re
from typing import Literal

from stack.rest.parse.fields import read_field
from stack.rest.parse.scanner import Mismatch, Scanner
from stack.rest.parse.syntax import OrderTerm

_RELATION = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\w $-]+)\(')


def parse_order(text: str) -> tuple[OrderTerm, ...]:
    """The terms of an `order` parameter. Errors: PGRST100."""
    scanner = Scanner(text, "order")
    try:
        terms = [_term(scanner)]
        while scanner.accept(","):
            terms.append(_term(scanner))
        if not scanner.is_done():
            scanner.fail('","')
    except Mismatch:
        raise scanner.error() from None
    return tuple(terms)


def _term(scanner: Scanner) -> OrderTerm:
    relation = None
    if _RELATION.match(scanner.text, scanner.at):
        scanner.blanks()
        relation = scanner.name()
        scanner.expect("(")
        field = read_field(scanner)
        scanner.expect(")")
    else:
        field = read_field(scanner)
    direction: Literal["asc", "desc"] | None = None
    nulls: Literal["first", "last"] | None = None
    for word in ("asc", "desc"):
        if scanner.accept(f".{word}"):
            direction = word
            break
    for place in ("first", "last"):
        if scanner.accept(f".nulls{place}"):
            nulls = place
            break
    scanner.blanks()
    return OrderTerm(field, relation, direction, nulls)
