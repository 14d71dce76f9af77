"""A sandbox per test, and every provider's adapter pointed at it."""

import pytest

from tests.fixtures.sandboxing import HURRIED_SECONDS, serve_sandbox
from tests.payments.contract.case import cases

CASES = cases()


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request):
    return request.param


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
async def gateway(case, sandbox):
    """The provider's adapter, closed at the end."""
    made = case.provider(sandbox.settings())
    yield made
    await made.aclose()


@pytest.fixture
async def at_fault(case, sandbox, gateway):
    """The adapter for a call that breaks: one that is never answered is waited for less."""
    hurried = case.provider(sandbox.settings(provider_timeout_seconds=HURRIED_SECONDS))
    yield lambda fault: hurried if fault.startswith("timeout") else gateway
    await hurried.aclose()
