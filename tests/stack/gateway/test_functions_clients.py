"""supabase-py, sync and async, calls functions through the gateway."""

import json
import time

import pytest
from supabase_functions.errors import FunctionsHttpError

from supabase import create_async_client, create_client


def started(invoke):
    """The api starts beside the stack and may need a moment."""
    for _ in range(100):
        try:
            return invoke("echo")
        except FunctionsHttpError:
            time.sleep(0.1)
    raise AssertionError("no api")


def test_sync(stack):
    functions = create_client(stack.url, stack.publishable_key).functions
    started(functions.invoke)
    told = json.loads(functions.invoke("echo", {"body": {"a": 1}, "headers": {"x-mine": "yes"}}))
    assert told["method"] == "POST"
    assert told["headers"]["x-mine"] == "yes"
    with pytest.raises(FunctionsHttpError):
        functions.invoke("fail")


async def test_async(stack):
    functions = (await create_async_client(stack.url, stack.publishable_key)).functions
    started(create_client(stack.url, stack.publishable_key).functions.invoke)
    assert await functions.invoke("text", {"body": "plain"}) == b"plain"
