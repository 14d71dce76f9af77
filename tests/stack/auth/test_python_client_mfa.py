"""supabase-py, sync and async, passes a second factor, signs in by ID token and links accounts."""

import time

import pyotp
import pytest
from supabase_auth.errors import AuthApiError

from supabase import AsyncClient, Client, ClientOptions, create_async_client, create_client
from tests.conftest import RunningStack
from tests.stack.auth.visits import FRONT_END, PASSWORD, Auth, new_email


@pytest.fixture
def auth(stack: RunningStack) -> Auth:
    return Auth(stack)


@pytest.fixture
def client(stack: RunningStack) -> Client:
    options = ClientOptions(auto_refresh_token=False, flow_type="pkce")
    return create_client(stack.url, stack.publishable_key, options)


def test_second_factor(auth, client):
    email = auth.member().user["email"]
    client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    enrolled = client.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "app"})
    assert enrolled.totp is not None
    assert "<svg" in enrolled.totp.qr_code
    totp = pyotp.TOTP(enrolled.totp.secret)
    challenge = client.auth.mfa.challenge({"factor_id": enrolled.id})
    with pytest.raises(AuthApiError, match="Invalid TOTP code"):
        client.auth.mfa.verify(
            {"factor_id": enrolled.id, "challenge_id": challenge.id, "code": "000000"}
        )
    code = totp.at(int(time.time()))
    verified = client.auth.mfa.verify(
        {"factor_id": enrolled.id, "challenge_id": challenge.id, "code": code}
    )
    assert verified.user.email == email
    level = client.auth.mfa.get_authenticator_assurance_level()
    assert (level.current_level, level.next_level) == ("aal2", "aal2")
    assert [factor.friendly_name for factor in client.auth.mfa.list_factors().totp] == ["app"]
    assert client.auth.mfa.unenroll({"factor_id": enrolled.id}).id == enrolled.id


def test_provider_with_pkce(auth, client):
    person = auth.person(email=new_email())
    started = client.auth.sign_in_with_oauth(
        {"provider": "github", "options": {"redirect_to": FRONT_END}}
    )
    landing = auth.arrive(auth.consent(auth.location(auth.http.get(started.url)), person))
    done = client.auth.exchange_code_for_session(
        {"auth_code": landing.query["code"], "redirect_to": FRONT_END, "code_verifier": ""}
    )
    assert done.user is not None
    assert done.session is not None
    assert done.user.email == person["email"]
    assert done.session.provider_token


def test_link_and_unlink(auth, client):
    email = auth.member().user["email"]
    client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    link = client.auth.link_identity({"provider": "github", "options": {"redirect_to": FRONT_END}})
    auth.arrive(auth.consent(link.url, auth.person(email=new_email())))
    identities = client.auth.get_user_identities().identities
    assert [one.provider for one in identities] == ["email", "github"]
    client.auth.unlink_identity(identities[1])
    assert len(client.auth.get_user_identities().identities) == 1
    with pytest.raises(AuthApiError, match="at least 1 identity"):
        client.auth.unlink_identity(identities[0])


async def test_id_token(auth, stack):
    now, email = int(time.time()), new_email()
    token = auth.signed(
        {
            "iss": auth.providers,
            "aud": "stack-client",
            "sub": email,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + 60,
        }
    )
    client: AsyncClient = await create_async_client(stack.url, stack.publishable_key)
    answer = await client.auth.sign_in_with_id_token({"provider": "google", "token": token})
    assert answer.user is not None
    assert answer.user.email == email
    await client.auth.sign_out()
