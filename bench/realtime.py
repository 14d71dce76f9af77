"""Realtime: fan-out of one broadcast, a change in the database to its subscriber, silent sockets.

Run: `python bench/realtime.py [--sockets 1000] [--silent 10000]`. It starts a stack of its own in
a temporary folder. The sockets live in this process, on the same cores, and it must read what the
server sends: latencies hold both sides' work.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from stack.running import find_running, stop_running

ROOT = Path(__file__).parent.parent
ROUNDS = 30  # broadcasts, so that the server's limit of messages is not reached
CHANGES = 200
SCHEMA = """
create table public.bench_changes (id bigint generated always as identity primary key, at float8);
grant select on public.bench_changes to anon;
create table public.bench_guarded (id bigint generated always as identity primary key, at float8);
alter table public.bench_guarded enable row level security;
create policy everyone on public.bench_guarded for select to anon using (at > 0);
grant select on public.bench_guarded to anon;
alter publication supabase_realtime add table public.bench_changes, public.bench_guarded;
"""


class Client(asyncio.Protocol):
    """A WebSocket with little of its own: ten thousand must fit beside the server."""

    def __init__(self, url: str) -> None:
        self._protocol = ClientProtocol(parse_uri(url), max_size=None)
        self.opened = asyncio.get_running_loop().create_future()
        self.heard: list[tuple[float, Any]] = []
        self._waiting: asyncio.Future[None] | None = None
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            self._protocol.receive_data(data)
            self._protocol.events_received()
            self.opened.set_result(None)
            return
        moment = time.perf_counter()
        self._buffer += data
        # read by hand: a server's frames have no mask, and the library's reader costs as much as
        # the server's writing
        while len(self._buffer) >= 2:
            length, head = self._buffer[1], 2
            if length == 126:
                length, head = int.from_bytes(self._buffer[2:4], "big"), 4
            if len(self._buffer) < head + length:
                return
            self.heard.append((moment, self._buffer[head : head + length]))
            self._buffer = self._buffer[head + length :]
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(None)

    def send(self, *message: Any) -> None:
        self._protocol.send_text(json.dumps(message).encode())
        self._flush()

    async def until(self, count: int) -> None:
        """Wait until so many frames were heard."""
        while len(self.heard) < count:
            self._waiting = asyncio.get_running_loop().create_future()
            await asyncio.wait_for(self._waiting, 30)

    def close(self) -> None:
        self._transport.close()

    def _flush(self) -> None:
        self._transport.write(b"".join(self._protocol.data_to_send()))


async def open_clients(url: str, count: int) -> list[Client]:
    """So many open sockets."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for start in range(0, count, 200):
        some = [
            loop.create_connection(lambda: Client(url), parts.hostname, parts.port)
            for _ in range(min(200, count - start))
        ]
        made = [client for _, client in await asyncio.gather(*some)]
        await asyncio.gather(*(client.opened for client in made))
        clients += made
    return clients


async def join(clients: list[Client], topic: str, **config: Any) -> None:
    for client in clients:
        payload = {"config": {"presence": {"enabled": False}} | config}
        client.send("1", "1", topic, "phx_join", payload)
    await asyncio.gather(*(client.until(1) for client in clients))


async def fan_out(url: str, process: int, count: int) -> None:
    clients = await open_clients(url, count)
    await join(clients, "realtime:bench", broadcast={"self": True})
    last, each = [], []
    used = cpu_ms(process)
    for number in range(ROUNDS):
        begun = time.perf_counter()
        content = {"type": "broadcast", "event": "x", "payload": {"n": number, "text": "x" * 100}}
        clients[0].send("1", "2", "realtime:bench", "broadcast", content)
        await asyncio.gather(*(client.until(number + 2) for client in clients))
        delays = sorted((client.heard[-1][0] - begun) * 1000 for client in clients)
        last.append(delays[-1])
        each += delays
        await asyncio.sleep(0.1)
    used = cpu_ms(process) - used
    show(f"broadcast to {count} sockets, each", each)
    show(f"broadcast to {count} sockets, the last", last)
    print(f"  {used / ROUNDS:.1f} ms of the server's processor time per broadcast")
    for client in clients:
        client.close()


async def from_database(url: str, database_url: str) -> None:
    """A message inserted in the database, to a subscriber."""
    (client,) = await open_clients(url, 1)
    await join([client], "realtime:bench:db")
    with psycopg.connect(database_url, autocommit=True) as database:
        delays = []
        for number in range(CHANGES):
            begun = time.perf_counter()
            await asyncio.to_thread(
                database.execute, "select realtime.send('{}', 'x', 'bench:db', false)"
            )
            await client.until(number + 2)
            delays.append((client.heard[-1][0] - begun) * 1000)
            await asyncio.sleep(0.01)
    show("realtime.send to one subscriber", delays)
    client.close()


async def changes(url: str, database_url: str, table: str, count: int) -> None:
    """A row inserted, to subscribers of its table."""
    clients = await open_clients(url, count)
    entry = {"event": "INSERT", "schema": "public", "table": table}
    await join(clients, f"realtime:{table}", postgres_changes=[entry])
    await asyncio.gather(*(client.until(2) for client in clients))  # "Subscribed to PostgreSQL"
    with psycopg.connect(database_url, autocommit=True) as database:
        delays = []
        for number in range(CHANGES if count == 1 else CHANGES // 10):
            begun = time.perf_counter()
            await asyncio.to_thread(database.execute, f"insert into {table} (at) values (1)")
            await asyncio.gather(*(client.until(number + 3) for client in clients))
            delays += [(client.heard[-1][0] - begun) * 1000 for client in clients]
            await asyncio.sleep(0.013)
    show(f"postgres_changes of {table}, {count} subscriber(s)", delays)
    for client in clients:
        client.close()


async def silence(url: str, process: int, count: int) -> None:
    """Memory of sockets that joined one topic and say nothing."""
    before = resident_kb(process)
    begun = time.perf_counter()
    clients = await open_clients(url, count)
    opened = time.perf_counter() - begun
    connected = resident_kb(process)
    await join(clients, "realtime:silent")
    joined = resident_kb(process)
    (probe,) = await open_clients(url, 1)
    delays = []
    for number in range(50):
        begun = time.perf_counter()
        probe.send(None, str(number), "phoenix", "heartbeat", {})
        await probe.until(number + 1)
        delays.append((time.perf_counter() - begun) * 1000)
    print(f"{count} silent sockets, opened in {opened:.1f} s")
    print(f"  before {before / 1024:.0f} MB, connected {connected / 1024:.0f} MB,"
          f" joined {joined / 1024:.0f} MB")  # fmt: skip
    print(f"  {(joined - before) / count:.1f} KB per socket with one channel")
    show("  a heartbeat among them", delays)
    for client in [*clients, probe]:
        client.close()


def cpu_ms(process: int) -> float:
    """Processor time a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def resident_kb(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def show(what: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{what:<52} p50 {statistics.median(ordered):7.2f} ms   p99 {p99:7.2f} ms")


@contextlib.contextmanager
def running_stack() -> Iterator[tuple[str, str, int]]:
    """A stack for the benchmark: the socket's address, the database's, the server's process."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o755)  # as root, Postgres runs as another user
        migrations = place / "project" / "supabase" / "migrations"
        migrations.mkdir(parents=True)
        (migrations.parent / "config.toml").write_text(
            'project_id = "bench"\n[realtime]\nmax_concurrent_users = 20000\n'
        )
        (migrations / "20260101000000_bench.sql").write_text(SCHEMA)
        folder = place / "stack"
        command = [sys.executable, "-m", "stack", "--project", str(place / "project")]
        command += ["--folder", str(folder), "up", "--port", "0", "--db-port", "0"]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        try:
            lines = (folder / "env").read_text().splitlines()
            known = dict(line.split("=", 1) for line in lines if "=" in line)
            running = find_running(folder)
            assert running is not None
            url = known["SUPABASE_URL"].replace("http", "ws") + "/realtime/v1/websocket"
            key = known["SUPABASE_PUBLISHABLE_KEY"]
            yield f"{url}?vsn=2.0.0&apikey={key}", known["DATABASE_URL"], running.pid
        finally:
            stop_running(folder)


async def measure(url: str, database_url: str, process: int, chosen: argparse.Namespace) -> None:
    await from_database(url, database_url)
    for table in ("bench_changes", "bench_guarded"):
        await changes(url, database_url, table, 1)
    await changes(url, database_url, "bench_guarded", 100)
    await fan_out(url, process, chosen.sockets)
    await silence(url, process, chosen.silent)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sockets", type=int, default=1000)
    arguments.add_argument("--silent", type=int, default=10_000)
    chosen = arguments.parse_args()
    os.environ.pop("DATABASE_URL", None)
    with running_stack() as (url, database_url, process):
        asyncio.run(measure(url, database_url, process, chosen))


if __name__ == "__main__":
    main()
