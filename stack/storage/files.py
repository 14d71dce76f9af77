"""The disk: one immutable file per object version, named by the version's uuid and nothing else.

    storage/objects/ab/abcdef01-…   the versions that rows of storage.objects name
    storage/incoming/               what is being received; a rename makes it a version
    storage/resumable/              unfinished resumable uploads, which outlive a restart

A row names its file by `version`. Names of objects never become paths.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeVar
from uuid import uuid4

from stack.storage.settings import CHUNK_BYTES

_VERSION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_THREADS = 4
_Result = TypeVar("_Result")


def new_version() -> str:
    return str(uuid4())


class Incoming:
    """A file being received: hashed and written a chunk at a time, off the event loop."""

    def __init__(self, disk: "Disk") -> None:
        self._disk = disk
        self._file: BinaryIO | None = None
        self._digest = hashlib.md5(usedforsecurity=False)
        self._pending = bytearray()
        self.path = disk.incoming / new_version()
        self.size = 0

    @property
    def etag(self) -> str:
        """The quoted MD5 of what was written; final after `finish`."""
        return f'"{self._digest.hexdigest()}"'

    async def write(self, data: bytes) -> None:
        self.size += len(data)
        self._pending += data
        if len(self._pending) >= CHUNK_BYTES:
            await self._disk.run(self._flush)

    async def finish(self) -> None:
        """Put all of it on the disk; the file can be published then."""
        await self._disk.run(self._close)

    async def discard(self) -> None:
        """Remove it, published or not. Safe to repeat."""
        await self._disk.run(self._remove)

    def _flush(self) -> None:
        if self._file is None:
            self._file = self.path.open("wb")
        data, self._pending = self._pending, bytearray()
        self._digest.update(data)
        self._file.write(data)

    def _close(self) -> None:
        self._flush()
        if self._file is not None:
            self._file.flush()
            if self._disk.is_durable:
                os.fsync(self._file.fileno())
            self._file.close()

    def _remove(self) -> None:
        if self._file is not None:
            self._file.close()
        self.path.unlink(missing_ok=True)


class Disk:
    """The files of one stack. Everything that touches them runs in threads of its own."""

    def __init__(self, folder: Path, *, is_durable: bool) -> None:
        self.objects = folder / "objects"
        self.incoming = folder / "incoming"
        self.resumable = folder / "resumable"
        self.is_durable = is_durable
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="storage-files")
        self._started_at = time.time()

    async def run(self, work: Callable[..., _Result], *arguments: object) -> _Result:
        """Run blocking work in one of the disk's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def prepare(self) -> None:
        """Make the folders; drop what a killed process was receiving."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        for folder in (self.objects, self.incoming, self.resumable):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._started_at = time.time()

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    @contextlib.asynccontextmanager
    async def receiving(self) -> AsyncIterator[Incoming]:
        """A new incoming file, gone afterwards unless it was published."""
        incoming = Incoming(self)
        try:
            yield incoming
        finally:
            await asyncio.shield(incoming.discard())

    async def publish(self, file: Path, version: str) -> None:
        """Make a finished file the content of a version, in one step."""
        await self.run(self._publish, file, version)

    async def duplicate(self, source: str, version: str) -> None:
        """Give `version` the content of `source`. Errors: FileNotFoundError."""
        await self.run(self._duplicate, source, version)

    async def remove(self, versions: Iterable[str | None]) -> None:
        """Remove versions; those that have no file are passed over."""
        await self.run(self._remove, list(versions))

    async def open(self, version: str | None) -> BinaryIO:
        """Errors: FileNotFoundError."""
        return await self.run(lambda: self.path(version).open("rb", buffering=0))

    async def read(self, file: BinaryIO, start: int, length: int) -> AsyncIterator[bytes]:
        """The bytes from `start` on, a chunk at a time; the file is closed afterwards."""
        try:
            while length > 0:
                chunk = await self.run(os.pread, file.fileno(), min(CHUNK_BYTES, length), start)
                if not chunk:
                    return
                start, length = start + len(chunk), length - len(chunk)
                yield chunk
        finally:
            file.close()

    def belongs_to(self, database: str) -> bool:
        """Whether these are the files of this database; the first one that asks owns them."""
        mark = self.objects.parent / "database"
        if not mark.exists():
            mark.write_text(database)
        return mark.read_text() == database

    def orphan_candidates(self) -> dict[str, Path]:
        """Versions on the disk that are older than this process, with their files."""
        return {
            file.name: file
            for file in self.objects.glob("??/*")
            if file.stat().st_mtime < self._started_at
        }

    def path(self, version: str | None) -> Path:
        """Where a version lies. Rows can be written by SQL: only a uuid becomes a path.

        Errors: FileNotFoundError.
        """
        if version is None or _VERSION.fullmatch(version) is None:
            raise FileNotFoundError(version)
        return self.objects / version[:2] / version

    def _publish(self, file: Path, version: str) -> None:
        path = self.path(version)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        os.utime(file)  # younger than the process: no orphan while its row is not committed
        file.replace(path)
        if self.is_durable:
            _sync_folder(path.parent)

    def _duplicate(self, source: str, version: str) -> None:
        origin, path = self.path(source), self.path(version)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            path.hardlink_to(origin)  # versions never change, so two names may share one content
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copyfile(origin, path)
        os.utime(path)
        if self.is_durable:
            _sync_folder(path.parent)

    def _remove(self, versions: list[str | None]) -> None:
        for version in versions:
            with contextlib.suppress(FileNotFoundError):
                self.path(version).unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
