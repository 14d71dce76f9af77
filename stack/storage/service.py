"""The storage service: its parts put together, started and stopped."""

import asyncio
import contextlib
import logging

from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from stack.core.service import Ground
from stack.storage.access import Access
from stack.storage.buckets import Buckets
from stack.storage.calls import Parts
from stack.storage.files import Disk
from stack.storage.images import Transformer
from stack.storage.listing import Listing
from stack.storage.objects import Objects
from stack.storage.resumable import Uploads
from stack.storage.routes import routes
from stack.storage.settings import EXPIRY_CHECK_SECONDS, Settings
from stack.storage.signing import Signer

logger = logging.getLogger("stack.storage")


class StorageService:
    """`/storage/v1`."""

    def __init__(self, ground: Ground) -> None:
        settings = Settings.read(ground.config)
        access = Access(ground.database)
        disk = Disk(settings.folder, is_durable=settings.is_durable)
        self._parts = Parts(
            settings=settings,
            doorkeeper=ground.doorkeeper,
            disk=disk,
            buckets=Buckets(access, disk, settings.file_size_limit),
            objects=Objects(access, disk),
            listing=Listing(access),
            signer=Signer(ground.config.secrets.jwt_secret),
            transformer=Transformer(),
            uploads=Uploads(disk),
        )
        self._router = Router(routes(self._parts), redirect_slashes=False)
        self._cleaning: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._parts.disk.run(self._parts.disk.prepare)
        await self._parts.buckets.configure(self._parts.settings.buckets)
        self._cleaning = asyncio.create_task(self._clean())

    async def stop(self) -> None:
        if self._cleaning is not None:
            self._cleaning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._cleaning
        await asyncio.to_thread(self._parts.transformer.close)
        await asyncio.to_thread(self._parts.disk.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._router(scope, receive, send)

    async def _clean(self) -> None:
        """Remove what kills left behind, beside the first requests; then what expires."""
        try:
            if count := await self._parts.objects.sweep():
                logger.info("storage: removed %d files that no object names", count)
        except Exception:
            logger.exception("storage: cannot clean up")
        while True:
            await self._parts.uploads.drop_expired()
            await asyncio.sleep(EXPIRY_CHECK_SECONDS)
