"""Finds the relationship that an embedded resource means."""

from collections.abc import Sequence
from typing import Any

from stack.rest.catalog.hints import closest
from stack.rest.catalog.model import Catalog, Name, Relationship
from stack.rest.errors import RestError


def find_relationship(
    catalog: Catalog, source: Name, target: str, hint: str | None, schema: str
) -> Relationship:
    """The one relationship from `source` that `target` and `hint` name.

    Source: PostgREST, Resource Embedding. Errors: PGRST200 for none, PGRST201 for several.
    """
    known = catalog.relationships.get((source, schema), ())
    found = [relationship for relationship in known if _fits(relationship, target, hint)]
    if not found:
        raise _none_found(catalog, source, target, hint, schema)
    if len(found) > 1:
        raise _several_found(source.name, target, found)
    return found[0]


def _fits(relationship: Relationship, target: str, hint: str | None) -> bool:
    if relationship.function is not None:
        return relationship.function.name == target
    names_table = target == relationship.target.name
    cardinality = relationship.cardinality
    if relationship.is_self:
        if hint is None:
            by_table = names_table and cardinality == "one-to-many"
            return by_table or (cardinality == "many-to-one" and _own_column(relationship, target))
        return names_table and cardinality == "one-to-many" and _other_column(relationship, hint)
    if hint is None:
        by_key = not relationship.is_target_view and (
            _is_constraint(relationship, target) or _own_column(relationship, target)
        )
        return names_table or by_key
    return names_table and (
        _is_constraint(relationship, hint)
        or _own_column(relationship, hint)
        or _other_column(relationship, hint)
        or (relationship.junction is not None and relationship.junction.table.name == hint)
    )


def _is_constraint(relationship: Relationship, name: str) -> bool:
    return relationship.junction is None and relationship.constraint == name


def _own_column(relationship: Relationship, name: str) -> bool:
    return len(relationship.columns) == 1 and relationship.columns[0][0] == name


def _other_column(relationship: Relationship, name: str) -> bool:
    return len(relationship.columns) == 1 and relationship.columns[0][1] == name


def _none_found(
    catalog: Catalog, source: Name, target: str, hint: str | None, schema: str
) -> RestError:
    using = f"' using the hint '{hint}" if hint else ""
    known = catalog.relationships.get((source, schema))
    if known is not None:
        names = {one.target.name for one in known}
        guess = None if target in names else closest(target, names)
        instead = target
    else:
        names = {name.name for name, reach in catalog.relationships if reach == schema}
        guess = closest(source.name, names)
        instead = source.name
    return RestError(
        400,
        "PGRST200",
        f"Could not find a relationship between '{source.name}' and '{target}' in the schema cache",
        f"Searched for a foreign key relationship between '{source.name}' and '{target}{using}'"
        f" in the schema '{schema}', but no matches were found.",
        f"Perhaps you meant '{guess}' instead of '{instead}'." if guess else None,
    )


def _several_found(source: str, target: str, found: Sequence[Relationship]) -> RestError:
    hints = ", ".join(
        f"'{one.target.name}!{one.junction.table.name if one.junction else one.constraint}'"
        for one in found
    )
    return RestError(
        300,
        "PGRST201",
        "Could not embed because more than one relationship was found for"
        f" '{source}' and '{target}'",
        [_described(one) for one in found],
        f"Try changing '{target}' to one of the following: {hints}."
        " Find the desired relationship in the 'details' key.",
    )


def _described(relationship: Relationship) -> dict[str, Any]:
    source, target = relationship.source.name, relationship.target.name
    junction = relationship.junction
    if junction:
        first = ", ".join(own for _, own in junction.source_columns)
        second = ", ".join(own for _, own in junction.target_columns)
        text = (
            f"{junction.table.name} using {junction.source_constraint}({first})"
            f" and {junction.target_constraint}({second})"
        )
    else:
        own = ", ".join(name for name, _ in relationship.columns)
        other = ", ".join(name for _, name in relationship.columns)
        text = f"{relationship.constraint} using {source}({own}) and {target}({other})"
    return {
        "cardinality": relationship.cardinality,
        "embedding": f"{source} with {target}",
        "relationship": text,
    }
