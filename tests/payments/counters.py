"""A payment at a provider's sandbox, and the worker's jobs about it."""

import asyncio
import uuid
from contextlib import contextmanager
from types import SimpleNamespace

import psycopg

from tests.fixtures.people import cast
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

    @classmethod
    @contextmanager
    def open(cls, url, sandbox, provider):
        made = cls(url, sandbox, provider)
        yield made
        made.db.close()

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
