"""While one call in five breaks, before its effect or after: each thing is done once."""

import asyncio
import uuid

from sandbox.core import CALL_FAULTS
from tests.fixtures.sandboxing import HURRIED_SECONDS
from tests.payments.contract.stripe import CASE
from workers.core.money import Money
from workers.payments.base import OutcomeUnknown, ProviderDeclined
from workers.payments.requests import ask_once
from workers.payments.stripe import Stripe

MANY = 40
WORKERS = 8


async def _until_final(send, find):
    """As the reconciler asks: the answer, or None for a final no."""
    is_repeat = False
    while True:
        try:
            return await ask_once(is_repeat=is_repeat, may_resend=True, send=send, find=find)
        except ProviderDeclined:
            return None
        except OutcomeUnknown:
            is_repeat = True


def _storm(sandbox):
    for kind in CALL_FAULTS:
        sandbox.fail("stripe", kind, "/stripe/v1/", times=None, chance=0.025)


async def test_payments_refunds_and_withdrawals(sandbox, world, shop):
    gateway = Stripe(sandbox.settings(provider_timeout_seconds=HURRIED_SECONDS))
    shop.gateway = gateway
    paid = [await shop.paid(amount=Money(10_000, "EUR")) for _ in range(4)]
    to = await CASE.destination(sandbox, gateway)
    _storm(sandbox)

    async def start(n):
        order = shop.order(return_url="https://shop.example/back" if n % 2 else "")
        return await _until_final(
            lambda: gateway.start_payment(order), lambda: gateway.find_started(order)
        )

    async def refund(n):
        ask = {
            "key": uuid.uuid4(),
            "payment": paid[n % 4].reference,
            "amount": Money(100 + n, "EUR"),
        }
        return await _until_final(lambda: gateway.refund(**ask), lambda: gateway.find_refund(**ask))

    async def send(n):
        ask = {"key": uuid.uuid4(), "to": to, "amount": Money(200 + n, "EUR")}
        return await _until_final(lambda: gateway.send(**ask), lambda: gateway.find_sent(**ask))

    free = asyncio.Semaphore(WORKERS)

    async def work(do, n):
        async with free:
            return await do(n)

    told = await asyncio.gather(*(work(do, n) for n in range(MANY) for do in (start, refund, send)))
    assert None not in told
    assert len({one.reference for one in told}) == 3 * MANY
    sandbox.recover("stripe")

    made = {
        kind: len(world.all(kind))
        for kind in ("checkout.session", "refund", "transfer", "payout", "transfer_reversal")
    }
    assert made == {
        "checkout.session": MANY // 2,
        "refund": MANY,
        "transfer": MANY,
        "payout": MANY,
        "transfer_reversal": 0,
    }
    assert len(world.all("payment_intent")) == len(paid) + MANY // 2
    gone = sum(100 + n for n in range(MANY)) + sum(200 + n for n in range(MANY))
    assert shop.balance() == {"EUR": 40_000 - gone}
    assert shop.balance(to.account) == {}
    await gateway.aclose()
