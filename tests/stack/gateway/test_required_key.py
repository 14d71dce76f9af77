"""With STACK_REQUIRE_API_KEY a service asks for the key as hosted does, but links still open."""

import httpx
import pytest

from stack.core.callers import Doorkeeper
from stack.core.config import load_config
from stack.core.http import send_json
from stack.core.tokens import Keyring
from stack.gateway.app import Gateway

PREFIXES = ("/rest/v1", "/auth/v1", "/storage/v1", "/functions/v1")


async def _served(scope, receive, send):
    await send_json(send, 200, {})


@pytest.fixture
def strict(tmp_path):
    known = load_config(tmp_path).secrets
    door = Doorkeeper(known, Keyring(known.jwt_secret, known.signing_jwk))
    gateway = Gateway(door, dict.fromkeys(PREFIXES, _served), {}, needs_key=True)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(gateway), base_url="http://127.0.0.1:54321"
    )
    return client, known.publishable_key


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rest/v1/todos", 401),
        ("/rest/v1/storage/v1/x", 401),
        ("/auth/v1/token", 401),
        ("/auth/v1/verify/more", 401),
        ("/auth/v1/verify", 200),
        ("/auth/v1/authorize", 200),
        ("/auth/v1/callback", 200),
        ("/auth/v1/.well-known/jwks.json", 200),
        ("/storage/v1/object/public/a/b.png", 200),
        ("/functions/v1/me", 200),
    ],
)
async def test_without_a_key(strict, path, status):
    client, key = strict
    assert (await client.get(path)).status_code == status
    assert (await client.get(path, headers={"apikey": key})).status_code == 200
    wrong = {"apikey": "sb_publishable_wrong"}
    assert (await client.get(path, headers=wrong)).status_code == 401
