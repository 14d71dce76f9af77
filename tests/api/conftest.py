"""An api for the tests of one file, with routes that change something."""

from typing import Any

import pytest

from tests.fixtures.serving import Served, routes, serve


@pytest.fixture(scope="module")
def served(run_databases) -> Any:
    """For files whose tests do not disturb each other."""
    with run_databases.clone() as name, serve(run_databases.url(name), routes()) as running:
        yield running


@pytest.fixture
def unlimited(served: Served) -> Served:
    """Where the number of requests is not what is tested."""
    served.execute("update private.rate_tiers set requests_per_hour = null, burst = null")
    served.app.state.limits._tiers.clear()
    return served
