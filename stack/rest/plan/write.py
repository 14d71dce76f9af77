"""Inserts, updates and deletes as SQL, whose rows a read plan then shows."""

from collections.abc import Sequence

from stack.rest.catalog.model import Column, Table
from stack.rest.errors import RestError
from stack.rest.parse.syntax import Condition
from stack.rest.plan.conditions import condition_sql
from stack.rest.plan.payload import payload_sql
from stack.rest.plan.quoting import column, identifier, payload_column, qualified
from stack.rest.plan.tree import Node

# counts new rows up and updated ones down, so that an upsert knows whether it created any
_COUNT_UP = (
    "set_config('pgrst.inserted',"
    " (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) + 1)::text, true)"
    " <> '0'"
)
_COUNT_DOWN = (
    "set_config('pgrst.inserted',"
    " (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) - 1)::text, true)"
    " <> '-1'"
)


def written_columns(table: Table, names: frozenset[str]) -> list[Column]:
    """The columns a body names, in order. Errors: PGRST204."""
    for name in sorted(names):
        if name not in table.columns:
            raise RestError(
                400,
                "PGRST204",
                f"Could not find the '{name}' column of '{table.name.name}' in the schema cache",
            )
    return [table.columns[name] for name in sorted(names)]


def insert_sql(
    table: Table,
    columns: Sequence[Column],
    returning: Sequence[str],
    *,
    is_object: bool,
    applies_defaults: bool,
    resolution: str | None = None,
    conflict: Sequence[str] = (),
    put_conditions: Sequence[Condition] = (),
) -> str:
    """`resolution`: what becomes of rows that exist. `put_conditions`: what the body must meet."""
    names = ", ".join(identifier(one.name) for one in columns)
    target = f"insert into {qualified(table.name)}" + (f" ({names})" if names else "")
    shown = ", ".join(payload_column(one.name) for one in columns)
    source = payload_sql(columns, is_object=is_object, applies_defaults=applies_defaults)
    tests = [_COUNT_UP] if resolution == "merge-duplicates" and conflict else []
    tests += [condition_sql(one, '"pgrst_body"', {}) for one in put_conditions]
    where = f" where {' and '.join(tests)}" if tests else ""
    clause = ""
    if resolution and conflict:
        keys = ", ".join(identifier(name) for name in conflict)
        clause = f" on conflict ({keys}) do nothing"
        if resolution == "merge-duplicates" and columns:
            changes = ", ".join(
                f"{identifier(one.name)} = excluded.{identifier(one.name)}" for one in columns
            )
            clause = f" on conflict ({keys}) do update set {changes} where {_COUNT_DOWN}"
    return f"{target} select {shown} {source}{where}{clause} {_returning(table, returning)}"


def update_sql(
    table: Table,
    columns: Sequence[Column],
    conditions: Sequence[Condition],
    returning: Sequence[str],
    *,
    is_object: bool,
    applies_defaults: bool,
) -> str:
    """An empty body changes nothing and returns nothing."""
    reference = qualified(table.name)
    if not columns:
        shown = ", ".join(column(identifier(table.name.name), name) for name in returning)
        return f"select {shown or 'null'} from {reference} where false"
    changes = ", ".join(f"{identifier(one.name)} = {payload_column(one.name)}" for one in columns)
    source = payload_sql(columns, is_object=is_object, applies_defaults=applies_defaults)
    return (
        f"update {reference} set {changes} {source}{_where(table, conditions)}"
        f" {_returning(table, returning)}"
    )


def delete_sql(table: Table, conditions: Sequence[Condition], returning: Sequence[str]) -> str:
    return (
        f"delete from {qualified(table.name)}{_where(table, conditions)}"
        f" {_returning(table, returning)}"
    )


def returned_columns(root: Node, key: Sequence[str]) -> list[str]:
    """What a mutation must return so that its read plan has all it needs."""
    names = {wanted.field.name for wanted in root.select}
    names.update(term.field.name for term in root.order if term.relation is None)
    if "*" in names:
        return ["*"]
    for child in root.children:
        relationship = child.relationship
        if relationship is None or relationship.function:
            return ["*"]  # a computed relationship may read any column
        pairs = relationship.columns
        if relationship.junction:
            pairs = relationship.junction.source_columns
        names.update(own for own, _ in pairs)
    return sorted(names | set(key)) or ["*"]


def _where(table: Table, conditions: Sequence[Condition]) -> str:
    kinds = {one.name: one.kind for one in table.columns.values()}
    reference = qualified(table.name)
    tests = [condition_sql(one, reference, kinds) for one in conditions]
    return f" where {' and '.join(tests)}" if tests else ""


def _returning(table: Table, names: Sequence[str]) -> str:
    reference = qualified(table.name)
    return "returning " + (", ".join(column(reference, name) for name in names) or "1")
