"""Clients and buckets of their own for the tests of storage."""

import time
from uuid import uuid4

import httpx
import jwt
import pytest

from supabase import ClientOptions, create_client


@pytest.fixture(scope="session")
def service(stack):
    """Whom no policy binds."""
    return create_client(stack.url, stack.secret_key)


@pytest.fixture(scope="session")
def storage_url(stack):
    return f"{stack.url}/storage/v1"


@pytest.fixture
def http(stack, storage_url):
    """Plain HTTP against storage, with the secret key."""
    headers = {"apikey": stack.secret_key, "authorization": f"Bearer {stack.secret_key}"}
    with httpx.Client(base_url=storage_url, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def bucket(service):
    name = f"b-{uuid4()}"
    service.storage.create_bucket(name)
    return name


@pytest.fixture(scope="session")
def token(stack):
    """Signs a user's token with the shared secret."""

    def sign(user_id, **claims):
        now = int(time.time())
        known = {"sub": user_id, "role": "authenticated", "iat": now, "exp": now + 600}
        return jwt.encode(known | claims, stack.jwt_secret, "HS256")

    return sign


@pytest.fixture(scope="session")
def member(stack, token):
    """A client of the user with this id."""

    def make(user_id):
        headers = {"Authorization": f"Bearer {token(user_id)}"}
        return create_client(
            stack.url, stack.publishable_key, options=ClientOptions(headers=headers)
        )

    return make
