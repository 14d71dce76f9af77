"""One Postgres cluster: made, started, watched, stopped."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import psycopg

from stack.children import child_options, command_line, end, open_log
from stack.core.config import Config
from stack.core.errors import StackError
from stack.postgres.binaries import Installation, find_installation, is_reachable, shelter
from stack.postgres.complaints import StillBusy, explain

_NEEDED_BYTES = 200 * 1024 * 1024
_START_SECONDS = 60
_STOP_SECONDS = 20


class Cluster:
    """The Postgres of one stack folder. Blocking: started before the services, stopped after."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._installation: Installation | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.log_file = config.folder / "logs" / "postgres.log"

    @property
    def data(self) -> Path:
        """The data folder, which may be a link to a sheltered one."""
        return self._config.folder / "postgres"

    def start(self) -> None:
        """Start it, made first when it is new; return once it takes connections.

        Errors: StackError: port taken, disk full, folder unreadable, not installed.
        """
        self._installation = find_installation()
        self._stop_left_over()
        require_free_port(self._config.db_port, "STACK_DB_PORT")
        self._settle_data_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._launch(deadline)
            except StillBusy:
                # sessions of a killed server end by themselves within moments
                if time.monotonic() > deadline - _START_SECONDS / 2:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """Fast shutdown: open transactions roll back, everything committed is on disk."""
        if self._process is not None:
            end(self._process, signal.SIGINT, signal.SIGQUIT)
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
        try:
            self.data.unlink(missing_ok=True)  # a link whose target is gone
            if uid is not None and not is_reachable(self._config.folder):
                self.data.symlink_to(shelter(self.data))
            else:
                self.data.mkdir(mode=0o700)
            if uid is not None:
                os.chown(self.data, uid, uid)
        except OSError as error:
            raise StackError(
                f"cannot make the data folder {self.data}: {error.strerror}"
            ) from error

    def _initialise(self) -> None:
        free = shutil.disk_usage(self.data).free
        if free < _NEEDED_BYTES:
            raise StackError(
                f"the disk of {self.data} has {free // 2**20} MB free, a new database needs"
                f" {_NEEDED_BYTES // 2**20}: free some space or choose another folder"
            )
        with tempfile.NamedTemporaryFile("w", dir="/tmp") as password:  # any user may pass there
            password.write(self._config.secrets.db_password)
            password.flush()
            if self._installation and self._installation.uid is not None:
                os.chown(password.name, self._installation.uid, self._installation.uid)
            # sorted as hosted projects sort: ICU, en-US
            made = self._spawn(
                [
                    self._program("initdb"), "-D", str(self.data.resolve()),
                    "-U", "supabase_admin",
                    "--auth=scram-sha-256", f"--pwfile={password.name}", "-E", "UTF8",
                    "--locale=C", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync",
                ],
                subprocess.PIPE,
            )  # fmt: skip
            try:
                output, _ = made.communicate()
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(made.pid, signal.SIGKILL)  # it has children of its own
                made.wait()
                self._empty_data_folder()
                raise
        if made.returncode != 0:
            self._empty_data_folder()
            raise explain(output.decode(errors="replace"), self.data)

    def _empty_data_folder(self) -> None:
        # half a cluster would look like a whole one the next time
        deadline = time.monotonic() + _STOP_SECONDS
        while any(self.data.iterdir()) and time.monotonic() < deadline:
            for leftover in self.data.iterdir():
                if leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)
                else:
                    leftover.unlink(missing_ok=True)

    def _launch(self, deadline: float) -> None:
        with open_log(self.log_file) as log:
            before = log.tell()
            self._process = self._spawn([self._program("postgres"), *self._flags()], log)
        try:
            while time.monotonic() < deadline:
                if not self.is_running():
                    raise explain(self._printed_since(before), self.data)
                try:
                    url = self._config.db_url("supabase_admin")
                    psycopg.connect(url, connect_timeout=2).close()
                except psycopg.OperationalError as error:
                    if "password authentication failed" in str(error):
                        raise StackError(
                            f"the database in {self.data} was made with other secrets than"
                            " secrets.json holds now: `guildhall stack reset` makes a new one"
                        ) from error
                    time.sleep(0.02)
                else:
                    return
        except BaseException:
            self.stop()
            raise
        self.stop()
        raise StackError(
            f"Postgres did not answer within {_START_SECONDS} s:\n{self._printed_since(before)}"
        )

    def _printed_since(self, position: int) -> str:
        with self.log_file.open("rb") as log:
            log.seek(position)
            return log.read(20_000).decode(errors="replace").strip()

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
            # commits stay synchronous: only a crash of the whole machine may lose one
            settings |= {"fsync": "off", "full_page_writes": "off"}
        flags = ["-D", str(self.data.resolve())]
        for name, value in settings.items():
            flags += ["-c", f"{name}={value}"]
        return flags

    def _stop_left_over(self) -> None:
        """End a Postgres that outlived its parent; correct a lock that names somebody else."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        if not self._is_ours(pid):
            # Postgres takes its own parent's id for a stale one, and still looks whether sessions
            # use the shared memory that the rest of the file names: so it is not removed
            rest = lock.read_text().partition("\n")[2]
            # not through a link: as root we write where another user may have made one
            with os.fdopen(os.open(lock, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w") as file:
                file.write(f"{os.getpid()}\n{rest}")
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + _STOP_SECONDS
            while time.monotonic() < deadline:
                if not self._is_ours(pid):
                    return
                time.sleep(0.05)

    def _is_ours(self, pid: int) -> bool:
        line = command_line(pid)
        return line is not None and f" -D {self.data.resolve()} " in f"{line} "

    def _program(self, name: str) -> str:
        if self._installation is None:
            raise StackError("Postgres is not installed")
        return self._installation.program(name)

    def _spawn(self, command: list[str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        options = child_options(signal.SIGINT)
        if self._installation and self._installation.uid is not None:
            uid = self._installation.uid
            options |= {"user": uid, "group": uid, "extra_groups": []}
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.data.resolve(),
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            **options,
        )


def require_free_port(port: int, variable: str) -> None:
    """Errors: StackError naming the variable that chooses another port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"port {port} is taken: stop what listens there, or set {variable}"
            ) from error
