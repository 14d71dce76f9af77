"""docs/coverage.md: its counts are its rows, its tests exist, and what is done names its proof."""

import re

import pytest

ROW = re.compile(
    r"^\| (S\d(?: S\d)*) \| (endpoint|table|rule) \| .* \| (.+?) \| (done|planned) \|$"
)
COUNTS = re.compile(r"^\| (S\d|rows in all).*? \| ([\d |]+) \|$")


@pytest.fixture
def page(pytestconfig):
    return (pytestconfig.rootpath / "docs" / "coverage.md").read_text().splitlines()


def test_counts_are_those_of_the_rows(page):
    rows = [found.groups() for line in page if (found := ROW.match(line))]
    told = 0
    for line in page:
        if (found := COUNTS.match(line)) and not ROW.match(line):
            mine = [row for row in rows if found[1] == "rows in all" or found[1] in row[0]]
            kinds = [sum(row[1] == kind for row in mine) for kind in ("endpoint", "table", "rule")]
            done = sum(row[3] == "done" for row in mine)
            expected = [*kinds, len(mine), done, len(mine) - done]
            assert [int(cell) for cell in found[2].split(" | ")] == expected, line
            told += 1
    assert told == 6


def test_named_tests_exist(page, pytestconfig):
    for line in page:
        if found := ROW.match(line):
            for name in re.findall(r"`(tests/[^`]+)`", found[3]):
                assert (pytestconfig.rootpath / name).exists(), line
