"""`guildhall ledger` tells whether the books are whole, what they sum to, and what moved."""

import csv
import io
import subprocess
import sys
import uuid

import psycopg
import pytest
from psycopg import conninfo


@pytest.fixture
def run(open_books, own_database):
    def run_command(*arguments):
        return subprocess.run(
            [sys.executable, "-c", "from workers.cli import main; main()", "ledger", *arguments,
             "--db-url", own_database],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run_command


def test_verify(run, open_books):
    books = open_books()
    books.person(1000)
    assert run("verify").returncode == 0
    books.db.execute("set session_replication_role = replica")
    books.db.execute("update ledger_accounts set posted_minor = 7 where not is_folded")
    told = run("verify")
    assert told.returncode == 1
    assert "balance differs from its entries" in told.stdout


def test_trial_balance(run, open_books):
    open_books().person(1000)
    told = run("trial-balance")
    assert told.returncode == 0
    assert [line.split() for line in told.stdout.splitlines()] == [
        ["EUR", "available", "1", "1000"],
        ["EUR", "clearing", "1", "-1000"],
        ["EUR", "sum", "0"],
    ]


def test_statement(run, open_books):
    books = open_books()
    ada, ben = books.person(1000), books.person()
    books.move("gift", {ada: -400, ben: 400}, memo='=HYPERLINK("http://x")')
    lines = list(csv.DictReader(io.StringIO(run("statement", str(ada)).stdout)))
    assert [(line["amount_minor"], line["balance_minor"]) for line in lines] == [
        ("1000", "1000"),
        ("-400", "600"),
    ]
    assert lines[1]["memo"] == '\'=HYPERLINK("http://x")'


def test_who_may_not_look_is_told_who_may(own_database):
    login = f"reader_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(own_database, autocommit=True) as db:
        db.execute(f"create role {login} login password 'x' in role guildhall_worker noinherit")
        try:
            told = subprocess.run(
                [sys.executable, "-c", "from workers.cli import main; main()", "ledger", "verify",
                 "--db-url", conninfo.make_conninfo(own_database, user=login, password="x")],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            db.execute(f"drop role {login}")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == (
        "Error: the database: permission denied for schema private;"
        " connect as postgres, to a database that is migrated\n"
    )


def test_an_account_that_is_not_there(run):
    told = run("statement", "99")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "Error: there is no account 99\n"
