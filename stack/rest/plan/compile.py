"""Compiles a request into a plan: a statement with slots, and what its answer needs to know.

The plan depends on the request's shape, never on its slotted values, so it can be kept.
"""

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from stack.rest.catalog.hints import closest
from stack.rest.catalog.model import Catalog, Function, Name, Table
from stack.rest.errors import RestError
from stack.rest.media import Representation, accepted, choose
from stack.rest.parse.body import Body, media_type
from stack.rest.parse.preferences import Preferences
from stack.rest.parse.query import parse_query
from stack.rest.parse.syntax import Condition, Field, Filter, Query, SelectField
from stack.rest.plan.build import Builder
from stack.rest.plan.call import call_with_arguments, call_with_body, find_function
from stack.rest.plan.quoting import Template, slot
from stack.rest.plan.statement import (
    call_statement,
    planned_count_statement,
    read_statement,
    write_statement,
)
from stack.rest.plan.write import (
    delete_sql,
    insert_sql,
    returned_columns,
    update_sql,
    written_columns,
)
from stack.rest.ranges import Page, requested_page
from stack.rest.request import Head
from stack.rest.settings import Settings

Action = Literal["read", "insert", "update", "put", "delete", "call"]

# values of these are compared as they stand, so a slot can take their place
_SLOTTED = re.compile(r"((?:not\.)?(?:eq|neq|gt|gte|lt|lte)\.)(.*)", re.DOTALL)
_OPERATOR = re.compile(r"(?:not\.)?[a-z]+(?:\([^)]*\))?\.")
_WORDS = frozenset(
    ("select", "order", "limit", "offset", "and", "or", "columns", "on_conflict", "apikey")
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run and how to show it. `estimate` asks Postgres for the total."""

    action: Action
    statement: Template
    shown: Representation
    preferences: Preferences
    page: Page
    _: KW_ONLY
    is_read_only: bool
    estimate: Template | None = None
    table: Table | None = None
    function: Function | None = None
    has_conflict_target: bool = False

    @property
    def must_check(self) -> bool:
        """Whether the rows decide if the transaction may commit."""
        if self.is_read_only or self.shown.plan is not None:
            return False
        limits = self.preferences.is_strict and self.preferences.max_affected is not None
        return self.shown.is_object or self.action == "put" or limits


def split_shape(
    pairs: Sequence[tuple[str, str]], *, is_call: bool
) -> tuple[list[tuple[str, str]], list[str]]:
    """The pairs with slots for plain values, and those values. Slot 0 is kept for the body."""
    shape: list[tuple[str, str]] = []
    values = [""]
    for name, text in pairs:
        last = name.rpartition(".")[2]
        if last in _WORDS:
            shape.append((name, text))
        elif (found := _SLOTTED.fullmatch(text)) is not None:
            shape.append((name, found[1] + slot(len(values))))
            values.append(found[2])
        elif is_call and not _OPERATOR.match(text) and "." not in name:
            shape.append((name, slot(len(values))))
            values.append(text)
        else:
            shape.append((name, text))
    return shape, values


@dataclass(frozen=True, slots=True)
class _Wish:
    """A request, parsed."""

    head: Head
    query: Query
    page: Page
    preferences: Preferences
    body: Body | None

    @property
    def conditions(self) -> list[Condition]:
        """What rows of the table itself must meet."""
        found: list[Condition] = [one for path, one in self.query.filters if not path]
        return found + [tree for path, tree in self.query.logic if not path]


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles against one catalog and its settings."""

    catalog: Catalog
    settings: Settings

    def compile(
        self,
        head: Head,
        pairs: Sequence[tuple[str, str]],
        preferences: Preferences,
        body: Body | None,
    ) -> Plan:
        """The plan of a request to a table or function. Errors: RestError of groups 1 and 2."""
        is_get = head.method in ("GET", "HEAD")
        query = parse_query(pairs, is_call=head.kind == "function" and is_get)
        page = requested_page(head.page, query.top_range())
        if preferences.is_strict and preferences.invalid:
            raise RestError(
                400,
                "PGRST122",
                "Invalid preferences given with handling=strict",
                f"Invalid preferences: {', '.join(preferences.invalid)}",
            )
        wish = _Wish(head, query, page, preferences, body)
        if head.kind == "function":
            return self._call(wish)
        name = Name(head.schema, head.target)
        table = self.catalog.tables.get(name)
        if table is None:
            raise self._unknown_table(name)
        if is_get:
            return self._read(wish, table)
        return self._write(wish, table)

    def _builder(self, schema: str) -> Builder:
        settings = self.settings
        return Builder(self.catalog, schema, settings.max_rows, settings.aggregates_enabled)

    def _representation(self, head: Head, target: Name, query: Query) -> Representation:
        return choose(
            accepted(head.accept),
            self.catalog,
            target,
            selects_all=query.select == (SelectField(Field("*")),),
            allows_plan=self.settings.plan_enabled,
        )

    def _read(self, wish: _Wish, table: Table) -> Plan:
        head, preferences = wish.head, wish.preferences
        root = self._builder(head.schema).build(wish.query, table.name, "read", wish.page)
        shown = self._representation(head, table.name, wish.query)
        if head.method == "HEAD" and shown.plan is None:
            shown = _without_body(shown)
        text = read_statement(root, shown, count=preferences.count, max_rows=self.settings.max_rows)
        estimate = None
        if preferences.count in ("planned", "estimated"):
            estimate = Template.of(planned_count_statement(root))
        return Plan(
            "read",
            Template.of(text),
            shown,
            preferences,
            wish.page,
            estimate=estimate,
            is_read_only=True,
            table=table,
        )

    def _write(self, wish: _Wish, table: Table) -> Plan:
        head, query, preferences = wish.head, wish.query, wish.preferences
        if head.method == "PUT" and wish.page != (0, None):
            raise RestError(
                400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT"
            )
        root = self._builder(head.schema).build(query, table.name, "write", wish.page)
        shown = self._representation(head, table.name, query)
        if not preferences.wants_rows:
            shown = _without_body(shown)
        needs_rows = preferences.returning in ("representation", "headers-only")
        returning = returned_columns(root, table.key) if needs_rows else []
        action, mutation = self._mutation(wish, table, returning)
        is_upsert = action == "put" or (
            action == "insert" and preferences.resolution == "merge-duplicates"
        )
        located = action == "insert" and preferences.returning == "headers-only"
        text = write_statement(
            root, mutation, shown, is_upsert=is_upsert, located_by=table if located else None
        )
        return Plan(
            action,
            Template.of(text),
            shown,
            preferences,
            wish.page,
            is_read_only=False,
            table=table,
            has_conflict_target=bool(table.key or query.on_conflict),
        )

    def _mutation(self, wish: _Wish, table: Table, returning: Sequence[str]) -> tuple[Action, str]:
        if wish.head.method == "DELETE":
            return "delete", delete_sql(table, wish.conditions, returning)
        assert wish.body is not None
        columns = written_columns(table, wish.body.keys)
        is_object, defaults = wish.body.is_object, wish.preferences.missing == "default"
        if wish.head.method == "PATCH":
            return "update", update_sql(
                table,
                columns,
                wish.conditions,
                returning,
                is_object=is_object,
                applies_defaults=defaults,
            )
        if wish.head.method == "POST":
            chosen = wish.query.on_conflict
            return "insert", insert_sql(
                table,
                columns,
                returning,
                is_object=is_object,
                applies_defaults=defaults,
                resolution=wish.preferences.resolution,
                conflict=table.key if chosen is None else chosen,
            )
        _require_whole_key(table, wish.conditions)
        return "put", insert_sql(
            table,
            columns,
            returning,
            is_object=is_object,
            applies_defaults=False,
            resolution="merge-duplicates",
            conflict=table.key,
            put_conditions=wish.conditions,
        )

    def _call(self, wish: _Wish) -> Plan:
        head, query, preferences, body = wish.head, wish.query, wish.preferences, wish.body
        is_post = head.method == "POST"
        arguments = query.arguments if body is None else body.arguments
        if arguments is not None:
            keys = frozenset(name for name, _ in arguments)
        else:
            keys = body.keys if body else frozenset()
        function = find_function(
            self.catalog,
            Name(head.schema, head.target),
            keys,
            media_type(head.content_type),
            is_post=is_post,
        )
        if preferences.is_strict and preferences.max_affected is not None and not function.is_set:
            raise RestError(
                400,
                "PGRST128",
                "Function must return SETOF or TABLE when max-affected preference"
                " is used with handling=strict",
            )
        of_rows = function.is_composite and function.returns in self.catalog.tables
        target = Name(head.schema, function.returns.name if of_rows else function.name.name)
        root = self._builder(head.schema).build(query, target, "call", wish.page)
        shown = self._representation(head, target if of_rows else function.name, query)
        if head.method == "HEAD" and shown.plan is None:
            shown = _without_body(shown)
        if arguments is not None:
            call = call_with_arguments(function, arguments, root)
        else:
            assert body is not None
            call = call_with_body(function, keys, root, is_object=body.is_object)
        text = call_statement(root, call, function, shown, count=preferences.count)
        return Plan(
            "call",
            Template.of(text),
            shown,
            preferences,
            wish.page,
            is_read_only=not is_post or function.volatility != "v",
            function=function,
        )

    def _unknown_table(self, name: Name) -> RestError:
        names = {one.name for one in self.catalog.tables if one.schema == name.schema}
        guess = closest(name.name, names)
        return RestError(
            404,
            "PGRST205",
            f"Could not find the table '{name.schema}.{name.name}' in the schema cache",
            hint=f"Perhaps you meant the table '{name.schema}.{guess}'" if guess else None,
        )


def _without_body(shown: Representation) -> Representation:
    # a single object stays a promise about the number of rows, shown or not
    return Representation("none", shown.content_type, plan=shown.plan, wants_one=shown.is_object)


def _require_whole_key(table: Table, conditions: Sequence[Condition]) -> None:
    """PUT names one row: by every column of its key, each with `eq`. Errors: PGRST105."""
    named = {
        one.field.name
        for one in conditions
        if isinstance(one, Filter)
        and one.operator == "eq"
        and not one.is_negated
        and one.modifier is None
        and not one.field.path
    }
    if not table.key or len(named) != len(conditions) or named != set(table.key):
        raise RestError(
            405,
            "PGRST105",
            "Filters must include all and only primary key columns with 'eq' operators",
        )
