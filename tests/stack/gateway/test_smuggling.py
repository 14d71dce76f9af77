"""Requests that two readers could understand differently are refused, or read in one way only."""

import asyncio
import socket
import time

import httpx
import pytest

from stack.gateway import server
from tests.stack.gateway.wire import connect, read_answer, send

HOST = "host: 127.0.0.1"


@pytest.mark.parametrize(
    "lines",
    [
        ["content-length: 5", "content-length: 6"],
        ["content-length: 5", "transfer-encoding: chunked"],
        ["transfer-encoding: chunked", "content-length: 5"],
        ["content-length: -1"],
        ["content-length: +5"],
        ["content-length: 5, 6"],
        ["transfer-encoding: xchunked"],
        ["transfer-encoding: chunked, identity"],
        ["content-length : 5"],
        [" folded: 5"],
        ["x: a\x00b"],
        ["x: a\rb"],
        [": empty"],
        ["sp ace: 5"],
    ],
)
def test_ambiguous_framing_is_refused_and_the_connection_closed(stack, lines):
    smuggled = b"0\r\n\r\nGET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    with connect(stack.url) as connection:
        request = "\r\n".join(["POST /functions/v1/x HTTP/1.1", HOST, *lines])
        connection.sendall(request.encode("latin-1") + b"\r\n\r\n" + smuggled)
        answer = read_answer(connection)
        rest = b""
        try:
            while piece := connection.recv(65536):
                rest += piece
        except (TimeoutError, ConnectionResetError):
            pass
    assert answer is None or answer.status == 400
    assert b'"status":"ok"' not in (answer.body if answer else b"") + rest


@pytest.mark.parametrize("name", ["apikey", "authorization", "x-api-key"])
def test_two_different_credentials_are_refused(stack, name):
    keys = [stack.publishable_key, stack.secret_key]
    values = keys if name != "authorization" else [f"Bearer {key}" for key in keys]
    answer = send(
        stack.url,
        "GET /auth/v1/settings HTTP/1.1",
        HOST,
        *[f"{name}: {value}" for value in values],
    )
    assert answer.status == 400
    assert f"more than one {name} header".encode() in answer.body
    answer = send(
        stack.url, "GET /rest/v1/x HTTP/1.1", HOST, *[f"{name}: {values[0]}" for _ in range(2)]
    )
    assert answer.status != 400 or b"more than one" not in answer.body


def test_giant_headers(stack):
    line = "GET /health HTTP/1.1"
    assert send(stack.url, line, HOST, "x: " + "a" * 60_000).status == 200
    assert send(stack.url, line, HOST, "x: " + "a" * 70_000).status == 431
    assert send(stack.url, line, HOST, *[f"x{n}: {'a' * 700}" for n in range(100)]).status == 431
    assert send(stack.url, f"GET /{'a' * 70_000} HTTP/1.1", HOST).status == 431


def test_a_header_that_never_ends_is_cut_off(stack):
    with connect(stack.url) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ")
        sent = 0
        try:
            while sent < 10_000_000:
                sent += connection.send(b"a" * 65536)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
    assert sent < 5_000_000, "sockets hold some of it, the server little"


def test_bodies_after_giant_heads_are_not_counted(stack):
    """A large body in small pieces is no large head."""
    answer = httpx.post(
        f"{stack.url}/auth/v1/signup",
        headers={"apikey": stack.publishable_key},
        content=b" " * 200_000 + b"{}",
    )
    assert answer.status_code != 431


@pytest.mark.parametrize(
    "path",
    [
        b"/rest/v1/\xff\xfe",
        b"/\xc3\x28",
        b"/rest/v1/%ff%fe",
        b"/rest/v1/%00",
        b"/%00",
        b"/rest/v1/%zz",
        b"/rest/v1/%",
        b"/auth/v1/user%0d%0aset-cookie:x",
        b"/storage/v1/object/%2e%2e/%2e%2e/etc/passwd",
        b"/tables?table=%ff",
        b"/tables?%00=%00",
        b"/rest/v1/x?select=%ff",
        b"http://evil.example/health",
        b"//evil.example/health",
        b"*",
    ],
)
def test_odd_paths_get_an_answer_that_is_no_accident(stack, path):
    with connect(stack.url) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        answer = read_answer(connection)
    assert answer is None or answer.status < 500
    assert answer is None or "set-cookie" not in answer.head.lower()


PREFIXES = [
    # path                            route
    ("/rest/v1x",                     None),
    ("/rest/v1.",                     None),
    ("/rest/v11/things",              None),
    ("/rest",                         None),
    ("//rest/v1/things",              None),
    ("/rest//v1/things",              None),
    ("/./rest/v1/things",             None),
    ("/REST/v1/things",               None),
    ("/rest%2Fv1/things",             None),
    ("/rest/v%31/things",             None),
    ("/%72est/v1/things",             None),
    ("/rest\\v1/things",              None),
    ("/x/../rest/v1/things",          None),
    ("/rest/v1/../../auth/v1/health", "rest"),
    ("/rest/v1/..%2f..%2fauth/v1/health", "rest"),
    ("/auth/v1/health",               "auth"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "route"), PREFIXES)
def test_a_prefix_is_whole_segments_as_sent(stack, path, route):
    answer = send(stack.url, f"GET {path} HTTP/1.1", HOST, f"apikey: {stack.publishable_key}")
    is_unrouted = b"no Route matched" in answer.body
    assert is_unrouted == (route is None), answer
    if route == "rest":
        assert b"GoTrue" not in answer.body
        assert answer.status == 404


def test_slow_heads_are_closed(monkeypatch):
    """Bytes that trickle in do not hold a connection longer than a whole head may take."""
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.5)
    monkeypatch.setattr(server, "_BODY_SECONDS", 0.5)

    async def app(scope, receive, send_message):
        while (await receive()).get("more_body"):
            pass
        await send_message({"type": "http.response.start", "status": 204, "headers": []})
        await send_message({"type": "http.response.body"})

    async def trickle(port, first, then):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        started = time.monotonic()
        writer.write(first)
        ended = asyncio.create_task(reader.read())
        while not ended.done() and time.monotonic() - started < 4:
            writer.write(then)
            await asyncio.sleep(0.2)
        ended.cancel()
        writer.close()
        return time.monotonic() - started

    async def run():
        listener = socket.create_server(("127.0.0.1", 0))
        one = server.make_server(app)
        serving = asyncio.create_task(one.serve(sockets=[listener]))
        while not one.started:
            await asyncio.sleep(0.01)
        port = listener.getsockname()[1]
        silent = trickle(port, b"", b"")
        head = trickle(port, b"GET / HTTP/1.1\r\n", b"x: y\r\n")
        later = trickle(port, b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HT", b"")
        body = trickle(port, b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n", b"")
        # a body that comes slowly but steadily is no attack
        steady = trickle(port, b"POST / HTTP/1.1\r\ncontent-length: 99\r\n\r\n", b"a")
        lasted = await asyncio.gather(silent, head, later, body, steady)
        one.should_exit = True
        await serving
        return lasted

    *cut, steady = asyncio.run(run())
    assert all(seconds < 3 for seconds in cut), cut
    assert steady > 3
