"""How long a stack takes to be ready: cold (no data yet), warm (stopped before), after a kill.

    python bench/start.py [--project tests/stack/project] [--runs 5]

Each figure is the time from the command to "Ready", the first answer included; fsync is on.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from stack.running import find_running, stop_running


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--project", type=Path, default=Path("tests/stack/project"))
    arguments.add_argument("--runs", type=int, default=5)
    chosen = arguments.parse_args()
    os.environ.pop("DATABASE_URL", None)
    figures: dict[str, list[float]] = {"cold": [], "warm": [], "after kill -9": [], "stop": []}
    for _ in range(chosen.runs):
        with tempfile.TemporaryDirectory(dir="/tmp") as name:
            place = Path(name)
            place.chmod(0o755)  # as root, Postgres runs as another user
            folder = place / "stack"
            figures["cold"].append(_up(chosen.project, folder))
            figures["stop"].append(_timed(lambda folder=folder: stop_running(folder)))
            figures["warm"].append(_up(chosen.project, folder))
            running = find_running(folder)
            assert running is not None
            os.kill(running.pid, signal.SIGKILL)
            figures["after kill -9"].append(_up(chosen.project, folder))
            stop_running(folder)
    print(f"{'':<14} {'median':>8} {'worst':>8}   (seconds, {chosen.runs} runs)")
    for what, seconds in figures.items():
        print(f"{what:<14} {statistics.median(seconds):8.2f} {max(seconds):8.2f}")


def _up(project: Path, folder: Path) -> float:
    command = [sys.executable, "-m", "stack", "--project", str(project), "--folder", str(folder)]

    def start() -> None:
        subprocess.run(
            [*command, "up", "--port", "0", "--db-port", "0"], check=True, capture_output=True
        )
        running = find_running(folder)
        assert running is not None
        urlopen(f"http://127.0.0.1:{running.api_port}/health").read()

    return _timed(start)


def _timed(action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
