"""Log lines are JSON and hold no secret, whoever wrote it into them."""

import json
import logging

import pytest

from workers.core.log import JsonFormatter

KNOWN = ["postgresql://postgres:p%40ss-word@db/postgres", "whsec_one", "plain-known-secret"]
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def _line(message, *arguments, exc_info=None, **extra):
    record = logging.LogRecord("n", logging.INFO, "f", 1, message, arguments, exc_info)
    vars(record).update(extra)
    text = JsonFormatter(KNOWN).format(record)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    "secret",
    [
        "plain-known-secret",
        "p%40ss-word",
        "p@ss-word",
        TOKEN,
        "sb_secret_abcdefgh",
        "sk_live_abc123",
        "whsec_other",
        "rk_test_abc",
    ],
)
def test_hidden_anywhere(secret):
    assert secret not in _line("calling with %s now", secret)
    assert secret not in _line("x", **{"note": {"deep": [secret]}})
    error = ValueError(f"broken by {secret}")
    assert secret not in _line("x", exc_info=(ValueError, error, None))


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hide-me",
        "authorization=Basic hide-me",
        "{'apikey': 'hide-me'}",
        '"access_token": "hide-me"',
        "GET /x?token=hide-me&y=1",
        "Cookie: hide-me",
        "stripe-signature: t=1,v1=hide-me",
        "redis://:hide-me@cache/0",
        "password = hide-me",
    ],
)
def test_hidden_by_its_name(text):
    assert "hide-me" not in _line(text)


def test_fields_named_like_secrets_are_hidden():
    line = json.loads(_line("x", authorization="hide-me", status=200, x_signature=["hide-me"]))
    assert (line["authorization"], line["x_signature"]) == ("***", "***")
    assert line["status"] == 200


def test_a_line_cannot_be_forged():
    line = json.loads(_line('first\n{"level": "error"}\r\n\x1b[31m'))
    assert line["message"].startswith("first\n")
    assert line["level"] == "info"
