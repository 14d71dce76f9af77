"""Events of requests that arrive together are kept in one transaction: one commit for all."""

import asyncio
from dataclasses import dataclass, field

import psycopg

from workers.core.db import Pool, transaction
from workers.payments.base import Event

_MOST = 200  # events of one transaction


@dataclass(slots=True)
class _Waiting:
    provider: str
    event: Event
    is_new: asyncio.Future[bool] = field(repr=False)


class Inbox:
    """Keeps verified events. While one transaction commits, those that arrive form the next."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, provider: str, event: Event) -> bool:
        """Whether the event is new; it is committed, and its job with it, when this returns.

        Errors: psycopg.Error when it could not be kept.
        """
        mine = _Waiting(provider, event, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await mine.is_new

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                try:
                    self._tell(batch, await self._store(batch))
                except (psycopg.DataError, psycopg.IntegrityError):
                    # one that cannot be kept must not take the others with it
                    for one in batch:
                        await self._alone(one)
                except Exception as error:  # whatever it is, each request has it
                    self._fail(batch, error)
        finally:
            self._writer = None

    async def _alone(self, one: _Waiting) -> None:
        try:
            self._tell([one], await self._store([one]))
        except Exception as error:
            self._fail([one], error)

    async def _store(self, batch: list[_Waiting]) -> list[bool]:
        async with transaction(self._pool) as db:
            cursor = await db.execute(
                "select private.keep_events(%s, %s, %s, %s)",
                [
                    [one.provider for one in batch],
                    [one.event.id for one in batch],
                    [one.event.kind for one in batch],
                    [one.event.body for one in batch],
                ],
            )
            row = await cursor.fetchone()
        assert row is not None
        return list(row[0])

    @staticmethod
    def _tell(batch: list[_Waiting], are_new: list[bool]) -> None:
        for one, is_new in zip(batch, are_new, strict=True):
            if not one.is_new.done():  # its client may have left
                one.is_new.set_result(is_new)

    @staticmethod
    def _fail(batch: list[_Waiting], error: Exception) -> None:
        for one in batch:
            if not one.is_new.done():
                one.is_new.set_exception(error)
