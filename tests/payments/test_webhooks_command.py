"""`guildhall webhooks`: what providers sent, and processing it again, harmlessly."""

import subprocess
import sys

import psycopg
import pytest


@pytest.fixture
def run(own_database):
    with psycopg.connect(own_database) as db:
        for number, status in enumerate(("processed", "failed", "ignored"), 1):
            db.execute(
                "select private.keep_events('{stripe}', array[%s], '{x.y}', array['{}'::bytea])",
                [f"evt_{number}"],
            )
            db.execute(
                "select private.finish_event(id, %s, 'why') from private.webhook_events"
                " where event_id = %s",
                [status, f"evt_{number}"],
            )
        db.execute("update procrastinate.procrastinate_jobs set status = 'succeeded'")

    def guildhall(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "workers.cli", "webhooks", *arguments, "--db-url", own_database],
            capture_output=True,
            text=True,
            check=False,
        )

    return guildhall


def test_list(run):
    assert len(run("list").stdout.splitlines()) == 3
    (line,) = run("list", "--status", "failed").stdout.splitlines()
    assert all(word in line for word in ("stripe", "x.y", "failed", "evt_2", "why"))
    assert run("list", "--provider", "paypal").stdout == ""


def test_replay(run, own_database):
    assert run("replay").returncode == 2
    assert run("replay", "--failed").stdout == "Queued again: 1\n"
    with psycopg.connect(own_database) as db:
        queued = db.execute(
            "select count(*) from procrastinate.procrastinate_jobs"
            " where task_name = 'payments.process_event' and status = 'todo'"
        ).fetchone()
        kept = db.execute(
            "select event_id from private.webhook_events where status = 'kept'"
        ).fetchall()
    assert queued == (1,)
    assert kept == [("evt_2",)]
    assert run("replay", "999").stdout == "Queued again: 0\n"
