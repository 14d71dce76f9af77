"""The outer statement: counts the rows and turns them into the body of the answer.

Its one row: total or null, rows on this page, body, `response.headers`, `response.status`,
rows created by an upsert, key of the one created row.
"""

from collections.abc import Sequence

from stack.rest.catalog.model import Function, Table
from stack.rest.media import Representation
from stack.rest.plan.quoting import literal, qualified
from stack.rest.plan.read import count_sql, read_sql
from stack.rest.plan.tree import Node

_ROW = "_postgrest_t"
_CSV_ROWS = "pgrst_rows"
_SETTINGS = (
    "nullif(current_setting('response.headers', true), ''),"
    " nullif(current_setting('response.status', true), '')"
)
_CREATED = "nullif(current_setting('pgrst.inserted', true), '')::int"


def read_statement(
    root: Node, shown: Representation, *, count: str | None, max_rows: int | None
) -> str:
    """`count`: whether, and how, the total is asked for."""
    total = _total(root, count, max_rows)
    head = f"select {total}, count({_ROW}), {_body(shown, None)}, {_SETTINGS}, null, null"
    return _explained(_framed("", head, read_sql(root), shown), shown)


def write_statement(
    root: Node,
    mutation: str,
    shown: Representation,
    *,
    is_upsert: bool,
    located_by: Table | None,
) -> str:
    """`located_by`: the table whose key the Location header shows."""
    rows = "select * from pgrst_source" if shown.form == "none" else read_sql(root)
    created = _CREATED if is_upsert else "null"
    head = (
        f"select null, count({_ROW}), {_body(shown, None)}, {_SETTINGS}, {created},"
        f" {_location(located_by)}"
    )
    return _explained(_framed(f"pgrst_source as ({mutation})", head, rows, shown), shown)


def call_statement(
    root: Node,
    call: str,
    function: Function,
    shown: Representation,
    *,
    count: str | None,
) -> str:
    total = _total(root, count, None)
    rows = f"count({_ROW})" if function.is_set else "1"
    head = f"select {total}, {rows}, {_body(shown, function)}, {_SETTINGS}, null, null"
    return _explained(_framed(f"pgrst_source as ({call})", head, read_sql(root), shown), shown)


def planned_count_statement(root: Node) -> str:
    """Postgres' own estimate of the total."""
    return f"explain (format json) {count_sql(root)}"


def _framed(source: str, head: str, rows: str, shown: Representation) -> str:
    parts = [source] if source else []
    if shown.form == "csv":  # the header reads the rows a second time
        parts.append(f"{_CSV_ROWS} as ({rows})")
        rows = f"select * from {_CSV_ROWS}"
    with_parts = f"with {', '.join(parts)} " if parts else ""
    return f"{with_parts}{head} from ({rows}) as {_ROW}"


def _total(root: Node, count: str | None, max_rows: int | None) -> str:
    if count not in ("exact", "estimated"):
        return "null"
    counted = count_sql(root)
    if count == "estimated" and max_rows is not None:
        counted += f" limit {max_rows + 1}"
    return f"(select count(*) from ({counted}) as pgrst_source_count)"


def _body(shown: Representation, function: Function | None) -> str:
    match shown.form:
        case "none":
            return "''"
        case "csv":
            return _csv()
        case "custom":
            return _custom(shown, function)
        case _:
            return _json(shown, function)


def _json(shown: Representation, function: Function | None) -> str:
    is_scalar = function is not None and not function.is_composite
    rows = f"json_agg({_ROW}.pgrst_scalar)" if is_scalar else f"json_agg({_ROW})"
    is_one = shown.form == "object" or (function is not None and not function.is_set)
    if is_one:
        rows += "->0"
    if shown.strips_nulls:
        rows = f"json_strip_nulls({rows})"
    return f"coalesce({rows}, '{'null' if is_one else '[]'}')"


def _csv() -> str:
    header = (
        "(select coalesce(string_agg(key, ','), '') from (select json_object_keys(line) as key"
        f" from (select row_to_json(first) as line from {_CSV_ROWS} as first limit 1) as lines)"
        " as keys)"
    )
    line = f"substring({_ROW}::text, 2, length({_ROW}::text) - 2)"
    return rf"{header} || E'\n' || coalesce(string_agg({line}, E'\n'), '')"


def _custom(shown: Representation, function: Function | None) -> str:
    assert shown.handler is not None
    writer = qualified(shown.handler.function)
    if function is not None and function.is_scalar:
        return f"{writer}({_ROW}.pgrst_scalar)"
    target = shown.handler.target
    return f"{writer}({_ROW}{'::' + qualified(target) if target else ''})"


def _location(table: Table | None) -> str:
    if table is None or not table.key:
        return "null"
    names: Sequence[str] = [literal(name) for name in table.key]
    return (
        f"case when count({_ROW}) = 1 then (select json_agg(json_build_array(entry.key,"
        " coalesce('eq.' || entry.value, 'is.null'))) from"
        " (select row_to_json(first) as line from pgrst_source as first limit 1) as lines"
        f" cross join json_each_text(line) as entry where entry.key in ({', '.join(names)})) end"
    )


def _explained(statement: str, shown: Representation) -> str:
    if shown.plan is None:
        return statement
    return f"explain ({', '.join(shown.plan)}) {statement}"
