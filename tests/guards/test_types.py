"""The types in examples/types/ are those of the migrations; `make types` writes them anew."""

import runpy

import pytest

from tests.fixtures.databases import cli_config


@pytest.mark.parametrize("name", ["database.ts", "database.py"])
def test_types_are_those_of_the_database(shared_database, pytestconfig, tmp_path, name):
    types = pytestconfig.rootpath / "examples" / "types"
    generate = runpy.run_path(str(types / "generate.py"))["generate"]
    made = generate(cli_config(pytestconfig.rootpath, tmp_path, shared_database), name)
    assert (types / name).read_text() == made, "run `make types`"
