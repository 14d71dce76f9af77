"""Writes the database's types next to this file, by the official CLI: `make types`.

They are those of the stack that runs, or of the database that DATABASE_URL names.
"""

from pathlib import Path

from stack.core.config import Config, load_config
from stack.postgres.official_cli import run

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent

_HEADERS = {
    "database.ts": "// Generated from the database by `make types`.\n",
    "database.py": "# Generated from the database by `make types`.\n# ruff: noqa\n# fmt: off\n",
}
_LANGUAGES = {"database.ts": "typescript", "database.py": "python"}


def generate(config: Config, name: str) -> str:
    """The text of one file: `database.ts` or `database.py`."""
    types = run(config, ["gen", "types", f"--lang={_LANGUAGES[name]}", "--schema=public"])
    return _HEADERS[name] + types.rstrip() + "\n"


def main() -> None:
    """Write both."""
    config = load_config(ROOT)
    for name in _LANGUAGES:
        (FOLDER / name).write_text(generate(config, name))


if __name__ == "__main__":
    main()
