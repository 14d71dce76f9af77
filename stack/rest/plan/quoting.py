"""The only place where foreign text becomes SQL.

A request's values are planned as slots, so that one plan serves every value: a slot is a number
between two NULs, which no request can contain because NUL is refused at the door.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stack.rest.catalog.model import Name

_LONGEST_NAME = 63
_SLOT = re.compile("'\0(\\d+)\0'")


def slot(number: int) -> str:
    """The text that stands for value `number` while a statement is planned."""
    return f"\0{number}\0"


def literal(text: str) -> str:
    """A string constant of unknown type; Postgres reads it as the type the place wants."""
    quoted = text.replace("'", "''")
    if "\\" in quoted:
        escaped = quoted.replace("\\", "\\\\")
        return f"E'{escaped}'"
    return f"'{quoted}'"


def value(text: str) -> str:
    """A literal of what a request gave. Errors: ValueError for a NUL."""
    if "\0" in text:
        raise ValueError("text contains a null character")
    return literal(text)


def identifier(name: str) -> str:
    """A quoted identifier."""
    escaped = name.replace('"', '""').replace("\0", "")
    return f'"{escaped}"'


def qualified(name: Name) -> str:
    """`"schema"."name"`, or `"name"` inside the statement."""
    if not name.schema:
        return identifier(name.name)
    return f"{identifier(name.schema)}.{identifier(name.name)}"


def bounded(name: str) -> str:
    """An alias of our own that Postgres will not cut: two names never become one."""
    if len(name.encode("utf-8", "replace")) <= _LONGEST_NAME:
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{name[:15]}_{digest}"


def column(of: str, name: str) -> str:
    """A column of `of`, which is quoted already; `*` stays every column."""
    return f"{of}.*" if name == "*" else f"{of}.{identifier(name)}"


def payload_column(name: str) -> str:
    """A column of the rows that a request's body gives."""
    return f'"pgrst_body".{identifier(name)}'


def array_literal(values: Iterable[str]) -> str:
    """A literal of an array, elements untyped."""
    inner = ",".join(
        '"' + element.replace("\\", "\\\\").replace('"', '\\"') + '"' for element in values
    )
    return literal("{" + inner + "}")


@dataclass(frozen=True, slots=True)
class Template:
    """A statement's text with slots: `texts` has one element more than `slots`."""

    texts: tuple[str, ...]
    slots: tuple[int, ...]

    @classmethod
    def of(cls, statement: str) -> "Template":
        parts = _SLOT.split(statement)
        return cls(tuple(parts[::2]), tuple(int(number) for number in parts[1::2]))

    def fill(self, values: Sequence[str]) -> str:
        """The statement with these values in its slots."""
        if not self.slots:
            return self.texts[0]
        parts = [self.texts[0]]
        for number, text in zip(self.slots, self.texts[1:], strict=True):
            parts.append(value(values[number]))
            parts.append(text)
        return "".join(parts)
