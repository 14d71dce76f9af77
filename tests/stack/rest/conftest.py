"""Plain HTTP against the Data API, as anyone."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import psycopg
import pytest

MEMBER = "11111111-1111-4111-8111-111111111111"


class Api:
    """The Data API at `/rest/v1`, by path and query."""

    def __init__(self, stack: Any) -> None:
        self._stack = stack
        self._client = httpx.Client(
            base_url=f"{stack.url}/rest/v1/", headers={"apikey": stack.publishable_key}, timeout=30
        )

    def __call__(
        self, method: str, path: str, *, token: str | None = None, **arguments: Any
    ) -> httpx.Response:
        headers = dict(arguments.pop("headers", {}))
        if token:
            headers["authorization"] = f"Bearer {token}"
        return self._client.request(method, path, headers=headers, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self("GET", path, **arguments)

    def rows(self, path: str, **arguments: Any) -> Any:
        """The JSON of a successful GET."""
        answer = self.get(path, **arguments)
        assert answer.is_success, answer.text
        return answer.json()

    def token(self, role: str = "authenticated", **claims: Any) -> str:
        """A token signed with the stack's shared secret."""
        known = {"role": role, "sub": MEMBER, "exp": time.time() + 600, **claims}
        return jwt.encode(known, self._stack.jwt_secret, "HS256")

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="session")
def api(stack: Any) -> Iterator[Api]:
    api = Api(stack)
    yield api
    api.close()


@pytest.fixture
def db(stack: Any) -> Iterator[psycopg.Connection[Any]]:
    """The database as role postgres, each statement committed."""
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        yield connection
