"""Two at once on one change: one waits for the other, and neither is in the other's way."""

import threading
import time

import psycopg

from tests.billing.conftest import Office
from tests.fixtures.people import Person, cast

WAITS = (
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and wait_event_type = 'Lock'"
)


def test_a_change_ends_while_it_is_claimed_once_more(own_database):
    """Both lock the change first, then its request: no deadlock (40P01)."""
    with (
        psycopg.connect(own_database, autocommit=True) as db,
        psycopg.connect(own_database) as first,
        psycopg.connect(own_database) as second,
    ):
        office = Office(db, cast(db))
        office.subscribe()
        change = office.one("select private.ask_change(id, 'end') from subscriptions")
        claim = "select request_id from private.claim_change(%s)"
        ((request,),) = office.worker.rows(claim, [change])
        failures = []

        def end():
            try:
                worker = Person(second, "worker", role="guildhall_worker")
                worker.rows("select private.end_change(%s, 'done')", [request])
                second.commit()
            except psycopg.Error as error:
                failures.append(repr(error))

        first.execute("select from private.subscription_changes for update")
        ending = threading.Thread(target=end)
        ending.start()
        deadline = time.monotonic() + 20
        while not office.one(WAITS):
            assert time.monotonic() < deadline, "it does not wait"
            time.sleep(0.02)
        assert first.execute(claim, [change]).fetchall() == [(request,)]
        first.commit()
        ending.join()
        assert failures == []
        assert office.one("select status from private.subscription_changes") == "done"
