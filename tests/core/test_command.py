"""`guildhall` says in a line what is wrong with what it was given."""

import subprocess
import sys

import pytest

NOBODY = "postgresql://postgres:secret-word@127.0.0.1:1/x?connect_timeout=2"


def _run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from workers.cli import main; main()", *arguments],
        capture_output=True, text=True, check=False, env={"PATH": ""} | environment,
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "ledger verify", "ledger check", "ledger trial-balance", "ledger statement 1", "jobs list",
        "webhooks list", "webhooks replay 1", "reconcile", "reference", "policies apply",
    ],
)  # fmt: skip
def test_no_database_there(command):
    told = _run(*command.split(), "--db-url", NOBODY)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("Error: the database: connection failed")
    assert "secret-word" not in told.stderr


@pytest.mark.parametrize("command", ["ledger verify", "doctor", "reference", "policies apply"])
def test_no_address_of_a_database(command):
    told = _run(*command.split(), "--db-url", "postgres;secret-word")
    assert (told.returncode, told.stdout) == (2, "")
    assert "Invalid value for '--db-url': no address of a database" in told.stderr
    assert "secret-word" not in told.stderr


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["ledger", "verify"], "--db-url"),
        (["jobs", "list", "--status", "lost"], "--status"),
        (["webhooks", "list", "--status", "lost"], "--status"),
        (["reconcile", "--day", "yesterday"], "--day"),
        (["ledger", "statement", "mine"], "ACCOUNT_ID"),
    ],
)
def test_what_is_missing_or_wrong_is_named(command, named):
    told = _run(*command)
    assert (told.returncode, told.stdout) == (2, "")
    assert f"'{named}'" in told.stderr or f"{named} " in told.stderr, told.stderr


def test_a_setting_that_is_wrong_is_named():
    told = _run("worker", DATABASE_URL=NOBODY, STRIPE_WEBHOOK_SECRETS="none")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("Error: STRIPE_WEBHOOK_SECRETS: ")
