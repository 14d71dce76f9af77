"""One provider as the contract tests need it; a module beside this one per provider has `CASE`."""

import uuid
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.fixtures.sandboxing import SandboxServed
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments.base import Destination, OrderToPay, Started, WithdrawalChanged

_NO_CASES = ("case", "conftest")


class Case:
    """What differs between providers: who plays the payer and the bank, and which calls move money.

    `…_call` is a part of "METHOD /path" of the call that does it, for faults; None: the provider
    does not do it, and its tests are left out. `…_object` is what the sandbox's world keeps then.
    """

    name: str
    currency = "EUR"
    other_currency = "GBP"
    amount_minor = 12_34
    start_call: str
    start_object: str
    # PayPal: the payer approves, then we take it
    capture_call: str | None = None
    refund_call: str | None = None
    send_call: str | None = None
    # False: asked twice is made twice, so that only looking it up is safe (Razorpay's orders)
    start_is_idempotent = True
    # False: not found by our key, but by its own id or by asking again (PayPal's orders)
    start_is_found_by_key = True
    # True: a try that failed leaves what was started to be paid by another (Razorpay's orders)
    failed_is_payable = False
    # False: nobody takes a payment back (a chain)
    has_disputes = True
    # words of World.take_fault that the sandbox knows for each call; () leaves the test out
    start_declines = ("decline",)
    refund_declines = ("decline",)
    send_declines = ("decline", "insufficient_balance")
    # may `send` answer `sent`, and the bank's word come later as an event?
    sent_status = "sent"

    def provider(self, known: Settings) -> Any:
        """The adapter, new."""
        raise NotImplementedError

    def order(self, **changes: Any) -> OrderToPay:
        """An order to be paid at this provider."""
        given: dict[str, Any] = {
            "key": uuid.uuid4(),
            "order_id": uuid.uuid4(),
            "amount": self.money(),
            "title": "Tea for two",
            "payer_email": "payer@example.com",
            "return_url": "https://shop.example/back",
        }
        return OrderToPay(**(given | changes))

    def money(self, minor: int | None = None, currency: str | None = None) -> Money:
        return Money(self.amount_minor if minor is None else minor, currency or self.currency)

    def pay(self, sandbox: SandboxServed, started: Started) -> None:
        """The payer pays all of it, or approves it where we have to capture."""
        raise NotImplementedError

    def let_fail(self, sandbox: SandboxServed, started: Started) -> None:
        """The try ends without money: declined or expired, and its event is sent."""
        raise NotImplementedError

    def dispute(self, sandbox: SandboxServed, payment: str, status: str) -> None:
        """The payer's bank: `open`, then `won` or `lost`."""
        raise NotImplementedError

    async def destination(self, sandbox: SandboxServed, gateway: Any) -> Destination:
        """Where a withdrawal may go: an account that may be paid."""
        raise NotImplementedError

    def fund(self, sandbox: SandboxServed, amount: Money) -> None:
        """Money of ours at the provider, that withdrawals can be paid from."""
        raise NotImplementedError

    def settle(self, sandbox: SandboxServed, sent: WithdrawalChanged, status: str) -> None:
        """The bank's word on a withdrawal: `paid`, `failed`, or `returned` after it was paid."""
        raise NotImplementedError


def cases() -> list[Case]:
    """Every provider's case, from the modules beside this one."""
    names = sorted(
        file.stem
        for file in Path(__file__).parent.glob("[a-z]*.py")
        if file.stem not in _NO_CASES and not file.stem.startswith("test_")
    )
    return [import_module(f"tests.payments.contract.{name}").CASE for name in names]
