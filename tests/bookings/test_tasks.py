"""The worker's periodic tasks do all there is to do, in batches of their own transactions."""

import asyncio
from types import SimpleNamespace

from pydantic import SecretStr

from workers.bookings.tasks import cancel_unpaid, complete_due, retry_stuck, settle_due
from workers.core.db import make_pool
from workers.core.settings import Settings


def test_time_is_told_by_the_worker(open_house, own_database):
    async def run(task):
        known = Settings(database_url=SecretStr(own_database))
        async with make_pool(known) as pool:
            await task(SimpleNamespace(additional_context={"pool": pool}), 0)

    house = open_house
    unpaid, paid = house.book(), [house.paid() for _ in range(3)]
    house.db.execute("update bookings set expires_at = now(), completes_at = now()")
    asyncio.run(run(cancel_unpaid))
    assert house.status(unpaid) == "cancelled"
    asyncio.run(run(complete_due))
    assert {house.status(booking) for booking in paid} == {"completed"}
    asyncio.run(run(settle_due))
    assert {house.status(booking) for booking in paid} == {"completed"}, "not before its time"
    house.db.execute(
        "update bookings set settles_at = now(), is_stuck = id = %s where settles_at is not null",
        [paid[0]],
    )
    house.db.execute(
        "insert into private.booking_failures (booking_id, reason, failed_at)"
        " values (%s, 'x', now() - interval '2 h')",
        [paid[0]],
    )
    asyncio.run(run(settle_due))
    assert [house.status(booking) for booking in paid] == ["completed", "released", "released"]
    asyncio.run(run(retry_stuck))
    asyncio.run(run(settle_due))
    assert house.status(paid[0]) == "released"
    assert house.held(house.host) == 27_000
    assert house.findings() == []


def test_the_worker_may_do_no_more(house):
    """Its role moves bookings by these functions alone."""
    booking = house.completed()
    house.db.execute("set local role guildhall_worker")
    assert house.attempt("select private.settle_due_bookings()") == 0
    for call in (
        "select private.close_bookings(array[%s]::uuid[], array[0], array['released'], array['x'],"
        " 'bookings.settle')",
        "select * from bookings where id = %s",
        "select private.dispute_booking(%s, 'x')",
    ):
        assert house.attempt(call, booking) == "42501"
