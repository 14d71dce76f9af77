"""Whatever becomes of a capture, also where its event is lost: no escrow waits for it for ever."""

import asyncio
from types import SimpleNamespace

import psycopg
import pytest

from tests.fixtures.people import cast
from tests.fixtures.sandboxing import HURRIED_SECONDS, serve_sandbox
from tests.payments.conftest import Till
from workers.core.db import make_pool
from workers.core.money import Money
from workers.payments import carry
from workers.payments.base import OrderToPay
from workers.payments.paypal import PayPal


class Deal:
    """An escrow whose sponsor agreed at the sandbox's PayPal, which keeps its events to itself."""

    def __init__(self, url, sandbox):
        self.sandbox, self.known = sandbox, sandbox.settings(url)
        self.db = psycopg.connect(url, autocommit=True)
        self.till = Till(self.db, cast(self.db))
        self.escrow, self.order = self.till.escrow()
        ((self.attempt, request),) = self.till.payer.rows(
            "select attempt_id, request_id from private.start_payment(%s, 'paypal')", [self.order]
        )
        asked = OrderToPay(
            key=request, order_id=self.order, amount=Money(1100, "EUR"), title="Tea",
            payer_email=None, return_url="",
        )  # fmt: skip
        started = asyncio.run(self._ask(lambda gateway: gateway.start_payment(asked)))
        self.started = started.reference
        self.till.worker.rows(
            "select private.payment_started(%s, %s, %s)", [self.attempt, request, self.started]
        )
        sandbox.control("paypal", f"orders/{self.started}/approve")
        self.till.worker.rows("select private.approve_payment('paypal', %s)", [self.started])

    async def _ask(self, question):
        gateway = PayPal(self.known)
        try:
            return await question(gateway)
        finally:
            await gateway.aclose()

    def run(self, task, **changes):
        """A job of the worker's; how the escrow stands then."""
        known = self.known.model_copy(update=changes)

        async def go():
            async with make_pool(known) as pool:
                gateway = PayPal(known)
                context = {"pool": pool, "providers": {"paypal": gateway}}
                try:
                    await task(SimpleNamespace(additional_context=context), str(self.attempt))
                finally:
                    await gateway.aclose()

        asyncio.run(go())
        return self.till.one("select status::text from escrows where id = %s", self.escrow)

    def capture(self):
        """What PayPal has of the capture."""
        (found,) = self.sandbox.worlds["paypal"].all("capture")
        return found["id"]

    def request(self):
        return self.till.one(
            "select status from private.provider_requests where action = 'payments.capture_payment'"
        )

    def grow_old(self, hours):
        self.db.execute(
            "update private.provider_requests set created_at = now() - make_interval(hours => %s)",
            [hours],
        )


@pytest.fixture
def deal(own_database):
    with serve_sandbox() as sandbox:
        made = Deal(own_database, sandbox)
        yield made
        made.db.close()


@pytest.mark.parametrize(("end", "status"), [("complete", "locked"), ("deny", "failed")])
def test_what_is_reviewed_for_days_is_looked_up(deal, end, status):
    deal.sandbox.fail("paypal", "pending", "/capture")
    assert deal.run(carry.capture_payment) == "payment_processing"
    assert deal.request() == "succeeded"
    assert deal.run(carry.check_payment) == "payment_processing"
    deal.sandbox.control("paypal", f"captures/{deal.capture()}/{end}")
    assert deal.run(carry.check_payment) == status
    assert deal.till.findings() == []


def test_an_approval_that_ran_out_while_in_doubt(deal):
    deal.sandbox.fail("paypal", "timeout_before", "/capture")
    hurried = {"provider_timeout_seconds": HURRIED_SECONDS}
    assert deal.run(carry.capture_payment, **hurried) == "payment_processing"
    assert deal.request() == "unknown"
    deal.sandbox.control("paypal", f"orders/{deal.started}/expire")
    assert deal.run(carry.capture_payment) == "failed"
    assert deal.request() == "declined"


def test_what_was_paid_otherwise_meanwhile_is_given_up_and_not_taken(deal):
    deal.sandbox.fail("paypal", "timeout_before", "/capture")
    deal.run(carry.capture_payment, provider_timeout_seconds=HURRIED_SECONDS)
    deal.till.pay(deal.order, 1100)
    for hours, request in ((0, "unknown"), (2, "declined")):
        deal.grow_old(hours)
        assert deal.run(carry.capture_payment) == "locked"
        assert deal.request() == request
    assert deal.sandbox.worlds["paypal"].all("capture") == []
    assert deal.till.findings() == []


def test_what_is_reviewed_and_not_to_be_found_goes_on(deal):
    deal.sandbox.fail("paypal", "pending", "/capture")
    deal.run(carry.capture_payment)
    order = deal.sandbox.worlds["paypal"].objects.pop(deal.started)
    assert deal.run(carry.check_payment) == "payment_processing"
    deal.sandbox.worlds["paypal"].objects[deal.started] = order
    deal.sandbox.control("paypal", f"captures/{deal.capture()}/complete")
    assert deal.run(carry.check_payment) == "locked"


def test_what_was_not_taken_and_is_forgotten_is_over(deal):
    deal.sandbox.worlds["paypal"].objects.clear()
    assert deal.run(carry.check_payment) == "pending_payment"
    status = "select status || ': ' || reason from payment_attempts"
    assert deal.till.one(status) == "failed: PayPal knows no such order any more."


def test_what_was_taken_after_all_is_found_however_late(deal):
    deal.sandbox.fail("paypal", "timeout_after", "/capture")
    deal.run(carry.capture_payment, provider_timeout_seconds=HURRIED_SECONDS)
    deal.grow_old(100)
    assert deal.run(carry.capture_payment) == "locked"
    assert deal.request() == "succeeded"
    assert len(deal.sandbox.worlds["paypal"].all("capture")) == 1
