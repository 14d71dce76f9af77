"""An event of PayPal counts only if PayPal signed these very bytes for us, with a certificate that
is its own, chained to a root, and valid today.
"""

import asyncio
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paypalrestsdk
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox import paypal_authority
from tests.fixtures.pages import Page, serve_pages
from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.contract.paypal import CASE
from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.settings import Settings
from workers.payments.base import OutcomeUnknown, ProviderUnavailable
from workers.payments.paypal import PayPal
from workers.payments.paypal_signatures import Certificates, Transmission

RECORDED = Path(__file__).parents[1] / "fixtures" / "providers" / "paypal"
SDK_ROOTS = Path(paypalrestsdk.__file__).parent / "data"
CERTS = "/v1/notifications/certs/"
# recorded from PayPal's sandbox in 2015; tests of PayPal's own SDKs
EVENT = (RECORDED / "event_of_2015.json").read_bytes()
WEBHOOK = "4JH86294D6297924G"
SIGNED = {
    "PAYPAL-TRANSMISSION-ID": "dfb3be50-fd74-11e4-8bf3-77339302725b",
    "PAYPAL-TRANSMISSION-TIME": "2015-05-18T15:45:13Z",
    "PAYPAL-TRANSMISSION-SIG": (
        "thy4/U002quzxFavHPwbfJGcc46E8rc5jzgyeafWm5mICTBdY/8rl7WJpn8JA0GKA+oDTPsSruqusw+XXg5RLAP7ip53"
        "Euh9Xu3UbUhQFX7UgwzE2FeYoY6lyRMiiiQLzy9BvHfIzNIVhPad4KnC339dr6y2l+mN8ALgI4GCdIh3/SoJO5wE64Bh"
        "/ueWtt8EVuvsvXfda2Le5a2TrOI9vLEzsm9GS79hAR/5oLexNz8UiZr045Mr5ObroH4w4oNfmkTaDk9Rj0G19uvISs5Q"
        "zgmBpauKr7Nw++JI0pr/v5mFctQkoWJSGfBGzPRXawrvIIVHQ9Wer48GR2g9ZiApWg=="
    ),
    "PAYPAL-AUTH-ALGO": "SHA256withRSA",
}
THEN = datetime(2015, 5, 18, 16, tzinfo=UTC)


@pytest.fixture
def pages():
    with serve_pages() as served:
        yield served


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


def _settings(pages, **changes):
    given = {
        "database_url": "postgresql://nobody@127.0.0.1:1/nowhere",
        "paypal_webhook_ids": [WEBHOOK],
        "paypal_certificate_hosts": [pages.url],
        "paypal_certificate_names": [paypal_authority.NAME],
        "paypal_issuer_hosts": [pages.url],
    }
    return Settings(_env_file=None, **(given | changes))


def _roots(tmp_path, *pems, name="roots.pem"):
    file = tmp_path / name
    file.write_bytes(b"".join(pems))
    return file


async def _check(known, headers, body=EVENT, now=None):
    certificates = Certificates(known, now or (lambda: datetime.now(UTC)))
    try:
        await certificates.check(Transmission.of(headers), body)
    finally:
        await certificates.aclose()


# --- what PayPal's own clients were tested with ---------------------------------------------------


@pytest.mark.parametrize(
    ("body", "checksum"), [(b"123456789", "3421780262"), (b"", "0"), (EVENT, "2771810304")]
)
def test_the_body_enters_by_its_checksum(body, checksum):
    sent = Transmission("dfb3be50", "2015-05-18T15:45:13Z", "c2ln", "https://x")
    assert sent.message(WEBHOOK, body) == (
        f"dfb3be50|2015-05-18T15:45:13Z|{WEBHOOK}|{checksum}".encode()
    )


@pytest.fixture
def recorded(pages, tmp_path):
    """PayPal's certificate of 2015 where it may be fetched; the roots that it chained to."""
    pages.pages[CERTS + "CERT-360caa42"] = Page(
        body=(RECORDED / "certificate_of_2015.pem").read_bytes()
    )
    roots = _roots(
        tmp_path,
        *((SDK_ROOTS / f"DigiCert{name}.crt.pem").read_bytes()
          for name in ("HighAssuranceEVRootCA", "SHA2ExtendedValidationServerCA")),
    )  # fmt: skip
    known = _settings(pages, paypal_certificate_roots=roots)
    return known, SIGNED | {"PAYPAL-CERT-URL": pages.url + CERTS + "CERT-360caa42"}


async def test_a_recorded_event_verifies_in_its_time(recorded):
    known, headers = recorded
    await _check(known, headers, now=lambda: THEN)


@pytest.mark.parametrize("change", [b" ", b"}", b"\n"])
async def test_one_byte_more_is_another_body(recorded, change):
    known, headers = recorded
    with pytest.raises(InvalidSignature):
        await _check(known, headers, EVENT + change, now=lambda: THEN)


async def test_a_certificate_that_has_expired_is_refused_with_a_good_signature(recorded):
    known, headers = recorded
    with pytest.raises(InvalidSignature, match="not valid today"):
        await _check(known, headers)


async def test_a_certificate_is_not_believed_without_its_root(recorded, pages, tmp_path):
    _, headers = recorded
    other = _roots(tmp_path, paypal_authority.authority().root.pem)
    for known in (_settings(pages), _settings(pages, paypal_certificate_roots=other)):
        with pytest.raises(InvalidSignature):
            await _check(known, headers, now=lambda: THEN)


@pytest.mark.parametrize(
    "change",
    [
        {"PAYPAL-TRANSMISSION-ID": "dfb3be50-fd74-11e4-8bf3-77339302725c"},
        {"PAYPAL-TRANSMISSION-TIME": "2015-05-18T15:45:14Z"},
        {"PAYPAL-TRANSMISSION-SIG": "c2ln"},
        {"PAYPAL-TRANSMISSION-SIG": "no base64!"},
        {"PAYPAL-TRANSMISSION-SIG": ""},
        {"PAYPAL-TRANSMISSION-ID": f"a|2015-05-18T15:45:13Z|{WEBHOOK}"},
        {"PAYPAL-AUTH-ALGO": "sha256"},
        {"PAYPAL-AUTH-ALGO": "SHA1withRSA"},
        {"PAYPAL-AUTH-ALGO": "none"},
        {"PAYPAL-CERT-URL": ""},
    ],
)
async def test_headers_that_are_not_these_are_refused(recorded, change):
    known, headers = recorded
    with pytest.raises(InvalidSignature):
        await _check(known, headers | change, now=lambda: THEN)


async def test_headers_are_read_without_regard_to_case(recorded):
    known, headers = recorded
    lower = {name.lower(): value for name, value in headers.items()}
    await _check(known, lower, now=lambda: THEN)


async def test_a_signature_for_another_webhook_is_not_for_us(recorded, pages):
    known, headers = recorded
    others = known.model_copy(update={"paypal_webhook_ids": ["WEBHOOK_ID"]})
    with pytest.raises(InvalidSignature):
        await _check(others, headers, now=lambda: THEN)
    both = known.model_copy(update={"paypal_webhook_ids": ["NEW", WEBHOOK]})
    await _check(both, headers, now=lambda: THEN)


# --- where certificates may come from -------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.example/v1/notifications/certs/CERT-1",
        "https://evilapi.paypal.com/v1/notifications/certs/CERT-1",
        "https://www.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@example.com/v1/notifications/certs/CERT-1",
        "https://x:y@api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/v1/notifications/certs/../CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT%2d1",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/notifications/certs/a/b",
        "https://api.paypal.com/v1/payments/CERT-1",
        "https://api.paypal.com\\@example.com/v1/notifications/certs/CERT-1",
        "https://[::1]/v1/notifications/certs/CERT-1",
        "file:///v1/notifications/certs/CERT-1",
        "//api.paypal.com/v1/notifications/certs/CERT-1",
        "CERT-1",
    ],
)
async def test_certificates_of_other_addresses_are_not_even_fetched(pages, url):
    known = _settings(pages, paypal_certificate_hosts=["api.paypal.com"])
    with pytest.raises(InvalidSignature, match="address is not PayPal's"):
        await _check(known, SIGNED | {"PAYPAL-CERT-URL": url})
    assert pages.asked == []


async def test_plain_http_is_for_whom_the_setting_names_so(pages):
    host = pages.url.removeprefix("http://")
    pages.pages[CERTS + "CERT-1"] = Page(body=b"anything")
    known = _settings(pages, paypal_certificate_hosts=[host])
    with pytest.raises(InvalidSignature, match="address is not PayPal's"):
        await _check(known, SIGNED | {"PAYPAL-CERT-URL": pages.url + CERTS + "CERT-1"})
    assert pages.asked == []


@pytest.mark.parametrize(
    "page",
    [
        Page(404, b"nothing"),
        Page(302, headers={"location": "/elsewhere"}),
        Page(200, b""),
        Page(200, b"no certificate"),
        Page(200, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Page(200, (RECORDED / "certificate_of_2015.pem").read_bytes() * 9),
        Page(200, b" " * 100_000),
    ],
)
async def test_what_is_no_certificate_is_refused_and_remembered(pages, page):
    pages.pages |= {
        CERTS + "CERT-1": page,
        "/elsewhere": Page(body=(RECORDED / "certificate_of_2015.pem").read_bytes()),
    }
    certificates = Certificates(_settings(pages))
    headers = SIGNED | {"PAYPAL-CERT-URL": pages.url + CERTS + "CERT-1"}
    for _ in range(3):
        with pytest.raises(InvalidSignature, match="no certificate"):
            await certificates.check(Transmission.of(headers), EVENT)
    await certificates.aclose()
    assert pages.asked == [CERTS + "CERT-1"]


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_certificate_that_cannot_be_had_now_is_no_verdict(pages, recorded, status):
    known, headers = recorded
    good = pages.pages[CERTS + "CERT-360caa42"]
    certificates = Certificates(known, lambda: THEN)
    pages.pages[CERTS + "CERT-360caa42"] = Page(status)
    with pytest.raises(ProviderUnavailable):
        await certificates.check(Transmission.of(headers), EVENT)
    pages.pages[CERTS + "CERT-360caa42"] = good
    for _ in range(100):
        await certificates.check(Transmission.of(headers), EVENT)
    await certificates.aclose()
    assert len(pages.asked) == 2  # kept by its address


async def test_nobody_there_is_no_verdict(recorded):
    known, headers = recorded
    closed = "http://127.0.0.1:9"
    known = known.model_copy(update={"paypal_certificate_hosts": [closed]})
    with pytest.raises(ProviderUnavailable):
        await _check(known, headers | {"PAYPAL-CERT-URL": closed + CERTS + "CERT-1"})


async def test_a_kept_certificate_expires_all_the_same(recorded):
    known, headers = recorded
    moments = [THEN, THEN + timedelta(days=700)]
    certificates = Certificates(known, lambda: moments[0])
    await certificates.check(Transmission.of(headers), EVENT)
    moments.pop(0)
    with pytest.raises(InvalidSignature, match="not valid today"):
        await certificates.check(Transmission.of(headers), EVENT)
    await certificates.aclose()


# --- the CAs between ------------------------------------------------------------------------------


@pytest.fixture
def chained(pages, tmp_path):
    """A root, a CA between that publishes itself, and a leaf; only the leaf is sent."""
    certify = paypal_authority.certify
    root = certify("Root", None)
    between = certify("Between", root, is_authority=True)
    leaf = certify(paypal_authority.NAME, between, issuer_url=pages.url + "/between.crt")
    pages.pages[CERTS + "CERT-1"] = Page(body=leaf.pem)
    pages.pages["/between.crt"] = Page(body=between.certificate.public_bytes(Encoding.DER))
    message = f"id|time|{WEBHOOK}|{zlib.crc32(EVENT)}".encode()
    headers = {
        "PAYPAL-TRANSMISSION-ID": "id",
        "PAYPAL-TRANSMISSION-TIME": "time",
        "PAYPAL-TRANSMISSION-SIG": leaf.sign(message),
        "PAYPAL-CERT-URL": pages.url + CERTS + "CERT-1",
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
    }
    known = _settings(pages, paypal_certificate_roots=_roots(tmp_path, root.pem))
    return known, headers, between, leaf


async def test_the_ca_between_is_fetched_where_it_is_published(chained, pages):
    known, headers, _, _ = chained
    await _check(known, headers)
    assert pages.asked == [CERTS + "CERT-1", "/between.crt"]


async def test_the_ca_between_is_fetched_from_named_hosts_only(chained, pages):
    known, headers, _, _ = chained
    known = known.model_copy(update={"paypal_issuer_hosts": ["cacerts.digicert.com"]})
    with pytest.raises(InvalidSignature):
        await _check(known, headers)
    assert pages.asked == [CERTS + "CERT-1"]


async def test_the_ca_between_may_come_along_or_be_trusted_itself(chained, pages, tmp_path):
    known, headers, between, leaf = chained
    pages.pages["/between.crt"] = Page(404)
    with pytest.raises(InvalidSignature):
        await _check(known, headers)
    roots = _roots(tmp_path, between.pem, name="between.pem")
    await _check(known.model_copy(update={"paypal_certificate_roots": roots}), headers)
    pages.pages[CERTS + "CERT-1"] = Page(body=leaf.pem + between.pem)
    await _check(known, headers)


async def test_a_stranger_is_no_ca_between(chained, pages):
    known, headers, _, _ = chained
    stranger = paypal_authority.certify("Between", None)
    pages.pages["/between.crt"] = Page(body=stranger.certificate.public_bytes(Encoding.DER))
    with pytest.raises(InvalidSignature):
        await _check(known, headers)


async def test_roots_are_read_again_when_they_change(chained, tmp_path):
    known, headers, _, _ = chained
    good = known.paypal_certificate_roots.read_bytes()
    certificates = Certificates(known)
    await certificates.check(Transmission.of(headers), EVENT)
    _roots(tmp_path, paypal_authority.authority().root.pem)
    with pytest.raises(InvalidSignature):
        await certificates.check(Transmission.of(headers), EVENT)
    _roots(tmp_path, good, b"\n")
    await certificates.check(Transmission.of(headers), EVENT)
    known.paypal_certificate_roots.unlink()
    with pytest.raises(NotConfigured):
        await certificates.check(Transmission.of(headers), EVENT)
    await certificates.aclose()


# --- events of the sandbox, by all ways of checking -----------------------------------------------

WAYS = ("certificate", "api", "both")


async def _event(sandbox, fault=None):
    """An event as PayPal sends it: its body and headers."""
    gateway = PayPal(sandbox.settings())
    if fault:
        sandbox.fail("paypal", fault)
    started = await gateway.start_payment(CASE.order())
    await gateway.aclose()
    sandbox.control("paypal", f"orders/{started.reference}/approve")
    return sandbox.events("paypal")[-1]


async def _verify(sandbox, way, event, body=None, **changes):
    gateway = PayPal(sandbox.settings(paypal_webhook_check=way, **changes))
    try:
        return await gateway.verify(event.body if body is None else body, event.headers)
    finally:
        await gateway.aclose()


@pytest.mark.parametrize("way", WAYS)
async def test_what_paypal_signed_is_an_event(sandbox, way):
    sent = await _event(sandbox)
    event = await _verify(sandbox, way, sent)
    assert (event.id, event.kind) == (sent.id, "CHECKOUT.ORDER.APPROVED")
    assert event.body == sent.body


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", ["wrong_signature", *paypal_authority.BAD])
async def test_what_another_signed_is_none(sandbox, way, fault):
    sent = await _event(sandbox, fault)
    with pytest.raises(InvalidSignature):
        await _verify(sandbox, way, sent)


@pytest.mark.parametrize("way", WAYS)
async def test_a_body_written_anew_is_another(sandbox, way):
    sent = await _event(sandbox)
    for body in (
        json.dumps(json.loads(sent.body)).encode(),
        json.dumps(json.loads(sent.body), sort_keys=True, separators=(",", ":")).encode(),
        sent.body.replace(b"EUR", b"USD"),
        sent.body + b', "webhook_id": "x"',
        b'{}, "x": ' + sent.body,
        b"",
        b"\xff",
        b"[" * 5000,
    ):
        with pytest.raises(InvalidSignature):
            await _verify(sandbox, way, sent, body)


@pytest.mark.parametrize("way", WAYS)
async def test_a_rolled_webhook_is_tried_with_each_id(sandbox, way):
    sent = await _event(sandbox)
    await _verify(
        sandbox, way, sent, paypal_webhook_ids=["NEWONE", sandbox.known.paypal_webhook_id]
    )
    with pytest.raises(InvalidSignature):
        await _verify(sandbox, way, sent, paypal_webhook_ids=["NEWONE"])
    with pytest.raises(NotConfigured):
        await _verify(sandbox, way, sent, paypal_webhook_ids=[])


def _signed_at(sandbox, sent, moment):
    """The same event, as if it had been sent then."""
    spelled = {name.lower(): value for name, value in sent.headers.items()}
    webhook = sandbox.known.paypal_webhook_id
    message = f"{spelled['paypal-transmission-id']}|{moment}|{webhook}|{zlib.crc32(sent.body)}"
    signer = paypal_authority.authority().signer(paypal_authority.GOOD)
    return replace(
        sent,
        headers=spelled
        | {
            "paypal-transmission-time": moment,
            "paypal-transmission-sig": signer.sign(message.encode()),
        },
    )


@pytest.mark.parametrize("way", WAYS)
async def test_a_signature_is_good_for_four_days(sandbox, way):
    sent, now = await _event(sandbox), datetime.now(UTC)
    for good in (-timedelta(days=3, hours=23), timedelta(minutes=4)):
        moment = (now + good).isoformat(timespec="seconds").replace("+00:00", "Z")
        assert (await _verify(sandbox, way, _signed_at(sandbox, sent, moment))).id == sent.id
    for bad in (
        (now - timedelta(days=4, minutes=1)).isoformat(),
        (now + timedelta(minutes=6)).isoformat(),
        now.replace(tzinfo=None).isoformat(),
        "yesterday",
    ):
        with pytest.raises(InvalidSignature, match="transmission time"):
            await _verify(sandbox, way, _signed_at(sandbox, sent, bad))


async def test_an_address_that_does_not_answer_delays_no_other(sandbox):
    sent = await _event(sandbox)
    spelled = {name.lower(): value for name, value in sent.headers.items()}
    made_up = replace(
        sent, headers=spelled | {"paypal-cert-url": f"{sandbox.url}/paypal{CERTS}CERT-none"}
    )
    sandbox.fail("paypal", "timeout_before", "CERT-none")
    gateway = PayPal(sandbox.settings())
    try:
        lost = asyncio.create_task(gateway.verify(made_up.body, made_up.headers))
        await asyncio.sleep(0.1)
        assert (await gateway.verify(sent.body, sent.headers)).id == sent.id
        assert not lost.done()
        lost.cancel()
    finally:
        await gateway.aclose()


async def test_strangers_make_us_fetch_eight_at_a_time_at_most():
    now = most = 0

    async def answer(reader, writer):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.05)
        now -= 1
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        known = Settings(
            _env_file=None, database_url="postgresql://nobody@127.0.0.1:1/nowhere",
            paypal_webhook_ids=[WEBHOOK], paypal_certificate_hosts=[url],
        )  # fmt: skip
        certificates = Certificates(known)
        asked = [
            Transmission("a", "b", "c2ln", f"{url}{CERTS}CERT-{number}") for number in range(30)
        ]
        told = await asyncio.gather(
            *(certificates.check(one, EVENT) for one in asked), return_exceptions=True
        )
        await certificates.aclose()
    assert {type(one) for one in told} == {InvalidSignature}
    assert most == 8


async def test_asking_paypal_needs_its_answer(sandbox):
    sent = await _event(sandbox)
    sandbox.fail("paypal", "500_before", "verify-webhook-signature")
    with pytest.raises(OutcomeUnknown):
        await _verify(sandbox, "api", sent)
    with pytest.raises(NotConfigured):
        await _verify(sandbox, "api", sent, paypal_client_id=None)
    await _verify(sandbox, "certificate", sent, paypal_client_id=None)
