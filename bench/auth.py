"""Sign-ins per second: by password, by refresh token, by the check of a token.

    python bench/auth.py [seconds]

It starts a stack of its own in a temporary folder. The load comes from this process, so on two
cores it takes its share of them. A password costs a bcrypt of cost 10, some 50 ms of a core: the
last line says how many of those alone the machine manages.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bcrypt
import httpx

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "tests" / "stack" / "project"
PASSWORD = "correct horse battery"
PEOPLE = 8

Request = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4
    os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)  # as root, Postgres runs as another user
        folder = Path(name) / "stack"
        stack = [sys.executable, "-m", "stack", "--project", str(PROJECT), "--folder", str(folder)]
        subprocess.run(
            [*stack, "up", "--port", "0", "--db-port", "0"], check=True, stdout=subprocess.DEVNULL
        )
        try:
            lines = (folder / "env").read_text().splitlines()
            asyncio.run(measure(dict(line.split("=", 1) for line in lines), seconds))
        finally:
            subprocess.run([*stack, "down"], check=True, stdout=subprocess.DEVNULL)
    print(f"{'bcrypt alone, 2 threads':<28} {hashes_per_second(seconds):9.1f} /s")


async def measure(environment: dict[str, str], seconds: float) -> None:
    """Print a line per kind of request and number of clients."""
    base = environment["SUPABASE_URL"] + "/auth/v1"
    secret = {"apikey": environment["SUPABASE_SECRET_KEY"]}
    emails = [f"bench-{number}@example.com" for number in range(PEOPLE)]
    sessions: list[dict[str, str]] = []
    limits = httpx.Limits(max_connections=64)
    key = {"apikey": environment["SUPABASE_PUBLISHABLE_KEY"]}
    async with httpx.AsyncClient(base_url=base, headers=key, limits=limits, timeout=60) as client:
        for email in emails:
            body = {"email": email, "password": PASSWORD, "email_confirm": True}
            (await client.post("/admin/users", json=body, headers=secret)).raise_for_status()
            answered = await sign_in(client, len(sessions))
            sessions.append(answered.json())

        async def refresh(client: httpx.AsyncClient, number: int) -> httpx.Response:
            body = {"refresh_token": sessions[number]["refresh_token"]}
            answered = await client.post("/token?grant_type=refresh_token", json=body)
            sessions[number] = answered.json()
            return answered

        async def get_user(client: httpx.AsyncClient, number: int) -> httpx.Response:
            bearer = {"authorization": f"Bearer {sessions[number]['access_token']}"}
            return await client.get("/user", headers=bearer)

        print(f"{'':<20} {'clients':>7} {'per s':>9} {'p50 ms':>8} {'p99 ms':>8}")
        kinds: list[tuple[str, Request]] = [
            ("password", sign_in),
            ("refresh", refresh),
            ("user by token", get_user),
        ]
        for what, request in kinds:
            for clients in (1, 8):
                times = await load(client, request, clients, seconds)
                p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
                print(
                    f"{what:<20} {clients:7} {len(times) / seconds:9.1f}"
                    f" {p50 * 1000:8.1f} {p99 * 1000:8.1f}"
                )


async def sign_in(client: httpx.AsyncClient, number: int) -> httpx.Response:
    body = {"email": f"bench-{number}@example.com", "password": PASSWORD}
    return await client.post("/token?grant_type=password", json=body)


async def load(
    client: httpx.AsyncClient, request: Request, clients: int, seconds: float
) -> list[float]:
    """The times of all requests that `clients` made one after another, in seconds."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        while (began := time.perf_counter()) < end:
            (await request(client, number)).raise_for_status()
            times.append(time.perf_counter() - began)

    await asyncio.gather(*(one(number) for number in range(clients)))
    return times


def hashes_per_second(seconds: float) -> float:
    """What two threads of bcrypt alone manage."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10))
    end = time.perf_counter() + seconds

    def compare(_: int) -> int:
        count = 0
        while time.perf_counter() < end:
            bcrypt.checkpw(PASSWORD.encode(), hashed)
            count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(compare, range(2))) / seconds


if __name__ == "__main__":
    main()
