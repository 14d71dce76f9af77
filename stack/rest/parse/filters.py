"""Horizontal filters: `column=op.value` and the trees of `and=(…)`, `or=(…)`."""

import re
from collections.abc import Callable

from stack.rest.parse.fields import read_field, read_json_path
from stack.rest.parse.scanner import MAX_DEPTH, Mismatch, Scanner
from stack.rest.parse.syntax import Condition, Field, Filter, Logic, Path

_PLAIN = "neq|cs|cd|ov|sl|sr|nxr|nxl|adj|isdistinct"
_QUANTIFIED = "eq|gte|gt|lte|lt|like|ilike|match|imatch"
_TEXT_SEARCH = "fts|plfts|phfts|wfts"
_OPERATOR = re.compile(
    rf"(?:(in|is|{_PLAIN})|({_QUANTIFIED})(?:\((any|all)\))?"
    rf"|({_TEXT_SEARCH})(?:\(([\w $]+)\))?)\."
)
_IS_VALUE = re.compile(r"not_null|null|true|false|unknown", re.IGNORECASE)
_UP_TO_LIST_END = re.compile(r"[^,)]*")
_LIST_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=[,)]|$)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ARRAY = re.compile(r"\{[^{}]*\}")
_NEGATION = "not."
_LOGIC = "logic operator (and, or)"


def parse_filter(path_text: str, text: str) -> tuple[Path, Filter]:
    """`embedded.column=op.value`: where it applies, and what it asks. Errors: PGRST100."""
    path, field = parse_path(path_text)
    scanner = Scanner(text, "filter")
    try:
        found = _operation(scanner, field, _whole_rest)
        if not scanner.is_done():
            scanner.fail("end of input")
    except Mismatch:
        raise scanner.error() from None
    return path, found


def looks_like_filter(text: str) -> bool:
    """Whether a value begins as a filter does; else a function takes it as an argument."""
    return _OPERATOR.match(text.removeprefix(_NEGATION)) is not None


def parse_path(text: str) -> tuple[Path, Field]:
    """`first.second.column->key`. Errors: PGRST100."""
    scanner = Scanner(text, "tree path")
    try:
        names = [scanner.name()]
        while scanner.accept("."):
            names.append(scanner.name())
        json_path = read_json_path(scanner)
        if not scanner.is_done():
            scanner.fail("end of input")
    except Mismatch:
        raise scanner.error() from None
    return tuple(names[:-1]), Field(names[-1], json_path)


def parse_logic(path_text: str, text: str) -> tuple[Path, Logic]:
    """`embedded.not.or=(…)`; what follows the last parenthesis is ignored, as upstream does.

    Errors: PGRST100.
    """
    names, last = parse_path(path_text)
    negation = _NEGATION if "not" in names else ""
    scanner = Scanner(f"{negation}{last.name}{text}", "logic tree", shown=text)
    try:
        tree = _tree(scanner, 0)
    except Mismatch:
        raise scanner.error() from None
    assert isinstance(tree, Logic)
    return tuple(name for name in names if name != "not"), tree


def _tree(scanner: Scanner, depth: int) -> Condition:
    if depth > MAX_DEPTH:
        scanner.fail(f"at most {MAX_DEPTH} levels of logic")
    start = scanner.at
    is_negated = scanner.sees(_NEGATION)
    if is_negated:
        scanner.at += len(_NEGATION)
    for word in ("and", "or"):
        if scanner.sees(word):
            after = scanner.at + len(word)
            rest = scanner.text[after:].lstrip(" \t")
            if rest.startswith("("):
                scanner.at = len(scanner.text) - len(rest) + 1
                return Logic(word, _branches(scanner, depth), is_negated)
    scanner.at = start
    if depth == 0:
        scanner.fail(_LOGIC)
    try:
        field = read_field(scanner)
    except Mismatch:
        scanner.at = start
        scanner.note("negation operator (not)")
        scanner.fail(_LOGIC)
    scanner.expect(".")
    return _operation(scanner, field, _logic_value)


def _branches(scanner: Scanner, depth: int) -> tuple[Condition, ...]:
    scanner.blanks()
    children = [_tree(scanner, depth + 1)]
    scanner.blanks()
    while scanner.accept(","):
        scanner.blanks()
        children.append(_tree(scanner, depth + 1))
        scanner.blanks()
    scanner.expect(")")
    scanner.blanks()
    return tuple(children)


def _operation(scanner: Scanner, field: Field, value: Callable[[Scanner], str]) -> Filter:
    is_negated = scanner.accept(_NEGATION)
    found = _OPERATOR.match(scanner.text, scanner.at)
    if found is None:
        scanner.fail("operator (eq, gt, ...)")
    scanner.at = found.end()
    plain, quantified, quantifier, text_search, language = found.groups()
    if plain == "in":
        return Filter(field, "in", _list(scanner), is_negated)
    if plain == "is":
        word = scanner.match(_IS_VALUE, "isVal: (null, not_null, true, false, unknown)")
        return Filter(field, "is", word[0].lower(), is_negated)
    operator = plain or quantified or text_search
    modifier = quantifier or (language.strip() if language else None)
    return Filter(field, operator, value(scanner), is_negated, modifier)


def _list(scanner: Scanner) -> tuple[str, ...]:
    scanner.blanks()
    scanner.expect("(")
    scanner.blanks()
    is_empty = scanner.sees(")")
    values = [_element(scanner)]
    while scanner.accept(","):
        values.append(_element(scanner))
    scanner.expect(")")
    scanner.blanks()
    return () if is_empty else tuple(values)


def _element(scanner: Scanner) -> str:
    if found := _LIST_QUOTED.match(scanner.text, scanner.at):
        scanner.at = found.end()
        return _ESCAPED.sub(r"\1", found[1])
    return scanner.match(_UP_TO_LIST_END, "value")[0]


def _logic_value(scanner: Scanner) -> str:
    if not scanner.sees('"') and (found := _ARRAY.match(scanner.text, scanner.at)):
        scanner.at = found.end()
        return found[0]
    return _element(scanner)


def _whole_rest(scanner: Scanner) -> str:
    rest = scanner.text[scanner.at :]
    scanner.at = len(scanner.text)
    return rest
