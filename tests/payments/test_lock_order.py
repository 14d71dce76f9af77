"""Pairs that lock the same two rows take them in the order of docs/money.md."""

import threading
import uuid

import psycopg
import pytest

from tests.fixtures.people import cast as make_cast
from tests.payments.purses import new_order


@pytest.fixture
def begun(own_database):
    """An attempt that is starting, and its request."""
    with psycopg.connect(own_database, autocommit=True) as db:
        payer = make_cast(db)["sponsor"]
        order = new_order(db, payer.id)
        ((attempt, request),) = payer.rows(
            "select attempt_id, request_id from private.start_payment(%s, 'stripe')", [order]
        )
        yield attempt, request


@pytest.mark.timeout(60)
def test_a_start_is_failed_by_its_attempt_first(own_database, begun):
    """Whoever notes what was started holds the attempt and then closes the request."""
    attempt, request = begun
    told = []
    with psycopg.connect(own_database) as one, psycopg.connect(own_database) as other:
        one.execute("select from payment_attempts where id = %s for update", [attempt])

        def fail():
            other.execute("select private.fail_start(%s, %s, 'declined', 'no')", [attempt, request])
            other.commit()
            told.append("ok")

        failing = threading.Thread(target=fail)
        failing.start()
        failing.join(0.5)
        assert failing.is_alive()
        one.execute(
            "select private.payment_started(%s, %s, %s)", [attempt, request, uuid.uuid4().hex]
        )
        one.commit()
        failing.join(20)
        assert told == ["ok"]
