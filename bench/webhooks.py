"""Webhooks accepted a second (verified, stored, queued) by one api process; how long to the ledger.

    python bench/webhooks.py [seconds]

The api runs as a process of its own on a migrated database, default Postgres settings, fsync on.
Signed events come from this process over keep-alive connections; they are of a kind that means
nothing, so that accepting alone is measured. Then a worker runs, and payments are timed from the
first byte sent to the committed ledger transaction. Last, the api's memory over 100,000 events.
"""

import asyncio
import hashlib
import hmac
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
from ground import ROOT, guildhall_database

SECRET = "whsec_bench"
CONNECTIONS = (1, 8, 32)
PAYMENTS = 200
FLAT = 100_000


def main() -> None:
    """Print a Markdown table of each measurement."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4
    with guildhall_database() as url, _process("api", url) as (port, process):
        print("| Connections | webhooks/s | p50 ms | p99 ms | CPU of the api, µs each |")
        print("| --: | --: | --: | --: | --: |")
        for count in CONNECTIONS:
            before = _cpu(process.pid)
            times = asyncio.run(_load(port, count, _ignored(), seconds=seconds))
            used, cuts = _cpu(process.pid) - before, statistics.quantiles(times, n=100)
            print(
                f"| {count} | {len(times) / seconds:.0f} | {cuts[49]:.1f} | {cuts[98]:.1f}"
                f" | {used / len(times) * 1e6:.0f} |"
            )
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("truncate procrastinate.procrastinate_jobs cascade")
            with _process("worker", url):
                _to_the_ledger(db, url, port)
            db.execute("truncate procrastinate.procrastinate_jobs cascade")
        before = _memory(process.pid)
        asyncio.run(_load(port, 8, _ignored(), most=FLAT))
        print(f"\nmemory over {FLAT} events: {before:.0f} → {_memory(process.pid):.0f} MB")


def _to_the_ledger(db: psycopg.Connection, url: str, port: int) -> None:
    """So many payments under way at any moment; each from its first byte to its commit."""
    (payer,) = db.execute("select id from profiles limit 1").fetchone() or (None,)
    print("\n| In flight | payments/s | p50 ms to the ledger | p99 ms |")
    print("| --: | --: | --: | --: |")
    for is_warm, count in enumerate((1, *CONNECTIONS)):
        orders = [
            row[0]
            for row in db.execute(
                "insert into orders (payer_id, amount_minor, currency, purpose)"
                " select %s, 500, 'EUR', 'bench' from generate_series(1, %s) returning id::text",
                [payer, PAYMENTS],
            ).fetchall()
        ]
        began = time.perf_counter()
        sent = asyncio.run(_timed(url, port, count, orders))
        lasted = time.perf_counter() - began
        if not is_warm:  # the worker was still starting
            continue
        booked = db.execute(
            "select subject_id::text, extract(epoch from posted_at)::float8"
            " from ledger_transactions where subject_id = any (%s::uuid[])",
            [orders],
        ).fetchall()
        cuts = statistics.quantiles([(at - sent[order]) * 1000 for order, at in booked], n=100)
        print(f"| {count} | {PAYMENTS / lasted:.0f} | {cuts[49]:.1f} | {cuts[98]:.1f} |")


def _ignored() -> Iterator[bytes]:
    while True:
        yield _event("customer.created", {"id": "cus_1", "object": "customer"})


def _event(kind: str, subject: dict[str, object]) -> bytes:
    event = {
        "id": f"evt_{uuid.uuid4().hex}", "object": "event", "type": kind, "created": 1,
        "data": {"object": subject},
    }  # fmt: skip
    return json.dumps(event).encode()


def _request(port: int, body: bytes) -> bytes:
    at = int(time.time())
    signed = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return (
        f"POST /webhooks/stripe HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
        f"stripe-signature: t={at},v1={signed}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _load(
    port: int, count: int, bodies: Iterator[bytes], *, seconds: float = 3600, most: int = 10**9
) -> list[float]:
    """Milliseconds of every event that `count` connections got accepted."""
    times: list[float] = []
    stop_at = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while len(times) < most and time.perf_counter() < stop_at:
            request = _request(port, next(bodies))
            started = time.perf_counter()
            await _send(reader, writer, request)
            times.append((time.perf_counter() - started) * 1000)
        writer.close()

    await asyncio.gather(*(one() for _ in range(count)))
    return times


async def _timed(url: str, port: int, count: int, orders: list[str]) -> dict[str, float]:
    """When each order's payment was sent, in seconds since the epoch.

    `count` senders, each of which sends the next when the one before is in the ledger.
    """
    sent: dict[str, float] = {}
    waiting: dict[str, asyncio.Event] = {}

    async def watch() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as db:
            while True:
                found = await db.execute(
                    "select subject_id::text from ledger_transactions"
                    " where subject_id = any (%s::uuid[])",
                    [list(waiting)],
                )
                for (order,) in await found.fetchall():
                    waiting.pop(order).set()
                await asyncio.sleep(0.005)

    async def one(mine: list[str]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for order in mine:
            intent = {
                "id": f"pi_{order}", "object": "payment_intent", "status": "succeeded",
                "amount_received": 500, "currency": "eur", "metadata": {"order_id": order},
            }  # fmt: skip
            request = _request(port, _event("payment_intent.succeeded", intent))
            arrived = waiting[order] = asyncio.Event()
            sent[order] = time.time()
            await _send(reader, writer, request)
            await arrived.wait()
        writer.close()

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(one(orders[number::count]) for number in range(count)))
    watching.cancel()
    return sent


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head.decode()
    length = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
    await reader.readexactly(int(length))


@contextmanager
def _process(kind: str, url: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["-m", "api", "--port", str(port)] if kind == "api" else ["-m", "workers"]
    environment = {
        "DATABASE_URL": url, "STRIPE_WEBHOOK_SECRETS": f'["{SECRET}"]',
        "SUPABASE_JWT_SECRET": "x" * 40, "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=os.environ | environment,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        if kind == "api":
            transport = httpx.HTTPTransport(retries=10)
            with httpx.Client(transport=transport, trust_env=False) as client:
                client.get(f"http://127.0.0.1:{port}/healthz")
        yield port, process
    finally:
        process.terminate()
        process.wait()


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used; nan where /proc is not there."""
    file = Path(f"/proc/{pid}/stat")
    if not file.exists():
        return float("nan")
    fields = file.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    """Resident megabytes of a process; 0 where /proc is not there."""
    file = Path(f"/proc/{pid}/statm")
    return int(file.read_text().split()[1]) * 4096 / 1e6 if file.exists() else 0.0


if __name__ == "__main__":
    main()
