"""`/functions/v1/*` reaches the project's api, and nothing else."""

import asyncio
import dataclasses
import json
from types import SimpleNamespace

import httpx
import pytest

from stack.core.config import load_config
from stack.gateway.app import Gateway
from stack.gateway.functions import FunctionsProxy
from tests.stack.gateway.wire import send


class Upstream:
    """An api that tells what it was sent, byte for byte."""

    def __init__(self):
        self.requests = []

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(
            (
                int(line.split(":")[1])
                for line in head.lower().splitlines()
                if line.startswith("content-length:")
            ),
            0,
        )
        body = await reader.readexactly(length)
        self.requests.append((head, body))
        path = head.split(" ")[1]
        extra = b""
        status = b"200 OK"
        if "redirect" in path:
            status, extra = b"302 Found", b"location: http://169.254.169.254/\r\n"
        if "cors" in path:
            extra = b"access-control-allow-origin: https://own.example\r\n"
        content = json.dumps({"path": path, "length": len(body)}).encode()
        writer.write(
            b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\n" + extra
            + b"connection: close, x-hop\r\nx-hop: 1\r\nkeep-alive: 5\r\n"
            + b"set-cookie: a=1\r\nset-cookie: b=2\r\n"
            + f"content-length: {len(content)}\r\n\r\n".encode() + content
        )  # fmt: skip
        await writer.drain()
        writer.close()


@pytest.fixture
async def upstream():
    found = Upstream()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


@pytest.fixture
async def client(upstream, tmp_path):
    config = dataclasses.replace(
        load_config(tmp_path, tmp_path / "stack", api_port=1, db_port=1),
        services={"api": {"port": upstream.port}},
    )
    proxy = FunctionsProxy(SimpleNamespace(config=config))
    await proxy.start()
    doorkeeper = SimpleNamespace(credentials=lambda **_: None)
    transport = httpx.ASGITransport(Gateway(doorkeeper, {"/functions/v1": proxy}, {}))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as one:
        yield one
    await proxy.stop()


async def test_body_headers_and_query_arrive(client, upstream):
    answer = await client.post(
        "/functions/v1/hello/wörld?a=1&a=2&b=%2F",
        content=b"\x00\xff body",
        headers={"x-mine": "yes", "authorization": "Bearer t", "apikey": "k"},
    )
    assert answer.json() == {"path": "/functions/v1/hello/w%C3%B6rld?a=1&a=2&b=%2F", "length": 7}
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    head, body = upstream.requests[0]
    assert body == b"\x00\xff body"
    for line in ("x-mine: yes", "authorization: Bearer t", "apikey: k"):
        assert line in head
    assert f"host: 127.0.0.1:{upstream.port}" in head.lower()


async def test_hop_by_hop_headers_stay_here(client, upstream):
    answer = await client.get(
        "/functions/v1/x",
        headers={
            "connection": "x-secret-hop, keep-alive",
            "x-secret-hop": "1",
            "te": "trailers",
            "proxy-authorization": "Basic x",
            "upgrade": "h2c",
            "x-forwarded-for": "6.6.6.6",
            "forwarded": "for=6.6.6.6",
        },
    )
    head = upstream.requests[0][0].lower()
    for name in ("x-secret-hop", "\nte:", "proxy-authorization", "upgrade", "6.6.6.6"):
        assert name not in head
    assert "x-forwarded-for: 127.0.0.1" in head
    assert "x-hop" not in answer.headers
    assert "keep-alive" not in answer.headers


async def test_no_header_comes_twice(stack):
    for _ in range(100):  # the api starts beside the stack and may need a moment
        answer = httpx.get(f"{stack.url}/functions/v1/echo")
        if answer.status_code == 200:
            break
        await asyncio.sleep(0.1)
    names = [name.lower() for name, _ in answer.headers.raw]
    assert answer.status_code == 200
    assert len(names) == len(set(names)), names


async def test_redirects_are_the_clients_to_follow(client, upstream):
    answer = await client.get("/functions/v1/redirect")
    assert answer.status_code == 302
    assert answer.headers["location"] == "http://169.254.169.254/"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/functions/v1/../admin",
        "/functions/v1/..%2fadmin",
        "/functions/v1/%2e%2e/admin",
        "/functions/v1/x/%2E%2E/%2E%2E/admin",
        "/functions/v1/.",
        "/functions/v1/x%2f..%2f..%2fadmin",
        "/functions/v1/..%5cadmin",
    ],
)
async def test_paths_do_not_climb(stack, path):
    answer = send(stack.url, f"GET {path} HTTP/1.1", "host: 127.0.0.1")
    assert answer.status == 400
    assert b"the path climbs" in answer.body


@pytest.mark.parametrize(
    "path", ["/functions/v1/@evil.example/", "/functions/v1//evil.example/", "/functions/v1/x:80"]
)
async def test_the_target_is_configured_not_asked_for(client, upstream, path):
    await client.get(path, headers={"host": "evil.example"})
    assert len(upstream.requests) == 1
    assert f"host: 127.0.0.1:{upstream.port}" in upstream.requests[0][0].lower()


async def test_a_functions_own_cors_answer_is_not_doubled(client):
    origin = {"origin": "https://own.example"}
    own = await client.get("/functions/v1/cors", headers=origin)
    assert own.headers.get_list("access-control-allow-origin") == ["https://own.example"]
    ours = await client.get("/functions/v1/x", headers=origin)
    assert ours.headers.get_list("access-control-allow-origin") == ["*"]


async def test_too_much_is_refused(client, upstream):
    answer = await client.post("/functions/v1/x", content=bytes(11 * 1024 * 1024))
    assert answer.status_code == 413
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("services", "status", "code"),
    [({}, 404, "NOT_FOUND"), ({"api": {"port": 1}}, 503, "BOOT_ERROR")],
)
async def test_without_an_api_there_are_no_functions(tmp_path, services, status, code):
    config = dataclasses.replace(
        load_config(tmp_path, tmp_path / "stack", api_port=1, db_port=1), services=services
    )
    proxy = FunctionsProxy(SimpleNamespace(config=config))
    await proxy.start()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(proxy), base_url="http://127.0.0.1"
    ) as client:
        answer = await client.get("/functions/v1/x")
    await proxy.stop()
    assert answer.status_code == status
    assert answer.json()["code"] == code
