"""Function calls: which overload is meant, and its call as SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stack.rest.catalog.hints import closest
from stack.rest.catalog.model import Catalog, Function, Name, Parameter
from stack.rest.errors import RestError
from stack.rest.parse.syntax import fields_of
from stack.rest.plan.payload import BODY, payload_sql
from stack.rest.plan.quoting import column, identifier, literal, payload_column, qualified, slot
from stack.rest.plan.tree import Node

_UNNAMED: Mapping[str, tuple[str, ...]] = {
    "application/json": ("json", "jsonb"),
    "text/plain": ("text",),
    "text/xml": ("xml",),
    "application/octet-stream": ("bytea",),
}
_RAW = ("text/plain", "text/xml", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class _Typed:
    name: str
    nominal: str
    default: str | None = None


def find_function(
    catalog: Catalog, name: Name, keys: frozenset[str], content_type: str, *, is_post: bool
) -> Function:
    """The overload whose parameters fit the keys; else the one with a single unnamed parameter.

    Errors: PGRST202 for none, PGRST203 for several.
    """
    overloads = catalog.functions.get(name, ())
    fitting = [one for one in overloads if _fits(one, keys, content_type, is_post=is_post)]
    unnamed = [
        one
        for one in overloads
        if is_post
        and one not in fitting
        and len(one.parameters) == 1
        and one.parameters[0].kind in _UNNAMED.get(content_type, ())
    ]
    found = fitting or unnamed
    if not found:
        raise _none_found(catalog, name, sorted(keys), content_type, overloads, is_post=is_post)
    if len(found) > 1:
        raise _several_found(found)
    return found[0]


def _fits(function: Function, keys: frozenset[str], content_type: str, *, is_post: bool) -> bool:
    if not function.parameters:
        return not keys and not (is_post and content_type in _RAW)
    required = {one.name for one in function.parameters if one.is_required}
    optional = {one.name for one in function.parameters if not one.is_required}
    return keys - optional == required


def _in_a_list(function: Function) -> tuple[int, list[tuple[str, str]]]:
    """Candidates are listed by how many parameters they take, then by name and type."""
    shown = [(one.name, one.kind) for one in function.parameters]
    return len(shown), shown


def _several_found(found: Sequence[Function]) -> RestError:
    shown = ", ".join(
        f"{one.name.schema}.{one.name.name}"
        f"({', '.join(f'{of.name} => {of.kind}' for of in one.parameters)})"
        for one in sorted(found, key=_in_a_list)
    )
    return RestError(
        300,
        "PGRST203",
        f"Could not choose the best candidate function between: {shown}",
        None,
        "Try renaming the parameters or the function itself in the database"
        " so function overloading can be resolved",
    )


def _none_found(
    catalog: Catalog,
    name: Name,
    keys: Sequence[str],
    content_type: str,
    overloads: Sequence[Function],
    *,
    is_post: bool,
) -> RestError:
    full = f"{name.schema}.{name.name}"
    listed = ", ".join(keys)
    by_parameters = (
        f" with parameter{'s' if len(keys) > 1 else ''} {listed}" if keys else " without parameters"
    )
    is_raw = is_post and content_type in _RAW
    if is_raw:
        searched = f" with a single unnamed {_UNNAMED[content_type][0]} parameter"
    elif is_post and content_type == "application/json":
        searched = f"{by_parameters} or with a single unnamed json/jsonb parameter"
    else:
        searched = by_parameters
    hint = None
    if not is_raw:
        if overloads:
            lists = {_listed(one.parameters) for one in overloads}
            guess = closest(f"({listed})", lists)
            hint = f"{full}{guess}" if guess else None
        else:
            names = {one.name for one in catalog.functions if one.schema == name.schema}
            guess = closest(name.name, names)
            hint = f"{name.schema}.{guess}" if guess else None
    shown = "" if is_raw else f"({listed})" if keys else " without parameters"
    return RestError(
        404,
        "PGRST202",
        f"Could not find the function {full}{shown} in the schema cache",
        f"Searched for the function {full}{searched},"
        " but no matches were found in the schema cache.",
        f"Perhaps you meant to call the function {hint}" if hint else None,
    )


def _listed(parameters: Sequence[Parameter]) -> str:
    return f"({', '.join(sorted(one.name for one in parameters))})"


def call_with_body(function: Function, keys: frozenset[str], root: Node, *, is_object: bool) -> str:
    """The call with the body's keys as arguments, or the whole body as the unnamed one."""
    parameters = function.parameters
    if len(parameters) == 1 and not parameters[0].name:
        argument = f"{literal(slot(BODY))}::{parameters[0].kind}"
        return f"select {_returned(function, root)} from {_called(function, argument)}"
    given = [one for one in parameters if one.name in keys]
    if not given:
        return f"select {_returned(function, root)} from {_called(function, '')}"
    source = payload_sql(
        [_Typed(one.name, one.loose_kind) for one in given],
        is_object=is_object,
        applies_defaults=False,
        takes_one=True,
    )
    arguments = ", ".join(
        f"{_variadic(one)}{identifier(one.name)} := {payload_column(one.name)}" for one in given
    )
    return f"select {_returned(function, root)} {source}, lateral {_called(function, arguments)}"


def call_with_arguments(
    function: Function, arguments: Sequence[tuple[str, str]], root: Node
) -> str:
    """The call with arguments of a query string or form; a variadic one takes all of its name."""
    given: dict[str, list[str]] = {}
    for name, text in arguments:
        given.setdefault(name, []).append(text)
    shown = []
    for one in function.parameters:
        if one.name not in given:
            continue
        if one.is_variadic:
            values = f"array[{', '.join(map(literal, given[one.name]))}]"
        else:
            values = literal(given[one.name][-1])
        shown.append(f"{_variadic(one)}{identifier(one.name)} := {values}::{one.loose_kind}")
    call = _called(function, ", ".join(shown))
    return f"select {_returned(function, root)} from {call}"


def _variadic(parameter: Parameter) -> str:
    return "variadic " if parameter.is_variadic else ""


def _called(function: Function, arguments: str) -> str:
    call = f"{qualified(function.name)}({arguments})"
    if function.is_scalar or function.is_set_of_scalar:
        return f"(select {call} as pgrst_scalar) as pgrst_call"
    return f"{call} as pgrst_call"


def _returned(function: Function, root: Node) -> str:
    """The columns that the read plan needs of the call's result."""
    if function.is_scalar or function.is_set_of_scalar:
        return "pgrst_call.pgrst_scalar"
    names = {wanted.field.name for wanted in root.select}
    for child in root.children:
        relationship = child.relationship
        if relationship is None or relationship.function:
            return "pgrst_call.*"
        pairs = relationship.columns
        if relationship.junction:
            pairs = relationship.junction.source_columns
        names.update(own for own, _ in pairs)
    if not names or "*" in names:
        return "pgrst_call.*"
    embeds = {child.shown_as for child in root.children}
    for condition in root.conditions:
        names.update(field.name for field in fields_of(condition) if field.name not in embeds)
    names.update(term.field.name for term in root.order if term.relation is None)
    return ", ".join(column("pgrst_call", name) for name in sorted(names))
