"""One Postgres cluster: made, started, watched, stopped."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import psycopg

from stack.core.config import Config
from stack.core.errors import StackError
from stack.postgres.binaries import Installation, find_installation, is_reachable, shelter

_NEEDED_BYTES = 200 * 1024 * 1024
_START_SECONDS = 30
_STOP_SECONDS = 20
_PR_SET_PDEATHSIG = 1


class Cluster:
    """The Postgres of one stack folder. Blocking: started before the services, stopped after."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._installation: Installation | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.log_file = config.folder / "logs" / "postgres.log"

    @property
    def data(self) -> Path:
        return self._config.folder / "postgres"

    def start(self) -> None:
        """Start it, made first when it is new; return once it takes connections.

        Errors: StackError: port taken, disk full, folder unreadable, not installed.
        """
        self._installation = find_installation()
        self._settle_data_folder()
        self._stop_left_over()
        _require_free_port(self._config.db_port, "STACK_DB_PORT")
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = self._spawn([self._program("postgres"), *self._flags()], log)
        self._wait_until_ready()

    def stop(self) -> None:
        """Fast shutdown: open transactions roll back, everything committed is on disk."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def destroy(self) -> None:
        """Remove the data of a stopped cluster."""
        self._stop_left_over()
        if self.data.is_symlink():
            shutil.rmtree(self.data.resolve(), ignore_errors=True)
            self.data.unlink()
        elif self.data.exists():
            shutil.rmtree(self.data)

    def _settle_data_folder(self) -> None:
        uid = self._installation.uid if self._installation else None
        if self.data.exists():
            return
        self.data.unlink(missing_ok=True)  # a link whose target is gone
        try:
            if uid is not None and not is_reachable(self._config.folder):
                place = shelter(self.data)
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.data.symlink_to(place)
            else:
                self.data.mkdir(mode=0o700)
            if uid is not None:
                os.chown(self.data, uid, uid)
        except OSError as error:
            raise StackError(f"cannot make the data folder {self.data}: {error}") from error

    def _initialise(self) -> None:
        free = shutil.disk_usage(self.data).free
        if free < _NEEDED_BYTES:
            raise StackError(
                f"the disk of {self.data} has {free // 2**20} MB free, a new database needs"
                f" {_NEEDED_BYTES // 2**20}: free some space or choose another folder"
            )
        with tempfile.NamedTemporaryFile("w") as password:
            password.write(self._config.secrets.db_password)
            password.flush()
            if self._installation and self._installation.uid is not None:
                os.chown(password.name, self._installation.uid, self._installation.uid)
            # sorted as hosted projects sort: ICU, en-US
            made = self._spawn(
                [
                    self._program("initdb"), "-D", str(self.data), "-U", "supabase_admin",
                    "--auth=scram-sha-256", f"--pwfile={password.name}", "-E", "UTF8",
                    "--locale=C", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync",
                ],
                subprocess.PIPE,
            )  # fmt: skip
            output, _ = made.communicate()
        if made.returncode != 0:
            for leftover in self.data.iterdir():
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            raise StackError(_explain(output.decode(errors="replace"), self.data))

    def _flags(self) -> list[str]:
        settings: dict[str, Any] = {
            "listen_addresses": "127.0.0.1",
            "port": self._config.db_port,
            "unix_socket_directories": "",  # paths below deep folders are too long for sockets
            "max_connections": 200,
            "wal_level": "logical",
            "max_wal_size": "512MB",
            "min_wal_size": "64MB",
            "shared_preload_libraries": "pg_stat_statements",
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._config.is_durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = ["-D", str(self.data)]
        for name, value in settings.items():
            flags += ["-c", f"{name}={value}"]
        return flags

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.is_running():
                raise StackError(_explain(tail(self.log_file), self.data))
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self._config.db_url("supabase_admin"), connect_timeout=2).close()
                return
            time.sleep(0.02)
        self.stop()
        raise StackError(
            f"Postgres did not answer within {_START_SECONDS} s: {tail(self.log_file)}"
        )

    def _stop_left_over(self) -> None:
        """End a Postgres that outlived its parent; forget a lock whose owner is gone."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        if _is_postgres(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + _STOP_SECONDS
            while _is_postgres(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            if _is_postgres(pid):
                os.kill(pid, signal.SIGQUIT)
                time.sleep(1)
        lock.unlink(missing_ok=True)

    def _program(self, name: str) -> str:
        if self._installation is None:
            raise StackError("Postgres is not installed")
        return self._installation.program(name)

    def _spawn(self, command: list[str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        options: dict[str, Any] = {}
        if self._installation and self._installation.uid is not None:
            uid = self._installation.uid
            options = {"user": uid, "group": uid, "extra_groups": []}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.data,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
            | {key: os.environ[key] for key in ("SYSTEMROOT", "TEMP") if key in os.environ},
            preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            start_new_session=True,  # a Ctrl-C at the terminal is ours to handle
            **options,
        )


def die_with_parent() -> None:
    """In a child, before exec (Linux): be interrupted when the parent is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def tail(file: Path, lines: int = 8) -> str:
    """The last lines of a log, for a message."""
    with contextlib.suppress(OSError):
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
    return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def _is_postgres(pid: int) -> bool:
    with contextlib.suppress(OSError):
        if Path("/proc/self").exists():
            return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
        os.kill(pid, 0)
        return True
    return False


def _require_free_port(port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"port {port} is taken: stop what listens there, or set {variable}"
            ) from error


def _explain(output: str, data: Path) -> str:
    """Turn what Postgres printed into what a person can do."""
    if "No space left on device" in output:
        return f"the disk of {data} is full: free some space and start again"
    if "Permission denied" in output:
        return (
            f"Postgres may not use {data} or its own programs: check their owner and mode\n{output}"
        )
    if "database files are incompatible" in output:
        return f"{data} was made by another Postgres version: `make reset` makes a new one"
    return f"Postgres did not start:\n{output}"
