"""The examples that use the generated types run, and tell the same."""

import os
import subprocess
import sys

import pytest

from stack.postgres.official_cli import node

COMMANDS = [
    [node(), "examples/profiles.ts"],
    [sys.executable, "-m", "examples.profiles"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=["typescript", "python"])
def test_it_tells_who_is_public(guildhall_stack, pytestconfig, command):
    done = subprocess.run(
        command,
        cwd=pytestconfig.rootpath,
        env=os.environ | guildhall_stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "sofia: Sofia. Sells tea, and pays for good films about it." in lines
    assert not any(line.startswith("mateo") for line in lines)
