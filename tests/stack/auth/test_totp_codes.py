"""Codes are those of RFC 6238, and of the authenticator apps."""

from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pyotp
from hypothesis import given
from hypothesis import strategies as st

from stack.auth.mfa_totp import code_at, matching_step, new_secret, provisioning_uri, qr_code

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890"


def test_codes_of_the_rfc():
    # appendix B, the last six of its eight digits
    known = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    assert {at: code_at(RFC_SECRET, at // 30) for at in known} == known


@given(st.integers(0, 2**40))
def test_agrees_with_another_implementation(step):
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    assert code_at(secret, step) == pyotp.HOTP(secret).at(step)


def test_good_one_period_around_its_own():
    now = 1_800_000_015
    for shift in (-1, 0, 1):
        step = now // 30 + shift
        assert matching_step(RFC_SECRET, f" {code_at(RFC_SECRET, step)} ", now) == step
    for shift in (-2, 2):
        assert matching_step(RFC_SECRET, code_at(RFC_SECRET, now // 30 + shift), now) is None


@given(st.text(max_size=10))
def test_any_text_is_only_wrong(text):
    assert matching_step(RFC_SECRET, text + "x", 1_800_000_000) is None


def test_address_for_apps():
    secret = new_secret()
    uri = provisioning_uri(secret, issuer="127.0.0.1:3000", account="ann+1@example.com")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/127.0.0.1:3000:ann+1@example.com"
    assert parse_qs(parts.query)["secret"] == [secret]
    assert pyotp.parse_uri(uri).now() == pyotp.TOTP(secret).now()


def test_picture_fits_a_data_url():
    picture = qr_code(provisioning_uri(new_secret(), issuer="example.com", account="a@b.example"))
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert "#" not in picture
