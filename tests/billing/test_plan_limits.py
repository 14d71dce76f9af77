"""Who has no larger plan opens so many agreements at a time and no more, however fast."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.billing.conftest import DAY, START, Office
from tests.fixtures.people import Person, cast, error_code


def test_twenty_are_free(office):
    opened = [office.open_agreement(parts=2) for _ in range(20)]
    assert office.open_agreement() == "billing.limit_reached"
    # both parts of one are over: there is room again
    for escrow in opened[0]:
        assert office.open_agreement() == "billing.limit_reached"
        office.owner.rows("select cancel_escrow(%s)", [escrow])
    assert len(office.open_agreement()) == 1
    assert office.open_agreement() == "billing.limit_reached"


def test_others_have_their_own(office):
    office.db.execute("update plan_features set allowed = 1")
    other = office.sign_up()
    assert len(office.open_agreement()) == 1
    assert len(office.open_agreement(other)) == 1
    assert office.open_agreement(other) == "billing.limit_reached"


@pytest.mark.parametrize(
    ("price", "allowed"),
    [("price_premium_eur_month", 3), ("price_business_eur_month", 6)],
)
def test_a_plan_opens_more(office, price, allowed):
    office.db.execute(
        "update plan_features set allowed = case plan when 'free' then 1 when 'premium' then 3 end"
    )
    office.subscribe(price=price)
    opened = [office.open_agreement() for _ in range(6)]
    assert sum(isinstance(one, list) for one in opened) == allowed


@pytest.mark.parametrize("status", ["unpaid", "paused", "canceled"])
def test_what_a_plan_opened_is_closed_when_it_ends(office, status):
    office.db.execute("update plan_features set allowed = 1 where plan = 'free'")
    office.subscribe()
    opened = [office.open_agreement()[0] for _ in range(3)]
    office.subscribe(status="past_due", at=START + DAY)
    count = "select count(*) from escrows where id = any(%s) and closed_at is null"
    assert office.one(count, opened) == 3  # the payment is tried again: nothing closes yet
    office.subscribe(status=status, at=START + 2 * DAY)
    assert office.one(count, opened) == 1
    assert office.open_agreement() == "billing.limit_reached"


def test_a_smaller_plan_closes_what_it_does_not_allow(office):
    office.db.execute("update plan_features set allowed = 2 where plan = 'premium'")
    office.subscribe(price="price_business_eur_month")
    opened = [office.open_agreement()[0] for _ in range(4)]
    office.subscribe(at=START + DAY)
    assert (
        office.one("select count(*) from escrows where id = any(%s) and closed_at is null", opened)
        == 2
    )


def test_sixty_four_at_once_open_one(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        office = Office(db, cast(db))
        db.execute("update plan_features set allowed = 1 where plan = 'free'")

    def open_one(_):
        with psycopg.connect(own_database) as mine:
            owner = Person(mine, "sponsor", id=office.owner.id)
            try:
                owner.rows(
                    "select open_escrow(%s, 'Tea', 'EUR',"
                    ' \'[{"title": "x", "price_minor": 1}]\')',
                    [office.cast["creator"].id],
                )
            except psycopg.Error as error:
                return error_code(error)
        return "ok"

    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(open_one, range(64)))
    assert sorted(told) == ["billing.limit_reached"] * 63 + ["ok"]
