"""A trial needs no card, comes once in a lifetime, and what it opened is closed when it ends."""

import asyncio
from types import SimpleNamespace

import psycopg
import pytest
from pydantic import SecretStr

from tests.billing.conftest import Office
from tests.fixtures.people import cast, suspend
from workers.billing.tasks import expire_trials
from workers.core.db import make_pool
from workers.core.settings import Settings

TRY = "select status, plan, (trial_ends_at - started_at)::text, provider from start_trial()"


def _end(office, person=None):
    """Time passes, and the worker looks."""
    office.db.execute(
        "update subscriptions set trial_ends_at = now() - interval '1 s',"
        " current_period_end = now() - interval '1 s'"
        " where provider is null and owner_id = %s",
        [(person or office.owner).id],
    )
    return office.worker.rows("select private.expire_trials()")[0][0]


def _trial(office, person=None):
    return office.db.execute(
        "select status, end_reason from subscriptions where provider is null and owner_id = %s",
        [(person or office.owner).id],
    ).fetchone()


def test_fourteen_days_without_a_card(office):
    assert office.owner.rows(TRY) == [("trialing", "premium", "14 days", None)]
    assert office.is_premium()
    assert office.owner.rows("select plan, status from subscriptions") == [("premium", "trialing")]
    assert office.cast["stranger"].rows("select id from subscriptions") == []


def test_the_length_is_data(office):
    office.db.execute("update plans set trial_days = 30 where plan = 'business'")
    assert office.owner.rows(
        "select (trial_ends_at - started_at)::text, plan from start_trial('business')"
    ) == [("30 days", "business")]


def test_once_in_a_lifetime(office):
    office.owner.rows(TRY)
    assert office.owner.outcome(TRY) == "billing.trial_used"
    _end(office)
    assert office.owner.outcome(TRY) == "billing.trial_used"
    assert office.owner.outcome("select start_trial('business')") == "billing.trial_used"


@pytest.mark.parametrize("status", ["trialing", "active", "past_due", "unpaid", "canceled"])
def test_not_for_who_subscribed_before(office, status):
    office.subscribe(status=status)
    assert office.owner.outcome(TRY) == "billing.trial_used"


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired"])
def test_what_never_began_does_not_count(office, status):
    office.subscribe(status=status)
    assert office.owner.outcome(TRY) == "row"


@pytest.mark.parametrize("plan", ["free", "gold", "", None])
def test_plans_without_a_trial(office, plan):
    assert office.owner.outcome("select start_trial(%s)", [plan]) == "billing.plan_not_found"


def test_only_for_people(office):
    assert office.cast["visitor"].outcome(TRY) == "denied"
    assert office.cast["service"].outcome(TRY) == "denied"
    suspend(office.db, office.owner)
    assert office.owner.outcome(TRY) == "identity.not_active"


def test_it_ends_by_itself(office):
    office.owner.rows(TRY)
    assert office.worker.rows("select private.expire_trials()") == [(0,)]
    office.db.execute("update subscriptions set trial_ends_at = now() - interval '1 s'")
    assert not office.is_premium()  # also before the worker looks
    assert _end(office) == 1
    assert _end(office) == 0
    assert _trial(office) == ("canceled", "trial_ended")


def test_what_it_opened_is_closed(office):
    office.db.execute("update plan_features set allowed = 2 where plan = 'free'")
    office.owner.rows(TRY)
    kept = [office.open_agreement()[0] for _ in range(2)]
    paid, *rest = [office.open_agreement()[0] for _ in range(3)]
    office.db.execute("select private.fund_escrow(%s, 'stripe', 'pi_9', 1100, 'EUR')", [paid])
    _age(office, [*kept, paid, *rest])
    assert _end(office) == 1
    states = {
        escrow: office.one("select status from escrows where id = %s", escrow)
        for escrow in [*kept, paid, *rest]
    }
    # the newest that nobody paid go, down to what is free; other people's money stays
    assert [states[one] for one in kept] == ["pending_payment", "cancelled"]
    assert states[paid] == "locked"
    assert [states[one] for one in rest] == ["cancelled", "cancelled"]
    assert (
        office.one(
            "select reason from escrow_events where escrow_id = %s order by id desc limit 1",
            rest[0],
        )
        == "The plan allows no more open agreements."
    )
    assert office.open_agreement() == "billing.limit_reached"
    assert office.findings() == []


def test_a_paid_subscription_ends_it_and_closes_nothing(office):
    office.db.execute("update plan_features set allowed = 1 where plan = 'free'")
    office.owner.rows(TRY)
    opened = [office.open_agreement()[0] for _ in range(3)]
    office.subscribe()
    assert _trial(office) == ("canceled", "converted")
    assert _end(office) == 0
    assert office.is_premium()
    assert (
        office.one("select count(*) from escrows where id = any(%s) and closed_at is null", opened)
        == 3
    )


def test_a_first_payment_that_failed_does_not_end_it(office):
    office.owner.rows(TRY)
    office.subscribe(status="incomplete")
    assert _trial(office) == ("trialing", None)
    office.subscribe(status="incomplete_expired")
    assert _trial(office) == ("trialing", None)
    assert office.is_premium()


def _age(office, escrows):
    """In one transaction all are of one moment: set them apart, oldest first."""
    for age, escrow in enumerate(reversed(escrows)):
        office.db.execute(
            "update escrows set created_at = now() - make_interval(mins => %s) where id = %s",
            [age, escrow],
        )


def test_the_task_ends_every_one(own_database):
    async def run():
        known = Settings(database_url=SecretStr(own_database))
        async with make_pool(known) as pool:
            await expire_trials(SimpleNamespace(additional_context={"pool": pool}), 0)

    with psycopg.connect(own_database, autocommit=True) as db:
        office = Office(db, cast(db))
        for number in range(203):  # more than one run takes
            office.sign_up(f"person{number}").rows(TRY)
        db.execute("update subscriptions set trial_ends_at = now() - interval '1 s'")
        asyncio.run(run())
        assert db.execute(
            "select status, end_reason, count(*) from subscriptions group by 1, 2"
        ).fetchall() == [("canceled", "trial_ended", 203)]


def test_no_second_trial_by_a_page_that_is_open(office):
    """14 days without a card, and 14 more on the page that was opened before."""
    ((checkout, request, days),) = office.owner.rows(
        "select checkout_id, request_id, trial_days from private.start_checkout(%s)",
        [office.price("price_premium_eur_month")],
    )
    assert days == 14
    assert office.owner.outcome(TRY) == "billing.checkout_open"
    office.worker.rows(
        "select private.checkout_started(%s, %s, 'cs_1', 'https://x', now() + interval '1 day')",
        [checkout, request],
    )
    assert office.owner.outcome(TRY) == "billing.checkout_open"
    office.worker.rows(
        "select private.change_checkout('stripe', %s, 'cs_1', 'expired', null)", [checkout]
    )
    assert office.owner.rows(TRY) == [("trialing", "premium", "14 days", None)]
