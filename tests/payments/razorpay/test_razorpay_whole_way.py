"""A payment's whole way: the sandbox's signed events reach the api, the inbox, the ledger."""

import time
from dataclasses import replace
from importlib import import_module

import psycopg
import pytest

from tests.fixtures.sandboxing import serve_sandbox
from tests.fixtures.serving import serve
from tests.payments.razorpay.shop import Shop
from workers.app import jobs, queue_connector
from workers.core.db import make_pool
from workers.payments.razorpay import Razorpay
from workers.payments.registry import open_providers

SECRET = "webhook_secret_of_the_local_sandbox"


@pytest.fixture
def api(own_database):
    with serve(own_database, razorpay_webhook_secrets=["an_older_one", SECRET]) as running:
        yield running


@pytest.fixture
async def shop(api):
    with serve_sandbox(api_url=api.url) as sandbox:
        gateway = Razorpay(sandbox.settings(provider_timeout_seconds=30))
        yield Shop(sandbox, gateway)
        await gateway.aclose()


async def _work(known):
    """Run every job that waits, as a worker does, and stop."""
    import_module("workers.payments.tasks")
    with jobs.replace_connector(queue_connector(known)) as app:
        async with make_pool(known) as pool, open_providers(known) as providers, app.open_async():
            await app.run_worker_async(
                wait=False, additional_context={"pool": pool, "providers": providers}
            )


def _kept(api, count):
    """Wait until so many events are in the inbox; they are sent when their cause is."""
    deadline = time.monotonic() + 20
    while api.execute("select count(*) from private.webhook_events") != [(count,)]:
        assert time.monotonic() < deadline, "the events did not arrive"
        time.sleep(0.05)


@pytest.mark.parametrize(("copies", "order"), [(1, "as_made"), (3, "shuffled")])
async def test_from_the_checkout_to_the_ledger(api, shop, copies, order):
    payer, _ = api.person("payer", "sponsor")
    with psycopg.connect(api.database_url) as db:
        buyer = replace(payer, db=db)
        ((order_id,),) = buyer.rows("select (create_order(50000, 'INR', 'tea')).id")
    started = await shop.gateway.start_payment(shop.order(order_id=order_id))
    api.execute(
        "insert into public.payment_attempts (order_id, provider, reference, status)"
        " values (%s, 'razorpay', %s, 'started')",
        [order_id, started.reference],
    )
    shop.world.delivery.copies, shop.world.delivery.order = copies, order
    paid = shop.does(f"orders/{started.reference}/pay")["id"]
    _kept(api, 3)
    await _work(shop.sandbox.settings(api.database_url))
    assert api.execute("select provider, reference, amount_minor from payments") == [
        ("razorpay", paid, 50_000)
    ]
    assert api.execute("select status from orders") == [("paid",)]
    events = api.execute("select kind, status from private.webhook_events order by kind")
    assert events == [
        ("order.paid", "processed"),
        ("payment.authorized", "ignored"),
        ("payment.captured", "processed"),
    ]
    assert shop.balance() == 50_000
