"""Infers relationships from foreign keys: through views, backwards, and across junctions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stack.rest.catalog.model import (
    Cardinality,
    Columns,
    Junction,
    Name,
    Relationship,
    Table,
)
from stack.rest.catalog.views import ViewOrigins


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A constraint; `is_unique`: at most one row of the table points to a row of the other."""

    table: Name
    other: Name
    constraint: str
    columns: Columns
    is_unique: bool
    table_oid: int
    other_oid: int
    numbers: Sequence[int]
    other_numbers: Sequence[int]


def infer(
    keys: Iterable[ForeignKey],
    views: ViewOrigins,
    tables: Mapping[Name, Table],
    computed: Iterable[Relationship],
    schemas: Sequence[str],
) -> dict[tuple[Name, str], list[Relationship]]:
    """Every relationship between exposed relations. Computed ones replace what they are named."""
    forward = [relationship for key in keys for relationship in _forward(key, views)]
    found: dict[tuple[Name, Name], list[Relationship]] = {}
    for relationship in [*forward, *_junctions(forward, tables), *map(_inverse, forward)]:
        found.setdefault((relationship.source, relationship.target), []).append(relationship)
    for relationship in computed:
        assert relationship.function is not None
        found[relationship.source, relationship.function] = [relationship]
    indexed: dict[tuple[Name, str], list[Relationship]] = {}
    for (source, _), group in found.items():
        for relationship in group:
            reach = [source.schema, relationship.target.schema]
            if relationship.junction:
                reach.append(relationship.junction.table.schema)
            if all(schema in schemas for schema in reach):
                schema = (relationship.function or relationship.target).schema
                indexed.setdefault((source, schema), []).append(relationship)
    for group in indexed.values():
        group.sort(key=_order)
    return indexed


_RANK: Mapping[Cardinality, int] = {
    "one-to-many": 0,
    "many-to-one": 1,
    "one-to-one": 2,
    "many-to-many": 3,
}


def _order(relationship: Relationship) -> tuple[object, ...]:
    junction = relationship.junction
    return (
        relationship.target,
        relationship.is_self,
        _RANK[relationship.cardinality],
        junction.table if junction else Name("", ""),
        relationship.constraint or (junction.source_constraint if junction else ""),
        relationship.columns,
    )


def _forward(key: ForeignKey, views: ViewOrigins) -> Iterable[Relationship]:
    cardinality: Cardinality = "one-to-one" if key.is_unique else "many-to-one"
    own, other = (tuple(side) for side in zip(*key.columns, strict=True))
    sources = [(key.table, own, False)]
    sources += [(name, chosen, True) for name, chosen in views.showing(key.table_oid, key.numbers)]
    targets = [(key.other, other, False)]
    targets += [
        (name, chosen, True) for name, chosen in views.showing(key.other_oid, key.other_numbers)
    ]
    for source, source_columns, is_source_view in sources:
        for target, target_columns, is_target_view in targets:
            yield Relationship(
                source,
                target,
                cardinality,
                key.constraint,
                tuple(zip(source_columns, target_columns, strict=True)),
                is_source_view=is_source_view,
                is_target_view=is_target_view,
            )


def _inverse(relationship: Relationship) -> Relationship:
    is_unique = relationship.cardinality == "one-to-one"
    return replace(
        relationship,
        source=relationship.target,
        target=relationship.source,
        cardinality="one-to-one" if is_unique else "one-to-many",
        columns=tuple((other, own) for own, other in relationship.columns),
        is_source_view=relationship.is_target_view,
        is_target_view=relationship.is_source_view,
        is_parent=is_unique,
    )


def _junctions(
    forward: Sequence[Relationship], tables: Mapping[Name, Table]
) -> Iterable[Relationship]:
    """Two keys of one table, both inside its primary key, tie their targets to each other."""
    by_source: dict[Name, list[Relationship]] = {}
    for relationship in forward:
        if relationship.cardinality == "many-to-one":
            by_source.setdefault(relationship.source, []).append(relationship)
    for name, group in by_source.items():
        key = set(tables[name].key) if name in tables else set()
        inside = [one for one in group if {own for own, _ in one.columns} <= key]
        for first in inside:
            for second in inside:
                if first.constraint == second.constraint:
                    continue
                yield Relationship(
                    first.target,
                    second.target,
                    "many-to-many",
                    junction=Junction(
                        name,
                        first.constraint,
                        second.constraint,
                        tuple((other, own) for own, other in first.columns),
                        tuple((other, own) for own, other in second.columns),
                    ),
                    is_source_view=first.is_target_view,
                    is_target_view=second.is_target_view,
                )
