"""Postgres is killed three times in the middle: what was answered is there, the rest not at all."""

import os
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest

from tests.fixtures.people import sign_up
from tests.payments.purses import new_order

CLIENTS, KILLS = 6, 3


@pytest.mark.timeout(240)
def test_what_was_answered_is_there_and_nothing_is_half(cluster):
    postgres, config = cluster
    url = config.db_url()
    with psycopg.connect(url, autocommit=True) as db:
        payer = sign_up(db, "payer", "sponsor").id
    answered: dict[str, str] = {}
    is_over = threading.Event()

    def pay(client):
        """Orders, paid one after another; a lost answer is told again, as providers do."""
        number, waiting = 0, None
        while not is_over.is_set() or waiting is not None:
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=5) as db:
                    while not is_over.is_set() or waiting is not None:
                        if waiting is None:
                            number += 1
                            waiting = (new_order(db, payer), f"pi_{client}_{number}")
                        db.execute(
                            "select private.record_payment(%s, 'stripe', %s, 500, 'EUR')", waiting
                        )
                        answered[waiting[1]] = waiting[0]
                        waiting = None
            except psycopg.OperationalError:
                time.sleep(0.05)

    clients = [threading.Thread(target=pay, args=(number,)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for _ in range(KILLS):
        time.sleep(0.7)
        _kill(int((postgres.data / "postmaster.pid").read_text().split()[0]))
        postgres.start()
    time.sleep(0.5)
    is_over.set()
    for client in clients:
        client.join(60)
        assert not client.is_alive()

    with psycopg.connect(url) as db:
        booked = dict(db.execute("select reference, order_id from payments").fetchall())
        assert booked == answered
        assert len(booked) > CLIENTS * KILLS
        (balance,) = db.execute("select posted_minor from ledger_accounts where kind = 'available'")
        assert balance == (500 * len(booked),)
        for check in ("verify_ledger", "check_invariants"):
            assert db.execute(f"select * from private.{check}()".encode()).fetchall() == []


def _kill(process):
    """And wait until it has let its port go: on a busy machine that takes a moment."""
    os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + 30
    status = Path(f"/proc/{process}/stat")
    while time.monotonic() < deadline and status.exists():
        if status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.01)
    time.sleep(0.2)  # where there is no /proc
