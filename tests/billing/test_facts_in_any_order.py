"""Events come in any order, and more than once: the same state comes of it."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing.conftest import DAY, START
from workers.billing.facts import InvoicePaid

STATE = (
    "select status, plan, price_id, current_period_end, cancel_at, trial_ends_at, ended_at,"
    " end_reason, is_extra, changed_at, changed_by from subscriptions order by reference"
)
BILLS = (
    "select reference, status, total_minor, paid_minor, next_attempt_at, number,"
    " subscription_id is not null from invoices order by reference"
)


def _life(office):
    """From the first try to the end: a trial, a payment that failed once, an upgrade, a cancel."""
    at = [START + days * DAY for days in range(100)]
    month = office.subscription(period_end=at[45])
    return [
        office.subscription("incomplete", at[0]),
        office.subscription("trialing", at[0], trial_ends_at=at[14], period_end=at[14]),
        office.invoice("draft", at[14], paid=0),
        replace(month, status="active", told_at=at[14], event="evt_a"),
        office.invoice("open", at[14] + timedelta(hours=1), paid=0, next_attempt_at=at[17]),
        replace(month, status="past_due", told_at=at[14] + timedelta(hours=1), event="evt_b"),
        office.invoice("paid", at[17]),
        InvoicePaid("pi_1", "in_1"),
        replace(month, status="active", told_at=at[17], event="evt_c"),
        replace(
            month, status="active", price="price_business_eur_month", told_at=at[20], event="evt_d"
        ),
        office.invoice(
            "paid", at[20], 2600, reference="in_2", total_minor=2600, number="GUILD-0002"
        ),
        replace(
            month,
            status="active",
            price="price_business_eur_month",
            cancel_at=at[45],
            told_at=at[21],
            event="evt_e",
        ),
        replace(
            month,
            status="canceled",
            price="price_business_eur_month",
            told_at=at[45],
            ended_at=at[45],
            end_reason="cancellation_requested",
            event="evt_f",
        ),
    ]


def _picture(office):
    return (
        office.db.execute(STATE).fetchall(),
        office.db.execute(BILLS).fetchall(),
        office.balance("fees"),
        office.balance("clearing"),
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_whole_life_in_any_order(office, data):
    facts = _life(office)
    with office.db.transaction(force_rollback=True):
        for fact in facts:
            assert office.told(fact) == "ok"
        expected = _picture(office)
        assert expected[2:] == (4500, -4500)
    mixed = data.draw(st.permutations(facts))
    again = data.draw(st.lists(st.sampled_from(facts), max_size=10))
    with office.db.transaction(force_rollback=True):
        for fact in [*mixed, *again]:
            assert office.told(fact) == "ok"
        assert _picture(office) == expected
        assert office.findings() == []


def test_every_order_of_what_one_second_tells(office):
    """At the start several states are told within one second, and no order is promised."""
    facts = [
        office.subscription("incomplete"),
        office.subscription("active"),
        office.invoice("draft", paid=0),
        office.invoice("open", paid=0),
        office.invoice("paid"),
    ]
    for order in itertools.permutations(facts):
        with office.db.transaction(force_rollback=True):
            for fact in order:
                assert office.told(fact) == "ok"
            assert office.held("status") == ("active",)
            assert office.one("select status from invoices") == "paid"
            assert office.balance("fees") == 1900


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_that_differ_in_one_second_are_looked_up(office, order):
    """Only the provider knows which came last: it is asked, and meanwhile one of them holds."""
    told = [office.subscription(), office.subscription(cancel_at=START + 31 * DAY)]
    for number in order:
        assert office.told(told[number]) == "ok"
    winner = max(told, key=lambda fact: fact.event)
    assert office.held("changed_by", "cancel_at") == (winner.event, winner.cancel_at)
    assert office.db.execute(
        "select args from procrastinate.procrastinate_jobs"
        " where task_name = 'billing.refresh_subscription'"
    ).fetchall() == [({"provider": "stripe", "reference": "sub_1"},)]


def test_what_is_over_stays_over(office):
    office.subscribe(status="canceled", at=START + DAY)
    office.subscribe(status="active", at=START + 2 * DAY)
    assert office.held("status", "ended_at") == ("canceled", START + DAY)


def test_an_end_counts_whenever_it_is_told(office):
    office.subscribe(at=START + 2 * DAY)
    office.subscribe(status="canceled", at=START + DAY)
    assert office.held("status") == ("canceled",)


def test_a_look_up_counts_unless_an_event_came_since(office):
    office.subscribe()
    (seen,) = office.held("changed_at")
    looked = office.subscription("past_due", at=None, event="", seen_at=seen)
    assert office.told(looked) == "ok"
    assert office.held("status") == ("past_due",)
    asked = "select count(*) from procrastinate.procrastinate_jobs where task_name = %s"
    refresh = "billing.refresh_subscription"
    assert office.one(asked, refresh) == 0
    for _ in range(2):
        assert office.told(replace(looked, status="unpaid", seen_at=seen - DAY)) == "ok"
        assert office.held("status") == ("past_due",)
    # it is put again, once: nothing is missed that only a look-up tells
    assert office.one(asked, refresh) == 1
    # and an event that comes now is the later word
    office.subscribe(at=START + DAY)
    assert office.held("status") == ("active",)


def test_one_looked_up_first_is_kept(office):
    assert office.told(office.subscription(at=None, event="")) == "ok"
    assert office.held("status") == ("active",)
    assert office.told(office.invoice(at=None, event="")) == "ok"
    assert office.told(office.invoice("open", at=None, event="", paid=0)) == "ok"
    assert office.one("select status from invoices") == "paid"


def test_an_invoice_before_its_subscription(office):
    office.pay()
    assert office.one("select subscription_id from invoices") is None
    assert office.balance("fees") == 1900
    office.subscribe()
    assert office.one("select subscription_id from invoices") == office.held("id")[0]


def test_the_customer_names_the_owner_when_nothing_else_does(office):
    office.subscribe()
    assert office.told(office.subscription(reference="sub_2", owner_id=None)) == "ok"
    assert office.held("owner_id", "is_extra", reference="sub_2") == (office.owner.id, True)


def test_of_strangers_nothing_is_kept(office):
    for fact in (
        office.subscription(owner_id=None),
        office.invoice(owner_id=None),
        office.subscription(owner_id="00000000-0000-4000-8000-000000000000"),
    ):
        assert office.told(fact) == "ok"
    assert office.one("select count(*) from subscriptions") == 0
    assert office.one("select count(*) from invoices") == 0
    assert office.balance("fees") == 0


def test_a_price_that_nobody_knows(office):
    assert office.told(office.subscription(price="price_of_another")) == "billing.price_not_found"
    assert office.held("id") is None


@pytest.mark.parametrize("first", ["sub_1", "sub_2"])
def test_of_two_the_older_one_counts(office, first):
    """Made by hand at the provider, or by two pages: an operator ends one; nothing is lost."""
    older = office.subscription(reference="sub_1")
    newer = office.subscription(
        reference="sub_2",
        price="price_business_eur_month",
        started_at=START + DAY,
        customer="cus_2",
    )
    for fact in [older, newer] if first == "sub_1" else [newer, older]:
        assert office.told(fact) == "ok"
    assert office.held("is_extra", reference="sub_1") == (False,)
    assert office.held("is_extra", reference="sub_2") == (True,)
    assert [one[0] for one in office.findings()] == [
        "two subscriptions of one person: end one at the provider"
    ]
    assert office.one("select private.current_plan(%s)", office.owner.id) == "business"
    assert office.told(replace(older, status="canceled", told_at=START + 2 * DAY)) == "ok"
    assert office.held("is_extra", reference="sub_2") == (False,)
    assert office.findings() == []


def test_a_change_for_the_next_period_is_kept_until_it_comes(office):
    office.subscribe(price="price_business_eur_month")
    (seen,) = office.held("changed_at")
    premium = office.price("price_premium_eur_month")
    scheduled = office.subscription(
        price="price_business_eur_month",
        schedule="sub_sched_1",
        next_price="price_premium_eur_month",
        at=None,
        event="",
        seen_at=seen,
    )
    assert office.told(scheduled) == "ok"
    assert office.held("plan", "next_price_id") == ("business", premium)
    # events name the schedule and not what it changes to
    office.subscribe(price="price_business_eur_month", at=START + DAY, schedule="sub_sched_1")
    assert office.held("plan", "next_price_id") == ("business", premium)
    with office.db.transaction(force_rollback=True):
        office.subscribe(price="price_business_eur_month", at=START + 2 * DAY)
        assert office.held("plan", "next_price_id") == ("business", None)
    office.subscribe(at=START + 31 * DAY, schedule="sub_sched_1")
    assert office.held("plan", "next_price_id") == ("premium", None)


def test_people_hear_of_it(office):
    office.subscribe()
    office.subscribe(status="past_due", at=START + DAY)
    heard = office.db.execute(
        "select event, payload ->> 'plan', topic from realtime.messages"
        " where topic = %s and event like 'subscription_%%' order by inserted_at, id",
        [f"user:{office.owner.id}"],
    ).fetchall()
    assert sorted(event for event, _, _ in heard) == [
        "subscription_active",
        "subscription_past_due",
    ]
