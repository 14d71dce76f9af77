"""A stack of a test's own, driven through its command line as a person drives it."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from stack.running import Running, find_running

ROOT = Path(__file__).parents[3]


@dataclass(slots=True)
class Commands:
    """`guildhall stack` for one project and folder. `environment` is added to the process's."""

    project: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    launcher: list[str] = field(default_factory=lambda: [sys.executable])
    options: dict[str, object] = field(default_factory=dict)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self._environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **self.options,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            env=self._environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self.options,
        )

    def up(self, *arguments: str) -> dict[str, str]:
        """Start it, insist that it worked, return what `.stack/env` says."""
        done = self.run("up", "--port", "0", "--db-port", "0", "--no-fsync", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.env()

    def env(self) -> dict[str, str]:
        lines = (self.folder / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def running(self) -> Running | None:
        return find_running(self.folder)

    def command(self, *arguments: str) -> list[str]:
        place = ["--project", str(self.project), "--folder", str(self.folder)]
        return [*self.launcher, "-m", "stack", *place, *arguments]

    def postgres_pid(self) -> int:
        return int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])

    def answers(self) -> bool:
        """Both the gateway and Postgres do."""
        env = self.env()
        try:
            health = httpx.get(f"{env['SUPABASE_URL']}/health", timeout=3)
            with psycopg.connect(env["DATABASE_URL"], connect_timeout=3) as connection:
                connection.execute("select 1")
        except (httpx.HTTPError, psycopg.Error):
            return False
        return health.status_code == 200

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONUNBUFFERED": "1", **self.environment}


def is_alive(pid: int) -> bool:
    """True while the process runs; a zombie does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def wait_until(condition, seconds: float = 20) -> bool:
    """Ask until it holds; whether it did in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(pid))
