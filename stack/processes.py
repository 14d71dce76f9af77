"""The project's own processes beside the stack, as `stack.toml` names them."""

import contextlib
import json
import logging
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stack.children import child_options, command_line, open_log
from stack.core.config import Config
from stack.core.errors import StackError
from stack.environment import environment

logger = logging.getLogger("stack")
_STOP_SECONDS = 10
_MAX_RESTARTS = 5


@dataclass(slots=True)
class _Companion:
    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)


class Companions:
    """Starts, watches and stops the services of `stack.toml`.

    Each gets the stack's environment (`.stack/env`) and a log of its own in `logs/`.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._environment = os.environ | environment(config)
        self._values = self._environment | {"folder": str(config.folder)}
        self._note = config.folder / "companions.json"
        self._all = [
            _Companion(
                name,
                [
                    part.replace("{port}", str(service.get("port")))
                    for part in _words(name, service)
                ],
                dict(service.get("environment", {})),
            )
            for name, service in config.services.items()
        ]

    def start(self) -> None:
        for companion in self._all:
            self._start(companion)

    def revive(self) -> None:
        """Start again what has ended, at most five times a minute each."""
        for companion in self._all:
            if companion.process is None or companion.process.poll() is None:
                continue
            recent = [moment for moment in companion.starts if moment > time.monotonic() - 60]
            if len(recent) >= _MAX_RESTARTS:
                logger.error("%s keeps dying, see logs/%s.log", companion.name, companion.name)
                companion.process = None
                continue
            companion.starts = recent
            logger.warning("%s ended; starting it again", companion.name)
            try:
                self._start(companion)
            except StackError as error:
                logger.error("%s", error)

    def stop(self) -> None:
        """Ask all of them and their children, wait, then insist."""
        running = [one.process for one in self._all if one.process and one.process.poll() is None]
        for process in running:
            _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        self._note.unlink(missing_ok=True)

    def end_left_over(self) -> None:
        """End those that outlived a stack that was killed."""
        with contextlib.suppress(OSError, ValueError):
            for _, pid, line in json.loads(self._note.read_text()):
                if command_line(pid) == line:
                    _signal_group(pid, signal.SIGKILL)
        self._note.unlink(missing_ok=True)

    def _start(self, companion: _Companion) -> None:
        companion.starts.append(time.monotonic())
        program, *arguments = [
            os.path.expandvars(part) if "$" in part else part for part in companion.command
        ]
        program = sys.executable if program == "python" else program
        arguments = [_fill(argument, self._values) for argument in arguments]
        with open_log(self._config.folder / "logs" / f"{companion.name}.log") as log:
            try:
                companion.process = subprocess.Popen(
                    [program, *arguments],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._config.project,
                    env={
                        name: _fill(value, self._values)
                        for name, value in companion.environment.items()
                    }
                    | self._environment,
                    **child_options(signal.SIGTERM),
                )
            except OSError as error:
                raise StackError(
                    f"cannot start {companion.name} ({program}): {error.strerror}"
                ) from error
        self._remember()

    def _remember(self) -> None:
        running = [(one.name, one.process.pid) for one in self._all if one.process]
        self._note.write_text(json.dumps([(name, pid, command_line(pid)) for name, pid in running]))


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _words(name: str, service: Mapping[str, Any]) -> list[str]:
    words = shlex.split(str(service.get("command", "")))
    if not words:
        raise StackError(f"stack.toml: service {name} has no command")
    return words


def _fill(argument: str, values: dict[str, str]) -> str:
    """`{NAME}` in a command or its environment is the stack's setting of that name, `{folder}` its
    folder.
    """
    for name, value in values.items():
        argument = argument.replace("{" + name + "}", value)
    return argument
