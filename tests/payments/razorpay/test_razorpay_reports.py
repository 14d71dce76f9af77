"""What Razorpay reports adds up to what it holds, whatever happened on the day."""

import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from workers.core.money import Money
from workers.payments.base import Destination


def _inr(minor):
    return Money(minor, "INR")


async def _movements(shop, start=None, end=None):
    now = datetime.now(UTC)
    start, end = start or now - timedelta(hours=1), end or now + timedelta(hours=1)
    return [line async for line in shop.gateway.movements(start, end)]


async def _a_day(shop):
    """Everything that moves money, once."""
    shop.does("fees", payment_bps=236)
    kept, back, taken = [await shop.paid(amount) for amount in (50_000, 30_000, 20_000)]
    await shop.gateway.refund(key=uuid.uuid4(), payment=back, amount=_inr(10_000))
    shop.does(f"payments/{back}/refund", amount=5000)
    shop.sandbox.fail("razorpay", "refund_fails")
    await shop.gateway.refund(key=uuid.uuid4(), payment=kept, amount=_inr(1000))
    dispute = shop.does(f"payments/{taken}/dispute")["id"]
    shop.does(f"disputes/{dispute}/lost")
    open_one = shop.does(f"payments/{kept}/dispute")["id"]
    # a payment that nobody captured goes back by itself, another one failed
    for step in ("authorize", "decline"):
        started = await shop.gateway.start_payment(shop.order(700))
        payment = shop.does(f"orders/{started.reference}/{step}")["id"]
        if step == "authorize":
            shop.does(f"payments/{payment}/expire")
    shop.does("fund", amount=9000)
    to = Destination(await shop.account())
    sent = [
        await shop.gateway.send(key=uuid.uuid4(), to=to, amount=_inr(minor))
        for minor in (4000, 2000)
    ]
    shop.does(f"payouts/{sent[0].reference}/processed")
    shop.does(f"payouts/{sent[1].reference}/processed")
    shop.does(f"payouts/{sent[1].reference}/reversed")
    return kept, back, taken, dispute, open_one, [one.reference for one in sent]


async def test_the_report_adds_up_to_the_balance(shop):
    kept, back, taken, dispute, open_one, sent = await _a_day(shop)
    lines = await _movements(shop)
    assert sum(line.amount.minor - line.fee_minor for line in lines) == shop.balance()
    by_kind = defaultdict(list)
    for line in lines:
        by_kind[line.kind].append((line.reference, line.amount.minor))
    assert sorted(by_kind["payment"]) == sorted([(kept, 50_000), (back, 30_000), (taken, 20_000)])
    assert sorted(minor for _, minor in by_kind["refund"]) == [-10_000, -5000]
    assert by_kind["dispute"] == [(dispute, -20_000)]
    assert sorted(by_kind["withdrawal"]) == sorted([
        (sent[0], -4000), (sent[1], -2000), (sent[1], 2000),
    ])  # fmt: skip
    assert [minor for _, minor in by_kind["other"]] == [9000]
    assert open_one not in {line.reference for line in lines}
    assert {line.fee_minor for line in lines if line.kind == "payment"} == {1180, 708, 472}


async def test_a_day_has_a_first_and_a_last_moment(shop):
    await _a_day(shop)
    for thing in shop.world.objects.values():
        thing["created_at"] = 1_700_000_000
    moment = datetime.fromtimestamp(1_700_000_000, UTC)
    day = timedelta(days=1)
    assert await _movements(shop, moment - day, moment) == []
    assert await _movements(shop, moment + timedelta(seconds=1), moment + day) == []
    assert len(await _movements(shop, moment, moment + timedelta(seconds=1))) == 10
    assert {line.at for line in await _movements(shop, moment, moment + day)} == {moment}


async def test_long_reports_come_page_by_page(shop):
    for _ in range(105):
        started = await shop.gateway.start_payment(shop.order(100))
        shop.does(f"orders/{started.reference}/pay")
    lines = await _movements(shop)
    assert len({line.reference for line in lines}) == 105
