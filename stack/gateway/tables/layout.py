"""How the table view looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stack.gateway.html import Child, Html, address, element, link
from stack.gateway.tables.catalog import API_ROLES, Column, Policy, Relation, User
from stack.gateway.tables.reader import OPERATORS, PAGE_ROWS, Rows, Shown

_KINDS = {"v": "view", "m": "materialized view", "p": "partitioned", "f": "foreign"}
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


def tables(
    asked: Mapping[str, str],
    relations: Sequence[Relation],
    users: Sequence[User],
    shown: Shown | None,
) -> Html:
    """The whole page below its head."""
    if shown is None:
        name = asked.get("table")
        text = f"There is no table {name}." if name else "Choose a table on the left."
        main: list[Child] = [element("p", text, class_="soft")]
    else:
        main = [
            _head(shown),
            _form(asked, shown, users),
            refusal(shown.rows.refusal) if shown.rows.refusal else _rows(asked, shown),
            _pages(asked, shown.rows),
            _counts(asked, shown),
            _policies(shown),
            _columns(shown.columns),
        ]
    return element(
        "div",
        element("aside", *_menu(relations, shown, asked.get("as"))),
        element("main", *main),
        class_="tables",
    )


def refusal(words: str) -> Html:
    """What Postgres said instead of rows."""
    return element("div", element("code", words), class_="notice")


def _menu(relations: Sequence[Relation], shown: Shown | None, viewer: str | None) -> list[Child]:
    menu: list[Child] = []
    schema = None
    for relation in relations:
        if relation.schema != schema:
            schema = relation.schema
            menu.append(element("h2", schema))
        is_current = shown is not None and shown.relation.oid == relation.oid
        menu.append(
            element(
                "a",
                relation.name,
                element("small", _size(relation)),
                href=address("/tables", **{"schema": schema, "table": relation.name, "as": viewer}),
                aria_current="true" if is_current else None,
            )
        )
    return menu


def _size(relation: Relation) -> str | None:
    if relation.kind in _KINDS:
        return _KINDS[relation.kind]
    return f"~{relation.estimate:,}" if relation.estimate > 0 else None


def _head(shown: Shown) -> Html:
    relation = shown.relation
    tags = []
    if relation.kind in _KINDS:
        tags.append(element("span", _KINDS[relation.kind], class_="tag"))
    if not relation.is_view:
        is_on = relation.has_policies_on
        words = "row-level security on" if is_on else "row-level security off"
        tags.append(element("span", words, class_="tag" if is_on else "tag warn"))
    return element(
        "div",
        element(
            "div",
            element("h1", f"{relation.schema}.{relation.name}"),
            *tags,
            class_="head",
        ),
        element("p", relation.comment, class_="soft") if relation.comment else None,
    )


def _form(asked: Mapping[str, str], shown: Shown, users: Sequence[User]) -> Html:
    who = asked.get("as", "owner")
    viewers = [("owner", "owner (postgres)"), *((role, role) for role in API_ROLES)]
    viewers += [(str(user.id), f"authenticated: {user.label}") for user in users]
    columns = [("", "any row"), *((column.name, column.name) for column in shown.columns)]
    operators = [(name, name) for name in OPERATORS]
    return element(
        "form",
        _hidden("schema", shown.relation.schema),
        _hidden("table", shown.relation.name),
        element("label", "as ", _select("as", viewers, who)),
        element("label", "where ", _select("column", columns, asked.get("column", ""))),
        _select("operator", operators, asked.get("operator", "=")),
        element(
            "input", name="value", value=asked.get("value", ""), placeholder="value",
            aria_label="Value",
        ),
        element("button", "Show"),
        method="get",
        action="/tables",
    )  # fmt: skip


def _hidden(name: str, value: str) -> Html:
    return element("input", type="hidden", name=name, value=value)


def _select(name: str, options: Sequence[tuple[str, str]], chosen: str) -> Html:
    return element(
        "select",
        *[
            element("option", text, value=value, selected=value == chosen)
            for value, text in options
        ],
        name=name,
        aria_label=name,
    )


def _rows(asked: Mapping[str, str], shown: Shown) -> Html:
    order = asked.get("order", "")
    heads = []
    for column in shown.columns:
        following = f"-{column.name}" if order == column.name else column.name
        arrow = {column.name: " ↑", f"-{column.name}": " ↓"}.get(order, "")
        heads.append(
            element(
                "th",
                _here(column.name + arrow, asked, order=following, offset=None),
                element("small", column.type),
                class_="num" if _is_number(column) else None,
            )
        )
    numbers = [_is_number(column) for column in shown.columns]
    rows = [
        element("tr", *[_cell(cell, number) for cell, number in zip(row, numbers, strict=False)])
        for row in shown.rows.rows
    ]
    if not rows:
        rows = [element("tr", element("td", "no rows", class_="null", colspan=len(heads)))]
    table = element(
        "table",
        element("thead", element("tr", *heads)),
        element("tbody", *rows),
        class_="rows",
    )
    return element("div", table, class_="scroll")


def _is_number(column: Column) -> bool:
    return column.type.startswith(_NUMBERS) and not column.type.endswith("[]")


def _cell(value: str | None, is_number: bool) -> Html:
    if value is None:
        return element("td", "null", class_="null")
    return element("td", value, class_="num" if is_number else None, title=value or None)


def _pages(asked: Mapping[str, str], rows: Rows) -> Html | None:
    given = asked.get("offset", "0")
    offset = int(given) if given.isascii() and given.isdecimal() else 0
    if not rows.has_more and not offset:
        return None
    before = max(offset - PAGE_ROWS, 0)
    parts: list[Child] = [f"rows {offset + 1:,} to {offset + len(rows.rows):,}"]
    if offset:
        parts += [" · ", _here("earlier", asked, offset=before)]
    if rows.has_more:
        parts += [" · ", _here("later", asked, offset=offset + PAGE_ROWS)]
    return element("p", *parts, class_="soft")


def _counts(asked: Mapping[str, str], shown: Shown) -> Html:
    granted = [
        element(
            "tr",
            element("td", role),
            element("td", ", ".join(shown.privileges.get(role, ())) or "nothing granted"),
        )
        for role in API_ROLES
    ]
    compared: Child = element("p", _here("Count the rows that each role sees", asked, compare="1"))
    if shown.counts:
        lines = [element("tr", element("td", name), element("td", n)) for name, n in shown.counts]
        compared = _plain(("who", "rows"), lines)
    return element(
        "section", element("h2", "Who may do what"), _plain(("role", "granted"), granted), compared
    )


def _policies(shown: Shown) -> Html | None:
    if shown.relation.is_view:
        return None
    if not shown.policies:
        is_on = shown.relation.has_policies_on
        words = "None: nobody but the owner and service_role sees a row." if is_on else "None."
        return element("section", element("h2", "Policies"), element("p", words, class_="soft"))
    lines = [_policy(policy) for policy in shown.policies]
    heads = ("policy", "for", "to", "using", "with check")
    return element("section", element("h2", "Policies"), _plain(heads, lines))


def _policy(policy: Policy) -> Html:
    kind = None if policy.is_permissive else element("span", "restrictive", class_="tag")
    return element(
        "tr",
        element("td", policy.name, kind),
        element("td", policy.command),
        element("td", ", ".join(policy.roles)),
        element("td", policy.using),
        element("td", policy.check),
    )


def _columns(columns: Sequence[Column]) -> Html:
    lines = [
        element(
            "tr",
            element("td", column.name, _tag("key") if column.key_position else None),
            element("td", column.type, _tag("not null") if column.is_required else None),
            element("td", column.default),
            element("td", column.refers_to),
            element("td", column.comment),
        )
        for column in columns
    ]
    heads = ("column", "type", "default", "refers to", "comment")
    return element("section", element("h2", "Columns"), _plain(heads, lines))


def _tag(text: str) -> Html:
    return element("span", text, class_="tag")


def _plain(heads: Sequence[str], lines: Sequence[Html]) -> Html:
    head = element("thead", element("tr", *[element("th", name) for name in heads]))
    table = element("table", head, element("tbody", *lines), class_="rows plain")
    return element("div", table, class_="scroll")


def _here(text: str, asked: Mapping[str, str], **changed: str | int | None) -> Html:
    """A link to this page with some choices changed."""
    known = ("schema", "table", "as", "column", "operator", "value", "order", "offset", "compare")
    kept: dict[str, str | int | None] = {name: asked.get(name) for name in known}
    return link(text, "/tables", **(kept | changed))
