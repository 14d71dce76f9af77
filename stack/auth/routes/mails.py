"""Requests for a mail: OTP, magic link, recovery, resending, re-authentication."""

from starlette.responses import Response

from stack.auth.addresses import (
    account_of,
    checked_email,
    checked_phone,
    refuse_captcha,
    refuse_phone,
)
from stack.auth.audit import record
from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.errors import bad_request, invalid, unprocessable
from stack.auth.flows import begin_flow, check_challenge
from stack.auth.limits import at_least
from stack.auth.mail import Letter
from stack.auth.notices import (
    write_confirmation,
    write_email_change,
    write_reauthentication,
    write_recovery,
)
from stack.auth.redirects import allowed_redirect
from stack.auth.routes.signup import sign_up
from stack.auth.routing import Door, answer
from stack.auth.signups import lock_address, sign_up_email_user
from stack.auth.users import User, duplicate_of_email, user_by_email, user_by_id

# longer than the work for a known address takes
EVEN_SECONDS = 0.03


async def otp(auth: AuthContext, call: Call) -> Response:
    """Send a link and a code to an address; strangers are signed up unless `create_user` is false.

    Errors: 422 otp_disabled, email_provider_disabled; 400 validation_failed; 429.
    """
    refuse_captcha(auth, call)
    auth.limits.check("sign_in_sign_ups", call.visit.ip, account_of(call))
    refuse_phone(auth, call, "Unsupported phone provider")
    if not call.fields.text("email"):
        raise invalid("One of email or phone must be set")
    if call.fields.text("channel"):
        raise invalid("Channel should only be specified with Phone OTP")
    return await _magic_link(auth, call, creates=call.fields.flag("create_user", True))


async def magic_link(auth: AuthContext, call: Call) -> Response:
    """The older name of `otp`."""
    refuse_captcha(auth, call)
    auth.limits.check("sign_in_sign_ups", call.visit.ip, account_of(call))
    if not call.fields.text("email"):
        raise unprocessable("validation_failed", "Password recovery requires an email")
    return await _magic_link(auth, call, creates=True)


async def _magic_link(auth: AuthContext, call: Call, *, creates: bool) -> Response:
    if not auth.settings.email_enabled:
        raise unprocessable("email_provider_disabled", "Email logins are disabled")
    email = checked_email(call.fields.text("email"))
    check_challenge(call.fields.text("code_challenge"), call.fields.text("code_challenge_method"))
    async with at_least(EVEN_SECONDS):
        return await _send_magic_link(auth, call, email, creates=creates)


async def _send_magic_link(auth: AuthContext, call: Call, email: str, *, creates: bool) -> Response:
    async with auth.connection() as db:
        user = await user_by_email(db, email)
    if user is None and not creates:
        raise unprocessable("otp_disabled", "Signups not allowed for otp")
    if user is None and not auth.settings.enable_signup:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    is_stranger = user is None or not user.is_confirmed
    if is_stranger and auth.settings.enable_confirmations:
        # the confirmation mail is itself the link
        await sign_up(
            auth,
            call,
            email=email,
            password=None,
            metadata=call.fields.object("data") or {},
        )
        return answer({})
    if user is None:
        user = await _sign_up_for_link(auth, call, email)
    return await _send_recovery(auth, call, user, action="magiclink")


async def _sign_up_for_link(auth: AuthContext, call: Call, email: str) -> User:
    """A user without a password, whom the link will confirm."""
    async with auth.transaction() as db:
        await lock_address(db, email)
        return await duplicate_of_email(db, email) or await sign_up_email_user(
            auth,
            db,
            email=email,
            encrypted_password=None,
            metadata=call.fields.object("data") or {},
            visit=call.visit,
            is_own_claim=True,
        )


async def recover(auth: AuthContext, call: Call) -> Response:
    """Send a link and a code that open the account without the password.

    An unknown address gets the same answer. Errors: 400 validation_failed, 429.
    """
    refuse_captcha(auth, call)
    auth.limits.check("sign_in_sign_ups", call.visit.ip, account_of(call))
    if not auth.settings.email_enabled:
        raise bad_request("email_provider_disabled", "Email logins are disabled")
    if not call.fields.text("email"):
        raise invalid("Password recovery requires an email")
    email = checked_email(call.fields.text("email"))
    check_challenge(call.fields.text("code_challenge"), call.fields.text("code_challenge_method"))
    async with at_least(EVEN_SECONDS):
        async with auth.connection() as db:
            user = await user_by_email(db, email)
        if user is None:
            auth.limits.check_stranger("recovery", email, auth.settings.max_frequency)
            return answer({})
        return await _send_recovery(auth, call, user, action="recovery")


async def _send_recovery(auth: AuthContext, call: Call, user: User, *, action: str) -> Response:
    challenge = call.fields.text("code_challenge")
    async with auth.transaction() as db:
        # of requests at the same time only the first sends a mail
        user = await user_by_id(db, user.id, lock=True) or user
        if challenge:
            await begin_flow(
                db,
                provider=action,
                method=action,
                challenge=challenge,
                challenge_method=call.fields.text("code_challenge_method"),
                user_id=user.id,
            )
        await record(db, user, "user_recovery_requested", ip=call.visit.ip)
        _, letters = await write_recovery(
            auth,
            db,
            user,
            allowed_redirect(auth.settings, call.referrer),
            action=action,
            is_pkce=bool(challenge),
        )
    await auth.post.deliver(letters)
    return answer({})


async def resend(auth: AuthContext, call: Call) -> Response:
    """Send a confirmation or an e-mail change again; nobody learns whether there is one.

    Errors: 400 validation_failed, phone_provider_disabled; 429.
    """
    refuse_captcha(auth, call)
    auth.limits.check("sign_in_sign_ups", call.visit.ip, account_of(call))
    wanted = call.fields.text("type")
    if wanted not in ("signup", "email_change", "sms", "phone_change"):
        raise invalid("Missing one of these types: signup, email_change, sms, phone_change")
    if wanted == "signup" and not call.fields.text("email"):
        raise invalid("Type provided requires an email address")
    if wanted == "sms" and not call.fields.text("phone"):
        raise invalid("Type provided requires a phone number")
    if phone := checked_phone(call.fields.text("phone")):
        await _refuse_resend(auth, call, phone)
        return answer({})
    if not call.fields.text("email"):
        raise invalid("Missing email address or phone number")
    if not auth.settings.email_enabled:
        raise bad_request("email_provider_disabled", "Email logins are disabled")
    email = checked_email(call.fields.text("email"))
    target = allowed_redirect(auth.settings, call.referrer)
    letters: list[Letter] = []
    async with at_least(EVEN_SECONDS):
        async with auth.transaction() as db:
            user = await user_by_email(db, email, lock=True)
            if user is not None and wanted == "signup" and not user.is_confirmed:
                await record(db, user, "user_confirmation_requested", ip=call.visit.ip)
                _, letters = await write_confirmation(auth, db, user, target, is_pkce=False)
            elif user is not None and wanted == "email_change" and user.email_change:
                _, letters = await write_email_change(
                    auth, db, user, user.email_change, target, is_pkce=False
                )
            else:
                auth.limits.check_stranger(wanted, email, auth.settings.max_frequency)
        await auth.post.deliver(letters)
    return answer({})


async def _refuse_resend(auth: AuthContext, call: Call, phone: str) -> None:
    """To an unknown phone nothing is sent, silently; to a known one nothing can be sent."""
    async with auth.connection() as db:
        known = await db.execute("select from auth.users where phone = %s", [phone])
        is_known = await known.fetchone() is not None
    if is_known or not auth.settings.phone_enabled or call.fields.text("email"):
        refuse_phone(auth, call, "Phone logins are disabled")


async def reauthenticate(auth: AuthContext, call: Call) -> Response:
    """Send the nonce that a change of password asks for.

    Errors: 400 validation_failed, 422 email_not_confirmed, 429.
    """
    signed_in = await call.require_user(auth)
    user = signed_in.user
    if not user.email:
        raise invalid("Reauthentication requires the user to have an email or a phone number")
    if not user.is_confirmed:
        raise unprocessable("email_not_confirmed", "Please verify your email first.")
    async with auth.transaction() as db:
        await record(db, user, "user_reauthenticate_requested", ip=call.visit.ip)
        _, letters = await write_reauthentication(auth, db, user)
    await auth.post.deliver(letters)
    return answer({})


DOORS = (
    Door("POST", "/otp", otp),
    Door("POST", "/magiclink", magic_link),
    Door("POST", "/recover", recover),
    Door("POST", "/resend", resend),
    Door("GET", "/reauthenticate", reauthenticate),
)
