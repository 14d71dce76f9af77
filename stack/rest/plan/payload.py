"""A JSON body as rows: Postgres reads it, with the types of the columns."""

from collections.abc import Sequence
from typing import Protocol

from stack.rest.plan.quoting import identifier, literal, slot

BODY = 0
"""The slot that holds a request's body."""


class Typed(Protocol):
    """A column or parameter as the body fills it."""

    @property
    def name(self) -> str: ...

    @property
    def nominal(self) -> str: ...

    @property
    def default(self) -> str | None: ...


def payload_sql(
    columns: Sequence[Typed], *, is_object: bool, applies_defaults: bool, takes_one: bool = False
) -> str:
    """A `from` clause whose rows are `pgrst_body`, one per object of the body.

    `applies_defaults`: what an object does not name gets the column's default, not null.
    """
    defaults = [f"{literal(one.name)}, {one.default}" for one in columns if one.default is not None]
    prefix = "jsonb" if applies_defaults else "json"
    given = f"{literal(slot(BODY))}::{prefix}"
    source = f"from (select {given} as json_data) as pgrst_payload"
    data = "pgrst_payload.json_data"
    if applies_defaults and columns:
        built = f"jsonb_build_object({', '.join(defaults)})"
        if is_object:
            made = f"select {built} || {data} as val"
        else:
            made = (
                f"select jsonb_agg({built} || element) as val"
                f" from jsonb_array_elements({data}) as element"
            )
        source += f", lateral ({made}) as pgrst_defaults"
        data = "pgrst_defaults.val"
    if not columns:
        # `{}` is one row of nothing, `[{}, {}]` are two
        rows = "(values (1)) as _" if is_object else f"{prefix}_array_elements({data}) as _"
        return f"{source}, lateral (select from {rows}) as pgrst_body"
    typed = ", ".join(f"{identifier(one.name)} {one.nominal}" for one in columns)
    names = ", ".join(identifier(one.name) for one in columns)
    reader = f"{prefix}_to_record" if is_object else f"{prefix}_to_recordset"
    limit = " limit 1" if takes_one else ""
    return (
        f"{source}, lateral (select {names} from {reader}({data}) as _ ({typed}){limit})"
        " as pgrst_body"
    )
