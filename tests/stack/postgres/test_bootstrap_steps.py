"""Bootstrap steps run once per database; new ones on the next start; a changed one warns."""

import dataclasses
import logging

import psycopg
import pytest

from stack.bootstrap import bootstrap
from stack.core.errors import StackError
from tests.stack.cluster import scratch_cluster


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    with scratch_cluster(tmp_path_factory.mktemp("steps", numbered=True)) as config:
        yield config


@pytest.fixture
def steps(tmp_path, config):
    folder = tmp_path / "sql"
    folder.mkdir()
    (folder / "10_one.sql").write_text("create table public.once (id int);")
    yield folder
    with psycopg.connect(config.admin_db_url, autocommit=True) as connection:
        connection.execute("drop schema if exists _stack cascade; drop table if exists once, twice")


def test_each_step_runs_once_and_newer_ones_follow(config, steps, caplog):
    assert bootstrap(config, steps) == ["10_one"]
    assert bootstrap(config, steps) == []
    (steps / "20_two.sql").write_text("create table public.twice (id int);")
    assert bootstrap(config, steps) == ["20_two"]
    assert caplog.records == []


def test_a_changed_step_warns_and_does_not_run(config, steps, caplog):
    bootstrap(config, steps)
    (steps / "10_one.sql").write_text("drop table public.once;")
    with caplog.at_level(logging.WARNING):
        assert bootstrap(config, steps) == []
    assert "10_one.sql has changed" in caplog.text
    assert "stack reset" in caplog.text
    with psycopg.connect(config.admin_db_url) as connection:
        connection.execute("select from public.once")


def test_a_failing_step_leaves_nothing_and_runs_again(config, steps):
    step = steps / "20_two.sql"
    step.write_text("create table public.twice (id int); select 1 / 0;")
    with pytest.raises(StackError, match=r"20_two\.sql failed: division by zero"):
        bootstrap(config, steps)
    step.write_text("create table public.twice (id int);")
    assert bootstrap(config, steps) == ["20_two"]


def test_steps_of_the_stack_fit_a_database_that_has_roles_already(config):
    """Roles are of the whole cluster: a second database finds them made."""
    assert bootstrap(config)
    with psycopg.connect(config.admin_db_url, autocommit=True) as connection:
        connection.execute("create database second")
    second = config.admin_db_url.replace("/postgres?", "/second?")
    assert bootstrap(external(config, second))


def test_a_login_without_superuser_is_told(config):
    with psycopg.connect(config.admin_db_url, autocommit=True) as connection:
        connection.execute("create role clerk login password 'clerk'")
    url = f"postgresql://clerk:clerk@127.0.0.1:{config.db_port}/postgres"
    with pytest.raises(StackError, match="no superuser"):
        bootstrap(external(config, url))


def test_an_unreachable_database_is_told(config):
    with pytest.raises(StackError, match="cannot reach the database"):
        bootstrap(external(config, "postgresql://somebody@127.0.0.1:1/postgres"))


def external(config, url):
    return dataclasses.replace(config, external_db_url=url)
