"""Stripe's checkout pages, refunds, and withdrawals to Connect accounts."""

import uuid

from tests.payments.contract.case import Case
from workers.payments.base import Destination
from workers.payments.stripe import Stripe


class StripePages(Case):
    name = "stripe"
    start_call = "POST /stripe/v1/checkout/sessions"
    start_object = "checkout.session"
    refund_call = "POST /stripe/v1/refunds"
    send_call = "POST /stripe/v1/transfers"

    def provider(self, known):
        return Stripe(known)

    def pay(self, sandbox, started):
        sandbox.control("stripe", f"checkout/sessions/{started.reference}/pay")

    def let_fail(self, sandbox, started):
        sandbox.control("stripe", f"checkout/sessions/{started.reference}/expire")

    def dispute(self, sandbox, payment, status):
        if status == "open":
            sandbox.control("stripe", f"payment_intents/{payment}/dispute")
            return
        (found,) = sandbox.worlds["stripe"].all("dispute")
        sandbox.control(
            "stripe",
            f"disputes/{found['id']}/{status.replace('won', 'win').replace('lost', 'lose')}",
        )

    async def destination(self, sandbox, gateway):
        account = await gateway.open_account(
            key=uuid.uuid4(), person={"country": "DE", "email": "creator@example.com"}
        )
        sandbox.control("stripe", f"accounts/{account}/verified")
        return Destination(account)

    def fund(self, sandbox, amount):
        sandbox.control("stripe", "fund", amount=amount.minor, currency=amount.currency.lower())

    def settle(self, sandbox, sent, status):
        for step in {"paid": ["paid"], "failed": ["failed"], "returned": ["paid", "failed"]}[
            status
        ]:
            sandbox.control("stripe", f"transfers/{sent.reference}/payout/{step}")


CASE = StripePages()
