"""Second factors, providers, linking and wallets under settings that are not the usual ones."""

from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import RunningStack
from tests.stack.auth.test_web3_sign_in import Wallet, message
from tests.stack.auth.visits import FRONT_END, Auth, Landing, Session, new_email


@pytest.fixture
def auth(stack: RunningStack) -> Auth:
    return Auth(stack)


def bearer(session: Session) -> dict[str, str]:
    return {"authorization": f"Bearer {session.token}"}


def external(auth: Auth, **changes: object) -> dict:
    """Settings of every provider; `changes` concern GitHub."""
    usual = {"url": auth.providers}
    return {"external": {"google": usual, "github": usual | changes, "x": usual}}


async def travel(auth: Auth, client: httpx.AsyncClient, provider: str, person: dict) -> Landing:
    """As Auth.travel, through a service with other settings."""
    query = {"provider": provider, "redirect_to": FRONT_END}
    page = auth.location(await client.get("/authorize", params=query))
    way_back = urlsplit(auth.consent(page, person))
    answer = await client.get(f"/callback?{way_back.query}")
    return Landing(auth.location(answer))


async def test_wallets_off(variant):
    client = await variant({"web3": {"solana": {"enabled": False}}})
    answer = await client.post("/token?grant_type=web3", json={"chain": "ethereum"})
    assert (answer.status_code, answer.json()["msg"]) == (422, "Web3 provider is disabled")
    assert answer.json()["error_code"] == "web3_provider_disabled"
    assert (await client.get("/settings")).json()["external"]["web3_solana"] is False


async def test_wallet_limit(variant):
    client = await variant({"rate_limit": {"web3": 2}})
    codes = []
    for _ in range(3):
        wallet = Wallet()
        text = message(wallet.address)
        body = {"chain": "solana", "message": text, "signature": wallet.sign(text)}
        codes.append((await client.post("/token?grant_type=web3", json=body)).status_code)
    assert codes == [200, 200, 429]


async def test_id_token_limit(variant):
    client = await variant({"rate_limit": {"token_refresh": 1}})
    body = {"provider": "github", "id_token": "x"}
    codes = [
        (await client.post("/token?grant_type=id_token", json=body)).status_code for _ in range(2)
    ]
    assert codes == [400, 429]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"enabled": False}, "provider is not enabled"),
        ({"client_id": ""}, "missing OAuth client ID"),
        ({"secret": ""}, "missing OAuth secret"),
    ],
)
async def test_provider_off(auth, variant, settings, why):
    client = await variant(external(auth, **settings))
    answer = await client.get("/authorize?provider=github")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")
    assert answer.json()["msg"] == f"Unsupported provider: {why}"


async def test_id_token_of_a_provider_that_is_off(variant):
    client = await variant({"external": {"google": {"enabled": False, "url": ""}}})
    body = {"provider": "google", "id_token": "x"}
    answer = await client.post("/token?grant_type=id_token", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "provider_disabled")
    assert answer.json()["msg"] == (
        'Provider (issuer "https://accounts.google.com") is not enabled'
    )


async def test_provider_that_does_not_answer(variant):
    settings = {"external": {"google": {"url": "http://127.0.0.1:9"}}}
    client = await variant(settings)
    assert (await client.get("/authorize?provider=google")).status_code == 500
    answer = await client.post(
        "/token?grant_type=id_token", json={"provider": "google", "id_token": "a.b.c"}
    )
    assert answer.status_code in (400, 500)
    assert "127.0.0.1" not in answer.text


async def test_linking_off(auth, variant):
    client = await variant(external(auth) | {"enable_manual_linking": False})
    member = auth.member()
    identity = member.user["identities"][0]["identity_id"]
    body = {"provider": "google", "id_token": "x", "link_identity": True}
    for answer in (
        await client.get("/user/identities/authorize?provider=github", headers=bearer(member)),
        await client.delete(f"/user/identities/{identity}", headers=bearer(member)),
        await client.post("/token?grant_type=id_token", json=body, headers=bearer(member)),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (
            404,
            "manual_linking_disabled",
        )
        assert answer.json()["msg"] == "Manual linking is disabled"


async def test_sign_up_off(auth, variant):
    client = await variant(external(auth) | {"enable_signup": False})
    landing = await travel(auth, client, "google", auth.person(email=new_email()))
    assert landing.query == {
        "error": "access_denied",
        "error_code": "signup_disabled",
        "error_description": "Signups not allowed for this instance",
    }
    member = auth.member()
    known = auth.person(email=member.user["email"])
    assert "access_token" in (await travel(auth, client, "google", known)).fragment


async def test_autoconfirm_creates_but_takes_nothing_over(auth, variant):
    settings = external(auth) | {"email": {"enable_confirmations": False}}
    client = await variant(settings)
    new = auth.person(email=new_email(), verified=False)
    session = auth.session_of(await travel(auth, client, "github", new))
    assert session.user["email"] == new["email"]
    victim = auth.member()
    attacker = auth.person(email=victim.user["email"], verified=False)
    session = auth.session_of(await travel(auth, client, "github", attacker))
    assert session.user["id"] != victim.user["id"]
    assert session.user["email"] == ""


async def test_hook_refuses_who_comes_from_a_provider(auth, variant):
    uri = "pg-functions://postgres/auth_hooks/before_user_created"
    hook = {"hook": {"before_user_created": {"enabled": True, "uri": uri}}}
    client = await variant(external(auth) | hook)
    blocked = auth.person(email=new_email().replace("example.com", "blocked.example"))
    landing = await travel(auth, client, "google", blocked)
    assert landing.query["error_description"] == "no sign-ups from there"
    assert (
        "access_token"
        in (await travel(auth, client, "google", auth.person(email=new_email()))).fragment
    )


@pytest.mark.parametrize(
    ("settings", "path", "code"),
    [
        ({"enroll_enabled": False}, "", "mfa_totp_enroll_not_enabled"),
        ({"verify_enabled": False}, "/{id}/challenge", "mfa_totp_verify_not_enabled"),
        ({"verify_enabled": False}, "/{id}/verify", "mfa_totp_verify_not_enabled"),
    ],
)
async def test_second_factors_off(auth, variant, settings, path, code):
    client = await variant({"mfa": {"totp": settings}})
    member = auth.member()
    body = {"factor_type": "totp", "friendly_name": "phone"}
    factor = auth.call("POST", "/factors", body, token=member.token).json()
    body |= {"code": "123456", "challenge_id": factor["id"], "friendly_name": "other"}
    answer = await client.post(
        f"/factors{path.format(**factor)}", json=body, headers=bearer(member)
    )
    assert (answer.status_code, answer.json()["error_code"]) == (422, code)


async def test_fewer_factors(auth, variant):
    client = await variant({"mfa": {"max_enrolled_factors": 1}})
    member = auth.member()
    codes = []
    for name in ("one", "two"):
        body = {"factor_type": "totp", "friendly_name": name}
        codes.append((await client.post("/factors", json=body, headers=bearer(member))).status_code)
    assert codes == [200, 422]


async def test_hook_rejects_the_second_wrong_code(auth, variant):
    uri = "pg-functions://postgres/auth_hooks/mfa_verification_attempt"
    client = await variant({"hook": {"mfa_verification_attempt": {"enabled": True, "uri": uri}}})
    member = auth.member()
    body = {"factor_type": "totp", "friendly_name": "phone"}
    factor = auth.call("POST", "/factors", body, token=member.token).json()
    path = f"/factors/{factor['id']}"

    async def attempt(code: str) -> httpx.Response:
        challenge = await client.post(f"{path}/challenge", json={}, headers=bearer(member))
        sent = {"code": code, "challenge_id": challenge.json()["id"]}
        return await client.post(f"{path}/verify", json=sent, headers=bearer(member))

    assert (await attempt("000000")).json()["error_code"] == "mfa_verification_failed"
    rejected = await attempt("000001")
    assert (rejected.status_code, rejected.json()["msg"]) == (403, "too many codes")
    # and signed out everywhere
    gone = await client.get("/user", headers=bearer(member))
    assert gone.json()["error_code"] == "session_not_found"
