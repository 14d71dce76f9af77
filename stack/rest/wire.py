"""One simple-protocol round trip on libpq itself, waiting on the event loop's own readiness.

A cursor would convert types and wake up on timers; the Data API only hands bytes on.
"""

import asyncio
from collections.abc import Callable

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from stack.core.database import Connection

_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.NONFATAL_ERROR, ExecStatus.BAD_RESPONSE)


async def simple_query(connection: Connection, text: bytes) -> list[PGresult]:
    """Send statements as one message; their results in order.

    Nobody else may use the connection meanwhile. Errors: psycopg.Error, of the first that failed.
    """
    raw = connection.pgconn
    try:
        raw.send_query(text)
        results = await _results(raw)
    except asyncio.CancelledError:
        await connection.close()  # its answer is still under way
        raise
    for result in results:
        if result.status in _FAILED:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
    return results


async def _results(raw: PGconn) -> list[PGresult]:
    loop = asyncio.get_running_loop()
    socket = raw.socket
    while raw.flush():
        await _ready(lambda wake: loop.add_writer(socket, wake), lambda: loop.remove_writer(socket))
    results: list[PGresult] = []
    while True:
        if raw.is_busy():
            await _ready(
                lambda wake: loop.add_reader(socket, wake), lambda: loop.remove_reader(socket)
            )
            raw.consume_input()
            continue
        result = raw.get_result()
        if result is None:
            return results
        results.append(result)


async def _ready(watch: Callable[[Callable[[], None]], None], forget: Callable[[], object]) -> None:
    woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not woken.done():
            woken.set_result(None)

    watch(wake)
    try:
        await woken
    finally:
        forget()
