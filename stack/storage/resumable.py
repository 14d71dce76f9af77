"""Resumable uploads in progress: their files, what is known of them, and who writes now.

    storage/resumable/<version>        the bytes so far
    storage/resumable/<version>.json   where they shall go; see `Resumable`

The offset of an upload is the length of its file, so nothing is lost with the process.
Source: tus.io, resumable upload protocol 1.0.0.
"""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from stack.storage.errors import StorageError
from stack.storage.files import Disk, new_version
from stack.storage.settings import CHUNK_BYTES, RESUMABLE_SECONDS

_TURN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Resumable:
    """One upload. `length` in bytes, None while the client defers it; `expires_at` since 1970."""

    version: str
    bucket: str
    key: str
    length: int | None
    owner_id: str | None
    is_upsert: bool
    metadata: Mapping[str, str]
    raw_metadata: str
    expires_at: float

    @property
    def id(self) -> str:
        """As it stands in the URL: base64url of `bucket/key/version`."""
        return encode_id(self.bucket, self.key, self.version)


def encode_id(bucket: str, key: str, version: str) -> str:
    return base64.urlsafe_b64encode(f"{bucket}/{key}/{version}".encode()).decode().rstrip("=")


def decode_id(upload_id: str) -> tuple[str, str, str]:
    """Bucket, key and version. Errors: InvalidUploadId (400)."""
    try:
        text = base64.b64decode(
            upload_id + "=" * (-len(upload_id) % 4), altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _invalid_id() from error
    bucket, _, rest = text.partition("/")
    key, _, version = rest.rpartition("/")
    if not (bucket and key and version):
        raise _invalid_id()
    return bucket, key, version


def parse_metadata(header: str) -> dict[str, str]:
    """An Upload-Metadata header: pairs of a name and a base64 value. Errors: 400."""
    pairs: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.strip().partition(" ")
        if not name:
            continue
        try:
            pairs[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise StorageError(400, "InvalidRequest", "Upload-Metadata is invalid") from error
    return pairs


class Turn:
    """One request's turn at an upload. `is_wanted` is set when another request asks for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.is_wanted = asyncio.Event()
        self.waiting = 0


class Uploads:
    """The unfinished uploads of one stack."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._folder = disk.resumable
        self._turns: dict[str, Turn] = {}

    async def create(
        self,
        *,
        bucket: str,
        key: str,
        length: int | None,
        owner_id: str | None,
        is_upsert: bool,
        metadata: Mapping[str, str],
        raw_metadata: str,
    ) -> Resumable:
        upload = Resumable(
            version=new_version(),
            bucket=bucket,
            key=key,
            length=length,
            owner_id=owner_id,
            is_upsert=is_upsert,
            metadata=metadata,
            raw_metadata=raw_metadata,
            expires_at=time.time() + RESUMABLE_SECONDS,
        )
        await self._disk.run(self._create, upload)
        return upload

    async def find(self, upload_id: str) -> tuple[Resumable, int]:
        """An upload and its offset. Errors: 404 when unknown, 410 when expired."""
        bucket, key, version = decode_id(upload_id)
        found = await self._disk.run(self._find, version)
        if found is None or (found[0].bucket, found[0].key) != (bucket, key):
            raise StorageError(404, "NoSuchUpload", "The file for this url was not found")
        if found[0].expires_at < time.time():
            await self.drop(found[0])
            raise StorageError(410, "NoSuchUpload", "The file for this url no longer exists")
        return found

    async def set_length(self, upload: Resumable, length: int) -> Resumable:
        """The length that the client deferred."""
        known = Resumable(**(asdict(upload) | {"length": length}))
        await self._disk.run(self._describe, known)
        return known

    async def append(
        self, upload: Resumable, offset: int, chunks: AsyncIterator[bytes], turn: Turn, limit: int
    ) -> int:
        """Write what comes from `offset` on; return the new offset.

        Whatever arrived stays, also when the client breaks off. Errors: 413 above `limit` bytes.
        """
        pending = bytearray()
        file = await self._disk.run(self._open, upload.version)
        wanted = asyncio.ensure_future(turn.is_wanted.wait())
        try:
            while (chunk := await _next_unless(chunks, wanted)) is not None:
                if offset + len(pending) + len(chunk) > limit:
                    raise StorageError(413, "EntityTooLarge", "Maximum size exceeded\n")
                pending += chunk
                if len(pending) >= CHUNK_BYTES:
                    data, pending = pending, bytearray()
                    offset += await self._disk.run(file.write, data)
        finally:
            wanted.cancel()
            # keeps the rest, also when the request is cancelled or the client has gone
            offset += await asyncio.shield(
                self._disk.run(_close, file, pending, self._disk.is_durable)
            )
        return offset

    async def digest(self, upload: Resumable) -> str:
        """The quoted MD5 of a complete upload."""
        return await self._disk.run(_digest, self._folder / upload.version)

    def file(self, upload: Resumable) -> Path:
        return self._folder / upload.version

    async def drop(self, upload: Resumable) -> None:
        """Forget an upload, its bytes too. Safe to repeat."""
        await self._disk.run(self._drop, upload.version)

    async def drop_expired(self) -> None:
        await self._disk.run(self._drop_expired)

    @contextlib.asynccontextmanager
    async def turn(self, version: str) -> AsyncIterator[Turn]:
        """Write alone. Whoever writes is asked to stop: it is most likely a broken connection.

        Errors: ResourceLocked (423) when it does not.
        """
        turn = self._turns.setdefault(version, Turn())
        turn.waiting += 1
        turn.is_wanted.set()
        try:
            try:
                await asyncio.wait_for(turn.lock.acquire(), _TURN_SECONDS)
            except TimeoutError as error:
                raise _locked() from error
            if turn.waiting == 1:
                turn.is_wanted.clear()
            try:
                yield turn
            finally:
                turn.lock.release()
        finally:
            turn.waiting -= 1
            if turn.waiting == 0:
                self._turns.pop(version, None)

    def _create(self, upload: Resumable) -> None:
        (self._folder / upload.version).touch()
        self._describe(upload)

    def _describe(self, upload: Resumable) -> None:
        path = self._folder / f"{upload.version}.json"
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(upload)))
        draft.replace(path)

    def _find(self, version: str) -> tuple[Resumable, int] | None:
        if not all(char in "0123456789abcdef-" for char in version):
            return None
        try:
            known: dict[str, Any] = json.loads((self._folder / f"{version}.json").read_text())
            return Resumable(**known), (self._folder / version).stat().st_size
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _open(self, version: str) -> BinaryIO:
        try:
            file = (self._folder / version).open("r+b")
        except FileNotFoundError as error:
            raise StorageError(
                404, "NoSuchUpload", "The file for this url was not found"
            ) from error
        file.seek(0, os.SEEK_END)
        return file

    def _drop(self, version: str) -> None:
        for name in (f"{version}.json", version):
            (self._folder / name).unlink(missing_ok=True)

    def _drop_expired(self) -> None:
        for path in self._folder.glob("*.json"):
            found = self._find(path.stem)
            if found is None or found[0].expires_at < time.time():
                self._drop(path.stem)


async def _next_unless(
    chunks: AsyncIterator[bytes], wanted: asyncio.Future[Literal[True]]
) -> bytes | None:
    """The next chunk, None at the end. Errors: ResourceLocked (423) when another takes over."""
    coming: asyncio.Future[bytes | None] = asyncio.ensure_future(_next(chunks))
    either: tuple[asyncio.Future[Any], ...] = (coming, wanted)
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            raise _locked()
        return coming.result()
    finally:
        coming.cancel()


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


def _close(file: BinaryIO, rest: bytearray, is_durable: bool) -> int:
    with file:
        written = file.write(rest)
        file.flush()
        if is_durable:
            os.fsync(file.fileno())
        return written


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
    return f'"{digest.hexdigest()}"'


def _locked() -> StorageError:
    return StorageError(423, "ResourceLocked", "The resource is locked")


def _invalid_id() -> StorageError:
    return StorageError(400, "InvalidUploadId", "Invalid upload id")
