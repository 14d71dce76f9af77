"""Objects: a row in storage.objects, and the file that its version names, changed as one.

A file is published inside the transaction that writes its row, and removed after the one that
dropped it. What a kill leaves between the two is a file without a row; `sweep` finds it.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import class_row

from stack.core.callers import Caller
from stack.storage import rows
from stack.storage.access import SERVICE, Access
from stack.storage.errors import StorageError, already_exists, no_such_bucket, no_such_key
from stack.storage.files import Disk, new_version
from stack.storage.names import check_bucket_name, check_key, is_storable
from stack.storage.rows import COLUMNS, Content, StoredObject, Target, owner_uuid
from stack.storage.times import iso

logger = logging.getLogger("stack.storage")
_SWEEP_BATCH = 1000


@dataclass(frozen=True, slots=True)
class CopyChanges:
    """What a copy does not take from its source; with `keeps_metadata` it takes all."""

    keeps_metadata: bool = True
    mime_type: str | None = None
    cache_control: str | None = None
    user_metadata: Mapping[str, Any] | None = None


class Objects:
    """What can be done with objects, always as somebody."""

    def __init__(self, access: Access, disk: Disk) -> None:
        self._access, self._disk = access, disk

    async def find(self, caller: Caller, operation: str, bucket: str, key: str) -> StoredObject:
        """Errors: NoSuchKey (404), InvalidKey."""
        _check(bucket, key)
        async with self._access.acting(caller, operation) as connection:
            return await rows.find(connection, bucket, key)

    async def find_public(self, operation: str, bucket: str, key: str) -> StoredObject | None:
        """An object of a public bucket, None when the bucket is not public.

        Errors: NoSuchBucket, NoSuchKey (404).
        """
        _check(bucket, key)
        async with self._access.acting(SERVICE, operation) as connection:
            cursor = await connection.execute(
                "select coalesce(public, false) from storage.buckets where id = %s", [bucket]
            )
            row = await cursor.fetchone()
            if row is None:
                raise no_such_bucket()
            return await rows.find(connection, bucket, key) if row[0] else None

    async def names_among(
        self, caller: Caller, operation: str, bucket: str, keys: Sequence[str]
    ) -> set[str]:
        """Those of `keys` that exist for the caller."""
        check_bucket_name(bucket)
        async with self._access.acting(caller, operation) as connection:
            cursor = await connection.execute(
                "select name from storage.objects where bucket_id = %s and name = any(%s)",
                [bucket, [key for key in keys if is_storable(key)]],
            )
            return {name for (name,) in await cursor.fetchall()}

    async def check_writable(
        self,
        caller: Caller,
        operation: str,
        target: Target,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask the policies before the bytes come; `metadata` is what is known of them by now.

        Errors: AccessDenied (403), Duplicate (409), InvalidKey.
        """
        _check(target.bucket, target.key)
        async with _naming_duplicates(), self._access.asking(caller, operation) as connection:
            await rows.write(
                connection, target, uuid4(), new_version(), metadata=metadata, user_metadata=None
            )

    async def write(
        self, caller: Caller, operation: str, target: Target, content: Content
    ) -> tuple[UUID, str]:
        """Store a received file under its name; return the row's id and the version.

        The row is written as the caller, so the policies see it as it will be, and of two
        uploads of a new name only one succeeds. Errors: AccessDenied (403), Duplicate (409).
        """
        _check(target.bucket, target.key)
        version = new_version()
        try:
            async with _naming_duplicates(), self._access.acting(caller, operation) as connection:
                await rows.lock(connection, target)
                old = await rows.replaced_version(connection, target)
                row_id = await rows.write(
                    connection,
                    target,
                    uuid4(),
                    version,
                    metadata=content.metadata(),
                    user_metadata=content.user_metadata,
                )
                await self._disk.publish(content.file, version)
        except BaseException:
            await self._disk.remove([version])
            raise
        if old is not None:
            await self._disk.remove([old])
        return row_id, version

    async def remove(
        self, caller: Caller, operation: str, bucket: str, keys: Sequence[str]
    ) -> list[StoredObject]:
        """Remove what the caller may; what it may not see or remove is passed over."""
        check_bucket_name(bucket)
        async with (
            self._access.acting(caller, operation) as connection,
            connection.cursor(row_factory=class_row(StoredObject)) as cursor,
        ):
            await cursor.execute(
                "delete from storage.objects where bucket_id = %s and name = any(%s)"
                f" returning {COLUMNS}",
                [bucket, [key for key in keys if is_storable(key)]],
            )
            gone = await cursor.fetchall()
        await self._disk.remove(row.version for row in gone)
        return gone

    async def move(
        self, caller: Caller, operation: str, source: tuple[str, str], target: Target
    ) -> StoredObject:
        """Give an object another name, in this bucket or another; its file stays where it is.

        Errors: NoSuchKey (404), AccessDenied (403), Duplicate (409).
        """
        _check(target.bucket, target.key)
        check_bucket_name(source[0])
        async with (
            _naming_duplicates(),
            self._access.acting(caller, operation) as connection,
            connection.cursor(row_factory=class_row(StoredObject)) as cursor,
        ):
            found = await rows.find(connection, *source)
            if source == (target.bucket, target.key):
                return found
            await cursor.execute(
                "update storage.objects set bucket_id = %s, name = %s,"
                " owner = coalesce(%s, owner), owner_id = coalesce(%s, owner_id)"
                f" where id = %s returning {COLUMNS}",
                [
                    target.bucket, target.key, owner_uuid(target.owner_id), target.owner_id,
                    found.id,
                ],
            )  # fmt: skip
            moved = await cursor.fetchone()
            if moved is None:
                raise no_such_key()
            return moved

    async def copy(
        self,
        caller: Caller,
        operation: str,
        source: tuple[str, str],
        target: Target,
        changes: CopyChanges,
    ) -> StoredObject:
        """A second object with the content of `source`, in this bucket or another.

        Errors: NoSuchKey (404), AccessDenied (403), Duplicate (409).
        """
        _check(target.bucket, target.key)
        check_bucket_name(source[0])
        version = new_version()
        try:
            async with _naming_duplicates(), self._access.acting(caller, operation) as connection:
                await rows.lock(connection, target)
                original = await rows.find(connection, *source)
                old = await rows.replaced_version(connection, target)
                metadata = _copied_metadata(original, changes)
                user_metadata = (
                    original.user_metadata if changes.keeps_metadata else changes.user_metadata
                )
                row_id = await rows.write(
                    connection,
                    target,
                    uuid4(),
                    version,
                    metadata=metadata,
                    user_metadata=user_metadata,
                )
                await self._disk.duplicate(original.version or "", version)
        except FileNotFoundError as error:
            raise no_such_key() from error
        except BaseException:
            await self._disk.remove([version])
            raise
        if old is not None:
            await self._disk.remove([old])
        now = datetime.now(UTC)
        return StoredObject(
            id=row_id,
            bucket_id=target.bucket,
            name=target.key,
            version=version,
            owner=owner_uuid(target.owner_id),
            owner_id=target.owner_id,
            metadata=metadata,
            user_metadata=user_metadata,
            created_at=now,
            updated_at=now,
            last_accessed_at=now,
        )

    async def sweep(self) -> int:
        """Remove files that no row names, older than this process; return their number.

        A stack can be pointed at another database, whose rows name other files: not with these.
        """
        if not await self._disk.run(self._disk.belongs_to, await self._access.database_identity()):
            logger.warning("storage: these are another database's files, so none is cleared away")
            return 0
        orphans = await self._disk.run(self._disk.orphan_candidates)
        versions = sorted(orphans)
        count = 0
        for start in range(0, len(versions), _SWEEP_BATCH):
            batch = versions[start : start + _SWEEP_BATCH]
            async with self._access.acting(SERVICE, "storage.object.list") as connection:
                cursor = await connection.execute(
                    "select version from storage.objects where version = any(%s)", [batch]
                )
                known = {version for (version,) in await cursor.fetchall()}
            for version in set(batch) - known:
                await self._disk.run(lambda path: path.unlink(missing_ok=True), orphans[version])
                count += 1
        return count


def _check(bucket: str, key: str) -> None:
    check_bucket_name(bucket)
    check_key(key)


def _copied_metadata(original: StoredObject, changes: CopyChanges) -> dict[str, Any]:
    metadata = dict(original.metadata or {}) | {"lastModified": iso(datetime.now(UTC))}
    if not changes.keeps_metadata:
        if changes.mime_type is not None:
            metadata["mimetype"] = changes.mime_type
        if changes.cache_control is not None:
            metadata["cacheControl"] = changes.cache_control
    return metadata


@contextlib.asynccontextmanager
async def _naming_duplicates() -> AsyncIterator[None]:
    try:
        yield
    except StorageError as error:
        if error.code == "ResourceAlreadyExists":
            raise already_exists("KeyAlreadyExists") from error
        raise
