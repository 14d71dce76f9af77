"""Which stack runs in a folder: one at a time, found and ended by whoever asks."""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from stack.core.config import Config
from stack.core.errors import StackError

_STOP_SECONDS = 40
_LOCK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Running:
    """A stack's process and the ports it chose."""

    pid: int
    api_port: int
    db_port: int
    is_ready: bool = False


def find_running(folder: Path) -> Running | None:
    """The stack that runs in `folder`, or None. Makes and changes nothing.

    The lock is the truth: the system frees it with its process, however that ends, so a file left
    behind and a process id given to somebody else mislead nobody.
    """
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
    except BlockingIOError:
        pass
    except OSError:
        return None
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Running(**json.loads((folder / "running.json").read_text()))
    return None


@contextlib.contextmanager
def only_one(config: Config) -> Iterator[None]:
    """Hold the folder while a stack runs in it. Errors: StackError when another one does."""
    folder = config.folder
    with (folder / "lock").open("w") as lock:
        _acquire(lock.fileno(), folder)
        _write(config, is_ready=False)
        (folder / "pid").write_text(str(os.getpid()))
        try:
            yield
        finally:
            for name in ("ready", "pid", "running.json"):
                (folder / name).unlink(missing_ok=True)


def mark_ready(config: Config) -> None:
    """Tell those who wait that the stack answers."""
    _write(config, is_ready=True)
    (config.folder / "ready").write_text(str(os.getpid()))


def stop_running(folder: Path) -> bool:
    """End the stack of `folder` and wait; False when none runs. Errors: StackError."""
    running = find_running(folder)
    if running is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while (now := find_running(folder)) is not None and now.pid == running.pid:
        if time.monotonic() > deadline:
            raise StackError(f"process {running.pid} does not stop: kill it, then start again")
        time.sleep(0.05)
    return True


def _acquire(lock: int, folder: Path) -> None:
    # somebody who only asks holds a shared lock for an instant: not a reason to refuse
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise StackError(f"a stack already runs in {folder}") from error
            time.sleep(0.02)
        else:
            return


def _write(config: Config, *, is_ready: bool) -> None:
    state = Running(os.getpid(), config.api_port, config.db_port, is_ready)
    partial = config.folder / "running.json.partial"
    partial.write_text(json.dumps(asdict(state)))
    partial.replace(config.folder / "running.json")
