"""Finds the Postgres that npm installed, and makes it usable for the uid that will run it."""

import json
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from stack.core.errors import StackError

# Postgres refuses to run as root; "nobody" exists in every password file
UNPRIVILEGED_ID = 65534
MODULES = Path(__file__).parent.parent / "node_modules"
STUBS = Path(__file__).parent / "extension_stubs.json"

_ARCHITECTURES = {
    "x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64",
    "armv7l": "arm", "armv6l": "arm", "i386": "ia32", "i686": "ia32", "ppc64le": "ppc64",
}  # fmt: skip
_SYSTEMS = {"linux": "linux", "darwin": "darwin", "win32": "windows"}


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder with `bin`, `lib` and `share`, and the uid that runs it (None: our own)."""

    root: Path
    uid: int | None

    def program(self, name: str) -> str:
        return str(self.root / "bin" / (f"{name}.exe" if sys.platform == "win32" else name))


def runs_as() -> int | None:
    """The uid that Postgres is dropped to: `nobody` when we are root, else our own (None)."""
    return UNPRIVILEGED_ID if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def find_installation() -> Installation:
    """The installed Postgres, with its links and extension stubs in place.

    Errors: StackError when npm has not installed it, or there is none for this platform.
    """
    package = f"{_SYSTEMS.get(sys.platform, sys.platform)}-" + _ARCHITECTURES.get(
        platform.machine().lower(), platform.machine()
    )
    native = MODULES / "@embedded-postgres" / package / "native"
    if not native.is_dir():
        raise StackError(
            f"Postgres for {package} is not installed: run `make install`"
            " (or set DATABASE_URL to a Postgres 17 of your own)"
        )
    _restore_links(native)
    _add_stubs(native / "share" / "postgresql" / "extension")
    uid = runs_as()
    if uid is not None and not is_reachable(native):
        native = _copy_outside(native)
    return Installation(native, uid)


def is_reachable(path: Path) -> bool:
    """True when any user may pass through every folder above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents) if parent.is_dir())


def shelter(folder: Path) -> Path:
    """Where root keeps what an unprivileged uid must reach, for a stack in a private home."""
    return Path("/var/lib/guildhall-stack") / folder.resolve().as_posix().strip("/").replace(
        "/", "-"
    )


def _restore_links(native: Path) -> None:
    # npm packages hold no symbolic links; the package lists them instead
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        target = native.parent / link["target"]
        if not target.exists():
            target.unlink(missing_ok=True)
            target.symlink_to(os.path.relpath(native.parent / link["source"], target.parent))


def _add_stubs(extensions: Path) -> None:
    """Empty extensions for those that hosted has and this build lacks, so that dumps load."""
    for name, comment in json.loads(STUBS.read_text()).items():
        control = extensions / f"{name}.control"
        if not control.exists():
            (extensions / f"{name}--1.0.sql").write_text(f"-- {comment}\n")
            control.write_text(
                f"comment = 'stub, no functions: {comment}'\ndefault_version = '1.0'\n"
                "relocatable = true\nsuperuser = true\ntrusted = true\n"
            )


def _copy_outside(native: Path) -> Path:
    copy = shelter(native)
    if not (copy / "bin").is_dir():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(native, partial, symlinks=True)
        shutil.rmtree(copy, ignore_errors=True)
        partial.rename(copy)
    return copy
