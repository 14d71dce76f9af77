"""Razorpay's events, in any order and any number of times, leave the same books."""

import itertools
import random

import pytest


@pytest.fixture
async def story(shop, till):
    """An order at Razorpay, and the events of its whole life: failed, paid, refunded by hand."""
    order = till.order(50_000, "INR")
    started = await shop.gateway.start_payment(shop.order(order_id=order))
    till.db.execute(
        "insert into public.payment_attempts (order_id, provider, reference, status)"
        " values (%s, 'razorpay', %s, 'started')",
        [order, started.reference],
    )
    shop.does("fees", payment_bps=236)
    shop.does(f"orders/{started.reference}/decline")
    payment = shop.does(f"orders/{started.reference}/pay")["id"]
    shop.does(f"payments/{payment}/refund", amount=20_000)
    return order, shop.sandbox.events("razorpay")


NOT_YET = {
    "payments.order_not_found", "payments.attempt_not_found", "payments.payment_not_found",
}  # fmt: skip


def _deliver(shop, till, events):
    """Book them one by one; what speaks of something unknown yet comes again, as the inbox does."""
    waiting = list(events)
    while waiting:
        later = []
        for event in waiting:
            for fact in shop.gateway.read(event.body):
                statement, arguments = fact.booking("razorpay")
                answer = till.told(statement, *arguments)
                assert answer in {"ok", *NOT_YET}
                if answer != "ok":
                    later.append(event)
        assert len(later) < len(waiting), "nothing could be booked any more"
        waiting = later


def _books(till, order):
    return {
        "order": till.one("select status from orders where id = %s", order),
        "payments": till.db.execute(
            "select amount_minor, applied_minor, refunded_minor, charged_back_minor from payments"
        ).fetchall(),
        "refunds": [(minor, status) for _, minor, status in till.refunds()],
        "payer": till.held("available", till.payer, "INR"),
        "clearing": till.held("clearing", currency="INR"),
        "fees": till.held("fees", currency="INR"),
        "findings": till.findings(),
    }


async def test_every_order_of_events_is_the_same(shop, till, story):
    order, events = story
    assert [event.kind for event in events] == [
        "payment.failed", "payment.authorized", "payment.captured", "order.paid",
        "refund.created", "refund.processed",
    ]  # fmt: skip
    orders = list(itertools.permutations(events))
    random.Random(7).shuffle(orders)
    seen = []
    for one in [tuple(events), *orders[:150]]:
        with till.db.transaction(force_rollback=True):
            _deliver(shop, till, one)
            seen.append(_books(till, order))
    assert seen[0]["findings"] == []
    assert seen[0]["payer"] == 30_000
    assert seen[0]["order"] == "paid"
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("times", [2, 20])
async def test_repeated_events_change_nothing(shop, till, story, times):
    order, events = story
    _deliver(shop, till, events)
    once = _books(till, order)
    for _ in range(times):
        _deliver(shop, till, events)
    assert _books(till, order) == once


async def test_the_ledger_and_razorpay_hold_the_same(shop, till, story):
    _, events = story
    _deliver(shop, till, events)
    assert -till.held("clearing", currency="INR") == shop.balance() == 50_000 - 1180 - 20_000
