"""A sandbox of the test's own, and the adapter pointed at it."""

import pytest

from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.razorpay.shop import Shop
from workers.payments.razorpay import Razorpay


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
async def shop(sandbox):
    # nothing is waited for in vain here, so that a busy machine may take its time
    gateway = Razorpay(sandbox.settings(provider_timeout_seconds=30))
    yield Shop(sandbox, gateway)
    await gateway.aclose()
