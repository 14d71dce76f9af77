"""What a request asks for, as trees. Source: PostgREST, References › API."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class JsonStep:
    """One `->` (or `->>`, when `as_text`) and its key or array index."""

    operand: str
    is_index: bool
    as_text: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A column, a computed column or, with a path, a place inside a JSON column."""

    name: str
    path: tuple[JsonStep, ...] = ()


Aggregate = Literal["count", "sum", "avg", "min", "max"]


@dataclass(frozen=True, slots=True)
class SelectField:
    """`alias:field->path::cast.aggregate()::aggregate_cast`; the name `*` means every column."""

    field: Field
    alias: str | None = None
    cast: str | None = None
    aggregate: Aggregate | None = None
    aggregate_cast: str | None = None


@dataclass(frozen=True, slots=True)
class SelectRelation:
    """`alias:name!hint!join(…)`, or `...name(…)` when it is a spread."""

    name: str
    children: "tuple[SelectItem, ...]"
    alias: str | None = None
    hint: str | None = None
    is_inner: bool = False
    is_spread: bool = False


SelectItem = SelectField | SelectRelation


@dataclass(frozen=True, slots=True)
class Filter:
    """`field=not.operator(quantifier or language).value`; `in` has a tuple of values."""

    field: Field
    operator: str
    value: str | tuple[str, ...]
    is_negated: bool = False
    modifier: str | None = None


@dataclass(frozen=True, slots=True)
class Logic:
    """`not.and(…)` or `or(…)`."""

    operator: Literal["and", "or"]
    children: "tuple[Condition, ...]"
    is_negated: bool = False


Condition = Filter | Logic
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """`relation(field).direction.nulls`; without a relation, a field of the table itself."""

    field: Field
    relation: str | None = None
    direction: Literal["asc", "desc"] | None = None
    nulls: Literal["first", "last"] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query string. Paths lead to embedded resources; the empty path is the table itself.

    `ranges` are (offset, limit); `arguments` are what a function call takes by GET.
    """

    select: tuple[SelectItem, ...]
    filters: tuple[tuple[Path, Filter], ...] = ()
    logic: tuple[tuple[Path, Logic], ...] = ()
    order: tuple[tuple[Path, tuple[OrderTerm, ...]], ...] = ()
    ranges: tuple[tuple[Path, tuple[int, int | None]], ...] = ()
    columns: frozenset[str] | None = None
    on_conflict: tuple[str, ...] | None = None
    arguments: tuple[tuple[str, str], ...] = ()

    def top_range(self) -> tuple[int, int | None]:
        return next((found for path, found in self.ranges if not path), (0, None))


def fields_of(condition: Condition) -> Iterator[Field]:
    """Every field that a condition reads."""
    if isinstance(condition, Filter):
        yield condition.field
        return
    for child in condition.children:
        yield from fields_of(child)
