"""A sample of the role matrix through the Data API, as a client meets it: status and rows."""

import time
import uuid

import httpx
import jwt
import psycopg
import pytest

from tests.fixtures.people import sign_up, suspend

CELLS = [
    # who          method   path                                        status  rows
    ("visitor",    "GET",   "profiles?id=eq.{owner}",                   200,    0),
    ("stranger",   "GET",   "profiles?id=eq.{owner}",                   200,    1),
    ("visitor",    "GET",   "profile_private",                          401,    None),
    ("stranger",   "GET",   "profile_private?user_id=eq.{owner}",       200,    0),
    ("owner",      "GET",   "profile_private?user_id=eq.{owner}",       200,    1),
    ("stranger",   "PATCH", "profiles?id=eq.{owner}",                   200,    0),
    ("owner",      "PATCH", "profiles?id=eq.{owner}",                   200,    1),
    ("suspended",  "PATCH", "profiles?id=eq.{suspended}",               200,    0),
    ("owner",      "GET",   "ledger_accounts?owner_id=neq.{owner}",     200,    0),
    ("owner",      "GET",   "audit_log",                                200,    0),
    ("service",    "GET",   "profile_private?user_id=eq.{owner}",       200,    1),
    ("owner",      "GET",   "webhook_events",                           404,    None),
    ("owner",      "POST",  "rpc/post_transaction",                     404,    None),
]  # fmt: skip


@pytest.fixture(scope="module")
def clients(guildhall_stack):
    stack = guildhall_stack
    with psycopg.connect(stack.database_url) as db:
        people = {name: sign_up(db, name) for name in ("owner", "stranger", "suspended")}
        suspend(db, people["suspended"])
    made = {"visitor": {}, "service": {"apikey": stack.secret_key}}
    for name, person in people.items():
        claims = {"sub": str(person.id), "role": "authenticated", "exp": time.time() + 3600}
        made[name] = {"authorization": f"Bearer {jwt.encode(claims, stack.jwt_secret, 'HS256')}"}
    ids = {name: str(person.id) for name, person in people.items()}

    def client(name):
        headers = {"apikey": stack.publishable_key, "prefer": "return=representation"}
        return httpx.Client(base_url=f"{stack.url}/rest/v1/", headers=headers | made[name])

    return client, ids


@pytest.mark.parametrize(("who", "method", "path", "status", "rows"), CELLS)
def test_cell(clients, who, method, path, status, rows):
    client, ids = clients
    body = {"PATCH": {"bio": uuid.uuid4().hex}, "POST": {}}.get(method)
    answer = client(who).request(method, path.format(**ids), json=body)
    assert answer.status_code == status, answer.text
    if rows is None:
        assert set(answer.json()) >= {"code", "message"}
    else:
        assert len(answer.json()) == rows
