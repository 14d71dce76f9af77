"""Coinbase's checkouts: paid in USDC, refunded, never disputed; nothing is sent out."""

from tests.payments.contract.case import Case
from workers.payments.coinbase import Coinbase


class CoinbaseCase(Case):
    name = "coinbase"
    currency = "USD"
    start_call = "POST /coinbase/api/v1/checkouts"
    start_object = "checkout"
    refund_call = "/refund"
    has_disputes = False

    def provider(self, known):
        return Coinbase(known)

    def pay(self, sandbox, started):
        sandbox.control("coinbase", f"checkouts/{started.reference}/pay")

    def let_fail(self, sandbox, started):
        sandbox.control("coinbase", f"checkouts/{started.reference}/expire")


CASE = CoinbaseCase()
