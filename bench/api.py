"""Requests a second and latency of the api under RLS, and what counting costs the Data API.

    python bench/api.py [seconds]

It starts a stack of its own in a temporary folder; the load comes from this process over keep-alive
connections. The person it makes for that is an admin, so that no limit counts.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

ROOT = Path(__file__).parent.parent
CONNECTIONS = (1, 8, 32)
CALLS = 2000


def main() -> None:
    """Print a Markdown table of each measurement."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4
    os.environ.pop("DATABASE_URL", None)
    with _stack() as env:
        _measure(env, seconds)


@contextmanager
def _stack() -> Iterator[dict[str, str]]:
    """What clients must know of a stack that runs until the block ends."""
    with tempfile.TemporaryDirectory(prefix="guildhall-bench-") as name:
        Path(name).chmod(0o755)  # as root, Postgres runs as another user
        folder = Path(name) / "stack"
        stack = [sys.executable, "-m", "stack", "--project", str(ROOT), "--folder", str(folder)]
        subprocess.run(
            [*stack, "up", "--port", "0", "--db-port", "0"], check=True, stdout=subprocess.DEVNULL
        )
        try:
            lines = (folder / "env").read_text().splitlines()
            env = dict(line.split("=", 1) for line in lines)
            transport = httpx.HTTPTransport(retries=10)  # the api starts beside the stack
            with httpx.Client(transport=transport, trust_env=False) as client:
                client.get(env["API_URL"] + "/readyz").raise_for_status()
            yield env
        finally:
            subprocess.run([*stack, "down"], check=True, stdout=subprocess.DEVNULL)


def _measure(env: dict[str, str], seconds: float) -> None:
    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as db, _somebody(env, db) as token:
        shown = {"authorization": f"Bearer {token}", "apikey": env["SUPABASE_PUBLISHABLE_KEY"]}
        rows = (
            ("no database: GET /healthz", env["API_URL"], "/healthz"),
            ("as the caller: GET /me", env["API_URL"], "/me"),
            ("through the gateway: GET /functions/v1/me", env["SUPABASE_URL"], "/functions/v1/me"),
            ("the Data API beside it: own roles", env["SUPABASE_URL"], "/rest/v1/role_assignments"),
        )
        print("| What | Connections | Requests/s | p50 ms | p99 ms |")
        print("| --- | --- | --- | --- | --- |")
        for title, url, path in rows:
            for count in CONNECTIONS:
                times = asyncio.run(_load(url, path, shown, count, seconds))
                rate, cuts = len(times) / seconds, statistics.quantiles(times, n=100)
                print(f"| {title} | {count} | {rate:.0f} | {cuts[49]:.1f} | {cuts[98]:.1f} |")
        _cost_of_counting(db)


@contextmanager
def _somebody(env: dict[str, str], db: psycopg.Connection) -> Iterator[str]:
    """A member who signed in by password, so that the token is what clients have (ES256)."""
    email, password = f"bench.{uuid.uuid4().hex}@example.com", uuid.uuid4().hex
    admin = {"apikey": env["SUPABASE_SECRET_KEY"]}
    with httpx.Client(base_url=env["SUPABASE_URL"] + "/auth/v1", trust_env=False) as auth:
        body = {"email": email, "password": password, "email_confirm": True}
        user_id = auth.post("/admin/users", json=body, headers=admin).json()["id"]
        db.execute("insert into role_assignments (user_id, role) values (%s, 'admin')", [user_id])
        answer = auth.post("/token?grant_type=password", json=body, headers={
            "apikey": env["SUPABASE_PUBLISHABLE_KEY"]
        })  # fmt: skip
    try:
        yield str(answer.json()["access_token"])
    finally:
        db.execute("delete from auth.users where id = %s", [user_id])


async def _load(
    url: str, path: str, headers: dict[str, str], count: int, seconds: float
) -> list[float]:
    """Milliseconds of every request that `count` connections got through in time."""
    where = urlsplit(url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\nhost: {where.netloc}\r\n{lines}\r\n".encode()
    times: list[float] = []
    stop_at = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        while (started := time.perf_counter()) < stop_at:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head.decode()
            length = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
            times.append((time.perf_counter() - started) * 1000)
        writer.close()

    await asyncio.gather(*(one() for _ in range(count)))
    return times


def _cost_of_counting(db: psycopg.Connection) -> None:
    """A member's smallest write at the Data API, with and without the pre-request function."""
    member = db.execute("select id from profiles where deleted_at is null limit 1").fetchone()
    assert member is not None
    claims = json.dumps({"role": "authenticated", "sub": str(member[0])})
    setup = (
        "select set_config('role', 'authenticated', true),"
        f" set_config('request.jwt.claims', '{claims}', true),"
        " set_config('request.method', 'POST', true), set_config('request.headers', '{}', true)"
    )
    print("\n| In the database, one connection | median µs | p99 µs |")
    print("| --- | --- | --- |")
    db.execute("update private.rate_tiers set burst = 1000000 where tier = 'member'")
    try:
        for title, statement in (
            ("a transaction with a caller's settings", "select 1"),
            ("the same, counted", "select private.check_request()"),
        ):
            times = []
            for _ in range(CALLS):
                started = time.perf_counter()
                with db.transaction():
                    db.execute(setup.encode())
                    db.execute(statement.encode())
                times.append((time.perf_counter() - started) * 1e6)
            cuts = statistics.quantiles(times, n=100)
            print(f"| {title} | {cuts[49]:.0f} | {cuts[98]:.0f} |")
    finally:
        db.execute("update private.rate_tiers set burst = 100 where tier = 'member'")


if __name__ == "__main__":
    main()
