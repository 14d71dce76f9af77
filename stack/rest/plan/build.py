"""Builds the read plan from a parsed query: resources, relationships, what each one selects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stack.rest.catalog.model import Catalog, Name
from stack.rest.errors import RestError, not_embedded
from stack.rest.parse.syntax import (
    Field,
    OrderTerm,
    Path,
    Query,
    SelectField,
    SelectItem,
    SelectRelation,
)
from stack.rest.plan.conditions import related
from stack.rest.plan.embedding import find_relationship
from stack.rest.plan.quoting import bounded, identifier, qualified
from stack.rest.plan.spreads import lift_aggregates
from stack.rest.plan.tree import SOURCE, Lifted, Node, SpreadField, default_alias

Mode = Literal["read", "write", "call"]


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds plans against one catalog. `max_rows` limits every resource that is read."""

    catalog: Catalog
    schema: str
    max_rows: int | None
    allows_aggregates: bool

    def build(self, query: Query, table: Name, mode: Mode, top: tuple[int, int | None]) -> Node:
        """The plan of a request to `table`; writes filter the table itself elsewhere.

        Errors: PGRST108, PGRST118, PGRST123, PGRST127, PGRST200, PGRST201.
        """
        root = self._node(table.name, table, 0, query.select)
        self._place(root, query, mode, top)
        if mode != "read":
            root.table, root.alias = SOURCE, table.name
        self._relate(root, table)
        self._finish(root, has_aggregate=False)
        self._lift(root)
        lift_aggregates(root)
        _order_spreads(root)
        if mode != "write":
            self._limit(root)
        return root

    def _node(self, name: str, table: Name, depth: int, items: Sequence[SelectItem]) -> Node:
        node = Node(name, depth, table, self._columns(table))
        for item in items:
            if isinstance(item, SelectField):
                if item.aggregate and not self.allows_aggregates:
                    raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
                node.select.append(item)
            else:
                node.children.append(self._child(item, depth + 1))
        return node

    def _child(self, item: SelectRelation, depth: int) -> Node:
        child = self._node(item.name, Name(self.schema, item.name), depth, item.children)
        child.label, child.hint, child.is_inner = item.alias, item.hint, item.is_inner
        child.spread = "one" if item.is_spread else None
        return child

    def _columns(self, table: Name) -> dict[str, str]:
        known = self.catalog.tables.get(table)
        return {name: column.kind for name, column in known.columns.items()} if known else {}

    def _place(self, root: Node, query: Query, mode: Mode, top: tuple[int, int | None]) -> None:
        for path, found in query.filters:
            if path or mode != "write":
                _at(root, path).conditions.append(found)
        for path, tree in query.logic:
            if path or mode != "write":
                _at(root, path).conditions.append(tree)
        for path, terms in query.order:
            _at(root, path).order = terms
        if mode == "write":
            return
        for path, (offset, limit) in query.ranges:
            if path:
                node = _at(root, path)
                node.offset, node.limit = offset, limit
        root.offset, root.limit = top

    def _relate(self, node: Node, origin: Name) -> None:
        for child in node.children:
            found = find_relationship(self.catalog, origin, child.name, child.hint, self.schema)
            child.relationship = found
            child.table, child.columns = found.target, self._columns(found.target)
            child.alias = bounded(f"{found.target.name}_{child.depth}")
            child.parent_alias = identifier(node.alias) if node.alias else qualified(node.table)
            if not node.alias and found.function:
                # a function takes the row itself, which only the bare name stands for
                child.parent_alias = identifier(node.table.name)
            child.handle = bounded(f"{origin.name}_{child.shown_as}_{child.depth}")
            if child.spread and not found.is_to_one:
                child.spread = "many"
            self._relate(child, found.target)

    def _finish(self, node: Node, *, has_aggregate: bool) -> None:
        """Write out `*` where rows are grouped or gathered, and name what has no name."""
        expands = (
            has_aggregate
            or any(wanted.aggregate for wanted in node.select)
            or node.spread == "many"
        )
        if expands:
            node.select = [field for wanted in node.select for field in _expanded(node, wanted)]
        node.select = [_named(wanted, is_spread=bool(node.spread)) for wanted in node.select]
        for child in node.children:
            self._finish(child, has_aggregate=expands)

    def _lift(self, node: Node) -> None:
        for child in node.children:
            self._lift(child)
            assert child.relationship is not None
            if child.spread:
                node.lifted.append(Lifted(child, "spread", "", fields=_spread_fields(child)))
                continue
            form: Literal["object", "array"] = "object" if child.relationship.is_to_one else "array"
            node.lifted.append(Lifted(child, form, child.shown_as, _selects_nothing(child)))

    def _limit(self, root: Node) -> None:
        if self.max_rows is None:
            return
        for node in root.walk():
            if node.limit is None or node.limit > self.max_rows:
                node.limit = self.max_rows


def _at(root: Node, path: Path) -> Node:
    node = root
    for name in path:
        child = node.child(name)
        if child is None:
            raise not_embedded(name)
        node = child
    return node


def _expanded(node: Node, wanted: SelectField) -> list[SelectField]:
    if wanted.field.name != "*" or wanted.aggregate or not node.columns:
        return [wanted]
    return [SelectField(Field(name)) for name in node.columns]


def _named(wanted: SelectField, *, is_spread: bool) -> SelectField:
    alias = default_alias(wanted)
    if alias is None and wanted.aggregate and is_spread:
        alias = wanted.aggregate
    return wanted if alias == wanted.alias else replace(wanted, alias=alias)


def _spread_fields(child: Node) -> list[SpreadField]:
    fields = [SpreadField(wanted.alias or wanted.field.name) for wanted in child.select]
    for lifted in child.lifted:
        if lifted.form == "spread":
            fields.extend(replace(field) for field in lifted.fields)
        elif not lifted.is_empty:
            fields.append(SpreadField(lifted.name))
    return fields


def _selects_nothing(node: Node) -> bool:
    return not node.select and all(_selects_nothing(child) for child in node.children)


def _order_spreads(root: Node) -> None:
    """A to-many spread gathers values, so its order moves to where they are gathered."""
    for node in root.walk():
        if node.spread != "many":
            continue
        spread_aggregates = any(
            field.aggregate for lifted in node.lifted for field in lifted.fields
        )
        if spread_aggregates or any(wanted.aggregate for wanted in node.select):
            raise RestError(
                400,
                "PGRST127",
                "Feature not implemented",
                "Aggregates are not implemented for one-to-many or many-to-many spreads.",
            )
        ranks = []
        for number, term in enumerate(node.order, 1):
            alias = bounded(f"{node.handle}_{term.field.name}_{number}")
            of = related(node, term.relation).handle if term.relation else None
            node.extra_select.append((of, SelectField(term.field, alias)))
            ranks.append(OrderTerm(Field(alias), None, term.direction, term.nulls))
        # which rows are within the limit still depends on the order
        node.rank_by = tuple(ranks)
