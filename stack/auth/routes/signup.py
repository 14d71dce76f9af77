"""`POST /signup`: by e-mail and password, or anonymously."""

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
from stack.auth.mail import Letter
from stack.auth.notices import write_confirmation
from stack.auth.redirects import allowed_redirect
from stack.auth.routing import Door, answer
from stack.auth.sessions import issue_session
from stack.auth.signups import (
    confirm_user,
    lock_address,
    obfuscated_user,
    shown_to_stranger,
    sign_up_anonymous_user,
    sign_up_email_user,
    sign_up_phone_user,
)
from stack.auth.users import Json, User, change_user, duplicate_of_email, user_by_phone


async def signup(auth: AuthContext, call: Call) -> Response:
    """A session when addresses need no confirmation, else the user who was sent a mail.

    Errors: 422 signup_disabled, anonymous_provider_disabled, user_already_exists, weak_password;
    400 validation_failed; 429 over_email_send_rate_limit.
    """
    refuse_captcha(auth, call)
    if not call.fields.text("email") and not call.fields.text("phone"):
        return answer(await _sign_up_anonymously(auth, call))
    auth.limits.check("sign_in_sign_ups", call.visit.ip, account_of(call))
    if not auth.settings.enable_signup:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    password = call.fields.text("password")
    if not password:
        raise invalid("Signup requires a valid password")
    auth.passwords.check_strength(password)
    if call.fields.text("phone"):
        return answer(await _sign_up_by_phone(auth, call, password))
    if not auth.settings.email_enabled:
        raise bad_request("email_provider_disabled", "Email signups are disabled")
    body = await sign_up(
        auth,
        call,
        email=checked_email(call.fields.text("email")),
        password=password,
        metadata=call.fields.object("data") or {},
    )
    return answer(body)


async def sign_up(
    auth: AuthContext, call: Call, *, email: str, password: str | None, metadata: Json
) -> Json:
    """The body that answers a sign-up: a grant or a user. No password: for links and codes only."""
    challenge = call.fields.text("code_challenge")
    challenge_method = call.fields.text("code_challenge_method")
    check_challenge(challenge, challenge_method)
    # hashed for known addresses, too, so that they answer no faster
    encrypted = await auth.passwords.hash(password) if password else None
    letters: list[Letter] = []
    async with auth.transaction() as db:
        await lock_address(db, email)
        user = await duplicate_of_email(db, email)
        if user is not None and (user.is_confirmed or _is_anothers(auth, user)):
            await record(
                db, user, "user_repeated_signup", traits={"provider": "email"}, ip=call.visit.ip
            )
            is_taken = True
        else:
            is_taken = False
            # an unconfirmed user stays as they are: whoever comes now may be someone else
            user = user or await sign_up_email_user(
                auth,
                db,
                email=email,
                encrypted_password=encrypted,
                metadata=metadata,
                visit=call.visit,
                is_own_claim=True,
            )
            if not auth.settings.enable_confirmations:
                # with nothing to prove, the newcomer is whoever was here before
                user = await change_user(db, user.id, encrypted_password=encrypted)
                await record(
                    db, user, "user_signedup", traits={"provider": "email"}, ip=call.visit.ip
                )
                user = await confirm_user(db, user)
                await record(db, user, "login", traits={"provider": "email"}, ip=call.visit.ip)
                grant = await issue_session(auth, db, user, method="password", visit=call.visit)
                return grant.as_json()
            await record(
                db,
                user,
                "user_confirmation_requested",
                traits={"provider": "email"},
                ip=call.visit.ip,
            )
            if challenge:
                await begin_flow(
                    db,
                    provider="email",
                    method="email/signup",
                    challenge=challenge,
                    challenge_method=challenge_method,
                    user_id=user.id,
                )
            user, letters = await write_confirmation(
                auth,
                db,
                user,
                allowed_redirect(auth.settings, call.referrer),
                is_pkce=bool(challenge),
            )
    if is_taken:
        if not auth.settings.enable_confirmations:
            raise unprocessable("user_already_exists", "User already registered")
        return obfuscated_user(email, metadata)
    await auth.post.deliver(letters)
    return shown_to_stranger(user)


def _is_anothers(auth: AuthContext, user: User) -> bool:
    """Whether an administrator made this unconfirmed user, who then waits for their own mail.

    Where sign-ups need no proof, whoever names the address would else become that user. One who
    only asked for a link has no password and no invitation, and may sign up.
    """
    return not auth.settings.enable_confirmations and bool(
        user.encrypted_password or user.invited_at
    )


async def _sign_up_by_phone(auth: AuthContext, call: Call, password: str) -> Json:
    if not auth.settings.phone_enabled or auth.settings.phone_confirmations:
        refuse_phone(auth, call, "Phone signups are disabled")
    phone = checked_phone(call.fields.text("phone"))
    if call.fields.text("email"):
        raise invalid("Only an email address or phone number should be provided on signup.")
    if call.fields.text("code_challenge"):
        raise invalid("PKCE not supported for phone signups")
    encrypted = await auth.passwords.hash(password)
    traits = {"provider": "phone"}
    async with auth.transaction() as db:
        await lock_address(db, phone)
        if await user_by_phone(db, phone) is not None:
            raise unprocessable("user_already_exists", "User already registered")
        user = await sign_up_phone_user(
            auth,
            db,
            phone=phone,
            encrypted_password=encrypted,
            metadata=call.fields.object("data") or {},
            visit=call.visit,
        )
        await record(db, user, "user_signedup", traits=traits, ip=call.visit.ip)
        await record(db, user, "login", traits=traits, ip=call.visit.ip)
        grant = await issue_session(auth, db, user, method="password", visit=call.visit)
    return grant.as_json()


async def _sign_up_anonymously(auth: AuthContext, call: Call) -> Json:
    if not auth.settings.enable_anonymous_sign_ins:
        raise unprocessable("anonymous_provider_disabled", "Anonymous sign-ins are disabled")
    auth.limits.check("anonymous_users", call.visit.ip)
    if not auth.settings.enable_signup:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    async with auth.transaction() as db:
        user = await sign_up_anonymous_user(auth, db, call.fields.object("data") or {}, call.visit)
        grant = await issue_session(auth, db, user, method="anonymous", visit=call.visit)
    return grant.as_json()


DOORS = (Door("POST", "/signup", signup),)
