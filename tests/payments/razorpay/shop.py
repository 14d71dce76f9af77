"""A shop that takes payments by Razorpay: the adapter, its sandbox, and what people do there."""

import uuid

from workers.core.money import Money
from workers.payments.base import OrderToPay

BANK = {"name": "Asha Rao", "ifsc": "HDFC0000053", "account_number": "765432123456789"}


class Shop:
    """The adapter, the sandbox behind it, and what people do there."""

    def __init__(self, sandbox, gateway):
        self.sandbox, self.gateway, self.world = sandbox, gateway, sandbox.worlds["razorpay"]

    def order(self, amount=50_000, currency="INR", **changes):
        return OrderToPay(
            **{
                "key": uuid.uuid4(),
                "order_id": uuid.uuid4(),
                "amount": Money(amount, currency),
                "title": "Tea for two",
                "payer_email": "payer@example.com",
                "return_url": "https://shop.example/back",
                **changes,
            }
        )

    def does(self, path, **form):
        return self.sandbox.control("razorpay", path, **form)

    async def paid(self, amount=50_000):
        """The id of a payment that was captured."""
        started = await self.gateway.start_payment(self.order(amount))
        return self.does(f"orders/{started.reference}/pay")["id"]

    async def account(self, **details):
        """A fund account; a bank's unless told otherwise."""
        person = {
            "legal_name": "Asha Rao",
            "email": "asha@example.com",
            "country": "IN",
            "details": details or {"bank": BANK},
        }
        return await self.gateway.open_account(key=uuid.uuid4(), person=person)

    async def facts(self, *kinds):
        """What the events so far mean, each verified as the api does; of these kinds."""
        found = []
        for event in self.sandbox.events("razorpay"):
            await self.gateway.verify(event.body, event.headers)
            found += [
                fact for fact in self.gateway.read(event.body) if not kinds or type(fact) in kinds
            ]
        return found

    def told(self):
        """The kinds of the events so far, in order."""
        return [event.kind for event in self.sandbox.events("razorpay")]

    def balance(self):
        return self.sandbox.balance("razorpay").get("INR", 0)
