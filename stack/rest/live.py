"""The service's picture of the database, replaced as a whole when the database says so."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg_pool import AsyncConnectionPool

from stack.core.database import Connection
from stack.rest import settings as settings_module
from stack.rest.catalog.load import load_catalog
from stack.rest.catalog.model import Catalog
from stack.rest.execute import Runner
from stack.rest.parse.body import Body
from stack.rest.parse.preferences import parse_preferences
from stack.rest.plan.compile import Compiler, Plan
from stack.rest.request import Head
from stack.rest.settings import Settings
from stack.rest.transaction import Frames

logger = logging.getLogger("stack.rest")

_KEPT_PLANS = 1024
_LONGEST_KEPT = 2048
_QUIET_SECONDS = 0.05
_RETRY_SECONDS = (0.1, 0.5, 1, 2, 5)

Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Picture:
    """Catalog, settings and everything derived from them, plans of repeated shapes included."""

    catalog: Catalog
    settings: Settings
    compiler: Compiler
    frames: Frames
    runner: Runner
    _plans: OrderedDict[tuple[object, ...], Plan] = field(default_factory=OrderedDict)

    def plan(self, head: Head, shape: Pairs, body: Body | None) -> Plan:
        """The plan of a request; shapes seen before cost a look-up. Errors: RestError."""
        is_kept = len(head.query_string) <= _LONGEST_KEPT and (
            body is None or (body.arguments is None and len(body.keys) <= 100)
        )
        key = (
            head.method,
            head.kind,
            head.target,
            head.schema,
            head.accept,
            head.prefer,
            head.page,
            head.content_type,
            tuple(shape),
            None if body is None else (body.keys, body.is_object),
        )
        if is_kept and (known := self._plans.get(key)) is not None:
            self._plans.move_to_end(key)
            return known
        preferences = parse_preferences(
            head.prefer, may_end_transaction=self.settings.may_end_transaction
        )
        plan = self.compiler.compile(head, shape, preferences, body)
        if is_kept:
            self._plans[key] = plan
            if len(self._plans) > _KEPT_PLANS:
                self._plans.popitem(last=False)
        return plan


class LivePicture:
    """Keeps a `Picture` current: listens on channel `pgrst`, and listens again when cut off."""

    def __init__(
        self, pool: AsyncConnectionPool[Connection], conninfo: str, defaults: Settings
    ) -> None:
        self._pool, self._conninfo, self._defaults = pool, conninfo, defaults
        self._task: asyncio.Task[None] | None = None
        self._picture: Picture | None = None

    @property
    def now(self) -> Picture:
        assert self._picture is not None
        return self._picture

    async def start(self) -> None:
        await self.reload()
        self._task = asyncio.create_task(self._keep_listening())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def reload(self) -> None:
        """Read settings and catalog again."""
        async with self._pool.connection() as connection:
            settings = await settings_module.load(connection, self._defaults)
            catalog = await load_catalog(connection, settings.schemas)
        self._picture = Picture(
            catalog,
            settings,
            Compiler(catalog, settings),
            Frames(settings),
            Runner(self._pool, settings.max_rows),
        )

    async def _keep_listening(self) -> None:
        failures = 0
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._conninfo, autocommit=True
                ) as connection:
                    await connection.execute("listen pgrst")
                    if failures:  # what was announced meanwhile is lost
                        await self.reload()
                    failures = 0
                    await self._follow(connection)
            except (psycopg.Error, OSError) as error:
                pause = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)]
                failures += 1
                logger.warning("not listening for schema changes: %s", type(error).__name__)
                await asyncio.sleep(pause)

    async def _follow(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        while True:
            # a migration announces every statement: wait until it pauses
            async for _ in connection.notifies(stop_after=1):
                pass
            async for _ in connection.notifies(timeout=_QUIET_SECONDS):
                pass
            try:
                await self.reload()
            except psycopg.Error as error:
                logger.warning("cannot read the schema again: %s", error)
                if connection.closed:
                    raise
