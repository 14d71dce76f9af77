"""People, their inbox, and the auth service under other settings."""

import dataclasses
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from stack.core.config import load_config
from stack.serve import build
from tests.conftest import STACK_PROJECT, RunningStack

PASSWORD = "correct horse battery"
# of PASSWORD, at the lowest cost: most tests are about something else
CHEAP_HASH = "$2b$04$vas5unzZt1hRSaO8lVZbVu3xT2aqmLqUsD3BrbplnDTQp3zmF91Ei"


@pytest.fixture
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    """A browser with the publishable key, which follows no redirect."""
    with httpx.Client(
        base_url=stack.url + "/auth/v1", headers={"apikey": stack.publishable_key}, timeout=20
    ) as client:
        yield client


@pytest.fixture
def admin(stack: RunningStack) -> Iterator[httpx.Client]:
    """A server with the secret key."""
    with httpx.Client(
        base_url=stack.url + "/auth/v1", headers={"apikey": stack.secret_key}, timeout=20
    ) as client:
        yield client


@pytest.fixture
def db(stack: RunningStack) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def new_email() -> Callable[[], str]:
    return lambda: f"person-{secrets.token_hex(8)}@example.com"


@pytest.fixture
def email(new_email: Callable[[], str]) -> str:
    return new_email()


@pytest.fixture
def inbox(stack: RunningStack) -> Callable[[str], dict[str, Any]]:
    """The newest mail to an address. Fails when there is none."""

    def newest(to: str) -> dict[str, Any]:
        with httpx.Client(base_url=stack.url + "/inbox") as client:
            found = client.get("/messages", params={"to": to}).json()
            assert found, f"no mail to {to}"
            message: dict[str, Any] = client.get(f"/messages/{found[0]['id']}").json()
            return message

    return newest


@pytest.fixture
def person(admin: httpx.Client, new_email: Callable[[], str]) -> Callable[..., dict[str, Any]]:
    """Makes a confirmed user with PASSWORD."""

    def make(**attributes: Any) -> dict[str, Any]:
        body = {"email": new_email(), "email_confirm": True, **attributes}
        if "password" not in body:
            body["password_hash"] = CHEAP_HASH
        made = admin.post("/admin/users", json=body)
        assert made.status_code == 200, made.text
        return dict(made.json())

    return make


@pytest.fixture
def sign_in(api: httpx.Client) -> Callable[..., dict[str, Any]]:
    def begin(email: str, password: str = PASSWORD) -> dict[str, Any]:
        answered = api.post(
            "/token?grant_type=password", json={"email": email, "password": password}
        )
        assert answered.status_code == 200, answered.text
        return dict(answered.json())

    return begin


Variant = Callable[..., Any]


@pytest.fixture
async def variant(stack: RunningStack) -> AsyncIterator[Variant]:
    """Starts the auth service with other `[auth]` settings, in this process, on the same database.

    Called with the settings to change; answers an httpx client with the publishable key.
    """
    async with AsyncExitStack() as cleanup:

        async def start(settings: Mapping[str, Any]) -> httpx.AsyncClient:
            database_url = urlsplit(stack.environment["DATABASE_URL"])
            config = load_config(
                STACK_PROJECT,
                stack.folder,
                api_port=urlsplit(stack.url).port,
                db_port=database_url.port,
            )
            merged = _merge(config.settings, {"auth": settings})
            gateway, services, database = build(dataclasses.replace(config, settings=merged))
            service = services["/auth/v1"]
            await service.start()
            cleanup.push_async_callback(database.close)
            cleanup.push_async_callback(service.stop)
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(gateway),
                base_url=stack.url + "/auth/v1",
                headers={"apikey": stack.publishable_key},
                timeout=20,
            )
            return await cleanup.enter_async_context(client)

        yield start


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        inner = merged.get(key)
        is_table = isinstance(value, Mapping) and isinstance(inner, Mapping)
        merged[key] = _merge(inner, value) if is_table else value  # type: ignore[arg-type]
    return merged


def bearer(session: Mapping[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {session['access_token']}"}


@pytest.fixture(name="bearer")
def bearer_fixture() -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """The header of a signed-in request."""
    return bearer
