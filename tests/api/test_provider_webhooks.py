"""Events of PayPal and Coinbase reach the inbox once, signed as they sign; doubt is no verdict."""

import time
import uuid

import pytest

from tests.fixtures.sandboxing import serve_sandbox
from tests.fixtures.serving import serve
from tests.payments.contract import coinbase, paypal


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
def api(own_database, sandbox):
    known = sandbox.settings()
    given = {
        name: getattr(known, name)
        for name in type(known).model_fields
        if name.startswith(("paypal_", "coinbase_"))
    }
    with serve(own_database, **given) as running:
        sandbox.known.api_url = running.url
        yield running


async def _event(sandbox, case):
    """Something happens at the provider: its event, not delivered yet."""
    gateway = case.provider(sandbox.settings())
    started = await gateway.start_payment(case.order())
    case.pay(sandbox, started)
    await gateway.aclose()
    return sandbox.events(case.name)[-1]


def _deliver(sandbox, name):
    with sandbox.client() as client:
        return client.post(f"/control/{name}/deliver").json()


@pytest.mark.parametrize("case", [paypal.CASE, coinbase.CASE], ids=lambda case: case.name)
async def test_an_event_is_kept_once_however_often_it_comes(api, sandbox, case):
    event = await _event(sandbox, case)
    sandbox.worlds[case.name].delivery.copies = 3
    (sent,) = _deliver(sandbox, case.name)
    assert sent["answers"] == [200, 200, 200]
    assert api.execute("select provider, event_id, kind, body from private.webhook_events") == [
        (case.name, event.id, event.kind, event.body)
    ]


@pytest.mark.parametrize("case", [paypal.CASE, coinbase.CASE], ids=lambda case: case.name)
async def test_what_is_badly_signed_is_refused(api, sandbox, case):
    sandbox.fail(case.name, "wrong_signature")
    await _event(sandbox, case)
    (sent,) = _deliver(sandbox, case.name)
    assert sent["answers"] == [400]
    assert api.execute("select count(*) from private.webhook_events") == [(0,)]
    with api.client() as client:
        figures = client.get("/metrics").text
    assert f'guildhall_webhooks_total{{provider="{case.name}",verdict="refused"}} 1.0' in figures


async def test_a_certificate_that_is_late_is_asked_for_again(api, sandbox):
    """PayPal's certificate cannot be had: PayPal is asked to send the event again, and does."""
    event = await _event(sandbox, paypal.CASE)
    sandbox.fail("paypal", "500_before", "/certs/")
    (sent,) = _deliver(sandbox, "paypal")
    assert sent["answers"] == [503]
    with api.client() as client:
        assert 'provider="paypal",verdict="unverifiable"} 1.0' in client.get("/metrics").text
    sandbox.worlds["paypal"].delivery.is_held = False
    deadline = time.monotonic() + 20
    while not (found := api.execute("select event_id from private.webhook_events")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert found == [(event.id,)]
    assert uuid.UUID(dict(event.headers)["PAYPAL-TRANSMISSION-ID"])
