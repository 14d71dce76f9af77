"""With DATABASE_URL, the stack runs on a Postgres that is already there."""

import psycopg
import pytest

from tests.stack.cluster import scratch_cluster


@pytest.fixture
def other(place):
    (place / "other").mkdir()
    with scratch_cluster(place / "other") as config:
        yield config


def test_runs_on_it_and_leaves_the_login_alone(commands, other):
    """The superuser has another name, and its password stays what it was."""
    with psycopg.connect(other.admin_db_url, autocommit=True) as connection:
        connection.execute("create role boss login superuser password 'p%ss'")
        connection.execute("create database shop")
    url = f"postgresql://boss:p%25ss@127.0.0.1:{other.db_port}/shop?sslmode=disable"
    commands.environment["DATABASE_URL"] = url
    env = commands.up()
    assert not (commands.folder / "postgres").exists(), "no Postgres of our own"
    assert env["DATABASE_URL"].startswith("postgresql://postgres:")
    assert f":{other.db_port}/shop" in env["DATABASE_URL"]
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        who = connection.execute("select current_user, current_database()").fetchone()
    assert who == ("postgres", "shop")
    psycopg.connect(url).close()
    commands.run("down")
    commands.up()
    commands.run("reset")
    psycopg.connect(url).close()


def test_a_login_without_rights_is_told(commands, other):
    with psycopg.connect(other.admin_db_url, autocommit=True) as connection:
        connection.execute("create role clerk login password 'clerk'")
    commands.environment["DATABASE_URL"] = (
        f"postgresql://clerk:clerk@127.0.0.1:{other.db_port}/postgres"
    )
    done = commands.run("up", "--port", "0", "--db-port", "0")
    assert done.returncode == 1
    assert done.stderr == (
        "Error: the login of DATABASE_URL is no superuser: the stack cannot prepare it\n"
    )
    assert commands.running() is None


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://boss@127.0.0.1:1/postgres", "Error: cannot reach the database: "),
        ("host=127.0.0.1", "Error: DATABASE_URL must read postgresql://"),
    ],
)
def test_a_database_that_is_not_there(commands, url, sentence):
    commands.environment["DATABASE_URL"] = url
    done = commands.run("up", "--port", "0", "--db-port", "0")
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr
    commands.environment.clear()
