"""Listings of a bucket: the older one by folder and offset, the newer one by cursor."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from stack.core.callers import Caller
from stack.storage.access import Access
from stack.storage.errors import StorageError, invalid_request
from stack.storage.names import check_bucket_name, is_storable
from stack.storage.times import iso

MAX_PAGE = 1000
COLUMNS = ("name", "updated_at", "created_at")
ORDERS = ("asc", "desc")
_MOMENTS = ("updated_at", "created_at", "last_accessed_at")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """The older listing: entries right below `prefix`, whose names start with `search`."""

    prefix: str
    search: str
    limit: int
    offset: int
    column: str
    order: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The newer listing: entries whose names start with `prefix`, folded by folder or not."""

    prefix: str
    limit: int
    is_folded: bool
    column: str
    order: str
    cursor: str | None


class Listing:
    """Reads names as somebody; what the caller may not select is not there."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def search(
        self, caller: Caller, operation: str, bucket: str, wanted: Search
    ) -> list[Row]:
        """Files, and folders as rows whose id is null."""
        check_bucket_name(bucket)
        prefix = wanted.prefix
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        _check_text(prefix + wanted.search)
        rows = await self._rows(
            caller,
            operation,
            "select name, id, updated_at, created_at, last_accessed_at, metadata"
            " from storage.search(%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                prefix, bucket, wanted.limit, prefix.count("/") + 1, wanted.offset,
                wanted.search, wanted.column, wanted.order,
            ],
        )  # fmt: skip
        return [_shown(row) for row in rows]

    async def page(
        self, caller: Caller, operation: str, bucket: str, wanted: PageRequest
    ) -> dict[str, Any]:
        """`{hasNext, folders, objects, nextCursor?}`. Errors: InvalidParameter (cursor)."""
        check_bucket_name(bucket)
        _check_text(wanted.prefix)
        after_name, after_moment = _decode_cursor(wanted.cursor)
        limit = min(wanted.limit, MAX_PAGE)
        query = _folded if wanted.is_folded else _flat
        values = {
            "bucket": bucket,
            "prefix": wanted.prefix,
            "limit": limit + 1,
            "levels": wanted.prefix.count("/") + 1,
            "order": wanted.order,
            "column": wanted.column,
            "name": after_name,
            "moment": after_moment or "-infinity",
        }
        rows = await self._rows(caller, operation, query(wanted, is_first=not after_name), values)
        has_next = len(rows) > limit
        rows = rows[:limit]
        answer: dict[str, Any] = {
            "hasNext": has_next,
            "folders": [_shown(row) for row in rows if row["id"] is None],
            "objects": [_shown(row) for row in rows if row["id"] is not None],
        }
        if has_next:
            last = rows[-1]
            moment = last[wanted.column] if wanted.column != "name" else None
            answer["nextCursor"] = _encode_cursor(
                last["name"], moment.isoformat() if moment else ""
            )
        return answer

    async def _rows(
        self, caller: Caller, operation: str, query: str, values: list[Any] | dict[str, Any]
    ) -> list[Row]:
        async with (
            self._access.acting(caller, operation) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(query, values)
            return await cursor.fetchall()


def _folded(_: PageRequest, *, is_first: bool) -> str:
    return (
        "select * from storage.search_v2(%(prefix)s, %(bucket)s, %(limit)s, %(levels)s, %(name)s,"
        " %(order)s, %(column)s, %(moment)s)"
    )


def _flat(wanted: PageRequest, *, is_first: bool) -> str:
    compare = "<" if wanted.order == "desc" else ">"
    by_name = f'name collate "C" {wanted.order}'
    query = (
        "select id, name, metadata, updated_at, created_at, last_accessed_at"
        " from storage.objects where bucket_id = %(bucket)s"
        ' and name collate "C" >= %(prefix)s'
        ' and name collate "C" < %(prefix)s || chr(1114111)'
    )
    if wanted.column == "name":
        after = f'name collate "C" {compare} %(name)s'
        order = by_name
    else:
        after = f'({wanted.column}, name collate "C") {compare} (%(moment)s::timestamptz, %(name)s)'
        order = f"{wanted.column} {wanted.order}, {by_name}"
    if not is_first:
        query += f" and {after}"
    return f"{query} order by {order} limit %(limit)s"


def _check_text(text: str) -> None:
    if not is_storable(text):
        raise invalid_request("body/prefix must be text")


def _shown(row: Row) -> Row:
    shown = dict(row)
    shown["id"] = str(row["id"]) if row["id"] is not None else None
    for name in _MOMENTS:
        shown[name] = iso(row[name])
    return shown


def _encode_cursor(name: str, moment: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([name, moment]).encode()).decode()


def _decode_cursor(cursor: str | None) -> tuple[str, str]:
    if not cursor:
        return "", ""
    try:
        name, moment = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        name = moment = None
    if not isinstance(name, str) or not isinstance(moment, str) or not is_storable(name + moment):
        raise StorageError(400, "InvalidParameter", "Invalid Parameter cursor")
    return name, moment
