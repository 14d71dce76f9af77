"""Finds the Postgres that npm installed, and makes it usable for the uid that will run it."""

import contextlib
import hashlib
import json
import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.core.errors import StackError

# Postgres refuses to run as root; "nobody" exists in every password file
UNPRIVILEGED_ID = 65534
MODULES = Path(__file__).parent.parent / "node_modules"
SHELTERS = Path("/var/lib/guildhall-stack")
_EXTENSIONS = Path(__file__).parent / "extensions.json"

_ARCHITECTURES = {
    "x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64",
    "armv7l": "arm", "armv6l": "arm", "i386": "ia32", "i686": "ia32", "ppc64le": "ppc64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder with `bin`, `lib` and `share`, and the uid that runs it (None: our own)."""

    root: Path
    uid: int | None

    def program(self, name: str) -> str:
        return str(self.root / "bin" / name)


def runs_as() -> int | None:
    """The uid that Postgres is dropped to: `nobody` when we are root, else our own (None)."""
    return UNPRIVILEGED_ID if os.geteuid() == 0 else None


def find_installation() -> Installation:
    """The installed Postgres, with its links and extension stubs in place.

    Errors: StackError when npm has not installed it, there is none for this platform, or its
    folder cannot be completed.
    """
    machine = platform.machine().lower()
    package = f"{sys.platform}-{_ARCHITECTURES.get(machine, machine)}"
    native = MODULES / "@embedded-postgres" / package / "native"
    if not native.is_dir():
        raise StackError(
            f"Postgres for {package} is not installed: run `make install`"
            " (or set DATABASE_URL to a Postgres 17 of your own)"
        )
    try:
        _restore_links(native)
        _complete_extensions(native / "share" / "postgresql" / "extension")
        uid = runs_as()
        if uid is not None and not is_reachable(native):
            native = _copy_outside(native)
    except OSError as error:
        raise StackError(
            f"cannot complete the installed Postgres: {error.filename}: {error.strerror}"
        ) from error
    return Installation(native, uid)


def is_reachable(path: Path) -> bool:
    """True when any user may pass through every folder down to `path`."""
    path = path.resolve()
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (path, *path.parents))


def shelter(folder: Path) -> Path:
    """Where root keeps what an unprivileged uid must reach, for a stack in a private home.

    Made when it is not there; nobody but its owner may look inside.
    """
    name = folder.parent.resolve() / folder.name
    mark = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    SHELTERS.mkdir(parents=True, exist_ok=True)
    SHELTERS.chmod(0o755)
    place = SHELTERS / f"{folder.parent.name}-{folder.name}-{mark}"
    place.mkdir(exist_ok=True, mode=0o700)
    return place


def _restore_links(native: Path) -> None:
    # npm packages hold no symbolic links; the package lists them instead
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        target = native.parent / link["target"]
        if not target.exists():
            with contextlib.suppress(FileExistsError):  # another stack starts at the same time
                target.symlink_to(os.path.relpath(native.parent / link["source"], target.parent))


def _complete_extensions(folder: Path) -> None:
    """Write what hosted offers and this build lacks: see extensions.json."""
    extensions = json.loads(_EXTENSIONS.read_text())
    for name, comment in extensions["stubs"].items():
        _write(folder / f"{name}--1.0.sql", f"-- {comment}\n")
        _write(
            folder / f"{name}.control",
            f"comment = 'stub, no functions: {comment}'\ndefault_version = '1.0'\n"
            "relocatable = true\nsuperuser = true\ntrusted = true\n",
        )
    for name in extensions["trusted"]:
        control = folder / f"{name}.control"
        text = control.read_text()
        if "trusted" not in text:
            _write(control, f"{text.rstrip()}\ntrusted = true\n")


def _write(file: Path, text: str) -> None:
    if file.exists() and file.read_text() == text:
        return
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(file)


def _copy_outside(native: Path) -> Path:
    place = shelter(native)
    place.chmod(0o755)
    version = hashlib.sha256((native.parent / "package.json").read_bytes()).hexdigest()[:12]
    copy = place / version
    if not copy.is_dir():
        for old in place.iterdir():
            shutil.rmtree(old)
        partial = place / f"partial-{os.getpid()}"
        shutil.copytree(native, partial, symlinks=True)
        for path in _everything(partial):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        for program in (partial / "bin").iterdir():
            program.chmod(0o755)
        partial.rename(copy)
    return copy


def _everything(folder: Path) -> Iterator[Path]:
    yield folder
    yield from (path for path in folder.rglob("*") if not path.is_symlink())
