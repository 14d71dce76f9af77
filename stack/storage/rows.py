"""Rows of storage.objects: what one holds, and the statements that read and write it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from stack.core.database import Connection
from stack.storage.errors import no_such_key
from stack.storage.times import iso

COLUMNS = (
    "id, bucket_id, name, version, owner, owner_id, metadata, user_metadata, created_at,"
    " updated_at, last_accessed_at"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One row. `metadata` is the server's (size, eTag, mimetype …), `user_metadata` the user's."""

    id: UUID
    bucket_id: str
    name: str
    version: str | None
    owner: UUID | None
    owner_id: str | None
    metadata: Mapping[str, Any] | None
    user_metadata: Mapping[str, Any] | None
    created_at: datetime | None
    updated_at: datetime | None
    last_accessed_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "bucket_id": self.bucket_id,
            "owner": str(self.owner) if self.owner else "",
            "owner_id": self.owner_id or "",
            "version": self.version or "",
            "id": str(self.id),
            "updated_at": iso(self.updated_at),
            "created_at": iso(self.created_at),
            "last_accessed_at": iso(self.last_accessed_at),
            "metadata": self.metadata,
            "user_metadata": self.user_metadata,
        }


@dataclass(frozen=True, slots=True)
class Target:
    """What is written: where, for whom, and whether it may replace what is there."""

    bucket: str
    key: str
    owner_id: str | None
    is_upsert: bool


@dataclass(frozen=True, slots=True)
class Content:
    """A received file and what its row says of it."""

    file: Path
    size: int
    etag: str
    mime_type: str
    cache_control: str
    content_encoding: str | None = None
    user_metadata: Mapping[str, Any] | None = None

    def metadata(self) -> dict[str, Any]:
        known = {
            "eTag": self.etag,
            "size": self.size,
            "mimetype": self.mime_type,
            "cacheControl": self.cache_control,
            "lastModified": iso(datetime.now(UTC)),
            "contentLength": self.size,
            "httpStatusCode": 200,
        }
        if self.content_encoding:
            known["contentEncoding"] = self.content_encoding
        return known


def owner_uuid(owner_id: str | None) -> UUID | None:
    """The older owner column only holds uuids."""
    return UUID(owner_id) if owner_id and _UUID.fullmatch(owner_id) else None


async def lock(connection: Connection, target: Target) -> None:
    """Writers of one name take turns, so that each knows which version it replaces."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
        [f"storage:{target.bucket}/{target.key}"],
    )


async def replaced_version(connection: Connection, target: Target) -> str | None:
    """The version that is about to be replaced."""
    if not target.is_upsert:
        return None
    cursor = await connection.execute(
        "select version from storage.objects where bucket_id = %s and name = %s",
        [target.bucket, target.key],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def find(connection: Connection, bucket: str, key: str) -> StoredObject:
    async with connection.cursor(row_factory=class_row(StoredObject)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from storage.objects where bucket_id = %s and name = %s",
            [bucket, key],
        )
        row = await cursor.fetchone()
    if row is None:
        raise no_such_key()
    return row


async def write(
    connection: Connection,
    target: Target,
    row_id: UUID,
    version: str,
    *,
    metadata: Mapping[str, Any] | None,
    user_metadata: Mapping[str, Any] | None,
) -> UUID:
    values = {
        "id": row_id,
        "bucket": target.bucket,
        "name": target.key,
        "owner": owner_uuid(target.owner_id),
        "owner_id": target.owner_id,
        "version": version,
        "metadata": None if metadata is None else Jsonb(metadata),
        "user_metadata": None if user_metadata is None else Jsonb(user_metadata),
    }
    insert = (
        "insert into storage.objects"
        " (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata)"
        " values (%(id)s, %(bucket)s, %(name)s, %(owner)s, %(owner_id)s, %(version)s,"
        " %(metadata)s, %(user_metadata)s)"
    )
    if not target.is_upsert:
        # no `returning`: it would ask for a select policy, which an upload does not need
        await connection.execute(insert, values)
        return row_id
    cursor = await connection.execute(
        insert + " on conflict (bucket_id, name) do update set version = excluded.version,"
        " metadata = excluded.metadata,"
        " user_metadata = coalesce(excluded.user_metadata, objects.user_metadata),"
        " owner = coalesce(excluded.owner, objects.owner),"
        " owner_id = coalesce(excluded.owner_id, objects.owner_id) returning id",
        values,
    )
    row = await cursor.fetchone()
    if row is None:
        raise no_such_key()
    found: UUID = row[0]
    return found
