"""What Stripe says moved, line by line: the sum is its balance, each line bears our reference."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.sandboxing import serve_sandbox
from workers.core.money import Money
from workers.payments.base import OutcomeUnknown
from workers.payments.stripe import Stripe


async def _day(gateway):
    now = datetime.now(UTC)
    found = gateway.movements(now - timedelta(days=1), now + timedelta(seconds=5))
    return [movement async for movement in found]


async def test_every_kind_of_line_bears_the_reference_that_we_know(shop, gateway, world):
    paid = await shop.paid(amount=Money(5000, "EUR"))
    refund = await gateway.refund(
        key=uuid.uuid4(), payment=paid.reference, amount=Money(700, "EUR")
    )
    shop.control(f"refunds/{refund.reference}/fail")
    shop.control(f"payment_intents/{paid.reference}/dispute", amount=100)
    (dispute,) = world.all("dispute")
    shop.control(f"disputes/{dispute['id']}/win")
    ask = await shop.withdrawal(minor=400)
    sent = await gateway.send(**ask)
    shop.control(f"transfers/{sent.reference}/payout/failed")
    await gateway.recall(key=ask["key"], reference=sent.reference)
    told = [(one.kind, one.reference, one.amount.minor) for one in await _day(gateway)]
    (topup,) = world.all("topup")
    assert told[::-1] == [
        ("payment", paid.reference, 5000),
        ("refund", refund.reference, -700),
        ("refund", refund.reference, 700),
        ("dispute", dispute["id"], -100),
        ("dispute", dispute["id"], 100),
        ("other", topup["id"], 1000),
        ("withdrawal", sent.reference, -400),
        ("withdrawal", sent.reference, 400),
    ]
    assert shop.balance() == {"EUR": sum(amount for _, _, amount in told)}


async def test_fees_and_whole_pages(shop):
    with serve_sandbox(stripe_fee_bps=100) as sandbox:
        gateway = Stripe(sandbox.settings())
        shop.sandbox, shop.gateway = sandbox, gateway
        for _ in range(3):
            paid = await shop.paid(amount=Money(1000, "EUR"))
        for _ in range(250):
            await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=Money(4, "EUR"))
        told = await _day(gateway)
        assert len({one.reference for one in told}) == len(told) == 253
        assert {one.fee_minor for one in told if one.kind == "payment"} == {10}
        net = sum(one.amount.minor - one.fee_minor for one in told)
        assert shop.balance() == {"EUR": net}
        await gateway.aclose()


async def test_only_the_time_that_was_asked_for(shop, gateway):
    await shop.paid()
    now = datetime.now(UTC)
    yesterday = gateway.movements(now - timedelta(days=2), now - timedelta(days=1))
    assert [one async for one in yesterday] == []


async def test_a_report_that_breaks_off_is_no_report(shop, gateway, sandbox):
    await shop.paid()
    sandbox.fail("stripe", "drop_after", "balance_transactions")
    with pytest.raises(OutcomeUnknown):
        await _day(gateway)
