"""An event that speaks of a payment before we know of it is neither lost nor booked twice."""

import contextlib
import threading

import psycopg
import pytest

from tests.fixtures.people import cast as make_cast

UNKNOWN = "payments.payment_not_found: pi_1"


@pytest.mark.timeout(60)
def test_it_is_not_lost_between_two_workers(own_database):
    """One worker gives it up while another books the payment: it comes again."""
    with psycopg.connect(own_database, autocommit=True) as db:
        people = make_cast(db)
        ((order,),) = people["sponsor"].rows("select id from create_order(500, 'EUR', 'x')")
        db.execute(
            "select private.keep_events("
            "'{stripe}', '{evt_1}', '{charge.dispute.closed}', array['{}'::bytea])"
        )
        (event,) = db.execute("select id from private.webhook_events").fetchone()

        with psycopg.connect(own_database) as one, psycopg.connect(own_database) as other:
            one.execute("select private.open_event(%s)", [event])
            with contextlib.suppress(psycopg.Error), one.transaction():
                one.execute(
                    "select private.change_payment_dispute("
                    "'stripe', 'dp_1', 'pi_1', 'lost', 500, 'EUR', 'x', null)"
                )
            other.execute(
                "select private.record_payment(%s, 'stripe', 'pi_1', 500, 'EUR')", [order]
            )

            def give_up():
                one.execute("select private.finish_event(%s, 'ignored', %s)", [event, UNKNOWN])
                one.commit()

            giving_up = threading.Thread(target=give_up)
            giving_up.start()
            giving_up.join(0.5)
            assert giving_up.is_alive(), "it waits for whoever books the payment"
            other.commit()
            giving_up.join(20)
            assert not giving_up.is_alive()
        kept = "select status, note from private.webhook_events"
        assert db.execute(kept).fetchall() == [("kept", None)]
        jobs = (
            "select count(*) from procrastinate.procrastinate_jobs where args ->> 'event_id' = %s"
        )
        assert db.execute(jobs, [str(event)]).fetchone() == (2,)


@pytest.mark.timeout(60)
def test_nor_is_one_of_an_invoices_payment(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        db.execute(
            "select private.keep_events("
            "'{stripe}', '{evt_1}', '{charge.refunded}', array['{}'::bytea])"
        )
        (event,) = db.execute("select id from private.webhook_events").fetchone()
        db.execute("select private.link_invoice_payment('stripe', 'pi_1', 'in_1')")
        db.execute("select private.finish_event(%s, 'ignored', %s)", [event, UNKNOWN])
        kept = "select status, note from private.webhook_events"
        assert db.execute(kept).fetchall() == [("kept", None)]


def test_it_is_given_up_where_nobody_knows_the_payment(db):
    db.execute(
        "select private.keep_events("
        "'{stripe}', '{evt_1}', '{charge.dispute.closed}', array['{}'::bytea])"
    )
    db.execute(
        "select private.finish_event(id, 'ignored', %s) from private.webhook_events", [UNKNOWN]
    )
    kept = "select status, note from private.webhook_events"
    assert db.execute(kept).fetchall() == [("ignored", UNKNOWN)]
