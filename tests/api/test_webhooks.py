"""A provider's event is kept once if it is signed, and counted by its verdict either way."""

import json
import time

import pytest
import stripe

from tests.fixtures.serving import serve

SECRET = "whsec_of_the_endpoint"


@pytest.fixture
def api(own_database):
    with serve(own_database, stripe_webhook_secrets=["whsec_rolled_out", SECRET]) as running:
        yield running


def _event(event_id="evt_1"):
    return json.dumps({"id": event_id, "type": "payment_intent.succeeded", "data": {}})


def _signed(body, secret=SECRET, at=None):
    header = stripe.WebhookSignature.generate_signature_header(body, secret)
    if at is not None:
        header = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=at)
    return {"stripe-signature": header}


def test_an_event_is_kept_once(api):
    body = _event()
    with api.client() as client:
        answers = [
            client.post("/webhooks/stripe", content=body, headers=_signed(body)).json()["data"]
            for _ in range(3)
        ]
        gateway = client.post("/functions/v1/webhooks/stripe", content=body, headers=_signed(body))
        figures = client.get("/metrics").text
    assert answers == [{"is_new": True}, {"is_new": False}, {"is_new": False}]
    assert gateway.status_code == 200
    assert api.execute("select event_id, body from private.webhook_events") == [
        ("evt_1", body.encode())
    ]
    assert 'guildhall_webhooks_total{provider="stripe",verdict="kept"} 1.0' in figures
    assert 'guildhall_webhooks_total{provider="stripe",verdict="repeated"} 3.0' in figures


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (_event(), {}),
        (_event(), {"stripe-signature": "rubbish"}),
        (_event(), {"stripe-signature": "t=1,v1=" + "0" * 64}),
        (_event(), _signed(_event(), "whsec_of_somebody_else")),
        (_event(), _signed(_event("evt_2"))),
        (_event(), _signed(_event(), at=int(time.time()) - 3600)),
        ("[]", _signed("[]")),
        ("no json", _signed("no json")),
        ('{"id": 1, "type": null}', _signed('{"id": 1, "type": null}')),
        (b"\xff\xfe", {"stripe-signature": "t=1,v1=0"}),
        (_event(), {"stripe-signature": b"t=99999999999,v1=\xe9"}),
        (_event("evt_\0"), _signed(_event("evt_\0"))),
        (_event("evt_\ud800"), _signed(_event("evt_\ud800"))),
        ("[" * 100_000, _signed("[" * 100_000)),
    ],
)
def test_what_is_not_signed_is_refused_and_counted(api, body, headers):
    with api.client() as client:
        answer = client.post("/webhooks/stripe", content=body, headers=headers)
        figures = client.get("/metrics").text
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "payments.invalid_signature"
    assert 'guildhall_webhooks_total{provider="stripe",verdict="refused"} 1.0' in figures
    assert api.execute("select count(*) from private.webhook_events") == [(0,)]


def test_unknown_names_make_no_figures(api):
    with api.client() as client:
        for name in ("nobody", "stripe%2F..", "a" * 5000):
            assert client.post(f"/webhooks/{name}", content=b"{}").status_code == 404
        assert "nobody" not in client.get("/metrics").text
