"""The API's reference, docs/api.md: made from what the migrations say by `comment on`."""

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

HEAD = """# API reference

What clients reach through the Data API, as the database itself explains it. Who may do what is in
`supabase/policies/` and, cell by cell, in `tests/guards/test_role_matrix.py`. Times are UTC,
amounts whole minor units of their currency. Made by `guildhall reference`.

What is no value of its parameter's type (10.5 for whole minor units, a word for a uuid) is refused
by Postgres before any function runs: 400 with `code` 22P02 (22007 for a time, 22003 and 22008 where
it is out of range); `message` names the type and the value.
"""


@dataclass(frozen=True, slots=True)
class Relation:
    name: str
    kind: str
    comment: str


@dataclass(frozen=True, slots=True)
class Column:
    relation: str
    name: str
    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: str
    result: str
    comment: str


def make_reference(db: psycopg.Connection[tuple[object, ...]]) -> str:
    """The page, from the comments of schema public."""
    with db.cursor(row_factory=class_row(Relation)) as cursor:
        relations = cursor.execute(
            "select relname as name, case relkind when 'v' then 'view' else 'table' end as kind,"
            " coalesce(obj_description(oid, 'pg_class'), '') as comment from pg_class"
            " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')"
            " order by relname"
        ).fetchall()
    with db.cursor(row_factory=class_row(Column)) as cursor:
        columns = cursor.execute(
            "select attrelid::regclass::text as relation, attname as name,"
            " format_type(atttypid, atttypmod) as type,"
            " coalesce(col_description(attrelid, attnum), '') as comment"
            " from pg_attribute inner join pg_class on pg_class.oid = attrelid"
            " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')"
            " and attnum > 0 and not attisdropped order by attrelid::regclass::text, attnum"
        ).fetchall()
    with db.cursor(row_factory=class_row(Function)) as cursor:
        functions = cursor.execute(
            "select proname as name, pg_get_function_arguments(oid) as arguments,"
            " pg_get_function_result(oid) as result,"
            " coalesce(obj_description(oid, 'pg_proc'), '') as comment from pg_proc"
            " where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype"
            " order by proname"
        ).fetchall()
    parts = [HEAD, "## Functions", "Called by `supabase.rpc('name', { … })`."]
    parts += [_function(function) for function in functions]
    parts.append("## Tables and views")
    for relation in relations:
        parts.append(_relation(relation, [one for one in columns if one.relation == relation.name]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _function(function: Function) -> str:
    signature = f"{function.name}({function.arguments}) → {function.result}"
    return f"### {function.name}\n\n`{signature}`\n\n{function.comment.strip()}"


def _relation(relation: Relation, columns: list[Column]) -> str:
    lines = [f"### {relation.name}", "", f"{relation.kind.capitalize()}. {relation.comment}", ""]
    lines += ["| Column | Type | |", "| --- | --- | --- |"]
    for column in columns:
        comment = " ".join(column.comment.split()).replace("|", "\\|")
        lines.append(f"| `{column.name}` | {column.type} | {comment} |")
    return "\n".join(lines)
