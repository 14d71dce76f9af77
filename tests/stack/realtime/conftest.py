"""What realtime's Python suites share."""

import fcntl
import json
from pathlib import Path

import pytest


def admin_of(stack):
    """The superuser's login, to cut connections."""
    secrets = json.loads((stack.folder / "secrets.json").read_text())
    assert secrets["db_password"] in stack.database_url
    return stack.database_url.replace("//postgres:", "//supabase_admin:")


@pytest.fixture(scope="session")
def admin_url(stack):
    return admin_of(stack)


@pytest.fixture
def limited_stack(stack_of):
    """A stack whose limits are low, for one test at a time: they count everybody."""
    started = stack_of(Path(__file__).parent / "limited", "realtime-limited")
    with (started.folder / "one-test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield started
