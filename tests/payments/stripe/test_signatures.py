"""Only what Stripe signed, lately and with one of our secrets, is an event."""

import hashlib
import hmac
import json
import time

import pytest

from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.settings import Settings
from workers.payments.stripe import Stripe

OLD, NEW = "whsec_rolled_out", "whsec_rolled_in"
BODY = json.dumps({"id": "evt_1", "type": "charge.succeeded", "data": {"object": {}}}).encode()
# computed once with `openssl dgst -sha256 -hmac`, over "1700000000." and the bytes
VECTOR_BODY = b'{"id":"evt_vector","type":"of.the.tests"}\n'
VECTOR = "t=1700000000,v1=0634c924e30be821ba33b8dd37c34a3a20a737e7e5922ae0fc26ed844acbdc67"


def _stripe(**settings):
    given = {
        "database_url": "postgresql://nobody@127.0.0.1:1/nowhere",
        "stripe_webhook_secrets": [OLD, NEW],
    }
    return Stripe(Settings(_env_file=None, **(given | settings)))


def _hex(body=BODY, secret=NEW, at=None):
    """By the standard library, not by the SDK that is to be tested."""
    at = int(time.time()) if at is None else at
    return hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()


def _header(*signatures, at=None):
    at = int(time.time()) if at is None else at
    return {"stripe-signature": ",".join([f"t={at}", *signatures])}


async def _verdict(headers, body=BODY, **settings):
    try:
        return (await _stripe(**settings).verify(body, headers)).id
    except InvalidSignature:
        return "refused"


async def test_a_known_signature():
    long_ago = {"webhook_tolerance_seconds": 10**10, "stripe_webhook_secrets": ["whsec_vector"]}
    header = {"stripe-signature": VECTOR}
    assert await _verdict(header, VECTOR_BODY, **long_ago) == "evt_vector"
    assert await _verdict(header, VECTOR_BODY.rstrip(), **long_ago) == "refused"
    assert await _verdict(header, VECTOR_BODY) == "refused"


@pytest.mark.parametrize("secret", [OLD, NEW])
async def test_while_a_secret_is_rolled_both_count(secret):
    assert await _verdict(_header(f"v1={_hex(secret=secret)}")) == "evt_1"


async def test_several_signatures_of_which_one_is_right():
    assert await _verdict(_header("v1=" + "0" * 64, f"v1={_hex()}")) == "evt_1"
    assert await _verdict(_header("v0=" + "0" * 64, f"v1={_hex()}", "v7=x")) == "evt_1"


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "rubbish"},
        {"stripe-signature": "t=,v1="},
        {"stripe-signature": "t=1e9,v1=" + "0" * 64},
        {"stripe-signature": f"v1={_hex()}"},
        _header(f"v0={_hex()}"),
        _header(f"V1={_hex()}"),
        _header(f"v1={_hex(secret='whsec_of_somebody_else')}"),
        _header(f"v1={_hex(BODY + b' ')}"),
        _header(f"v1={_hex(at=1)}"),
    ],
)
async def test_what_stripe_did_not_sign(header):
    assert await _verdict(header) == "refused"


async def test_long_ago_is_too_late():
    at = int(time.time()) - 301
    assert await _verdict(_header(f"v1={_hex(at=at)}", at=at)) == "refused"
    assert (
        await _verdict(_header(f"v1={_hex(at=at)}", at=at), webhook_tolerance_seconds=900)
        == "evt_1"
    )


async def test_what_is_signed_and_no_event():
    for body in (b"[]", b"no json", b'{"id": 1, "type": "x"}', b'{"id": "evt_1"}', b"\xff"):
        assert await _verdict(_header(f"v1={_hex(body)}"), body) == "refused"


async def test_the_refusal_shows_no_signature():
    with pytest.raises(InvalidSignature) as refused:
        await _stripe().verify(BODY, _header("v1=" + "0" * 64))
    told = f"{refused.value} {refused.value.__cause__} {refused.value.details}"
    assert _hex() not in told
    assert _hex(secret=OLD) not in told


async def test_without_a_secret_nothing_is_taken():
    with pytest.raises(NotConfigured):
        await _stripe(stripe_webhook_secrets=[]).verify(BODY, _header(f"v1={_hex()}"))


async def test_what_the_sandbox_sends_again_is_signed_anew(shop, sandbox, gateway, monkeypatch):
    await shop.paid()
    event = sandbox.events("stripe")[0]
    an_hour_ago = time.time() - 3600
    with monkeypatch.context() as then:
        then.setattr("time.time", lambda: an_hour_ago)
        old = dict(event.headers)
    with pytest.raises(InvalidSignature):
        await gateway.verify(event.body, old)
    assert (await gateway.verify(event.body, dict(event.headers))).id == event.id
