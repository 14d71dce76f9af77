"""What the project needs is pinned, without addresses, and explained."""

import json
import re
import tomllib

import pytest


@pytest.fixture
def root(pytestconfig):
    return pytestconfig.rootpath


def _named(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return {re.match(r"[\w-]+", line)[0].lower() for group in groups for line in group}


def test_every_dependency_is_pinned_with_hashes(root):
    lock = (root / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([\w.-]+)==", lock, re.M))
    assert _named(root) <= pinned
    assert len(re.findall(r"--hash=sha256:", lock)) >= len(pinned)


@pytest.mark.parametrize(
    "name", ["requirements.lock", "package-lock.json", "stack/package-lock.json"]
)
def test_locks_name_no_address(root, name):
    text = (root / name).read_text()
    assert "--index-url" not in text
    assert "--find-links" not in text
    assert '"resolved"' not in text
    assert not re.search(r"pypi|registry\.npmjs|pythonhosted", text)


@pytest.mark.parametrize("folder", [".", "stack"])
def test_locks_name_the_packages_of_every_platform(root, folder):
    """npm ci refuses a lock that was made where another platform's packages were left out."""
    packages = json.loads((root / folder / "package-lock.json").read_text())["packages"]
    for name, package in packages.items():
        wanted = {f"node_modules/{each}" for each in package.get("optionalDependencies", {})}
        assert wanted <= packages.keys(), name


def test_every_direct_dependency_is_explained(root):
    page = (root / "docs" / "dependencies.md").read_text().lower()
    names = _named(root)
    for folder in (".", "stack"):
        package = json.loads((root / folder / "package.json").read_text())
        names |= package.get("dependencies", {}).keys() | package.get("devDependencies", {}).keys()
    missing = sorted(name for name in names if name.split("/")[-1].lower() not in page)
    assert missing == []
