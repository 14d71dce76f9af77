"""The demo plays through: the story of the README, with the real clients, on the whole stack."""

import os
import subprocess
import sys


def test_the_demo_plays(guildhall_stack, pytestconfig):
    done = subprocess.run(
        [sys.executable, "examples/run.py", "examples/demo.mjs"],
        cwd=pytestconfig.rootpath,
        env=os.environ | {"GUILDHALL_ENV": str(guildhall_stack.folder / "env")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "That was the whole way" in done.stdout
