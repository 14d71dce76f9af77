"""Every measurement, one after another: `python -m bench [name …]`."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> int:
    """Run the named scripts, all without a name; the number that failed."""
    wanted = sys.argv[1:] or sorted(
        file.stem for file in FOLDER.glob("[a-z]*.py") if file.stem != "ground"
    )
    failed = 0
    for name in wanted:
        print(f"\n== {name}", flush=True)
        failed += (
            subprocess.run([sys.executable, FOLDER / f"{name}.py"], check=False).returncode > 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
