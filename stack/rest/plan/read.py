"""The read plan as SQL: lateral joins whose JSON Postgres builds."""

from stack.rest.parse.syntax import Filter, SelectField
from stack.rest.plan.conditions import (
    condition_sql,
    embed_of_null_test,
    embedded_null_test,
    field_sql,
    order_sql,
)
from stack.rest.plan.quoting import bounded, column, identifier, qualified
from stack.rest.plan.tree import Lifted, Node, SpreadField


def read_sql(node: Node) -> str:
    """The rows of a resource with everything embedded in it."""
    reference = _reference(node)
    items = [_select_sql(node, wanted) for wanted in node.select]
    if not node.select and not node.children:
        items.append(f"{reference}.*")
    for of, wanted in node.extra_select:
        base = identifier(of) if of else reference
        kinds = {} if of else node.columns
        items.append(f"{field_sql(wanted.field, base, kinds)} as {identifier(wanted.alias or '')}")
    items += [item for lifted in node.lifted for item in _lifted_sql(lifted)]
    joins = "".join(_join_sql(lifted) for lifted in node.lifted)
    order = "" if node.spread == "many" and not _is_limited(node) else _order(node)
    return (
        f"select {', '.join(items)} from {_from(node)}{joins}"
        f"{_where(node)}{_group_by(node)}{order}{_limits(node)}"
    )


def count_sql(node: Node) -> str:
    """One row per row that counts: as `read_sql` without limits, or columns that cost."""
    reference = _reference(node)

    def embedded(wanted: Filter) -> str | None:
        child = embed_of_null_test(node, wanted)
        if child is None:
            return None
        return f"{'' if wanted.is_negated else 'not '}exists ({count_sql(child)})"

    tests = [
        condition_sql(condition, reference, node.columns, embedded=embedded)
        for condition in node.conditions
    ]
    tests += _join_tests(node)
    tests += [f"exists ({count_sql(child)})" for child in node.children if child.is_inner]
    where = f" where {' and '.join(tests)}" if tests else ""
    return f"select 1 from {_from(node)}{where}"


def _reference(node: Node) -> str:
    return identifier(node.alias) if node.alias else qualified(node.table)


def _from(node: Node) -> str:
    relationship = node.relationship
    alias = f" as {identifier(node.alias)}" if node.alias else ""
    if relationship is None:
        return qualified(node.table) + alias
    if relationship.function:
        row = f"{node.parent_alias}::{qualified(relationship.source)}"
        return f"{qualified(relationship.function)}({row}){alias}"
    if relationship.junction:
        junction = qualified(relationship.junction.table)
        return f"{qualified(node.table)}{alias}, {junction} as {_junction_alias(node)}"
    return qualified(node.table) + alias


def _junction_alias(node: Node) -> str:
    assert node.relationship is not None
    assert node.relationship.junction is not None
    return identifier(bounded(f"{node.relationship.junction.table.name}_{node.depth}_junction"))


def _join_tests(node: Node) -> list[str]:
    relationship = node.relationship
    if relationship is None or relationship.function:
        return []
    own, parent = _reference(node), node.parent_alias
    if relationship.junction:
        between = _junction_alias(node)
        pairs = relationship.junction.target_columns
        tests = [f"{column(own, one)} = {column(between, other)}" for one, other in pairs]
        pairs = relationship.junction.source_columns
        return tests + [f"{column(parent, one)} = {column(between, other)}" for one, other in pairs]
    return [f"{column(own, other)} = {column(parent, one)}" for one, other in relationship.columns]


def _where(node: Node) -> str:
    null_test = embedded_null_test(node)
    tests = [
        condition_sql(condition, _reference(node), node.columns, embedded=null_test)
        for condition in node.conditions
    ]
    tests += _join_tests(node)
    return f" where {' and '.join(tests)}" if tests else ""


def _select_sql(node: Node, wanted: SelectField) -> str:
    reference = _reference(node)
    is_whole_row = wanted.field.name == "*" and not wanted.aggregate and wanted.alias
    if wanted.aggregate == "count" and wanted.field.name == "*":
        text = "count(*)"
    elif is_whole_row:
        text = reference
    else:
        text = field_sql(wanted.field, reference, node.columns)
        if wanted.cast:
            text = f"cast({text} as {wanted.cast})"
        if wanted.aggregate:
            text = f"{wanted.aggregate}({text})"
    if wanted.aggregate and wanted.aggregate_cast:
        text = f"cast({text} as {wanted.aggregate_cast})"
    return f"{text} as {identifier(wanted.alias)}" if wanted.alias else text


def _lifted_sql(lifted: Lifted) -> list[str]:
    handle = identifier(lifted.node.handle)
    if lifted.form == "spread":
        return [_spread_sql(handle, field) for field in lifted.fields]
    if lifted.is_empty:
        return []
    name = identifier(lifted.name)
    if lifted.form == "object":
        return [f"row_to_json({handle}.*)::jsonb as {name}"]
    return [f"coalesce({handle}.{handle}, '[]') as {name}"]


def _spread_sql(handle: str, field: SpreadField) -> str:
    text = column(handle, field.name)
    if field.aggregate:
        text = f"{field.aggregate}({text})"
        if field.aggregate_cast:
            text = f"cast({text} as {field.aggregate_cast})"
    return f"{text} as {identifier(field.alias)}" if field.alias else text


def _join_sql(lifted: Lifted) -> str:
    node = lifted.node
    handle = identifier(node.handle)
    kind = "inner" if node.is_inner else "left"
    inner = read_sql(node)
    if lifted.form == "object" or node.spread == "one":
        return f" {kind} join lateral ({inner}) as {handle} on true"
    gathered = f"json_agg({handle})::jsonb as {handle}"
    if node.spread == "many":
        order = order_sql(node.rank_by, node, handle)
        for field in lifted.fields:
            shown = identifier(field.alias or field.name)
            values = f"json_agg({column(handle, field.name)}{order})"
            gathered += f", coalesce({values}, '[]')::jsonb as {shown}"
    test = f"{handle} is not null" if node.is_inner else "true"
    return (
        f" {kind} join lateral (select {gathered} from ({inner}) as {handle}) as {handle} on {test}"
    )


def _group_by(node: Node) -> str:
    """Every plain field beside an aggregate is a key of its groups."""
    spread = [field for lifted in node.lifted for field in lifted.fields]
    if not any(one.aggregate for one in node.select) and not any(one.aggregate for one in spread):
        return ""
    terms = [
        identifier(wanted.alias)
        if wanted.alias
        else field_sql(wanted.field, _reference(node), node.columns)
        for wanted in node.select
        if not wanted.aggregate
    ]
    for lifted in node.lifted:
        handle = identifier(lifted.node.handle)
        if lifted.form == "spread":
            terms += [column(handle, one.name) for one in lifted.fields if not one.aggregate]
        elif not lifted.is_empty:
            terms.append(identifier(lifted.name))
    return f" group by {', '.join(terms)}" if terms else ""


def _order(node: Node) -> str:
    return order_sql(node.order, node, _reference(node))


def _is_limited(node: Node) -> bool:
    return node.limit is not None or node.offset != 0


def _limits(node: Node) -> str:
    limit = f" limit {node.limit}" if node.limit is not None else ""
    return limit + (f" offset {node.offset}" if node.offset else "")
