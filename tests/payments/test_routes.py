"""Who collects a payment stands in a table: country, currency, purpose, how long it is held."""

import pytest

START = "select provider_name from private.start_payment(%s, %s)"
ROUTES = "select * from private.route_payment(%s, %s, %s)"


def _routes(till, country, currency, kind="escrow"):
    return [row[0] for row in till.db.execute(ROUTES, [country, currency, kind])]


def test_the_most_preferred_first(till):
    till.db.execute("delete from private.payment_routes")
    till.db.execute(
        "insert into private.payment_routes (position, country, currency, kind, provider) values"
        " (1, 'IN', 'INR', null, 'razorpay'), (2, null, null, 'credit', 'paypal'),"
        " (3, null, null, null, 'stripe'), (4, null, 'USD', null, 'coinbase')"
    )
    assert _routes(till, "IN", "INR") == ["razorpay", "stripe"]
    assert _routes(till, "IN", "USD") == ["stripe", "coinbase"]
    assert _routes(till, None, "INR") == ["stripe"]
    assert _routes(till, "DE", "EUR", "credit") == ["paypal", "stripe"]
    till.db.execute("update private.payment_routes set is_enabled = false where position = 3")
    assert _routes(till, "DE", "EUR") == []
    till.db.execute("update private.providers set is_enabled = false where provider = 'paypal'")
    assert _routes(till, "DE", "EUR", "credit") == []


@pytest.fixture
def booking(till):
    """Orders of a session that begins in so many days, by a payer of a country."""

    def order(days, country):
        till.db.execute(
            "update profile_private set country = %s where user_id = %s", [country, till.payer.id]
        )
        host = till.cast["creator"]
        ((offer,),) = host.rows("select id from create_booking_offer('x', 60, 10000, 'THB')")
        ((made,),) = till.payer.rows(
            "select id from book_offer(%s, now() + make_interval(days => %s))", [offer, days]
        )
        ((bill,),) = till.payer.rows("select id from order_booking(%s)", [made])
        return bill

    return order


@pytest.mark.parametrize(
    ("days", "country", "provider"),
    [
        # Stripe holds money for 10 days in Thailand; three are spared, one is the session's own
        (5, "TH", "stripe"),
        (6, "TH", "paypal"),
        (59, "TH", "paypal"),
        (59, "DE", "stripe"),
    ],
)
def test_a_session_is_paid_to_who_may_hold_it_till_it_is_settled(
    till, booking, days, country, provider
):
    till.db.execute("delete from private.payment_routes")
    till.db.execute(
        "insert into private.payment_routes (position, provider)"
        " values (1, 'stripe'), (2, 'paypal')"
    )
    order = booking(days, country)
    assert till.payer.rows(START, [order, None]) == [(provider,)]
    if provider != "stripe":
        assert till.payer.outcome(START, [order, "stripe"]) == "payments.no_route"
