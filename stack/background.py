"""Starts a stack in the background and waits until it answers."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from stack.children import tail
from stack.core.config import Config
from stack.core.errors import StackError
from stack.running import find_running

_READY_SECONDS = 120
_LOG_BYTES = 1 << 20  # with less than this free, a log may have no room


def start_in_background(config: Config) -> float:
    """Start it and return how many seconds it took to be ready. Errors: StackError."""
    started = time.monotonic()
    log_file = config.folder / "logs" / "stack.log"
    process = _spawn(config)
    try:
        while True:
            running = find_running(config.folder)
            if running is not None and running.is_ready and running.pid == process.pid:
                return time.monotonic() - started
            if process.poll() is not None:
                raise StackError(_complaint(tail(log_file, 40), config))
            if time.monotonic() - started > _READY_SECONDS:
                raise StackError(f"not ready after {_READY_SECONDS} s: {tail(log_file, 12)}")
            time.sleep(0.02)
    except BaseException:
        process.terminate()
        process.wait()
        raise


def wait_until_ready(folder: Path) -> bool:
    """Wait for a stack that somebody else has started; False when it ended instead."""
    deadline = time.monotonic() + _READY_SECONDS
    while (running := find_running(folder)) is not None and time.monotonic() < deadline:
        if running.is_ready:
            return True
        time.sleep(0.05)
    return False


def _spawn(config: Config) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "stack", "--project", str(config.project),
        "--folder", str(config.folder), "up", "--foreground",
        "--port", str(config.api_port), "--db-port", str(config.db_port),
    ]  # fmt: skip
    if not config.is_durable:
        command.append("--no-fsync")
    ports = {  # chosen once: a port that was any free one must not change
        f"{name.upper()}_PORT": str(service["port"])
        for name, service in config.services.items()
        if "port" in service
    }
    file = config.folder / "logs" / "stack.log"
    file.parent.mkdir(exist_ok=True)
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_bytes(b"")
    with file.open("ab") as log:  # two who start at once do not write over one another
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # outlives this terminal
            env=os.environ | ports,
        )


def _complaint(log: str, config: Config) -> str:
    """What the process said last, without the lines before it."""
    _, found, sentence = f"\n{log}".rpartition("\nError: ")
    if found:
        return sentence.strip()
    if not log and shutil.disk_usage(config.folder).free < _LOG_BYTES:
        return f"the disk of {config.folder} is full: free some space and start again"
    return log.strip() or "the stack ended at once"
