"""Tables, relationships and functions as the planner sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Name(NamedTuple):
    """A name in a schema; without a schema, a name inside the statement."""

    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: its type, domains resolved; `nominal`: as declared; `default`: SQL text."""

    name: str
    kind: str
    nominal: str
    default: str | None = None
    is_nullable: bool = True
    max_length: int | None = None
    enum: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view, materialized view, foreign or partitioned table."""

    name: Name
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    is_view: bool = False
    is_insertable: bool = True
    is_updatable: bool = True
    is_deletable: bool = True
    description: str | None = None


Cardinality = Literal["many-to-one", "one-to-one", "one-to-many", "many-to-many"]
Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Junction:
    """The table between two others; columns pair (theirs, the junction's)."""

    table: Name
    source_constraint: str
    target_constraint: str
    source_columns: Columns
    target_columns: Columns


@dataclass(frozen=True, slots=True)
class Relationship:
    """How rows of `source` lead to rows of `target`; `columns` pair (source's, target's).

    Computed ones have a `function` and neither constraint nor columns.
    """

    source: Name
    target: Name
    cardinality: Cardinality
    constraint: str = ""
    columns: Columns = ()
    junction: Junction | None = None
    function: Name | None = None
    is_source_view: bool = False
    is_target_view: bool = False
    # of the two one-to-one directions, whether this one goes from the referenced table
    is_parent: bool = False

    @property
    def is_self(self) -> bool:
        return self.source == self.target

    @property
    def is_to_one(self) -> bool:
        return self.cardinality in ("many-to-one", "one-to-one")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`kind` as Postgres writes it; `loose_kind`: the same without a length."""

    name: str
    kind: str
    loose_kind: str
    is_required: bool
    is_variadic: bool


@dataclass(frozen=True, slots=True)
class Function:
    """`returns`: the type's schema and name, of a table if it returns rows of one."""

    name: Name
    parameters: tuple[Parameter, ...]
    returns: Name
    is_set: bool
    is_composite: bool
    is_composite_alias: bool
    volatility: Literal["i", "s", "v"]
    settings: tuple[tuple[str, str], ...] = ()
    isolation: str | None = None
    description: str | None = None
    oid: int = 0

    @property
    def is_void(self) -> bool:
        return not self.is_set and self.returns == Name("pg_catalog", "void")

    @property
    def is_scalar(self) -> bool:
        return not self.is_set and not self.is_composite

    @property
    def is_set_of_scalar(self) -> bool:
        return self.is_set and not self.is_composite

    @property
    def is_single_composite(self) -> bool:
        return not self.is_set and self.is_composite


@dataclass(frozen=True, slots=True)
class MediaHandler:
    """A function or aggregate that writes a media type; `target` is None for any row type."""

    function: Name
    target: Name | None
    media_type: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything the exposed schemas offer. Relationships lie under (source, target's schema)."""

    tables: Mapping[Name, Table] = field(default_factory=dict)
    relationships: Mapping[tuple[Name, str], Sequence[Relationship]] = field(default_factory=dict)
    functions: Mapping[Name, Sequence[Function]] = field(default_factory=dict)
    # (function or table it applies to, media type asked for)
    handlers: Mapping[tuple[Name | None, str], MediaHandler] = field(default_factory=dict)
