"""A person signs in with an account elsewhere, and lands in the front end with a session."""

import time
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.conftest import RunningStack
from tests.stack.auth.visits import FRONT_END, Auth, Pkce, new_email

PROVIDERS = ["github", "google", "twitter", "x"]


@pytest.fixture
def auth(stack: RunningStack) -> Auth:
    return Auth(stack)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_implicit_flow(auth, provider):
    person = auth.person(email=new_email())
    landing = auth.travel(provider, person)
    assert landing.url.startswith(f"{FRONT_END}#")
    assert {"provider_token", "refresh_token", "expires_in"} <= landing.fragment.keys()
    session = auth.session_of(landing)
    assert session.user["email"] == person["email"]
    assert session.user["email_confirmed_at"]
    assert session.user["app_metadata"] == {"provider": provider, "providers": [provider]}
    assert session.claims["amr"][0]["method"] == "oauth"
    [identity] = session.user["identities"]
    assert identity["id"] == identity["identity_data"]["sub"] == person["sub"]
    assert identity["identity_data"]["email_verified"] is True
    assert session.user["user_metadata"]["full_name"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_pkce_flow(auth, provider):
    person, browser = auth.person(email=new_email()), Pkce()
    landing = auth.travel(provider, person, **browser.query)
    assert set(landing.query) == {"code"}
    assert landing.fragment == {}
    answer = auth.exchange(landing.query["code"], browser.verifier)
    assert answer.status_code == 200, answer.text
    session = answer.json()
    assert session["user"]["email"] == person["email"]
    assert session["provider_token"]
    expected = {"google": "google-refresh", "x": "x-refresh"}.get(provider)
    assert session.get("provider_refresh_token") == expected


def test_second_sign_in_is_the_same_user_with_fresh_data(auth):
    person = auth.person(email=new_email(), name="Gale One")
    first = auth.session_of(auth.travel("google", person))
    auth.http.patch(f"{auth.providers}/people/{person['hint']}", json={"name": "Gale Two"})
    second = auth.session_of(auth.travel("google", person))
    assert second.user["id"] == first.user["id"]
    assert second.user["user_metadata"]["full_name"] == "Gale Two"
    assert second.claims["session_id"] != first.claims["session_id"]


def test_scopes_and_parameters_reach_the_provider(auth):
    page = auth.depart(
        "github", scopes="repo,gist read:org", prompt="select_account", login_hint="x"
    )
    query = parse_qs(urlsplit(page).query)
    assert query["scope"] == ["user:email repo gist read:org"]
    assert query["prompt"] == ["select_account"]
    assert query["login_hint"] == ["x"]


def test_what_is_ours_cannot_be_overridden(auth):
    ours = parse_qs(urlsplit(auth.depart("github")).query)
    forged = {
        "client_id": "evil", "redirect_uri": "https://evil.example", "response_type": "token",
        "State": "fixed", "client_secret": "x", "code_verifier": "x", "scope": "admin",
    }  # fmt: skip
    query = parse_qs(urlsplit(auth.depart("github", **forged)).query)
    assert query.keys() == ours.keys()
    assert all(query[name] == ours[name] for name in ours if name != "state")


def test_skipping_the_redirect_is_the_clients_affair(auth):
    """supabase-js leaves `skip_http_redirect` in the address that a browser then goes to."""
    query = parse_qs(urlsplit(auth.depart("google", skip_http_redirect="true")).query)
    assert "skip_http_redirect" not in query
    assert "redirect_to" not in query


def test_app_with_a_scheme_of_its_own(auth):
    person, browser = auth.person(email=new_email()), Pkce()
    target = "exampleapp://callback"
    landing = auth.travel("google", person, redirect_to=target, **browser.query)
    assert landing.url.startswith(f"{target}?code=")
    assert "error=access_denied" in auth.travel("google", None, redirect_to=target).url


def test_callback_by_form_post(auth):
    person = auth.person(email=new_email())
    way_back = auth.consent(auth.depart("google"), person)
    address, _, form = way_back.partition("?")
    answer = auth.http.post(address, data={k: v[0] for k, v in parse_qs(form).items()})
    assert "access_token=" in auth.location(answer)


def test_verified_address_joins_the_account_that_has_it(auth):
    member = auth.member()
    person = auth.person(email=member.user["email"].upper())
    session = auth.session_of(auth.travel("google", person))
    assert session.user["id"] == member.user["id"]
    assert session.user["app_metadata"]["providers"] == ["email", "google"]


def test_one_person_two_providers_one_account(auth):
    person = auth.person(email=new_email())
    google = auth.session_of(auth.travel("google", person))
    github = auth.session_of(auth.travel("github", person))
    assert google.user["id"] == github.user["id"]
    assert {row["provider"] for row in github.user["identities"]} == {"google", "github"}


def test_x_without_an_address(auth):
    person = auth.person(email=None)
    session = auth.session_of(auth.travel("x", person))
    assert session.user["email"] == ""
    assert auth.session_of(auth.travel("x", person)).user["id"] == session.user["id"]


def test_no_address_where_one_is_needed(auth):
    landing = auth.travel("github", auth.person(email=None))
    assert landing.query["error_description"] == ("Error getting user email from external provider")


def test_person_says_no(auth):
    landing = auth.travel("google", None)
    assert landing.url.startswith(FRONT_END)
    told = {"error": "access_denied", "error_description": "The person said no"}
    assert landing.query == told
    assert landing.fragment == told | {"sb": ""}


def test_banned(auth):
    person = auth.person(email=new_email())
    user_id = auth.session_of(auth.travel("google", person)).user["id"]
    auth.admin("PUT", f"/users/{user_id}", {"ban_duration": "1h"})
    landing = auth.travel("google", person)
    assert (landing.query["error"], landing.query["error_code"]) == (
        "access_denied",
        "user_banned",
    )


def test_trigger_of_the_project_refuses(auth):
    landing = auth.travel("google", auth.person(email=new_email(), name="refused"))
    assert landing.query == {
        "error": "server_error",
        "error_code": "unexpected_failure",
        "error_description": "Database error saving new user",
    }


@pytest.mark.parametrize("provider", ["facebook", "GitHub2", ""])
def test_unknown_provider(auth, provider):
    answer = auth.call("GET", f"/authorize?provider={provider}")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")
    assert answer.json()["msg"].startswith("Unsupported provider")


def test_what_was_never_finished_is_forgotten(auth):
    old, new = (auth.depart("x").partition("state=")[2].partition("&")[0] for _ in range(2))
    with psycopg.connect(auth.stack.database_url, autocommit=True) as db:
        for table in ("flow_state", "oauth_client_states"):
            db.execute(
                f"update auth.{table} set created_at = now() - interval '25 hours' where id in ("
                " select unnest(array[id, oauth_client_state_id]) from auth.flow_state"
                " where id = %s)",
                [old],
            )
        kept = "select id::text from auth.flow_state where id = any(%s) order by id = %s"
        for _ in range(50):  # one that another test's request is about to forget is passed over
            auth.depart("x")
            rows = db.execute(kept, [[old, new], new]).fetchall()
            if rows == [(new,)]:
                return
            time.sleep(0.1)
        assert rows == [(new,)]


def test_names_are_not_case_sensitive(auth):
    assert "/login/oauth/authorize" in auth.depart("GitHub")
