"""Stripe's events become facts, whichever version made them; what means nothing, means nothing."""

import copy
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from workers.billing.facts import (
    CheckoutChanged,
    InvoiceChanged,
    InvoicePaid,
    SubscriptionChanged,
    SubscriptionQuestioned,
)
from workers.billing.stripe import read_billing
from workers.billing.stripe_events import invoice_facts, subscription_fact
from workers.core.settings import Settings
from workers.payments.base import UnreadableEvent
from workers.payments.registry import read_event
from workers.payments.stripe import Stripe

OWNER = "7d3f0c5e-3f0b-4c7e-9a43-0e6a3c1f2b7a"
SUBSCRIPTION = {
    "id": "sub_1",
    "object": "subscription",
    "customer": "cus_1",
    "status": "active",
    "created": 1000,
    "start_date": 1000,
    "items": {
        "data": [
            {
                "id": "si_1",
                "price": {"id": "price_1"},
                "current_period_start": 1000,
                "current_period_end": 2000,
            }
        ]
    },
    "cancel_at": None,
    "cancel_at_period_end": False,
    "canceled_at": None,
    "ended_at": None,
    "cancellation_details": {"reason": None},
    "trial_end": None,
    "schedule": None,
    "metadata": {"owner_id": OWNER},
}
INVOICE = {
    "id": "in_1",
    "object": "invoice",
    "customer": "cus_1",
    "status": "paid",
    "number": "G-1",
    "currency": "eur",
    "total": 1900,
    "amount_paid": 1900,
    "amount_paid_off_stripe": 0,
    "attempt_count": 1,
    "created": 900,
    "status_transitions": {"finalized_at": 950},
    "next_payment_attempt": None,
    "hosted_invoice_url": "https://invoice.example/1",
    "invoice_pdf": "https://invoice.example/1.pdf",
    "lines": {"data": [{"period": {"start": 1500, "end": 2000}},
                       {"period": {"start": 1000, "end": 1500}}]},
    "parent": {
        "type": "subscription_details",
        "subscription_details": {"subscription": "sub_1", "metadata": {"owner_id": OWNER}},
    },
    "metadata": {},
}  # fmt: skip


def _event(kind, subject, **changes):
    return {
        "id": "evt_1", "type": kind, "created": 1234, "data": {"object": subject}
    } | changes  # fmt: skip


def _at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def _held(**changes):
    return copy.deepcopy(SUBSCRIPTION) | changes


def _bill(**changes):
    return copy.deepcopy(INVOICE) | changes


@pytest.mark.parametrize(
    "kind", ["created", "updated", "deleted", "paused", "resumed", "trial_will_end"]
)
def test_a_subscription(kind):
    (fact,) = read_billing(_event(f"customer.subscription.{kind}", _held()))
    assert fact == SubscriptionChanged(
        reference="sub_1",
        customer="cus_1",
        price="price_1",
        status="active",
        started_at=_at(1000),
        period_start=_at(1000),
        period_end=_at(2000),
        owner_id=UUID(OWNER),
        told_at=_at(1234),
        event="evt_1",
    )


def test_of_a_version_before_basil():
    """The period stood on the subscription."""
    held = _held(current_period_start=5, current_period_end=7)
    held["items"] = {"data": [{"id": "si_1", "price": {"id": "price_1"}}]}
    fact = subscription_fact(held)
    assert (fact.period_start, fact.period_end) == (_at(5), _at(7))
    bill = _bill(parent=None, subscription="sub_1", metadata={"owner_id": OWNER})
    (fact,) = invoice_facts(bill)
    assert (fact.subscription, fact.owner_id) == ("sub_1", UUID(OWNER))


@pytest.mark.parametrize(
    ("changes", "cancel_at"),
    [
        ({"cancel_at_period_end": True, "cancel_at": 2000}, 2000),
        ({"cancel_at_period_end": True}, 2000),
        ({"cancel_at": 1800}, 1800),
    ],
)
def test_when_it_ends(changes, cancel_at):
    assert subscription_fact(_held(**changes)).cancel_at == _at(cancel_at)


def test_that_it_ended():
    held = _held(
        status="canceled", canceled_at=1700, cancellation_details={"reason": "payment_failed"}
    )
    fact = subscription_fact(held)
    assert (fact.ended_at, fact.end_reason, fact.is_over) == (_at(1700), "payment_failed", True)


def test_a_schedule_in_full_tells_what_comes():
    phases = [
        {"items": [{"price": "price_1"}], "start_date": 1000, "end_date": 2000},
        {"items": [{"price": {"id": "price_2"}}], "start_date": 2000, "end_date": 3000},
    ]
    plan = {
        "id": "sub_sched_1", "status": "active", "phases": phases,
        "current_phase": {"start_date": 1000, "end_date": 2000},
    }  # fmt: skip
    fact = subscription_fact(_held(schedule=plan))
    assert (fact.schedule, fact.next_price) == ("sub_sched_1", "price_2")
    for changes in (
        {"current_phase": {"start_date": 2000, "end_date": 3000}}, {"status": "released"}
    ):  # fmt: skip
        fact = subscription_fact(_held(schedule=plan | changes))
        assert (fact.schedule, fact.next_price) == (None, None)
    assert subscription_fact(_held(schedule="sub_sched_1")).schedule == "sub_sched_1"


def test_an_invoice():
    (fact,) = read_billing(_event("invoice.paid", _bill()))
    assert fact == InvoiceChanged(
        reference="in_1",
        subscription="sub_1",
        customer="cus_1",
        status="paid",
        currency="EUR",
        total_minor=1900,
        paid_minor=1900,
        issued_at=_at(950),
        owner_id=UUID(OWNER),
        number="G-1",
        period_start=_at(1000),
        period_end=_at(2000),
        attempts=1,
        hosted_url="https://invoice.example/1",
        pdf_url="https://invoice.example/1.pdf",
        told_at=_at(1234),
        event="evt_1",
    )


def test_what_was_paid_outside_stripe_never_came_to_it():
    (fact,) = invoice_facts(_bill(amount_paid=1900, amount_paid_off_stripe=1400))
    assert fact.paid_minor == 500


def test_credit_notes():
    (fact,) = invoice_facts(
        _bill(pre_payment_credit_notes_amount=100, post_payment_credit_notes_amount=20)
    )
    assert fact.credited_minor == 120


def test_a_deleted_draft_is_as_good_as_void():
    (fact,) = read_billing(_event("invoice.deleted", _bill(status="draft", amount_paid=0)))
    assert fact.status == "void"


def test_what_paid_it():
    paid = {"invoice": "in_1", "status": "paid", "payment": {"payment_intent": "pi_1"}}
    assert read_billing(_event("invoice_payment.paid", paid)) == (InvoicePaid("pi_1", "in_1"),)
    assert read_billing(_event("invoice_payment.paid", paid | {"status": "open"})) == ()
    outside = paid | {"payment": {"type": "payment_record", "payment_record": "pr_1"}}
    assert read_billing(_event("invoice_payment.paid", outside)) == ()
    facts = invoice_facts(_bill(payments={"data": [paid]}))
    assert facts[1:] == (InvoicePaid("pi_1", "in_1"),)


def test_a_page():
    page = {
        "id": "cs_1", "mode": "subscription", "status": "complete", "client_reference_id": OWNER,
        "subscription": "sub_1",
    }  # fmt: skip
    told = CheckoutChanged("cs_1", "completed", UUID(OWNER), "sub_1")
    assert read_billing(_event("checkout.session.completed", page)) == (told,)
    (fact,) = read_billing(
        _event("checkout.session.expired", page | {"status": "expired", "subscription": None})
    )
    assert (fact.status, fact.subscription) == ("expired", None)
    for changes in ({"mode": "payment"}, {"status": "open"}):
        assert read_billing(_event("checkout.session.completed", page | changes)) == ()
    (fact,) = read_billing(
        _event("checkout.session.completed", page | {"client_reference_id": "ORD-7"})
    )
    assert fact.checkout_id is None


def test_a_planned_change_is_looked_up():
    plan = {"id": "sub_sched_1", "subscription": None, "released_subscription": "sub_1"}
    assert read_billing(_event("subscription_schedule.released", plan)) == (
        SubscriptionQuestioned("sub_1", "evt_1"),
    )


NOTHING = [
    ("payment_intent.succeeded", {"id": "pi_1"}),
    ("charge.refunded", {"id": "ch_1"}),
    ("customer.created", {"id": "cus_1"}),
    ("invoice.upcoming", _bill(id=None)),
    ("invoice.paid", _bill(parent=None)),  # of no subscription
    ("customer.subscription_like", {}),
]
BROKEN = [
    ("customer.subscription.updated", _held(status="sleeping")),
    ("customer.subscription.updated", _held(items={"data": []})),
    ("customer.subscription.updated", {}),
    ("customer.subscription.updated", None),
    ("customer.subscription.updated", []),
    ("customer.subscription.updated", _held(start_date="yesterday")),
    ("customer.subscription.updated", _held(start_date=10**30)),
    ("invoice.paid", _bill(total="19.00")),
    ("invoice.paid", _bill(amount_paid=True)),
    ("invoice.paid", _bill(amount_paid=19.5)),
    ("invoice.paid", _bill(status="almost")),
    ("invoice_payment.paid", {"status": "paid", "payment": {"charge": "ch_1"}}),
    ("checkout.session.completed", {"mode": "subscription"}),
]


@pytest.mark.parametrize(("kind", "subject"), NOTHING)
def test_what_means_nothing(kind, subject, caplog):
    assert read_billing(_event(kind, subject)) == ()
    assert caplog.records == []


@pytest.mark.parametrize(("kind", "subject"), BROKEN)
def test_what_cannot_be_read_is_for_a_person(kind, subject):
    with pytest.raises(UnreadableEvent):
        read_billing(_event(kind, subject))


@pytest.mark.parametrize("owner", [None, "", "ORD-7", 7, {}, [OWNER]])
def test_others_metadata_names_nobody(owner):
    assert subscription_fact(_held(metadata={"owner_id": owner})).owner_id is None
    assert subscription_fact(_held(metadata=None)).owner_id is None


def test_it_is_read_beside_the_payments():
    """The registry asks every domain that reads a provider's events."""
    provider = Stripe(Settings(_env_file=None, database_url="postgresql://nowhere"))
    body = json.dumps(_event("customer.subscription.updated", _held())).encode()
    (fact,) = read_event(provider, body)
    assert isinstance(fact, SubscriptionChanged)
