"""Buckets: rows of storage.buckets, each with the limits of what it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from stack.core.callers import Caller
from stack.core.database import Connection
from stack.storage.access import SERVICE, Access
from stack.storage.errors import (
    StorageError,
    access_denied,
    already_exists,
    no_such_bucket,
    too_large,
)
from stack.storage.files import Disk
from stack.storage.names import check_bucket_name, check_mime_rules, parse_size
from stack.storage.rows import owner_uuid
from stack.storage.settings import ConfiguredBucket
from stack.storage.times import iso

_COLUMNS = (
    "id, name, owner, coalesce(public, false) as public, created_at, updated_at,"
    " file_size_limit, allowed_mime_types, type::text"
)
SORTABLE = ("id", "name", "created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Bucket:
    """One row. `file_size_limit` in bytes."""

    id: str
    name: str
    owner: UUID | None
    public: bool
    created_at: datetime | None
    updated_at: datetime | None
    file_size_limit: int | None
    allowed_mime_types: list[str] | None
    type: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "owner": str(self.owner) if self.owner else "",  # upstream: never null
            "public": self.public,
            "file_size_limit": self.file_size_limit,
            "allowed_mime_types": self.allowed_mime_types,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
        }


@dataclass(frozen=True, slots=True)
class Page:
    """Which buckets to list."""

    limit: int | None = None
    offset: int = 0
    sort_column: str | None = None
    is_descending: bool = False
    search: str = ""


class Buckets:
    """What can be done with buckets, always as somebody."""

    def __init__(self, access: Access, disk: Disk, file_size_limit: int) -> None:
        self._access, self._disk, self._global_limit = access, disk, file_size_limit

    async def find(self, caller: Caller, operation: str, bucket_id: str) -> Bucket:
        """Errors: NoSuchBucket (404)."""
        async with self._access.acting(caller, operation) as connection:
            return await _find(connection, bucket_id)

    async def known(self, operation: str, bucket_id: str) -> Bucket:
        """Whoever asks: the limits of a bucket that is written to. Errors: 400, 404."""
        check_bucket_name(bucket_id)
        return await self.find(SERVICE, operation, bucket_id)

    async def all(self, caller: Caller, operation: str, page: Page) -> list[Bucket]:
        query = sql.SQL("select {} from storage.buckets where name ilike %s").format(
            sql.SQL(_COLUMNS)
        )
        if page.sort_column is not None:
            query += sql.SQL(" order by {} {}").format(
                sql.Identifier(page.sort_column),
                sql.SQL("desc" if page.is_descending else "asc"),
            )
        query += sql.SQL(" limit %s offset %s")
        async with (
            self._access.acting(caller, operation) as connection,
            connection.cursor(row_factory=class_row(Bucket)) as cursor,
        ):
            await cursor.execute(query, [_contains(page.search), page.limit, page.offset])
            return await cursor.fetchall()

    async def create(
        self,
        caller: Caller,
        operation: str,
        *,
        bucket_id: str,
        name: str,
        is_public: bool,
        file_size_limit: int | str | None,
        allowed_mime_types: Sequence[str] | None,
    ) -> None:
        """Errors: InvalidBucketName, EntityTooLarge, InvalidMimeType, Duplicate (409)."""
        check_bucket_name(bucket_id)
        check_bucket_name(name)
        check_mime_rules(allowed_mime_types or [])
        limit = self._limit(file_size_limit)
        try:
            async with self._access.acting(caller, operation) as connection:
                await connection.execute(
                    "insert into storage.buckets (id, name, owner, owner_id, public,"
                    " file_size_limit, allowed_mime_types) values (%s, %s, %s, %s, %s, %s, %s)",
                    [
                        bucket_id, name, owner_uuid(caller.user_id), caller.user_id, is_public,
                        limit, list(allowed_mime_types) if allowed_mime_types else None,
                    ],
                )  # fmt: skip
        except StorageError as error:
            raise (
                already_exists("BucketAlreadyExists")
                if error.code == "ResourceAlreadyExists"
                else error
            ) from error

    async def update(
        self, caller: Caller, operation: str, bucket_id: str, changes: Mapping[str, Any]
    ) -> None:
        """Change `public`, `file_size_limit`, `allowed_mime_types`; absent ones stay.

        Errors: NoSuchBucket (404), EntityTooLarge, InvalidMimeType.
        """
        columns = dict(changes)
        if "file_size_limit" in columns:
            columns["file_size_limit"] = self._limit(columns["file_size_limit"])
        if "allowed_mime_types" in columns:
            check_mime_rules(columns["allowed_mime_types"] or [])
        if not columns:
            await self.find(caller, operation, bucket_id)
            return
        assignments = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in columns
        )
        async with self._access.acting(caller, operation) as connection:
            done = await connection.execute(
                sql.SQL("update storage.buckets set {} where id = %s").format(assignments),
                [*columns.values(), bucket_id],
            )
            if done.rowcount == 0:
                raise no_such_bucket()

    async def empty(self, caller: Caller, operation: str, bucket_id: str) -> None:
        """Remove all objects that the caller sees. Errors: NoSuchBucket, AccessDenied (403)."""
        await self.find(caller, operation, bucket_id)
        async with self._access.acting(caller, operation) as connection:
            cursor = await connection.execute(
                "delete from storage.objects where bucket_id = %s returning version", [bucket_id]
            )
            versions = [version for (version,) in await cursor.fetchall()]
            cursor = await connection.execute(
                "select name from storage.objects where bucket_id = %s order by name limit 10",
                [bucket_id],
            )
            if left := [name for (name,) in await cursor.fetchall()]:
                raise access_denied(
                    f"Cannot delete: {' ,'.join(left)}, you may have SELECT but not DELETE"
                    " permissions"
                )
        await self._disk.remove(versions)

    async def delete(self, caller: Caller, operation: str, bucket_id: str) -> None:
        """Errors: NoSuchBucket (404), ResourceNotEmpty (409)."""
        async with self._access.acting(SERVICE, operation) as connection:
            await _find(connection, bucket_id)
            cursor = await connection.execute(
                "select from storage.objects where bucket_id = %s limit 1", [bucket_id]
            )
            if await cursor.fetchone() is not None:
                raise StorageError(
                    409, "ResourceNotEmpty", "The bucket you tried to delete is not empty"
                )
        async with self._access.acting(caller, operation) as connection:
            done = await connection.execute(
                "delete from storage.buckets where id = %s", [bucket_id]
            )
            if done.rowcount == 0:
                raise no_such_bucket()

    async def configure(self, wanted: Sequence[ConfiguredBucket]) -> None:
        """Make the buckets of config.toml, or bring them to what stands there."""
        if not wanted:
            return
        async with self._access.acting(SERVICE, "storage.bucket.create") as connection:
            for bucket in wanted:
                await connection.execute(
                    "insert into storage.buckets (id, name, public, file_size_limit,"
                    " allowed_mime_types) values (%s, %s, %s, %s, %s)"
                    " on conflict (id) do update set public = excluded.public,"
                    " file_size_limit = excluded.file_size_limit,"
                    " allowed_mime_types = excluded.allowed_mime_types",
                    [
                        bucket.name, bucket.name, bucket.is_public, bucket.file_size_limit,
                        list(bucket.allowed_mime_types) if bucket.allowed_mime_types else None,
                    ],
                )  # fmt: skip

    def limit_of(self, bucket: Bucket) -> int:
        """How many bytes an object of the bucket may have."""
        if bucket.file_size_limit is None:
            return self._global_limit
        return min(bucket.file_size_limit, self._global_limit)

    def _limit(self, given: int | str | None) -> int | None:
        if given is None:
            return None
        limit = parse_size(given) if isinstance(given, str) else given
        if limit > self._global_limit:
            raise too_large()
        return limit


async def _find(connection: Connection, bucket_id: str) -> Bucket:
    async with connection.cursor(row_factory=class_row(Bucket)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from storage.buckets where id = %s", [bucket_id])
        bucket = await cursor.fetchone()
    if bucket is None:
        raise no_such_bucket()
    return bucket


def _contains(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
