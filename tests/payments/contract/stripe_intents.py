"""Stripe's payment intents: what an order without a page to return from gets."""

from tests.payments.contract.stripe import StripePages


class StripeIntents(StripePages):
    start_call = "POST /stripe/v1/payment_intents"
    start_object = "payment_intent"
    failed_is_payable = True
    send_call = None  # the same as with pages

    def order(self, **changes):
        return super().order(**({"return_url": ""} | changes))

    def pay(self, sandbox, started):
        sandbox.control("stripe", f"payment_intents/{started.reference}/pay")

    def let_fail(self, sandbox, started):
        sandbox.control("stripe", f"payment_intents/{started.reference}/decline")


CASE = StripeIntents()
