"""Fields, filters, logic and order as SQL."""

from collections.abc import Callable, Mapping, Sequence

from stack.rest.errors import RestError, not_embedded
from stack.rest.parse.syntax import Condition, Field, Filter, OrderTerm
from stack.rest.plan.quoting import array_literal, column, identifier, literal
from stack.rest.plan.tree import Node

_OPERATORS: Mapping[str, str] = {
    "eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "like",
    "ilike": "ilike", "match": "~", "imatch": "~*", "cs": "@>", "cd": "<@", "ov": "&&",
    "sl": "<<", "sr": ">>", "nxr": "&<", "nxl": "&>", "adj": "-|-",
    "isdistinct": "is distinct from",
}  # fmt: skip
_TEXT_SEARCH: Mapping[str, str] = {
    "fts": "to_tsquery",
    "plfts": "plainto_tsquery",
    "phfts": "phraseto_tsquery",
    "wfts": "websearch_to_tsquery",
}
_IS: Mapping[str, str] = {
    "null": "null",
    "not_null": "not null",
    "true": "true",
    "false": "false",
    "unknown": "unknown",
}

Kinds = Mapping[str, str]
"""Column name → type, of the resource at hand."""


def field_sql(field: Field, reference: str, kinds: Kinds) -> str:
    """A field of `reference` (quoted). JSON paths work on any type: others become jsonb first."""
    base = column(reference, field.name)
    if not field.path:
        return base
    if kinds.get(field.name) not in ("json", "jsonb"):
        base = f"to_jsonb({base})"
    for step in field.path:
        operand = literal(step.operand) + ("::int" if step.is_index else "")
        base += ("->>" if step.as_text else "->") + operand
    return base


def filter_sql(wanted: Filter, reference: str, kinds: Kinds) -> str:
    """One comparison."""
    field = field_sql(wanted.field, reference, kinds)
    negation = "not " if wanted.is_negated else ""
    if wanted.operator == "in":
        assert isinstance(wanted.value, tuple)
        return f"{negation}{field} = any ({array_literal(wanted.value)})"
    assert isinstance(wanted.value, str)
    if wanted.operator == "is":
        return f"{negation}{field} is {_IS[wanted.value]}"
    if wanted.operator in _TEXT_SEARCH:
        return negation + _text_search(wanted, wanted.value, field, kinds)
    text = wanted.value
    if wanted.operator in ("like", "ilike"):
        text = text.replace("*", "%")
    compared = literal(text)
    if wanted.modifier:
        compared = f"{wanted.modifier}({compared})"
    return f"{negation}{field} {_OPERATORS[wanted.operator]} {compared}"


def _text_search(wanted: Filter, text: str, field: str, kinds: Kinds) -> str:
    language = f"{literal(wanted.modifier)}, " if wanted.modifier else ""
    kind = kinds.get(wanted.field.name)
    if kind is not None and kind != "tsvector":
        field = f"to_tsvector({language}{field})"
    return f"{field} @@ {_TEXT_SEARCH[wanted.operator]}({language}{literal(text)})"


def condition_sql(
    condition: Condition,
    reference: str,
    kinds: Kinds,
    *,
    embedded: Callable[[Filter], str | None] = lambda _: None,
) -> str:
    """A whole tree. `embedded` answers null tests on embedded resources."""
    if isinstance(condition, Filter):
        return embedded(condition) or filter_sql(condition, reference, kinds)
    inner = f" {condition.operator} ".join(
        condition_sql(child, reference, kinds, embedded=embedded) for child in condition.children
    )
    return f"not ({inner})" if condition.is_negated else f"({inner})"


def embedded_null_test(node: Node) -> Callable[[Filter], str | None]:
    """Renders `rel=is.null` and `rel=not.is.null`, which keep rows without or with that one."""

    def render(wanted: Filter) -> str | None:
        found = embed_of_null_test(node, wanted)
        if found is None:
            return None
        distinct = "" if wanted.is_negated else "not "
        return f"{identifier(found.handle)} is {distinct}distinct from null"

    return render


def embed_of_null_test(node: Node, wanted: Filter) -> Node | None:
    """The embedded resource that a filter tests for null, if it is such a filter."""
    if wanted.field.path:
        return None
    for child in node.children:
        if child.shown_as == wanted.field.name:
            if wanted.operator == "is" and wanted.value == "null":
                return child
            return None
    return None


def order_sql(terms: Sequence[OrderTerm], node: Node, reference: str) -> str:
    """`order by …`, or nothing. Errors: PGRST108, PGRST118."""
    if not terms:
        return ""
    return " order by " + ", ".join(_term_sql(term, node, reference) for term in terms)


def _term_sql(term: OrderTerm, node: Node, reference: str) -> str:
    if term.relation is None:
        text = field_sql(term.field, reference, node.columns)
    else:
        text = field_sql(term.field, identifier(related(node, term.relation).handle), {})
    direction = f" {term.direction}" if term.direction else ""
    nulls = f" nulls {term.nulls}" if term.nulls else ""
    return text + direction + nulls


def related(node: Node, name: str) -> Node:
    """The embedded to-one resource that rows are ordered by. Errors: PGRST108, PGRST118."""
    child = next((one for one in node.children if one.shown_as == name), None)
    if child is None:
        raise not_embedded(name)
    assert child.relationship is not None
    if not child.relationship.is_to_one:
        raise RestError(
            400,
            "PGRST118",
            f"A related order on '{name}' is not possible",
            f"'{node.name}' and '{name}' do not form a many-to-one or one-to-one relationship",
        )
    return child
