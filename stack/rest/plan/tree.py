"""The read plan: one node per resource, with its relationship to the one above it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from stack.rest.catalog.model import Name, Relationship
from stack.rest.parse.syntax import (
    Aggregate,
    Condition,
    Field,
    OrderTerm,
    SelectField,
)

SOURCE = Name("", "pgrst_source")
"""Where a mutation's or a call's rows are read from."""


@dataclass(slots=True)
class SpreadField:
    """A field that a spread lifts into the resource above, aggregated there if at all."""

    name: str
    alias: str | None = None
    aggregate: Aggregate | None = None
    aggregate_cast: str | None = None


@dataclass(slots=True)
class Lifted:
    """What an embedded resource puts into the select list above it.

    `form`: one JSON value under `name`, or a spread's fields.
    """

    node: "Node"
    form: Literal["object", "array", "spread"]
    name: str
    is_empty: bool = False
    fields: list[SpreadField] = field(default_factory=list)


@dataclass(slots=True)
class Node:
    """A resource to read. `alias` names it in SQL; `handle` names its joined result above.

    `rank_by`: how a to-many spread's values are ordered, by extra columns it selects.
    """

    name: str
    depth: int
    table: Name
    columns: Mapping[str, str]
    select: list[SelectField] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)
    alias: str | None = None
    label: str | None = None
    hint: str | None = None
    is_inner: bool = False
    spread: Literal["one", "many"] | None = None
    conditions: list[Condition] = field(default_factory=list)
    order: tuple[OrderTerm, ...] = ()
    offset: int = 0
    limit: int | None = None
    relationship: Relationship | None = None
    parent_alias: str = ""
    handle: str = ""
    lifted: list[Lifted] = field(default_factory=list)
    rank_by: tuple[OrderTerm, ...] = ()
    extra_select: list[tuple[str | None, SelectField]] = field(default_factory=list)
    expands_star: bool = False

    @property
    def shown_as(self) -> str:
        return self.label or self.name

    def child(self, name: str) -> "Node | None":
        """The embedded resource shown as `name`, else the one of that table."""
        for found in self.children:
            if found.shown_as == name:
                return found
        return next((found for found in self.children if found.name == name), None)

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.walk()


def default_alias(wanted: SelectField) -> str | None:
    """The name a field is shown under, if it is not its column's."""
    if wanted.alias or wanted.aggregate:
        return wanted.alias
    return json_name(wanted.field)


def json_name(of: Field) -> str | None:
    """A JSON path is shown under its last key."""
    keys = [step.operand for step in of.path if not step.is_index]
    if not of.path:
        return None
    return keys[-1] if keys else of.name
