"""PayPal's own client, abandoned as it is, speaks with the sandbox as it does with PayPal.

It is a witness, no more: since Python 3.7 it writes an object's id twice into its address
(`re.sub` of an empty match), so that what it would find is fetched by its lower half here.
"""

import uuid

import paypalrestsdk
import pytest
from paypalrestsdk.exceptions import ResourceNotFound, UnauthorizedAccess

from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.contract.paypal import CASE


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
def api(sandbox):
    return _api(sandbox, sandbox.known.paypal_client_secret.get_secret_value())


def _api(sandbox, secret):
    return paypalrestsdk.Api(
        {
            "mode": "sandbox",
            "client_id": sandbox.known.paypal_client_id,
            "client_secret": secret,
            "endpoint": f"{sandbox.url}/paypal",
            "token_endpoint": f"{sandbox.url}/paypal",
        }
    )


def _payout(api, key, value="5.00", receiver="m@example.com"):
    return paypalrestsdk.Payout(
        {
            "sender_batch_header": {"sender_batch_id": key, "email_subject": "Yours"},
            "items": [
                {
                    "recipient_type": "EMAIL",
                    "amount": {"value": value, "currency": "EUR"},
                    "receiver": receiver,
                    "sender_item_id": key,
                }
            ],
        },
        api=api,
    )


def test_it_pays_out_and_looks_it_up(sandbox, api):
    CASE.fund(sandbox, CASE.money(1000))
    key = str(uuid.uuid4())
    payout = _payout(api, key)
    assert payout.create(), payout.error
    batch = payout.batch_header.payout_batch_id
    sandbox.control("paypal", f"payouts/{batch}/settle", status="UNCLAIMED")
    found = paypalrestsdk.Payout(api.get(f"v1/payments/payouts/{batch}"), api=api)
    assert found.batch_header.batch_status == "SUCCESS"
    (item,) = found["items"]
    assert item.transaction_status == "UNCLAIMED"
    assert item.payout_item.sender_item_id == key
    place = f"v1/payments/payouts-item/{item.payout_item_id}"
    assert api.post(f"{place}/cancel", {})["transaction_status"] == "RETURNED"
    assert api.get(place)["payout_item"]["receiver"] == "m@example.com"
    assert sandbox.balance("paypal") == {"EUR": 1000}


def test_it_is_told_of_the_first_batch(sandbox, api):
    CASE.fund(sandbox, CASE.money(1000))
    key = str(uuid.uuid4())
    first, again = _payout(api, key), _payout(api, key)
    assert first.create()
    assert not again.create()  # a 400 is no exception for it
    (detail,) = again.error["details"]
    assert again.error["name"] == "USER_BUSINESS_ERROR"
    assert detail["issue"] == "Batch with given sender_batch_id already exists"
    assert detail["link"][0]["href"].endswith(first.batch_header.payout_batch_id)
    assert sandbox.balance("paypal") == {"EUR": 500}


def test_it_reads_events(sandbox, api):
    CASE.fund(sandbox, CASE.money(1000))
    assert _payout(api, str(uuid.uuid4())).create()
    listed = paypalrestsdk.WebhookEvent.all(api=api)
    (event,) = listed.events
    assert event.event_type == "PAYMENT.PAYOUTSBATCH.PROCESSING"
    place = f"v1/notifications/webhooks-events/{event.id}"
    again = paypalrestsdk.WebhookEvent(api.get(place), api=api)
    assert again.resource.batch_header.batch_status == "PROCESSING"


def test_it_is_refused_as_paypal_refuses(sandbox, api):
    with pytest.raises(ResourceNotFound):
        api.get("v1/payments/payouts/NOBODYS")
    with pytest.raises(UnauthorizedAccess):
        _payout(_api(sandbox, "wrong"), str(uuid.uuid4())).create()
    poor = _payout(api, str(uuid.uuid4()))
    with pytest.raises(paypalrestsdk.exceptions.ResourceInvalid):
        poor.create()
