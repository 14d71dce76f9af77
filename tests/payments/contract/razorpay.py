"""Razorpay in the contract tests: orders paid in rupees, payouts to a bank account."""

import uuid

from tests.payments.contract.case import Case
from workers.payments.base import Destination
from workers.payments.razorpay import Razorpay


class RazorpayCase(Case):
    name = "razorpay"
    currency = "INR"
    other_currency = "USD"
    start_call = "POST /razorpay/v1/orders"
    start_object = "order"
    failed_is_payable = True
    refund_call = "/refund"
    send_call = "POST /razorpay/v1/payouts"

    def provider(self, known):
        return Razorpay(known)

    def pay(self, sandbox, started):
        sandbox.control("razorpay", f"orders/{started.reference}/pay")

    def let_fail(self, sandbox, started):
        sandbox.control("razorpay", f"orders/{started.reference}/decline")

    def dispute(self, sandbox, payment, status):
        if status == "open":
            sandbox.control("razorpay", f"payments/{payment}/dispute")
            return
        (dispute,) = sandbox.worlds["razorpay"].all("dispute")
        sandbox.control("razorpay", f"disputes/{dispute['id']}/{status}")

    async def destination(self, sandbox, gateway):
        bank = {"name": "Asha Rao", "ifsc": "HDFC0000053", "account_number": "765432123456789"}
        person = {"legal_name": "Asha Rao", "email": "asha@example.com", "details": {"bank": bank}}
        return Destination(await gateway.open_account(key=uuid.uuid4(), person=person))

    def fund(self, sandbox, amount):
        sandbox.control("razorpay", "fund", amount=amount.minor)

    def settle(self, sandbox, sent, status):
        if status == "returned":
            self.settle(sandbox, sent, "paid")
        step = {"paid": "processed", "failed": "failed", "returned": "reversed"}[status]
        sandbox.control("razorpay", f"payouts/{sent.reference}/{step}")


CASE = RazorpayCase()
