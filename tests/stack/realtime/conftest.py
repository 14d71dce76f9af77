"""What realtime's Python suites share."""

import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def admin_url(stack):
    """The superuser's login, to cut connections."""
    secrets = json.loads((stack.folder / "secrets.json").read_text())
    assert secrets["db_password"] in stack.database_url
    return stack.database_url.replace("//postgres:", "//supabase_admin:")


@pytest.fixture(scope="session")
def limited_stack(stack_of):
    """A stack whose limits are low."""
    return stack_of(Path(__file__).parent / "limited", "realtime-limited")
