"""How fast storage takes and gives: MB/s of large files, requests/s of small ones, memory.

    python bench/storage.py [--url URL --key KEY]

Without a URL it starts a stack of its own (fsync off) and stops it. The client is one Python
process with raw sockets, so that it is not the client that is measured.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "tests" / "stack" / "project"
MIB = 1024 * 1024


async def call(url: str, head: str, body: bytes = b"") -> int:
    """One request over a connection of its own; the number of body bytes that came back."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=4 * MIB)
    try:
        writer.write(head.encode())
        for start in range(0, len(body), MIB):
            writer.write(body[start : start + MIB])
            await writer.drain()
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(status.decode() + (await reader.read(2000)).decode())
        length = 0
        while (line := await reader.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        left = length
        while left:
            left -= len(await reader.read(min(left, 4 * MIB)))
        return length
    finally:
        writer.close()


class Bench:
    def __init__(self, url: str, key: str, bucket: str) -> None:
        self.url, self.key, self.bucket = url, key, bucket

    def head(self, method: str, path: str, *lines: str) -> str:
        auth = f"authorization: Bearer {self.key}"
        start = f"{method} /storage/v1/object/{path} HTTP/1.1"
        return "\r\n".join([start, "host: x", "connection: close", auth, *lines, "", ""])

    async def upload(self, name: str, data: bytes) -> None:
        size = f"content-length: {len(data)}"
        await call(self.url, self.head("POST", f"{self.bucket}/{name}", size), data)

    async def upload_form(self, name: str, data: bytes) -> None:
        body = (
            b'--b\r\ncontent-disposition: form-data; name=""; filename="a"\r\n'
            b"content-type: text/plain\r\n\r\n" + data + b"\r\n--b--\r\n"
        )
        lines = (f"content-length: {len(body)}", "content-type: multipart/form-data; boundary=b")
        await call(self.url, self.head("POST", f"{self.bucket}/{name}", *lines), body)

    async def download(self, name: str) -> None:
        await call(self.url, self.head("GET", f"{self.bucket}/{name}"))


async def measure(bench: Bench, megabytes: int, connections: int) -> None:
    data = os.urandom(MIB) * megabytes
    for label, send in (("bytes", bench.upload), ("form", bench.upload_form)):
        started = time.perf_counter()
        await asyncio.gather(*(send(f"{label}{n}", data) for n in range(connections)))
        show(f"upload {label}", megabytes * connections, connections, started)
    started = time.perf_counter()
    await asyncio.gather(*(bench.download(f"bytes{n}") for n in range(connections)))
    show("download", megabytes * connections, connections, started)


async def measure_small(bench: Bench, connections: int, seconds: float = 3.0) -> None:
    for label, action in (
        ("upload 1 KiB", lambda: bench.upload(str(uuid4()), b"x" * 1024)),
        ("download 1 KiB", lambda: bench.download("small")),
    ):
        times: list[float] = []
        end = time.perf_counter() + seconds

        async def work(action=action, times=times, end=end) -> None:
            while (started := time.perf_counter()) < end:
                await action()
                times.append((time.perf_counter() - started) * 1000)

        await asyncio.gather(*(work() for _ in range(connections)))
        p99 = statistics.quantiles(times, n=100)[98]
        print(
            f"{label:16} {connections:2} connections {len(times) / seconds:7.0f} req/s"
            f"  p50 {statistics.median(times):5.1f} ms  p99 {p99:5.1f} ms"
        )


def show(label: str, megabytes: float, connections: int, started: float) -> None:
    rate = megabytes / (time.perf_counter() - started)
    print(f"{label:16} {connections:2} connections {rate:7.0f} MiB/s")


async def run(url: str, key: str) -> None:
    bucket = f"bench-{uuid4()}"
    headers = {"apikey": key, "authorization": f"Bearer {key}"}
    base = f"{url}/storage/v1"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as http:
        (await http.post("/bucket", json={"name": bucket})).raise_for_status()
        bench = Bench(url, key, bucket)
        await bench.upload("small", b"x" * 1024)
        for connections in (1, 8):
            await measure_small(bench, connections)
        for connections in (1, 4):
            await measure(bench, 45, connections)
            (await http.post(f"/bucket/{bucket}/empty")).raise_for_status()
            await bench.upload("small", b"x" * 1024)
        await http.post(f"/bucket/{bucket}/empty")
        await http.delete(f"/bucket/{bucket}")


def stack(folder: Path, *arguments: str) -> None:
    place = ["--project", str(PROJECT), "--folder", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "stack", *place, *arguments],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )


def resident_mib(folder: Path) -> float:
    pid = (folder / "pid").read_text().strip()
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--key")
    given = parser.parse_args()
    if given.url:
        asyncio.run(run(given.url, given.key))
        return
    with tempfile.TemporaryDirectory(prefix="bench-storage-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        stack(folder, "up", "--port", "0", "--db-port", "0", "--no-fsync")
        try:
            lines = (folder / "env").read_text().splitlines()
            env = dict(line.split("=", 1) for line in lines)
            asyncio.run(run(env["SUPABASE_URL"], env["SUPABASE_SERVICE_ROLE_KEY"]))
            print(f"most memory the stack's process ever had: {resident_mib(folder):.0f} MiB")
        finally:
            stack(folder, "down")


if __name__ == "__main__":
    main()
