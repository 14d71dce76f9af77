"""PayPal: the payer approves and we capture; withdrawals go to an address and settle later."""

from tests.payments.contract.case import Case
from workers.payments.base import Destination
from workers.payments.paypal import PayPal

_ITEMS = {"paid": "SUCCESS", "failed": "FAILED", "returned": "RETURNED"}


class PayPalCase(Case):
    name = "paypal"
    start_call = "POST /paypal/v2/checkout/orders"
    start_object = "order"
    start_is_found_by_key = False
    capture_call = "/capture"
    refund_call = "/refund"
    send_call = "POST /paypal/v1/payments/payouts"

    def provider(self, known):
        return PayPal(known)

    def pay(self, sandbox, started):
        sandbox.control("paypal", f"orders/{started.reference}/approve")

    def let_fail(self, sandbox, started):
        sandbox.control("paypal", f"orders/{started.reference}/expire")

    def dispute(self, sandbox, payment, status):
        if status == "open":
            sandbox.control("paypal", f"captures/{payment}/dispute")
            return
        (case,) = sandbox.worlds["paypal"].all("dispute")
        verdict = {"won": "win", "lost": "lose"}[status]
        sandbox.control("paypal", f"disputes/{case['id']}/{verdict}")

    async def destination(self, sandbox, gateway):
        return Destination(await gateway.open_account(key=None, person={"email": "m@example.com"}))

    def fund(self, sandbox, amount):
        sandbox.control("paypal", "fund", amount_minor=amount.minor, currency=amount.currency)

    def settle(self, sandbox, sent, status):
        sandbox.control("paypal", f"payouts/{sent.reference}/settle", status=_ITEMS[status])


CASE = PayPalCase()
