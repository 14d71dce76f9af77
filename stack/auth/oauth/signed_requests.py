"""OAuth 1.0a: requests signed with HMAC-SHA1, which Twitter's older sign-in still asks for.

Source: RFC 5849 §3.4 and §3.5.1.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Consumer:
    """The app at the provider."""

    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A request token or an access token."""

    key: str
    secret: str = field(repr=False)


NO_TOKEN = Token("", "")


def authorization_header(
    method: str,
    url: str,
    consumer: Consumer,
    token: Token = NO_TOKEN,
    *,
    protocol: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    nonce: str | None = None,
    timestamp: int | None = None,
) -> str:
    """The `Authorization` header of one request.

    `protocol`: further oauth_ fields; `parameters`: those of the query and of a form body. `url`
    has no query.
    """
    fields = {
        "oauth_consumer_key": consumer.key,
        "oauth_nonce": nonce or secrets.token_urlsafe(24),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(timestamp or int(time.time())),
        "oauth_version": "1.0",
        **({"oauth_token": token.key} if token.key else {}),
        **(protocol or {}),
    }
    signed = sorted(
        (_escape(name), _escape(value)) for name, value in {**fields, **(parameters or {})}.items()
    )
    base = "&".join(
        (method, _escape(url), _escape("&".join(f"{name}={value}" for name, value in signed)))
    )
    key = f"{_escape(consumer.secret)}&{_escape(token.secret)}"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
    fields["oauth_signature"] = base64.b64encode(digest).decode()
    return "OAuth " + ", ".join(
        f'{_escape(name)}="{_escape(value)}"' for name, value in sorted(fields.items())
    )


def _escape(text: str) -> str:
    return quote(text, safe="-._~")
