"""Thousands of connections that say nothing do not keep the others waiting."""

import asyncio
import contextlib
import resource
import time

import httpx

IDLE = 2000


async def test_idle_connections_do_not_stop_answers(stack):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(IDLE + 500, hard) if hard != resource.RLIM_INFINITY else IDLE + 500
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    host, port = stack.url.removeprefix("http://").split(":")
    sockets = []
    try:
        for _ in range(0, min(IDLE, wanted - 400), 100):
            opened = await asyncio.gather(
                *[asyncio.open_connection(host, int(port)) for _ in range(100)]
            )
            sockets += opened
        assert len(sockets) >= min(IDLE, wanted - 400)
        for number, (_, writer) in enumerate(sockets):
            if number % 2:  # half of them begin a request and leave it there
                writer.write(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n")
        async with httpx.AsyncClient() as client:
            started = time.monotonic()
            for _ in range(50):
                answer = await client.get(f"{stack.url}/health", timeout=10)
                assert answer.status_code == 200
            lasted = time.monotonic() - started
    finally:
        for _, writer in sockets:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    assert lasted < 15, f"50 answers took {lasted:.1f} s"
