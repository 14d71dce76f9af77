"""`grant_type=web3`: a signed message is the password. Source: supabase/auth, internal/api/web3.go.

Stricter than there: keys that anybody can sign for and programs' addresses are refused, an address
that is no base58 is a bad request, and a signature is accepted once.
"""

import base64
import binascii
import re
import time
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from starlette.responses import Response

from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.errors import OAuthError, bad_request, invalid, unprocessable
from stack.auth.oauth.linking import open_account
from stack.auth.oauth.profiles import Profile
from stack.auth.oauth.routes import twice
from stack.auth.redirects import is_allowed
from stack.auth.routing import answer
from stack.auth.sessions import Grant, issue_session
from stack.auth.web3.siws import MalformedMessage, SiwsMessage, parse
from stack.auth.web3.wallet_keys import (
    NotAnAddress,
    decode_address,
    is_signed,
    is_wallet,
    off_chain_message,
)

MAX_VALIDITY = timedelta(minutes=10)  # before and after the moment of issue
_MAX_MESSAGE = 20 * 1024
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{86}")


async def web3_grant(auth: AuthContext, call: Call) -> Response:
    """A session for whoever holds the wallet that signed `message`."""
    auth.limits.check("web3", call.visit.ip)
    if not auth.used_signatures.is_enabled:
        raise unprocessable("web3_provider_disabled", "Web3 provider is disabled")
    if call.fields.text("chain") != "solana":
        raise bad_request("web3_unsupported_chain", "Unsupported chain")
    text, signature = call.fields.text("message"), call.fields.text("signature")
    if len(text.encode()) < 64:
        raise invalid("message is too short")
    if len(text.encode()) > _MAX_MESSAGE:
        raise invalid("message must not exceed 20KB")
    signed = _decode_signature(signature)
    try:
        message = parse(text)
        public_key = decode_address(message.address)
    except MalformedMessage as error:
        raise invalid(str(error)) from error
    except NotAnAddress as error:
        raise invalid("siws: wallet address is not in base58 format") from error
    _check_signature(message, public_key, signed)
    _check_place(auth, message)
    _check_time(message, datetime.now(UTC))
    return await _sign_in(auth, call, message, signed)


def _decode_signature(text: str) -> bytes:
    if len(text) not in (86, 88):
        raise invalid("signature must be 64 bytes encoded as base64 with or without padding")
    url_safe = text.rstrip("=").replace("+", "-").replace("/", "_")
    if not _SIGNATURE.fullmatch(url_safe):
        raise invalid("signature does not contain valid base64 characters")
    try:
        return base64.urlsafe_b64decode(url_safe + "==")
    except binascii.Error as error:
        raise invalid("signature does not contain valid base64 characters") from error


def _check_signature(message: SiwsMessage, public_key: bytes, signature: bytes) -> None:
    raw = message.raw.encode()
    forms = (raw, off_chain_message(message.domain, public_key, raw))
    if not is_wallet(message.address, public_key) or not any(
        is_signed(public_key, signature, form) for form in forms
    ):
        _refuse("Signature does not match address in message")


def _check_place(auth: AuthContext, message: SiwsMessage) -> None:
    uri = message.uri
    if uri.scheme != "https" and uri.hostname != "localhost":
        _refuse("Signed Solana message is using URI which does not use HTTPS")
    if not is_allowed(auth.settings, uri.geturl()):
        _refuse(
            "Signed Solana message is using URI which is not allowed on this server, message was"
            " signed for another app"
        )
    if uri.hostname != "localhost" and (
        uri.netloc != message.domain or not is_allowed(auth.settings, f"https://{message.domain}/")
    ):
        _refuse(
            "Signed Solana message is using a Domain that does not match the one in URI which is"
            " not allowed on this server"
        )


def _check_time(message: SiwsMessage, now: datetime) -> None:
    if message.not_before is not None and now < message.not_before:
        _refuse("Signed Solana message becomes valid in the future")
    if message.expires_at is not None and now > message.expires_at:
        _refuse("Signed Solana message is expired")
    if now - message.issued_at > MAX_VALIDITY:
        _refuse("Solana message was issued too long ago")
    if message.issued_at - now > MAX_VALIDITY:
        _refuse("Solana message was issued too far in the future")


async def _sign_in(
    auth: AuthContext, call: Call, message: SiwsMessage, signature: bytes
) -> Response:
    last_moment = (message.issued_at + MAX_VALIDITY).timestamp()
    if not auth.used_signatures.use(signature, until=last_moment, now=time.time()):
        _refuse("Signed Solana message was used before, sign a new one")
    facts = {
        "chain": "solana",
        "network": message.chain_id,
        "address": message.address,
        "domain": message.domain,
    }
    profile = Profile(
        subject=f"web3:solana:{message.address}",
        claims={"custom_claims": facts | {"statement": message.statement}},
    )

    async def attempt() -> Grant:
        async with auth.transaction() as db:
            opened = await open_account(
                auth,
                db,
                "web3",
                profile,
                visit=call.visit,
                redirect_to="",
                traits=facts | {"uri": message.uri.geturl()},
                email_optional=True,
            )
            return await issue_session(auth, db, opened.user, method="web3", visit=call.visit)

    try:
        grant = await twice(attempt)
    except BaseException:
        auth.used_signatures.release(signature)
        raise
    return answer(grant.as_json())


def _refuse(why: str) -> NoReturn:
    raise OAuthError("invalid_grant", why)
