"""No request is too large or too long."""

import socket
import time

import pytest

from tests.fixtures.serving import routes, serve


@pytest.fixture(scope="module")
def small(run_databases):
    with (
        run_databases.clone() as name,
        serve(
            run_databases.url(name), routes(), api_max_body_bytes=2048, api_timeout_seconds=1
        ) as running,
    ):
        yield running


def _chunks(count):
    for _ in range(count):
        yield b"x" * 1024


@pytest.mark.parametrize("path", ["/orders", "/webhooks/stripe", "/me"])
def test_a_body_too_large_is_refused_whether_declared_or_not(small, path):
    _, token = small.person("big")
    for content in (b"x" * 2049, _chunks(5)):
        with small.client(token) as client:
            method = "GET" if path == "/me" else "POST"
            answer = client.request(method, path, content=content)
        assert answer.status_code == 413, answer.text
        assert answer.json()["error"]["code"] == "ops.body_too_large"


@pytest.mark.parametrize("path", ["/sleep", "/idle"])
def test_a_long_one_is_stopped(small, path):
    _, token = small.person("slow")
    started = time.monotonic()
    with small.client(token) as client:
        answer = client.post(path)
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "ops.timed_out"
    assert time.monotonic() - started < 15
    running = small.execute(
        "select count(*) from pg_stat_activity where query like '%%pg_sleep(20)'"
        " and state = 'active' and pid <> pg_backend_pid() and datname = current_database()"
    )
    assert running == [(0,)]


def test_a_body_that_never_ends_is_stopped(small):
    host, port = small.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx")
        assert raw.recv(100).startswith(b"HTTP/1.1 504")
