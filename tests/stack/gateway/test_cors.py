"""Browsers of any origin may call the services; a preflight repeats nothing but header names."""

import httpx
import pytest

from tests.stack.gateway.wire import send

ORIGIN = "https://app.example"
PATHS = ["/rest/v1/x", "/auth/v1/token", "/storage/v1/object/x", "/functions/v1/x"]


@pytest.mark.parametrize("path", PATHS)
def test_preflight(stack, path):
    answer = httpx.options(
        stack.url + path,
        headers={
            "origin": ORIGIN,
            "access-control-request-method": "PATCH",
            "access-control-request-headers": "apikey,authorization,x-client-info,prefer",
        },
    )
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == (
        "apikey,authorization,x-client-info,prefer"
    )
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "asked", [b"x\xff", b"a:b", b"a;b=c", b'"quoted"', b"<script>", b"a\tb", b"a" * 5000, b""]
)
def test_odd_header_names_are_not_repeated(stack, asked):
    answer = send(
        stack.url,
        "OPTIONS /rest/v1/x HTTP/1.1",
        "host: 127.0.0.1",
        f"origin: {ORIGIN}",
        b"access-control-request-headers: " + asked,
    )
    assert answer.status == 200
    assert "access-control-allow-headers: *\r\n" in answer.head + "\r\n"


def test_a_line_break_in_an_origin_injects_nothing(stack):
    answer = send(
        stack.url,
        "GET /auth/v1/settings HTTP/1.1",
        "host: 127.0.0.1",
        "origin: x\rset-cookie: a=b",
    )
    assert answer is None or answer.status == 400
    assert answer is None or "set-cookie" not in answer.head.lower()


def test_answers_and_refusals_may_be_read(stack):
    for key, status in ((stack.publishable_key, 200), ("wrong", 401)):
        answer = httpx.get(
            f"{stack.url}/auth/v1/settings", headers={"origin": ORIGIN, "apikey": key}
        )
        assert answer.status_code == status
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]
        assert "Content-Range" in answer.headers["access-control-expose-headers"]
