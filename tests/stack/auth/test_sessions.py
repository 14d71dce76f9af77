"""Sessions: rotation, replay, races, scopes, limits in time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

PASSWORD = "correct horse battery"


def refresh(api, token):
    return api.post("/token?grant_type=refresh_token", json={"refresh_token": token})


def claims_of(session):
    return jwt.decode(session["access_token"], options={"verify_signature": False})


def test_access_token_says_all_that_policies_ask(stack, person, sign_in):
    user = person(app_metadata={"plan": "pro"}, user_metadata={"name": "Ada"})
    claims = claims_of(sign_in(user["email"]))
    assert claims["iss"] == stack.url + "/auth/v1"
    assert claims["sub"] == user["id"]
    assert claims["aud"] == claims["role"] == "authenticated"
    assert claims["email"] == user["email"]
    assert claims["phone"] == ""
    assert claims["app_metadata"]["plan"] == "pro"
    assert claims["user_metadata"]["name"] == "Ada"
    assert claims["aal"] == "aal1"
    assert claims["amr"][0]["method"] == "password"
    assert isinstance(claims["amr"][0]["timestamp"], int)
    assert claims["session_id"]
    assert claims["is_anonymous"] is False
    assert claims["exp"] - claims["iat"] == 3600


def test_refresh_rotates_and_keeps_the_session(api, person, sign_in):
    first = sign_in(person()["email"])
    second = refresh(api, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert claims_of(second)["session_id"] == claims_of(first)["session_id"]
    assert claims_of(second)["amr"] == claims_of(first)["amr"]


def test_refresh_sees_what_changed(api, admin, person, sign_in):
    user = person()
    session = sign_in(user["email"])
    admin.put(f"/admin/users/{user['id']}", json={"app_metadata": {"plan": "pro"}})
    renewed = refresh(api, session["refresh_token"]).json()
    assert claims_of(renewed)["app_metadata"]["plan"] == "pro"


def test_parallel_refreshes_share_one_successor(api, person, sign_in, db):
    session = sign_in(person()["email"])
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: refresh(api, session["refresh_token"]), range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    [(active,)] = db.execute(
        "select count(*) from auth.refresh_tokens where session_id = %s and not revoked",
        [claims_of(session)["session_id"]],
    ).fetchall()
    assert active == 1


def test_a_lost_answer_may_be_asked_again(api, person, sign_in, db):
    first = sign_in(person()["email"])
    second = refresh(api, first["refresh_token"]).json()
    age(db, first)
    again = refresh(api, first["refresh_token"]).json()
    assert again["refresh_token"] == second["refresh_token"]


def test_a_replayed_token_ends_its_family(api, person, sign_in, db):
    first = sign_in(person()["email"])
    second = refresh(api, first["refresh_token"]).json()
    third = refresh(api, second["refresh_token"]).json()
    age(db, first)
    stolen = refresh(api, first["refresh_token"])
    assert (stolen.status_code, stolen.json()["error_code"]) == (400, "refresh_token_already_used")
    for token in (second, third):
        ended = refresh(api, token["refresh_token"])
        assert ended.json()["error_code"] == "refresh_token_already_used"


def age(db, session):
    """Make every token of the session older than the reuse interval."""
    db.execute(
        "update auth.refresh_tokens set updated_at = updated_at - interval '11 s'"
        " where session_id = %s",
        [claims_of(session)["session_id"]],
    )


def test_unknown_tokens_are_refused(api):
    unknown = refresh(api, "abcdefghijkl")
    assert (unknown.status_code, unknown.json()["error_code"]) == (400, "refresh_token_not_found")
    missing = refresh(api, "")
    assert (missing.status_code, missing.json()) == (
        400,
        {"error": "invalid_request", "error_description": "refresh_token required"},
    )


@pytest.mark.parametrize(
    ("scope", "survives"),
    [("global", (False, False)), ("local", (False, True)), ("others", (True, False))],
)
def test_sign_out_scopes(api, person, sign_in, bearer, scope, survives):
    email = person()["email"]
    here, elsewhere = sign_in(email), sign_in(email)
    answer = api.post(f"/logout?scope={scope}", headers=bearer(here))
    assert (answer.status_code, answer.content) == (204, b"")
    for session, does_survive in zip((here, elsewhere), survives, strict=True):
        user = api.get("/user", headers=bearer(session))
        assert user.status_code == (200 if does_survive else 403)
        if not does_survive:
            assert user.json()["error_code"] == "session_not_found"
        renewed = refresh(api, session["refresh_token"])
        assert renewed.status_code == (200 if does_survive else 400)


def test_unknown_scope_is_refused(api, person, sign_in, bearer):
    session = sign_in(person()["email"])
    refused = api.post("/logout?scope=everyone", headers=bearer(session))
    assert (refused.status_code, refused.json()["error_code"]) == (400, "validation_failed")
    assert api.get("/user", headers=bearer(session)).status_code == 200


def test_banned_user_cannot_go_on(api, admin, person, sign_in):
    user = person()
    session = sign_in(user["email"])
    banned = admin.put(f"/admin/users/{user['id']}", json={"ban_duration": "24h"}).json()
    assert banned["banned_until"]
    assert refresh(api, session["refresh_token"]).json()["error_code"] == "user_banned"
    refused = api.post(
        "/token?grant_type=password", json={"email": user["email"], "password": PASSWORD}
    )
    assert refused.json()["error_code"] == "user_banned"
    lifted = admin.put(f"/admin/users/{user['id']}", json={"ban_duration": "none"}).json()
    assert "banned_until" not in lifted
    assert refresh(api, session["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("settings", "past"),
    [
        ({"timebox": "1h"}, "update auth.sessions set created_at = now() - interval '61 min'"),
        (
            {"inactivity_timeout": "1h"},
            "update auth.sessions set created_at = now() - interval '61 min'",
        ),
    ],
)
async def test_sessions_end_in_time(variant, person, sign_in, db, settings, past):
    client = await variant({"sessions": settings})
    session = sign_in(person()["email"])
    session_id = claims_of(session)["session_id"]
    body = {"refresh_token": session["refresh_token"]}
    renewed = await client.post("/token?grant_type=refresh_token", json=body)
    assert renewed.status_code == 200
    db.execute(past + ", refreshed_at = now() - interval '61 min' where id = %s", [session_id])
    db.execute(
        "update auth.refresh_tokens set updated_at = now() - interval '61 min'"
        " where session_id = %s",
        [session_id],
    )
    body = {"refresh_token": renewed.json()["refresh_token"]}
    ended = await client.post("/token?grant_type=refresh_token", json=body)
    assert (ended.status_code, ended.json()["error_code"]) == (400, "session_expired")


async def test_single_session_lets_the_newest_go_on(variant, person, sign_in):
    client = await variant({"sessions": {"single_per_user": True}})
    email = person()["email"]
    older = sign_in(email)
    await asyncio.sleep(0.01)
    newer = sign_in(email)
    for session, status in ((older, 400), (newer, 200)):
        body = {"refresh_token": session["refresh_token"]}
        answered = await client.post("/token?grant_type=refresh_token", json=body)
        assert answered.status_code == status
