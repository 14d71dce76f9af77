"""Child processes: apart from the terminal, and gone when we are."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 10_000_000
# loaded before any fork: between fork and exec nothing may take a lock
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def child_options(when_parent_dies: signal.Signals) -> dict[str, Any]:
    """Options of Popen: a session of its own, since a Ctrl-C at the terminal is ours to handle,
    and on Linux a signal when we are killed. Elsewhere the next start finds what was left over.
    """
    options: dict[str, Any] = {"start_new_session": True, "stdin": subprocess.DEVNULL}
    if _LIBC is not None:
        options["preexec_fn"] = _die_with(os.getpid(), when_parent_dies)
    return options


def end(process: subprocess.Popen[bytes], ask: signal.Signals, insist: signal.Signals) -> None:
    """Ask a process to end, wait 20 s, insist."""
    if process.poll() is None:
        process.send_signal(ask)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.send_signal(insist)
            process.wait()


def command_line(pid: int) -> str | None:
    """What a process was started as, or None when there is no such process."""
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            return os.fsdecode(line).strip() or None
        return None
    found = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
    )
    return os.fsdecode(found.stdout).strip() or None


def open_log(file: Path) -> IO[bytes]:
    """A log to append to, for its owner's eyes; one of more than 10 MB is put aside as `.1`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if file.stat().st_size > _LOG_BYTES:
            file.replace(file.with_suffix(".log.1"))
    file.touch(mode=0o600)
    file.chmod(0o600)
    return file.open("ab")


def tail(file: Path, lines: int = 8) -> str:
    """The last lines of a log, for a message; empty when it cannot be read."""
    with contextlib.suppress(OSError):
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
    return ""


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    def arrange() -> None:
        assert _LIBC is not None
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return arrange
