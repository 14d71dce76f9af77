"""Stacks of their own for tests that break them."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.stack.commands.commands import Commands, wait_until


@pytest.fixture
def place():
    """An empty folder that any user may enter: as root, Postgres runs as another one."""
    with tempfile.TemporaryDirectory(prefix="guildhall-commands-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def project(place):
    folder = place / "project"
    (folder / "supabase" / "migrations").mkdir(parents=True)
    return folder


@pytest.fixture
def commands(place, project, monkeypatch):
    """A stack that has not been started; stopped and removed afterwards, whatever happened."""
    for name in ("DATABASE_URL", "STACK_API_PORT", "STACK_DB_PORT"):
        monkeypatch.delenv(name, raising=False)
    one = Commands(project, place / "stack")
    yield one
    one.environment = {}
    one.run("reset")
    assert wait_until(lambda: one.running() is None)


@pytest.fixture(scope="session")
def as_root():
    if os.geteuid() != 0:
        pytest.skip("needs root")
