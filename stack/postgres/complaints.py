"""Turns what Postgres printed into what a person can do."""

from pathlib import Path

from stack.core.errors import StackError


class StillBusy(StackError):
    """Sessions of a killed server are not gone yet: try again in a moment."""


def explain(output: str, data: Path) -> StackError:
    """The error for a Postgres on `data` that did not start and printed `output`."""
    if "No space left on device" in output:
        return StackError(f"the disk of {data} is full: free some space and start again")
    if "pre-existing shared memory block" in output:
        return StillBusy(f"sessions of a killed Postgres still use {data}: end them, start again")
    if "wrong ownership" in output:
        return StackError(f"{data} belongs to another user: start the stack as that user")
    if "Permission denied" in output or "invalid permissions" in output:
        return StackError(f"Postgres may not use {data}: check its owner and mode\n{output}")
    if "database files are incompatible" in output:
        return StackError(
            f"{data} was made by another Postgres version: `guildhall stack reset` clears it"
        )
    return StackError(f"Postgres did not start:\n{output}")
