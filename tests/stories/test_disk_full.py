"""The disk of the ledger fills up in the middle of postings: an error, and not half a posting."""

import os
import shutil
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import DiskFull

from stack.postgres.binaries import runs_as
from tests.fixtures.disks import small_disk
from tests.fixtures.people import sign_up
from tests.payments.purses import new_order
from workers.core.errors import DatabaseUnavailable, from_database

TABLES = ("ledger_transactions", "ledger_entries", "payments")


@pytest.mark.timeout(120)
def test_a_full_disk_posts_all_or_nothing(cluster):
    _, config = cluster
    disk = Path(config.folder) / "small"
    with small_disk(disk, 8):
        os.chown(disk, runs_as() or -1, -1)
        try:
            _pay_until_it_is_full(config, disk)
        finally:
            _move(config, "pg_default")


def _pay_until_it_is_full(config, disk):
    _move(config, "small", disk)
    with psycopg.connect(config.db_url(), autocommit=True) as db:
        payer = sign_up(db, "payer", "sponsor").id
        booked, refused = [], []

        def pay(reference):
            order = new_order(db, payer)
            try:
                db.execute(
                    "select private.record_payment(%s, 'stripe', %s, 500, 'EUR')",
                    [order, reference],
                )
            except DiskFull as error:
                refused.append((order, reference))
                told = from_database(error)
                assert isinstance(told, DatabaseUnavailable), "to be asked again"
            else:
                booked.append(reference)

        def is_whole():
            assert {one for (one,) in db.execute("select reference from payments")} == set(booked)
            assert db.execute(
                "select posted_minor from ledger_accounts where kind = 'available'"
            ).fetchone() == (500 * len(booked),)
            for check in ("verify_ledger", "check_invariants"):
                assert db.execute(f"select * from private.{check}()".encode()).fetchall() == []

        for number in range(10):
            pay(f"pi_before_{number}")
        assert len(booked) == 10
        filler = disk / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(disk).free))
        for number in range(2000):
            pay(f"pi_{number}")
            if len(refused) == 5:
                break
        assert len(refused) == 5, "it was never full"
        is_whole()
        filler.unlink()
        for order, reference in refused:
            db.execute(
                "select private.record_payment(%s, 'stripe', %s, 500, 'EUR')", [order, reference]
            )
            booked.append(reference)
        is_whole()


def _move(config, place, disk=None):
    """Keep the tables that payments write on another disk."""
    with psycopg.connect(config.db_url("supabase_admin"), autocommit=True) as db:
        if disk:
            db.execute(f"create tablespace {place} location '{disk}'".encode())
        for table in TABLES:
            db.execute(f"alter table public.{table} set tablespace {place}".encode())
        if not disk:
            db.execute("drop tablespace small")
