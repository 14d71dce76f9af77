"""`guildhall ledger` tells whether the books are whole, what they sum to, and what moved."""

import csv
import io
import subprocess
import sys

import pytest


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
