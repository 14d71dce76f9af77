"""Coinbase: dollars paid in USDC, events signed in two ways, and a key that every call bears."""

import base64
import copy
import hashlib
import hmac
import json
import random
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sandbox.coinbase import sign
from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.contract.coinbase import CASE
from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.money import Money
from workers.payments.base import (
    OutcomeUnknown,
    PaymentFailed,
    PaymentSucceeded,
    ProviderDeclined,
    ProviderUnavailable,
    RefundChanged,
)
from workers.payments.coinbase import Coinbase

SECRET = "30291a20-0bd1-4267-9b0f-e6e7b123c0bf"
# tests of Coinbase's own Commerce clients
CHARGE = (
    b'{"id":1,"scheduled_for":"2017-01-31T20:50:02Z","attempt_number":1,"event":{"id":"24934862-d980'
    b'-46cb-9402-43c81b0cdba6","type":"charge:created","api_version":"2018-03-22","created_at":"2017-'
    b'01-31T20:49:02Z","data":{"code":"66BEOV2A","name":"The Sovereign Individual","description":"M'
    b'astering the Transition to the Information Age","hosted_url":"https://commerce.coinbase.com/charg'
    b'es/66BEOV2A","created_at":"2017-01-31T20:49:02Z","expires_at":"2017-01-31T21:04:02Z","timeline"'
    b':[{"time":"2017-01-31T20:49:02Z","status":"NEW"}],"metadata":{},"pricing_type":"no_price","paym'
    b'ents":[],"addresses":{"bitcoin":"0000000000000000000000000000000000","ethereum":"0x000000000000'
    b'0000000000000000000000000000","litecoin":"3000000000000000000000000000000000","bitcoincash":"bi'
    b'tcoincash:000000000000000000000000000000000000000000"}}}}'
)
CHARGE_CODE = "8be7742c7d372f08a6a3224edadf18a22b65fa9e28f3f2de97376cdaa092590d"


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
async def gateway(sandbox):
    made = Coinbase(sandbox.settings())
    yield made
    await made.aclose()


@pytest.fixture
def known(sandbox):
    return sandbox.worlds["coinbase"]


@pytest.fixture
def verifier(sandbox):
    """An adapter with these secrets."""
    return lambda *secrets, **changes: Coinbase(
        sandbox.settings(coinbase_webhook_secrets=list(secrets), **changes)
    )


async def _paid(sandbox, gateway, **changes):
    order = CASE.order(**changes)
    started = await gateway.start_payment(order)
    CASE.pay(sandbox, started)
    (paid,) = await gateway.look_up_payment(started.reference)
    return order, started, paid


def _told(sandbox, gateway, kind=object):
    facts = [fact for event in sandbox.events("coinbase") for fact in gateway.read(event.body)]
    return [fact for fact in facts if isinstance(fact, kind)]


# --- the signature of the closed Commerce product -------------------------------------------------


async def test_an_event_of_commerce_can_be_replayed(verifier):
    assert hashlib.sha256(CHARGE).hexdigest().startswith("bf64d9bbd0d35ae0")
    for secrets in ([SECRET], ["new", SECRET]):
        event = await verifier(*secrets).verify(CHARGE, {"X-CC-Webhook-Signature": CHARGE_CODE})
        assert event.id == "24934862-d980-46cb-9402-43c81b0cdba6"
        assert event.kind == "charge:created"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (CHARGE, CHARGE_CODE[:-1] + "e"),
        (CHARGE, CHARGE_CODE.replace("3", "1")),
        (CHARGE, ""),
        (CHARGE, "no hex"),
        (CHARGE, "é"),
        (CHARGE + b"\n", CHARGE_CODE),
        (json.dumps(json.loads(CHARGE)).encode(), CHARGE_CODE),
    ],
)
async def test_what_commerce_did_not_sign_is_refused(verifier, body, code):
    with pytest.raises(InvalidSignature) as caught:
        await verifier(SECRET).verify(body, {"X-CC-Webhook-Signature": code})
    assert CHARGE_CODE not in str(caught.value)
    with pytest.raises(InvalidSignature):
        await verifier("another").verify(CHARGE, {"X-CC-Webhook-Signature": CHARGE_CODE})


# --- the signature of today -----------------------------------------------------------------------

# Hook0's own test vectors: the values of the headers are joined by dots
V0 = "t=1636936200,v0=1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98"
V1 = (
    "t=1636936200,h=x-test x-test2,"
    "v1=493c35f05443fdb74cb99fd4f00e0e7653c2ab6b24fbc97f4a7bd4d56b31758a"
)
SIGNED_AT = 1636936200


@pytest.mark.parametrize(
    ("header", "more", "is_good"),
    [
        (V0, {}, True),
        (V1, {"x-test": "val1", "x-test2": "val2"}, True),
        (V1, {"X-Test": "val1", "X-Test2": "val2"}, True),
        (V1.replace(",", ", "), {"x-test": "val1", "x-test2": "val2"}, True),
        (V1, {"x-test": "val2", "x-test2": "val1"}, False),
        (V1, {"x-test": "val1"}, False),
        (V1.replace("t x-test2", "t2 x-test"), {"x-test": "val1", "x-test2": "val2"}, False),
        (V0.replace("v0", "v1"), {}, False),
        (V0.replace("v0", "v2"), {}, False),
        (V0.replace("1636936200", "1636936201"), {}, False),
        (V0.replace("t=1636936200,", ""), {}, False),
        (V0.replace("1636936200", "-1"), {}, False),
        (V0.replace("1636936200", "９"), {}, False),
        (V0 + ",v1=", {}, False),
        ("", {}, False),
        ("t=,v0=,h=,v1=", {}, False),
    ],
)  # fmt: skip
async def test_hook0s_vectors(verifier, monkeypatch, header, more, is_good):
    monkeypatch.setattr(time, "time", lambda: SIGNED_AT + 30.0)
    checked = verifier("old", "secret")
    headers = {"X-Hook0-Signature": header} | more
    lower = {name.lower(): value for name, value in headers.items()}
    if is_good:
        assert checked._check_hook0(lower, b"hello !").startswith("sha256:")
        with pytest.raises(InvalidSignature, match="no Coinbase event"):
            await checked.verify(b"hello !", headers)
    else:
        with pytest.raises(InvalidSignature, match=r"X-Hook0-Signature|is missing"):
            await checked.verify(b"hello !", headers)


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(0, True), (290, True), (-290, True), (310, False), (-310, False)]
)
async def test_a_signature_is_good_for_five_minutes(verifier, seconds, is_good):
    body, headers = b'{"id": "x", "eventType": "checkout.payment.success"}', {"x-event-id": "evt_1"}
    signed = {"X-Hook0-Signature": sign(body, headers, SECRET, int(time.time()) - seconds)}
    if is_good:
        assert (await verifier(SECRET).verify(body, headers | signed)).id == "evt_1"
    else:
        with pytest.raises(InvalidSignature, match="too old"):
            await verifier(SECRET).verify(body, headers | signed)


async def test_an_unsigned_header_makes_no_event_a_new_one(verifier):
    """The id stands in a header: one that anybody can change would let an event count twice."""
    body, moment = b'{"id": "x", "eventType": "checkout.payment.success"}', int(time.time())
    code = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    found = {
        (
            await verifier(SECRET).verify(
                body, {"x-hook0-signature": f"t={moment},v0={code}", "x-event-id": identity}
            )
        ).id
        for identity in ("evt_1", "evt_2")
    }
    assert found == {"sha256:" + hashlib.sha256(body).hexdigest()}


async def test_without_a_secret_nothing_is_taken(verifier):
    with pytest.raises(NotConfigured):
        await verifier().verify(CHARGE, {"X-CC-Webhook-Signature": CHARGE_CODE})


@pytest.mark.parametrize("fault", ["wrong_signature", "stale_signature"])
async def test_the_sandbox_can_sign_badly(sandbox, gateway, fault):
    started = await gateway.start_payment(CASE.order())
    sandbox.fail("coinbase", fault)
    CASE.pay(sandbox, started)
    (event,) = sandbox.events("coinbase")
    with pytest.raises(InvalidSignature):
        await gateway.verify(event.body, event.headers)


# --- the key --------------------------------------------------------------------------------------


def _claims(token, public, algorithm):
    return jwt.decode(token, public, [algorithm], issuer="cdp"), jwt.get_unverified_header(token)


async def test_a_token_is_for_one_call(sandbox):
    seed = ed25519.Ed25519PrivateKey.generate()
    raw = seed.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = seed.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    curve = ec.generate_private_key(ec.SECP256R1())
    pem = curve.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    for told, key, algorithm in (
        ({"id": "k", "privateKey": base64.b64encode(raw + public).decode()}, seed, "EdDSA"),
        ({"id": "k", "privateKey": base64.b64encode(raw).decode()}, seed, "EdDSA"),
        ({"name": "k", "privateKey": pem.decode()}, curve, "ES256"),
    ):
        known = sandbox.settings(
            coinbase_api_key=json.dumps(told), coinbase_api_url="https://business.coinbase.com/x"
        )
        gateway = Coinbase(known)
        token = gateway._token("POST", "/api/v1/checkouts")
        await gateway.aclose()
        claims, header = _claims(token, key.public_key(), algorithm)
        uri = "POST business.coinbase.com/x/api/v1/checkouts"
        assert (claims["sub"], claims["uri"], claims["uris"]) == ("k", uri, [uri])
        assert claims["exp"] - claims["nbf"] == 120
        assert (header["kid"], header["alg"], len(header["nonce"])) == ("k", algorithm, 32)


@pytest.mark.parametrize(
    "key",
    ["{}", "no json", "[]", '{"id": "k", "privateKey": "AAAA"}', '{"id": "k", "privateKey": "é"}',
     '{"id": "k", "privateKey": "-----BEGIN EC PRIVATE KEY-----"}', '{"privateKey": "AAAA"}', None],
)  # fmt: skip
async def test_a_key_that_is_none_is_told_as_such(sandbox, key):
    gateway = Coinbase(sandbox.settings(coinbase_api_key=key))
    with pytest.raises(NotConfigured):
        await gateway.start_payment(CASE.order())
    await gateway.aclose()


async def test_another_ones_key_is_refused(sandbox):
    told = {"id": "key_of_the_local_sandbox", "privateKey": base64.b64encode(b"x" * 32).decode()}
    gateway = Coinbase(sandbox.settings(coinbase_api_key=json.dumps(told)))
    with pytest.raises(ProviderUnavailable):
        await gateway.start_payment(CASE.order())
    await gateway.aclose()


# --- payments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "currency"),
    [(100, "EUR"), (100, "USDC"), (0, "USD"), (-1, "USD"), (10**10 + 1, "USD")],
)
async def test_only_dollars_are_taken_and_not_too_many(gateway, known, minor, currency):
    amount = Money(minor, currency)
    for call in (
        gateway.start_payment(CASE.order(amount=amount)),
        gateway.refund(key=uuid.uuid4(), payment="68f7a946db0529ea9b6d3a12", amount=amount),
    ):
        with pytest.raises(ProviderDeclined):
            await call
    assert known.calls == 0


@pytest.mark.parametrize(
    ("url", "kept"), [("https://shop.example/x", "https://shop.example/x"), ("http://local/", None)]
)
async def test_the_payer_comes_back_where_that_is_safe(sandbox, gateway, known, url, kept):
    order = CASE.order(return_url=url, title="Tea\nfor two " + "x" * 600)
    started = await gateway.start_payment(order)
    with sandbox.client() as client:
        assert "Tea for two" in client.get(started.client["url"]).text
    (made,) = known.all("checkout")
    assert made["successRedirectUrl"] == made["failRedirectUrl"] == kept
    assert made["metadata"] == {"order_id": str(order.order_id), "key": str(order.key)}


@pytest.mark.parametrize(
    ("total", "minor"), [("12.34", 1234), ("20.00", 2000), ("5.5", 550), ("12.349999", 1234)]
)
async def test_what_arrived_counts_be_it_more_or_less(gateway, sandbox, total, minor):
    order = CASE.order()
    started = await gateway.start_payment(order)
    sandbox.control("coinbase", f"checkouts/{started.reference}/pay", total_amount=total)
    (paid,) = await gateway.look_up_payment(started.reference)
    assert paid.amount == Money(minor, "USD")
    assert _told(sandbox, gateway) == [paid]


async def test_fees_are_told_and_kept():
    with serve_sandbox(coinbase_fee_bps=100) as costly:
        gateway = Coinbase(costly.settings())
        _, _, paid = await _paid(costly, gateway, amount=Money(10_000, "USD"))
        await gateway.aclose()
        assert (paid.amount.minor, paid.fee_minor) == (10_000, 100)
        assert costly.balance("coinbase") == {"USD": 9900}


@pytest.mark.parametrize(
    ("end", "reason"), [("fail", "The payment failed."), ("expire", "Nobody paid in time.")]
)
async def test_a_checkout_may_end_unpaid(gateway, sandbox, end, reason):
    order = CASE.order()
    started = await gateway.start_payment(order)
    sandbox.control("coinbase", f"checkouts/{started.reference}/process")
    assert list(await gateway.look_up_payment(started.reference)) == []
    sandbox.control("coinbase", f"checkouts/{started.reference}/{end}")
    wanted = PaymentFailed(reason, order.order_id, started.reference)
    assert list(await gateway.look_up_payment(started.reference)) == [wanted]
    assert _told(sandbox, gateway) == [wanted]


async def test_nothing_is_known_of_another_ones_checkout(gateway):
    assert list(await gateway.look_up_payment("68f7a946db0529ea9b6d3a12")) == []


async def test_capturing_is_looking(gateway, sandbox):
    _, started, paid = await _paid(sandbox, gateway)
    assert await gateway.capture_payment(key=uuid.uuid4(), started=started.reference) == (paid,)


async def test_a_checkout_is_found_page_by_page(gateway, sandbox, known, monkeypatch):
    monkeypatch.setattr("workers.payments.coinbase._mark", lambda key: "same")
    orders = [CASE.order() for _ in range(120)]
    first = await gateway.start_payment(orders[0])
    for order in orders[1:]:
        await gateway.start_payment(order)
    assert await gateway.find_started(orders[0]) == first
    assert await gateway.find_started(CASE.order()) is None
    changed = CASE.order(key=orders[0].key, amount=Money(1, "USD"))
    with pytest.raises(OutcomeUnknown):
        await gateway.find_started(changed)


async def test_a_key_with_another_order_is_doubt(gateway):
    order = CASE.order()
    await gateway.start_payment(order)
    with pytest.raises(OutcomeUnknown):
        await gateway.start_payment(CASE.order(key=order.key))


# --- refunds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("end", "status"), [("complete", "succeeded"), ("fail", "failed")])
async def test_a_refund_takes_its_time(gateway, sandbox, end, status):
    _, _, paid = await _paid(sandbox, gateway)
    sandbox.fail("coinbase", "pending", "/refund")
    ask = {"key": uuid.uuid4(), "payment": paid.reference, "amount": CASE.money(500)}
    made = await gateway.refund(**ask)
    assert made.status == "pending"
    sandbox.control("coinbase", f"refunds/{made.reference}/{end}")
    (told,) = _told(sandbox, gateway, RefundChanged)
    assert (told.reference, told.key, told.status) == (made.reference, ask["key"], status)
    assert await gateway.find_refund(**ask) == told
    left = paid.amount.minor - (500 if end == "complete" else 0)
    assert sandbox.balance("coinbase") == {"USD": left}


async def test_a_refund_by_hand_bears_no_key(gateway, sandbox):
    _, _, paid = await _paid(sandbox, gateway)
    sandbox.control("coinbase", f"checkouts/{paid.reference}/refunds/by-hand", amount="2.00")
    (told,) = _told(sandbox, gateway, RefundChanged)
    assert (told.key, told.amount, told.payment) == (None, Money(200, "USD"), paid.reference)
    first, refunded = await gateway.look_up_payment(paid.reference)
    assert (first, refunded) == (paid, told)


async def test_every_refund_event_tells_all_of_them(gateway, sandbox):
    _, _, paid = await _paid(sandbox, gateway)
    for _ in range(2):
        await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=CASE.money(100))
    told = _told(sandbox, gateway, RefundChanged)
    assert len(told) == 3
    assert len(set(told)) == 2


# --- old events, and events of any shape ----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "amounts", "minor"),
    [
        ("charge:confirmed", "12.34", 1234),
        ("charge:confirmed", "", 1234),
        ("charge:confirmed", "10.00,2.34", 1234),
        ("charge:confirmed", "20.00", 2000),
        ("charge:resolved", "5.00", 500),
        ("charge:delayed", "12.34", 1234),
        ("charge:delayed", "", None),
        ("charge:pending", "12.34", None),
        ("charge:created", "", None),
        ("charge:failed", "", "failed"),
    ],
)
async def test_old_events_are_understood(gateway, sandbox, kind, amounts, minor):
    order_id = uuid.uuid4()
    sandbox.control(
        "coinbase", "charges", kind=kind, order_id=str(order_id), amount="12.34", paid=amounts
    )
    (event,) = sandbox.events("coinbase")
    assert (await gateway.verify(event.body, event.headers)).kind == kind
    told = _told(sandbox, gateway)
    if minor is None:
        assert told == []
        return
    (fact,) = told
    assert fact.order_id == order_id
    if minor == "failed":
        assert isinstance(fact, PaymentFailed)
    else:
        assert isinstance(fact, PaymentSucceeded)
        assert fact.amount == Money(minor, "USD")


async def test_events_of_any_shape_are_read_without_a_stumble(gateway, sandbox):
    _, _, paid = await _paid(sandbox, gateway)
    await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=CASE.money(100))
    sandbox.control(
        "coinbase", "charges", kind="charge:confirmed", order_id=str(uuid.uuid4()),
        amount="1.00", paid="0.50,0.50",
    )  # fmt: skip
    chance, odd = (
        random.Random(1),
        (None, 0, -1, "", "x", "1e999", [], {}, [[]], True, "NaN", "JPY"),
    )
    bodies = sandbox.bodies("coinbase")
    for _ in range(4000):
        event = copy.deepcopy(chance.choice(bodies))
        for _ in range(chance.randint(1, 3)):
            place = event
            while place:
                key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
                if isinstance(place[key], dict | list) and chance.random() < 0.8:
                    place = place[key]
                    continue
                place[key] = copy.deepcopy(chance.choice(odd))
                break
        for fact in gateway.read(json.dumps(event).encode()):
            fact.booking("coinbase")
