"""What was called off, ran out or was paid takes no payment; money that comes goes back."""

import pytest

START = "select attempt_id from private.start_payment(%s)"
CALL_OFF = "select cancel_escrow(%s, 'No need.')"


@pytest.fixture
def booked(till):
    """A booking that begins in two days, and the order that pays it."""
    ((offer,),) = till.cast["creator"].rows(
        "select id from create_booking_offer('Tea', 60, 1000, 'EUR')"
    )
    ((booking,),) = till.payer.rows(
        "select id from book_offer(%s, now() + interval '2 days')", [offer]
    )
    ((order,),) = till.payer.rows("select id from order_booking(%s)", [booking])
    return booking, order


def _refused(till, order):
    """No provider is asked, and none is said to have been."""
    assert till.payer.outcome(START, [order]) == "payments.order_not_payable"
    assert till.one("select count(*) from private.provider_requests") == 0
    return till.one("select status::text from orders where id = %s", order) == "pending"


def test_an_escrow_that_was_called_off(till):
    escrow, order = till.escrow()
    till.payer.rows(CALL_OFF, [escrow])
    assert _refused(till, order)


def test_an_escrow_that_nobody_paid_in_time(till):
    escrow, order = till.escrow()
    till.db.execute("update escrows set created_at = now() - interval '1 year'")
    assert till.one("select private.cancel_next_unpaid()") == escrow
    assert _refused(till, order)


@pytest.mark.parametrize("who", ["sponsor", "creator"])
def test_a_booking_that_was_called_off(till, booked, who):
    booking, order = booked
    till.cast[who].rows("select cancel_booking(%s, 'No time.')", [booking])
    assert _refused(till, order)


@pytest.mark.parametrize("is_swept", [False, True])
def test_a_booking_that_nobody_paid_in_time(till, booked, is_swept):
    till.db.execute("update bookings set expires_at = now() - interval '1 second'")
    if is_swept:
        assert till.one("select private.cancel_unpaid_bookings()") == 1
    assert _refused(till, booked[1])


def test_what_was_paid(till):
    order = till.order()
    till.pay(order)
    assert not _refused(till, order)


def test_money_that_comes_all_the_same_goes_back(till):
    escrow, order = till.escrow()
    ((attempt,),) = till.payer.rows(START, [order])
    till.payer.rows(CALL_OFF, [escrow])
    assert till.payer.outcome(START, [order]) == "payments.order_not_payable"
    till.pay(order, 1100)
    assert till.one("select applied_minor from payments") == 0
    assert till.one("select amount_minor from refunds") == 1100
    assert till.one("select count(*) from payment_attempts where id = %s", attempt) == 1
    assert till.findings() == []
