"""A refund whose last event is lost is asked after, until its provider says how it ended."""

import asyncio
import uuid
from types import SimpleNamespace

import psycopg
import pytest

from tests.fixtures.people import cast
from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.conftest import Till
from tests.payments.contract import paypal, razorpay, stripe
from workers.core.db import make_pool
from workers.payments import carry
from workers.payments.base import PaymentSucceeded

# what makes the sandbox's refund wait, and what ends it
WAYS = {
    "stripe": (stripe.CASE, "pending_refund", {"succeeded": "succeed", "failed": "fail"}),
    "razorpay": (razorpay.CASE, "refund_pending", {"succeeded": "processed", "failed": "failed"}),
    "paypal": (paypal.CASE, "pending", {"succeeded": "complete", "failed": "fail"}),
}


class Counter:
    """A payment into a balance at a sandbox that keeps its events to itself, and its refund."""

    def __init__(self, url, sandbox, provider):
        self.sandbox, self.known, self.provider = sandbox, sandbox.settings(url), provider
        self.case, self.waits, self.deeds = WAYS[provider]
        self.db = psycopg.connect(url, autocommit=True)
        self.till = Till(self.db, cast(self.db))
        order = self.till.order(self.case.amount_minor, self.case.currency)
        self.payment = asyncio.run(self._pay(order))
        self.till.worker.rows(*self.payment.booking(provider))

    async def _pay(self, order_id):
        gateway, order = self.case.provider(self.known), self.case.order(order_id=order_id)
        try:
            started = await gateway.start_payment(order)
            self.case.pay(self.sandbox, started)
            if self.case.capture_call:
                await gateway.capture_payment(key=uuid.uuid4(), started=started.reference)
            (fact,) = await gateway.look_up_payment(started.reference)
        finally:
            await gateway.aclose()
        assert isinstance(fact, PaymentSucceeded)
        # which try it was nobody here stored
        return PaymentSucceeded(fact.reference, fact.amount, order_id=order_id)

    def run(self, task, subject):
        async def go():
            async with make_pool(self.known) as pool:
                gateway = self.case.provider(self.known)
                context = {"pool": pool, "providers": {self.provider: gateway}}
                try:
                    await task(SimpleNamespace(additional_context=context), str(subject))
                finally:
                    await gateway.aclose()

        asyncio.run(go())

    def refund(self):
        """A refund of 500 that the provider is still carrying."""
        self.sandbox.fail(self.provider, self.waits)
        refund = self.till.one(
            "select private.request_refund(%s, %s, 500, 'x', 'x')",
            self.provider, self.payment.reference,
        )  # fmt: skip
        self.run(carry.send_refund, refund)
        assert self.till.refunds() == [(refund, 500, "sent")]
        return refund

    def end(self, deed):
        (made,) = self.sandbox.worlds[self.provider].all("refund")
        self.sandbox.control(self.provider, f"refunds/{made['id']}/{self.deeds[deed]}")

    def due(self):
        """How many refunds are asked after now."""
        return self.till.one("select private.tend_refunds()")

    def balance(self):
        return self.till.payer.rows("select reserved_minor, available_minor from ledger_balances")


@pytest.fixture(params=WAYS)
def counter(request, own_database):
    with serve_sandbox() as sandbox:
        made = Counter(own_database, sandbox, request.param)
        yield made
        made.db.close()


@pytest.mark.parametrize(("end", "left"), [("succeeded", 734), ("failed", 1234)])
def test_what_is_long_on_its_way_is_looked_up(counter, end, left):
    refund = counter.refund()
    counter.run(carry.check_refund, refund)
    assert counter.till.refunds() == [(refund, 500, "sent")]
    assert counter.balance() == [(500, 734)]
    counter.end(end)
    assert counter.due() == 0  # every six hours
    counter.db.execute("update refunds set look_at = now()")
    assert (counter.due(), counter.due()) == (1, 0)
    counter.run(carry.check_refund, refund)
    assert counter.till.refunds() == [(refund, 500, end)]
    assert counter.balance() == [(0, left)]
    counter.db.execute("update refunds set look_at = now()")
    assert counter.due() == 0
    assert counter.till.findings() == []


def test_no_answer_proves_nothing(own_database):
    with serve_sandbox() as sandbox:
        counter = Counter(own_database, sandbox, "stripe")
        refund = counter.refund()
        for break_it in (
            lambda: sandbox.fail("stripe", "500_before", "GET "),
            lambda: counter.db.execute("update private.provider_requests set attempt = 7"),
        ):
            break_it()  # out of order, then: a key that the provider does not know
            counter.run(carry.check_refund, refund)
            sandbox.recover("stripe")
            assert counter.till.refunds() == [(refund, 500, "sent")]
            assert counter.balance() == [(500, 734)]
        counter.db.close()


def test_one_that_takes_two_weeks_is_a_finding(till):
    """By then its last event is lost, and the provider's report tells that the money went."""
    payment = till.pay(till.order(500), 700, reference="pi_1")
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    assert till.refund(payment, "pending", 200, "re_1", request) == "ok"
    till.worker.rows(
        "select private.import_movement('stripe', 'refund', 're_1', -200, 'EUR', 0,"
        " now() - interval '2 hours', null)"
    )
    found = "select finding from private.check_invariants()"
    differs = "select reference, provider_minor, ledger_minor from private.find_differences()"
    for days, findings, differences in (
        (13, [], []),
        (
            15,
            [("a refund is on its way for two weeks",), ("provider and ledger differ",)],
            [("re_1", -200, 0)],
        ),
    ):
        till.db.execute("update refunds set created_at = now() - make_interval(days => %s)", [days])
        assert till.db.execute(found).fetchall() == findings
        assert till.db.execute(differs).fetchall() == differences
    assert till.refund(payment, "succeeded", 200, "re_1", request) == "ok"
    assert till.db.execute(found).fetchall() == []
