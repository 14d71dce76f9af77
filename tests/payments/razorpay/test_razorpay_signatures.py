"""Only what Razorpay signed is believed: webhooks over the raw bytes, the checkout's callback."""

import hashlib
import hmac
import json
import uuid

import pytest
import razorpay
from pydantic import SecretStr

from tests.fixtures.sandboxing import NOWHERE
from tests.fixtures.serving import serve
from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.settings import Settings
from workers.payments.razorpay import Razorpay
from workers.payments.razorpay_client import is_checkout_signed, is_signed

OLD, NEW = "the_secret_that_goes", "the_secret_that_comes"
# razorpay-python's own: key, text, signature
VECTORS = [
    (
        "key_secret",
        "fake_order_id|fake_payment_id",
        "b2335e3b0801106b84a7faff035df56ecffde06918c9ddd1f0fafbb37a51cc89",
    ),
    (
        "EnLs21M47BllR3X8PSFtjtbd",
        "pay_IDZNwZZFtnjyym|sub_ID6MOhgkcoHj9I",
        "601f383334975c714c91a7d97dd723eb56520318355863dcf3821c0d07a17693",
    ),
    (
        "EnLs21M47BllR3X8PSFtjtbd",
        "plink_IH3cNucfVEgV68|TSsd1989|paid|pay_IH3d0ara9bSsjQ",
        "07ae18789e35093e51d0a491eb9922646f3f82773547e5b0f67ee3f2d3bf7d5b",
    ),
]


def _body(kind="payment.captured"):
    return json.dumps({"entity": "event", "event": kind, "payload": {}}).encode()


IDENTITY = "sha256:" + hashlib.sha256(_body()).hexdigest()


def _signed(body, secret=NEW, event_id="evt0000000001"):
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Razorpay-Signature": signature, "X-Razorpay-Event-Id": event_id}


def _provider(*secrets):
    return Razorpay(
        Settings(
            _env_file=None,
            database_url=NOWHERE,
            razorpay_webhook_secrets=list(secrets),
            razorpay_key_secret="key_secret",
        )
    )


@pytest.mark.parametrize(("key", "text", "signature"), VECTORS)
def test_published_vectors(key, text, signature):
    assert is_signed(text.encode(), signature, SecretStr(key))
    assert not is_signed(text.encode(), signature.upper(), SecretStr(key))
    assert not is_signed(text.encode() + b" ", signature, SecretStr(key))
    assert not is_signed(text.encode(), signature, SecretStr(key + "x"))
    assert not is_signed(text.encode(), signature[:-1], SecretStr(key))
    assert not is_signed(text.encode(), "", SecretStr(key))


def test_a_checkout_is_confirmed_for_the_order_we_stored():
    signature = VECTORS[0][2]
    secret = SecretStr("key_secret")
    assert is_checkout_signed("fake_order_id", "fake_payment_id", signature, secret)
    assert not is_checkout_signed("other_order_id", "fake_payment_id", signature, secret)
    assert not is_checkout_signed("fake_payment_id", "fake_order_id", signature, secret)
    provider = _provider()
    ask = {"order_id": "fake_order_id", "payment_id": "fake_payment_id"}
    assert provider.confirms(**ask, signature=signature)
    assert not provider.confirms(**ask, signature="é" + signature[1:])
    with pytest.raises(NotConfigured):
        Razorpay(Settings(_env_file=None, database_url=NOWHERE)).confirms(**ask, signature="x")


async def test_a_signed_event_is_known_by_what_was_signed():
    """Razorpay's own id stands in a header that anybody may write anew."""
    provider = _provider(NEW)
    event, again = [
        await provider.verify(_body(), _signed(_body(), event_id=one)) for one in ("evt01", "evt02")
    ]
    assert event == again
    assert (event.id, event.kind) == (IDENTITY, "payment.captured")
    assert event.body == _body()


@pytest.mark.parametrize("secret", [OLD, NEW])
async def test_two_secrets_fit_while_one_is_rolled(secret):
    provider = _provider(NEW, OLD)
    assert (await provider.verify(_body(), _signed(_body(), secret))).kind == "payment.captured"
    with pytest.raises(InvalidSignature):
        await provider.verify(_body(), _signed(_body(), "a_third"))


async def test_another_body_is_another_event():
    provider = _provider(NEW)
    other = _body("payment.failed")
    assert (await provider.verify(other, _signed(other))).id != IDENTITY


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (_body(), {}),
        (_body(), {"X-Razorpay-Signature": ""}),
        (_body(), {"X-Razorpay-Signature": "0" * 64}),
        (_body(), {"X-Razorpay-Signature": "é" * 64}),
        (_body(), {"X-Razorpay-Signature": "\ud800"}),
        (_body() + b" ", _signed(_body())),
        (json.dumps(json.loads(_body()), indent=1).encode(), _signed(_body())),
        (_body(), _signed(_body(), "secret of the api key")),
        (b"[]", _signed(b"[]")),
        (b"null", _signed(b"null")),
        (b"no json", _signed(b"no json")),
        (b"\xff\xfe", _signed(b"\xff\xfe")),
        (b'{"event": 1}', _signed(b'{"event": 1}')),
        (b'{"event": "a b"}', _signed(b'{"event": "a b"}')),
        (b"[" * 100_000, _signed(b"[" * 100_000)),
    ],
)
async def test_what_is_not_signed_or_no_event_is_refused(body, headers):
    with pytest.raises(InvalidSignature) as caught:
        await _provider(NEW, OLD).verify(body, headers)
    right = hmac.new(NEW.encode(), body, hashlib.sha256).hexdigest()
    assert right not in str(caught.value)


async def test_without_secrets_nothing_is_believed():
    with pytest.raises(NotConfigured):
        await _provider().verify(_body(), _signed(_body(), ""))


async def test_the_sandbox_signs_as_the_official_client_checks(shop):
    await shop.paid()
    client = razorpay.Client(auth=("id", "secret"))
    events = shop.sandbox.events("razorpay")
    assert [event.kind for event in events] == [
        "payment.authorized", "payment.captured", "order.paid",
    ]  # fmt: skip
    secret = shop.sandbox.known.razorpay_webhook_secret.get_secret_value()
    for event in events:
        signature = event.headers["X-Razorpay-Signature"]
        assert client.utility.verify_webhook_signature(event.body.decode(), signature, secret)
        with pytest.raises(razorpay.errors.SignatureVerificationError):
            client.utility.verify_webhook_signature(event.body.decode() + " ", signature, secret)
        with pytest.raises(TypeError):  # why raw bytes are checked without it
            client.utility.verify_webhook_signature(event.body, signature, secret)


def test_the_api_keeps_an_event_once(own_database):
    headers = _signed(_body())
    with serve(own_database, razorpay_webhook_secrets=[NEW]) as api, api.client() as client:
        answers = [
            client.post("/webhooks/razorpay", content=_body(), headers=headers).json()["data"]
            for _ in range(3)
        ]
        refused = client.post("/webhooks/razorpay", content=_body() + b" ", headers=headers)
        figures = client.get("/metrics").text
        kept = api.execute("select provider, event_id, kind, body from private.webhook_events")
    assert answers == [{"is_new": True}, {"is_new": False}, {"is_new": False}]
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        400, "payments.invalid_signature",
    )  # fmt: skip
    assert kept == [("razorpay", IDENTITY, "payment.captured", _body())]
    assert 'guildhall_webhooks_total{provider="razorpay",verdict="repeated"} 2.0' in figures


def test_the_payers_browser_brings_what_the_official_client_accepts():
    """The callback's signature, as the checkout makes it and the official client checks it."""
    order, payment = f"order_{uuid.uuid4().hex[:14]}", f"pay_{uuid.uuid4().hex[:14]}"
    signature = hmac.new(b"key_secret", f"{order}|{payment}".encode(), hashlib.sha256).hexdigest()
    client = razorpay.Client(auth=("key_id", "key_secret"))
    assert client.utility.verify_payment_signature(
        {
            "razorpay_order_id": order,
            "razorpay_payment_id": payment,
            "razorpay_signature": signature,
        }
    )
    assert is_checkout_signed(order, payment, signature, SecretStr("key_secret"))
