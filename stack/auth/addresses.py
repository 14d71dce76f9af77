"""E-mail addresses, as users type them."""

import re

from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.errors import bad_request, invalid, unprocessable

DUPLICATE = "A user with this email address has already been registered"
_MAX_LENGTH = 255
_ADDRESS = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*",
    re.IGNORECASE,
)


def checked_email(email: str) -> str:
    """The address in lower case. Errors: 400 validation_failed."""
    if not email:
        raise invalid("An email address is required")
    if len(email) > _MAX_LENGTH or not _ADDRESS.fullmatch(email):
        raise bad_request("validation_failed", "Unable to validate email address: invalid format")
    return email.lower()


def checked_phone(phone: str) -> str:
    """Digits of an international number, without `+`. Errors: 400 validation_failed."""
    digits = phone.strip().removeprefix("+").replace(" ", "")
    if digits and not (digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 15):
        raise invalid("Invalid phone number format (E.164 required)")
    return digits


def refuse_phone(auth: AuthContext, call: Call, message: str) -> None:
    """A code cannot be sent to a phone: there is no SMS provider here.

    Errors: 400 phone_provider_disabled, validation_failed; 422 sms_send_failed.
    """
    phone = checked_phone(call.fields.text("phone"))
    if not phone:
        return
    if call.fields.text("email"):
        raise invalid("Only an email address or phone number should be provided.")
    if not auth.settings.phone_enabled:
        raise bad_request("phone_provider_disabled", message)
    raise unprocessable("sms_send_failed", "Error sending sms: no SMS provider is supported here")


def refuse_captcha(auth: AuthContext, call: Call) -> None:
    """Captchas cannot be checked here; a project that demands them is told. Errors: 400."""
    if not auth.settings.captcha_enabled:
        return
    if not call.fields.inner("gotrue_meta_security").text("captcha_token"):
        raise bad_request(
            "captcha_failed",
            "captcha protection: request disallowed (no captcha_token found)",
        )
    raise bad_request("captcha_failed", "captcha protection: not supported by this server")


def account_of(call: Call) -> str:
    """Whom a request is about, for counting: an address or a number, as it was typed."""
    return call.fields.text("email").lower() or call.fields.text("phone")
