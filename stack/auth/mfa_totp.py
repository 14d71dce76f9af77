"""Time-based one-time passwords (RFC 6238) and the QR code that hands their secret to a phone."""

import base64
import hashlib
import hmac
import io
import secrets
import struct
from urllib.parse import quote, urlencode

import segno

PERIOD_SECONDS = 30
_DIGITS = 6
_SKEW = 1  # a code is good one period before and after its own


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 asks for SHA-1."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """The six digits of one period. Source: RFC 4226 §5.3, RFC 6238 §4."""
    key = base64.b32decode(secret)
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def matching_step(secret: str, code: str, now: float) -> int | None:
    """The period that `code` belongs to, if it is acceptable at `now` (Unix seconds)."""
    given = code.strip().encode(errors="replace")
    current = int(now) // PERIOD_SECONDS
    found = None
    # every candidate is compared, so that time tells nothing
    for step in range(current - _SKEW, current + _SKEW + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), given):
            found = step
    return found


def provisioning_uri(secret: str, *, issuer: str, account: str) -> str:
    """The `otpauth://` address that authenticator apps read. Source: Key Uri Format."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    parameters = {
        "algorithm": "SHA1",
        "digits": _DIGITS,
        "issuer": issuer,
        "period": PERIOD_SECONDS,
        "secret": secret,
    }
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def qr_code(uri: str) -> str:
    """An SVG document that clients put behind `data:image/svg+xml;utf-8,`."""
    drawn = io.BytesIO()
    segno.make(uri, micro=False).save(drawn, kind="svg", scale=4, xmldecl=False, light="white")
    # a bare # would end the data URL there
    return drawn.getvalue().decode().replace("#000", "black").replace("#fff", "white").strip()
