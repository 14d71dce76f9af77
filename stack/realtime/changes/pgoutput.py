"""Reads what Postgres' output plugin `pgoutput` writes, protocol version 1, values as text.

Pure. Source: PostgreSQL documentation, Logical Replication Message Formats.
"""

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import Literal

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_KEY_FLAG = 1


class Unchanged(Enum):
    """Stands for a large value that an update left alone: Postgres does not send it again."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
Value = str | None | Literal[Unchanged.UNCHANGED]
Row = tuple[Value, ...]


class Kind(StrEnum):
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Column:
    """`is_key`: part of the replica identity."""

    name: str
    type_oid: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as it was when the change was written. `is_full`: replica identity full."""

    oid: int
    schema: str
    name: str
    is_full: bool
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One row. `old` holds the replica identity only, unless that is full; else null."""

    relation: Relation
    kind: Kind
    new: Row | None
    old: Row | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """What one commit changed in published tables; positions in the write-ahead log as numbers."""

    end_lsn: int
    committed_at: datetime
    changes: list[Change] = field(default_factory=list)


class Unreadable(Exception):
    """Bytes that are no message of this protocol."""


class Decoder:
    """Turns messages into transactions. Knows the tables that were described to it."""

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}
        self._changes: list[Change] = []

    def read(self, message: bytes) -> Transaction | None:
        """Take one message; a commit returns its transaction. Errors: Unreadable."""
        try:
            return self._read(_Reader(message))
        except (IndexError, struct.error, UnicodeDecodeError, KeyError) as error:
            raise Unreadable(f"{error!r} in {message[:32]!r}") from error

    def _read(self, reader: "_Reader") -> Transaction | None:
        match reader.character():
            case "B":
                self._changes = []
            case "C":
                reader.skip(1 + 8)
                end_lsn, microseconds = reader.integers("!QQ")
                changes, self._changes = self._changes, []
                moment = _EPOCH + timedelta(microseconds=microseconds)
                return Transaction(end_lsn, moment, changes)
            case "R":
                relation = reader.relation()
                self._relations[relation.oid] = relation
            case "I":
                relation = self._relations[reader.integers("!I")[0]]
                reader.skip(1)
                self._changes.append(Change(relation, Kind.INSERT, reader.row(), None))
            case "U":
                relation = self._relations[reader.integers("!I")[0]]
                old = reader.row() if reader.character() in "KO" else None
                if old is not None:
                    reader.skip(1)
                self._changes.append(Change(relation, Kind.UPDATE, reader.row(), old))
            case "D":
                relation = self._relations[reader.integers("!I")[0]]
                reader.skip(1)
                self._changes.append(Change(relation, Kind.DELETE, None, reader.row()))
            case "T" | "Y" | "O" | "M":  # truncations, types, origins, messages are of no interest
                pass
            case other:
                raise Unreadable(f"unknown message {other!r}")
        return None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def skip(self, count: int) -> None:
        self._at += count

    def integers(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return values

    def character(self) -> str:
        self._at += 1
        return chr(self._data[self._at - 1])

    def text(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise IndexError("text without an end")
        found = self._data[self._at : end].decode()
        self._at = end + 1
        return found

    def relation(self) -> Relation:
        (oid,) = self.integers("!I")
        schema, name = self.text(), self.text()
        identity = self.character()
        columns = []
        for _ in range(self.integers("!H")[0]):
            (flags,) = self.integers("!B")
            column = self.text()
            type_oid, _ = self.integers("!Ii")
            columns.append(Column(column, type_oid, bool(flags & _KEY_FLAG)))
        return Relation(oid, schema or "pg_catalog", name, identity == "f", tuple(columns))

    def row(self) -> Row:
        values: list[Value] = []
        for _ in range(self.integers("!H")[0]):
            match self.character():
                case "n":
                    values.append(None)
                case "u":
                    values.append(UNCHANGED)
                case "t":
                    (length,) = self.integers("!I")
                    end = self._at + length
                    if end > len(self._data):
                        raise IndexError("a value beyond the end")
                    values.append(self._data[self._at : end].decode())
                    self._at = end
                case other:
                    raise Unreadable(f"unknown kind of value {other!r}")
        return tuple(values)
