"""What an attacker tries with states, codes, redirects and addresses they do not own."""

import secrets
import threading
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import RunningStack
from tests.stack.auth.visits import FRONT_END, Auth, Pkce, new_email


@pytest.fixture
def auth(stack: RunningStack) -> Auth:
    return Auth(stack)


def test_invented_state(auth):
    for state in (str(uuid4()), "x", "eyJhbGciOiJub25lIn0.e30."):
        answer = auth.call("GET", f"/callback?code=c&state={state}")
        assert auth.location(answer).startswith("http://127.0.0.1:3000?error=")
        assert "error_code=bad_oauth_state" in auth.location(answer)
    assert auth.call("GET", "/callback?code=c&state=%00").status_code == 422


def test_missing_state(auth):
    assert "bad_oauth_callback" in auth.location(auth.call("GET", "/callback?code=c"))


@pytest.mark.parametrize("query", [{}, Pkce().query], ids=["implicit", "pkce"])
def test_state_is_good_once(auth, query):
    page = auth.depart("google", **query)
    person = auth.person(email=new_email())
    first = auth.consent(page, person)
    assert "error" not in auth.arrive(first).url
    again = auth.arrive(first)
    assert again.query["error_code"] == "bad_oauth_state"
    # nor with a new code of the provider
    assert auth.arrive(auth.consent(page, person)).query["error_code"] == "bad_oauth_state"


def test_state_is_spent_by_a_failure_too(auth):
    page = auth.depart("google")
    assert auth.arrive(auth.consent(page, None)).query["error"] == "access_denied"
    person = auth.person(email=new_email())
    assert auth.arrive(auth.consent(page, person)).query["error_code"] == "bad_oauth_state"


def test_state_expires(auth):
    way_back = auth.consent(auth.depart("google"), auth.person(email=new_email()))
    state = way_back.partition("state=")[2].partition("&")[0]
    with psycopg.connect(auth.stack.database_url, autocommit=True) as db:
        db.execute(
            "update auth.flow_state set created_at = now() - interval '6 minutes' where id = %s",
            [state],
        )
    landing = auth.arrive(way_back)
    assert landing.query["error_description"] == "OAuth state has expired"


def test_code_of_one_provider_at_another(auth):
    person = auth.person(email=new_email())
    github = auth.consent(auth.depart("github"), person)
    google = auth.consent(auth.depart("google"), person)
    code = github.partition("code=")[2]
    mixed = google.partition("code=")[0] + f"code={code}"
    landing = auth.arrive(mixed)
    assert landing.query["error_description"].startswith("Unable to exchange external code")


def test_answer_of_another_issuer(auth):
    way_back = auth.consent(auth.depart("google"), auth.person(email=new_email()))
    landing = auth.arrive(way_back + "&iss=https://evil.example")
    assert landing.query["error_description"].startswith("Unable to exchange external code")


def test_twitter_answer_to_another_request(auth):
    person = auth.person(email=new_email())
    one = auth.consent(auth.depart("twitter"), person)
    other = auth.consent(auth.depart("twitter"), person)
    state = one.partition("?")[0] + "?" + one.partition("?")[2].partition("&")[0]
    landing = auth.arrive(f"{state}&{other.partition('&')[2]}")
    assert landing.query["error_description"].startswith("Unable to exchange external code")


def test_id_token_made_for_another_client(auth):
    landing = auth.travel("google", auth.person(email=new_email(), aud="another-client"))
    assert landing.query["error_description"] == (
        "Error getting user profile from external provider"
    )


# --- PKCE


def test_code_is_good_once(auth):
    browser = Pkce()
    code = auth.travel("google", auth.person(email=new_email()), **browser.query).query["code"]
    assert auth.exchange(code, browser.verifier).status_code == 200
    assert auth.exchange(code, browser.verifier).status_code == 404


def test_code_exchanged_in_parallel_gives_one_session(auth):
    browser = Pkce()
    code = auth.travel("google", auth.person(email=new_email()), **browser.query).query["code"]
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(
                Auth(auth.stack).exchange(code, browser.verifier).status_code
            )
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 404, 404, 404]


def test_code_with_the_verifier_of_another_flow(auth):
    mine, other = Pkce(), Pkce()
    code = auth.travel("google", auth.person(email=new_email()), **mine.query).query["code"]
    auth.travel("google", auth.person(email=new_email()), **other.query)
    for verifier in (other.verifier, mine.query["code_challenge"], secrets.token_urlsafe(40)):
        answer = auth.exchange(code, verifier)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "bad_code_verifier")


def test_flow_without_challenge_has_no_code(auth):
    """The row of an implicit flow cannot be redeemed with an empty verifier."""
    state = auth.depart("google").partition("state=")[2].partition("&")[0]
    with psycopg.connect(auth.stack.database_url) as db:
        row = db.execute("select auth_code from auth.flow_state where id = %s", [state]).fetchone()
    assert row is not None
    for verifier in ("", "x"):
        assert auth.exchange(row[0] or "none", verifier).status_code in (400, 404)


@pytest.mark.parametrize(
    "query",
    [
        {"code_challenge": "a" * 43},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short", "code_challenge_method": "s256"},
        {"code_challenge": "a" * 43, "code_challenge_method": "md5"},
    ],
)
def test_half_a_challenge(auth, query):
    answer = auth.call("GET", "/authorize?provider=google", params=query)
    assert answer.status_code in (302, 400)
    answer = auth.http.get(
        f"{auth.stack.url}/auth/v1/authorize", params={"provider": "google", **query}
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")


# --- redirects and requests


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "https://evil.example\\@app.example.com/",
        "javascript:alert(1)//app.example.com",
        "data:text/html,x",
    ],
)
def test_open_redirect(auth, target):
    person = auth.person(email=new_email())
    for who in (person, None):
        landing = auth.travel("google", who, redirect_to=target)
        assert landing.url.startswith(("http://127.0.0.1:3000#", "http://127.0.0.1:3000?"))


def test_provider_address_comes_from_settings_alone(auth):
    for name in ("url", "issuer", "token_endpoint", "domain"):
        page = auth.depart("google", **{name: "http://169.254.169.254/"})
        assert page.startswith(f"{auth.providers}/google/authorize?")


def test_error_text_of_a_provider_stays_in_its_place(auth):
    way_back = auth.consent(auth.depart("google"), None)
    forged = way_back.replace("The+person+said+no", "x%23access_token%3Dforged%26a%0d%0aSet-Cookie")
    landing = auth.arrive(forged)
    assert landing.url.startswith(FRONT_END)
    assert "access_token" not in landing.fragment
    assert landing.query["error_description"].startswith("x#access_token=forged")


# --- addresses


def test_unverified_address_takes_nothing_over(auth):
    victim = auth.member()
    attacker = auth.person(email=victim.user["email"], verified=False)
    landing = auth.travel("github", attacker)
    assert landing.query["error_code"] == "provider_email_needs_verification"
    assert landing.query["error"] == "access_denied"
    assert [row["provider"] for row in auth.user(victim.user["id"])["identities"]] == ["email"]


def test_unverified_address_must_be_confirmed_by_mail(auth):
    person = auth.person(email=new_email(), verified=False)
    landing = auth.travel("github", person)
    assert landing.query["error_code"] == "provider_email_needs_verification"
    assert "A confirmation email has been sent" in landing.query["error_description"]
    # again: still no session
    assert "access_token" not in auth.travel("github", person).fragment
    # once the provider has verified it, the way is open
    auth.http.patch(f"{auth.providers}/people/{person['hint']}", json={"verified": True})
    assert auth.session_of(auth.travel("github", person)).user["email"] == person["email"]


def test_squatter_with_a_password_is_thrown_out(auth):
    """An unconfirmed sign-up of the victim's address must not become a door to their account."""
    email = new_email()
    squatter = auth.member(email, is_confirmed=False)
    owner = auth.session_of(auth.travel("google", auth.person(email=email)))
    assert owner.user["id"] == squatter.user["id"]
    assert [row["provider"] for row in owner.user["identities"]] == ["google"]
    body = {"email": email, "password": "correct horse battery"}
    answer = auth.call("POST", "/token?grant_type=password", body)
    assert answer.json()["error_code"] == "invalid_credentials"


def test_squatter_with_an_unverified_identity_is_thrown_out(auth):
    email = new_email()
    squatter = auth.person(email=email, verified=False)
    auth.travel("github", squatter)
    owner = auth.session_of(auth.travel("google", auth.person(email=email)))
    assert [row["provider"] for row in owner.user["identities"]] == ["google"]
    assert "access_token" not in auth.travel("github", squatter).fragment


def test_unverified_identity_of_a_stranger_attracts_nobody(auth):
    """A member links an account with the victim's address; the victim's sign-in goes elsewhere."""
    email = new_email()
    stranger = auth.member()
    linked = auth.call(
        "GET",
        f"/user/identities/authorize?provider=github&skip_http_redirect=true"
        f"&redirect_to={FRONT_END}",
        token=stranger.token,
    )
    trap = auth.person(email=email, verified=False)
    auth.arrive(auth.consent(linked.json()["url"], trap))
    assert len(auth.user(stranger.user["id"])["identities"]) == 2
    victim = auth.session_of(auth.travel("google", auth.person(email=email)))
    assert victim.user["id"] != stranger.user["id"]


def test_first_sign_in_twice_at_once_makes_one_user(auth):
    person = auth.person(email=new_email())
    ways = [auth.consent(auth.depart("google"), person) for _ in range(4)]
    landings: list[str] = []
    threads = [
        threading.Thread(target=lambda w=way: landings.append(Auth(auth.stack).arrive(w).url))
        for way in ways
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [url for url in landings if "access_token=" not in url] == []
    assert len(landings) == len(ways)
    with psycopg.connect(auth.stack.database_url) as db:
        row = db.execute(
            "select count(*) from auth.users where email = %s", [person["email"]]
        ).fetchone()
    assert row == (1,)
