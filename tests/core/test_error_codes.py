"""docs/errors.md lists every error that SQL and Python answer, with status and meaning."""

import importlib
import pkgutil
import re

import pytest

import api
import workers
from workers.core.errors import GuildhallError, Rejected


def _python() -> dict[str, tuple[int, str]]:
    for package in (api, workers):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith(("__main__", "api.main")):
                importlib.import_module(module.name)
    found: dict[str, tuple[int, str]] = {}
    kinds = [GuildhallError]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind not in (GuildhallError, Rejected) and kind.__module__.startswith(
            ("api.", "workers.")
        ):
            meaning = " ".join((kind.__doc__ or "").split())
            assert found.setdefault(kind.code, (kind.http_status, meaning))[0] == kind.http_status
    return found


@pytest.fixture
def codes(db):
    rows = db.execute("select code, http_status, message from private.error_codes").fetchall()
    in_sql = {code: (status, message) for code, status, message in rows}
    in_python = _python()
    for code in in_sql.keys() & in_python.keys():
        assert in_sql[code][0] == in_python[code][0], code
    return in_python | in_sql


def page(codes) -> str:
    """The table as it must stand in the page."""
    lines = ["| Code | Status | Meaning |", "| --- | --- | --- |"]
    lines += [
        f"| `{code}` | {status} | {meaning} |" for code, (status, meaning) in sorted(codes.items())
    ]
    return "\n".join(lines) + "\n"


def test_the_page_is_true(codes, pytestconfig):
    text = (pytestconfig.rootpath / "docs" / "errors.md").read_text()
    written = set(re.findall(r"^\| `.*\|$", text, re.M))
    true = set(page(codes).splitlines()[2:])
    assert sorted(true - written) == [], "missing in docs/errors.md"
    assert sorted(written - true) == [], "not true in docs/errors.md"


def test_codes_have_one_form(codes):
    for code, (status, meaning) in codes.items():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", code)
        assert 400 <= status <= 599
        assert meaning.endswith((".", ")")), code
