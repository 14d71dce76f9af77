"""Accounts elsewhere are linked to one's own and unlinked again, never somebody else's."""

from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.conftest import RunningStack
from tests.stack.auth.visits import FRONT_END, Auth, Landing, Session, new_email


@pytest.fixture
def auth(stack: RunningStack) -> Auth:
    return Auth(stack)


def link(auth: Auth, member: Session, provider: str, person: dict) -> Landing:
    query = {"provider": provider, "skip_http_redirect": "true", "redirect_to": FRONT_END}
    answer = auth.call("GET", f"/user/identities/authorize?{urlencode(query)}", token=member.token)
    assert answer.status_code == 200, answer.text
    return auth.arrive(auth.consent(answer.json()["url"], person))


def unlink(auth: Auth, member: Session, identity: dict):
    return auth.call("DELETE", f"/user/identities/{identity['identity_id']}", token=member.token)


def test_link_and_unlink(auth):
    member, person = auth.member(), auth.person(email=new_email())
    linked = auth.session_of(link(auth, member, "github", person))
    assert linked.user["id"] == member.user["id"]
    assert linked.user["email"] == member.user["email"]
    assert linked.user["app_metadata"]["providers"] == ["email", "github"]
    assert auth.session_of(auth.travel("github", person)).user["id"] == member.user["id"]
    [identity] = [row for row in linked.user["identities"] if row["provider"] == "github"]
    answer = unlink(auth, member, identity)
    assert (answer.status_code, answer.json()) == (200, {})
    assert auth.session_of(auth.travel("github", person)).user["id"] != member.user["id"]


def test_redirect_without_skipping(auth):
    member = auth.member()
    answer = auth.call("GET", "/user/identities/authorize?provider=github", token=member.token)
    assert (answer.status_code, "login/oauth" in answer.headers["location"]) == (302, True)


def test_needs_a_session(auth):
    for method, path in (
        ("GET", "/user/identities/authorize?provider=github"),
        ("DELETE", f"/user/identities/{uuid4()}"),
    ):
        assert auth.call(method, path).status_code in (401, 403)


def test_linked_already(auth):
    member, person = auth.member(), auth.person(email=new_email())
    link(auth, member, "google", person)
    landing = link(auth, member, "google", person)
    assert landing.query["error_code"] == "identity_already_exists"
    assert landing.query["error_description"] == "Identity is already linked"
    landing = link(auth, auth.member(), "google", person)
    assert landing.query["error_description"] == "Identity is already linked to another user"
    assert "access_token" not in landing.fragment


@pytest.mark.parametrize("what", ["banned", "deleted"])
def test_target_that_is_gone_by_then(auth, what):
    member, person = auth.member(), auth.person(email=new_email())
    query = {"provider": "google", "skip_http_redirect": "true", "redirect_to": FRONT_END}
    answer = auth.call("GET", f"/user/identities/authorize?{urlencode(query)}", token=member.token)
    way_back = auth.consent(answer.json()["url"], person)
    if what == "banned":
        auth.admin("PUT", f"/users/{member.user['id']}", {"ban_duration": "1h"})
    else:
        auth.admin("DELETE", f"/users/{member.user['id']}")
    landing = auth.arrive(way_back)
    expected = {"banned": "user_banned", "deleted": "user_not_found"}
    assert landing.query["error_code"] == expected[what]


def test_anonymous_user_becomes_permanent(auth):
    ghost, person = auth.anonymous(), auth.person(email=new_email())
    session = auth.session_of(link(auth, ghost, "google", person))
    assert session.user["id"] == ghost.user["id"]
    assert session.user["email"] == person["email"]
    assert (session.user["is_anonymous"], session.claims["is_anonymous"]) == (False, False)


def test_anonymous_user_cannot_take_an_address(auth):
    victim = auth.member()
    ghost = auth.anonymous()
    landing = link(auth, ghost, "google", auth.person(email=victim.user["email"]))
    assert landing.query["error_code"] == "email_exists"
    assert auth.user(ghost.user["id"])["identities"] == []


def test_unverified_address_leaves_an_anonymous_user_anonymous(auth):
    ghost, person = auth.anonymous(), auth.person(email=new_email(), verified=False)
    landing = link(auth, ghost, "github", person)
    assert landing.query["error_code"] == "email_not_confirmed"
    user = auth.user(ghost.user["id"])
    assert user["is_anonymous"] is True
    assert "email_confirmed_at" not in user


def test_last_identity_stays(auth):
    member = auth.member()
    answer = unlink(auth, member, member.user["identities"][0])
    assert (answer.status_code, answer.json()["error_code"]) == (
        422,
        "single_identity_not_deletable",
    )


def test_identity_of_another(auth):
    victim, member = auth.member(), auth.member()
    link(auth, member, "github", auth.person(email=new_email()))
    answer = unlink(auth, member, victim.user["identities"][0])
    assert (answer.status_code, answer.json()["error_code"]) == (422, "identity_not_found")
    assert len(auth.user(victim.user["id"])["identities"]) == 1
    answer = unlink(auth, member, {"identity_id": "x"})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "validation_failed")


def test_address_follows_the_identity_that_is_left(auth):
    member, person = auth.member(), auth.person(email=new_email())
    link(auth, member, "google", person)
    unlink(auth, member, member.user["identities"][0])
    user = auth.user(member.user["id"])
    assert user["email"] == person["email"]
    assert user["app_metadata"]["providers"] == ["google"]
    assert user["email_confirmed_at"]


def test_unverified_address_that_is_left_must_be_confirmed(auth):
    member, person = auth.member(), auth.person(email=new_email(), verified=False)
    link(auth, member, "github", person)
    unlink(auth, member, member.user["identities"][0])
    assert "email_confirmed_at" not in auth.user(member.user["id"])
    assert "access_token" not in auth.travel("github", person).fragment
