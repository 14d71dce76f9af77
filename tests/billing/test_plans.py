"""A plan opens what its rows say, while its subscription is in good standing or tried."""

import psycopg
import pytest

from tests.billing.conftest import DAY, START
from tests.fixtures.people import error_code

STANDING = [
    # status              premium
    ("incomplete",         False),
    ("trialing",           True),
    ("active",             True),
    ("past_due",           True),
    ("unpaid",             False),
    ("paused",             False),
    ("canceled",           False),
    ("incomplete_expired", False),
]  # fmt: skip


@pytest.mark.parametrize(("status", "is_premium"), STANDING)
def test_who_is_premium(office, status, is_premium):
    office.subscribe(status=status)
    assert office.is_premium() is is_premium
    assert office.owner.rows("select is_premium()") == [(is_premium,)]
    assert office.one("select private.current_plan(%s)", office.owner.id) == (
        "premium" if is_premium else "free"
    )
    assert not office.is_premium(office.cast["stranger"])


def test_visitors_see_what_is_sold(office):
    prices = office.cast["visitor"].rows(
        "select plan, currency, period, amount_minor from plan_prices where is_sold"
        " and currency = 'EUR' order by 1, 3"
    )
    assert prices == [
        ("business", "EUR", "month", 4900),
        ("business", "EUR", "year", 49000),
        ("premium", "EUR", "month", 1900),
        ("premium", "EUR", "year", 19000),
    ]


def test_the_plan_says_what_is_open(office):
    ask = "select plan, feature, allowed from list_entitlements()"
    assert office.owner.rows(ask) == [("free", "escrow.open_agreements", 20)]
    office.subscribe()
    assert office.owner.rows(ask) == [("premium", "escrow.open_agreements", 200)]
    office.subscribe(at=START + DAY, price="price_business_eur_month")
    assert office.owner.rows(ask) == [("business", "escrow.open_agreements", None)]


def test_a_feature_without_a_row_is_not_in_the_plan(office):
    ask = "select private.feature_limit(%s, 'bookings.open_offers')"
    assert office.one(ask, office.owner.id) == 0
    office.db.execute(
        "insert into plan_features values ('free', 'bookings.open_offers', 3),"
        " ('premium', 'bookings.open_offers', null)"
    )
    assert office.one(ask, office.owner.id) == 3
    office.subscribe()
    assert office.one(ask, office.owner.id) is None


@pytest.mark.parametrize(
    "change", ["amount_minor = 1", "currency = 'USD'", "reference = 'price_x'", "plan = 'business'"]
)
def test_a_price_that_was_sold_never_changes(office, change):
    with pytest.raises(psycopg.Error) as caught, office.db.transaction():
        office.db.execute(
            f"update plan_prices set {change} where reference = 'price_premium_eur_month'"
        )
    assert error_code(caught.value) == "billing.price_fixed"
    # but it may be sold no more, and another in its place
    office.db.execute(
        "update plan_prices set is_sold = false where reference = 'price_premium_eur_month'"
    )
    office.db.execute(
        "insert into plan_prices (plan, amount_minor, currency, period)"
        " values ('premium', 2100, 'EUR', 'month')"
    )


@pytest.mark.parametrize(
    ("amount", "currency", "period"),
    [
        (0, "CHF", "month"),
        (-1, "CHF", "month"),
        (1, "chf", "month"),
        (1, "CHF", "week"),
        (1, "ISK", "month"),  # Stripe counts it in hundredths, ISO 4217 does not
        (1, "KWD", "month"),
        (1, "EUR", "month"),  # one is sold already
    ],
)
def test_prices_that_cannot_be(office, amount, currency, period):
    with pytest.raises(psycopg.errors.IntegrityError), office.db.transaction():
        office.db.execute(
            "insert into plan_prices (plan, amount_minor, currency, period)"
            " values ('premium', %s, %s, %s)",
            [amount, currency, period],
        )
