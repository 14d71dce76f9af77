"""A second factor lifts a session to aal2, and nothing else does."""

import threading
import time
from uuid import uuid4

import psycopg
import pyotp
import pytest

from tests.conftest import RunningStack
from tests.stack.auth.visits import Auth, Session


@pytest.fixture
def auth(stack: RunningStack) -> Auth:
    return Auth(stack)


class Phone:
    """An authenticator app with one factor in it."""

    def __init__(self, auth: Auth, member: Session, name: str = "phone") -> None:
        self.auth, self.member = auth, member
        body = {"factor_type": "totp", "friendly_name": name}
        answer = auth.call("POST", "/factors", body, token=member.token)
        assert answer.status_code == 200, answer.text
        self.enrolled = answer.json()
        self.id = self.enrolled["id"]
        self._totp = pyotp.TOTP(self.enrolled["totp"]["secret"])

    def code(self, periods: int = 0) -> str:
        """The code of now, or of so many periods later."""
        if (left := 30 - time.time() % 30) < 3:
            time.sleep(left)  # or it would be another period's by the time it arrives
        return self._totp.at(int(time.time()) + 30 * periods)

    def challenge(self, member: Session | None = None) -> str:
        token = (member or self.member).token
        answer = self.auth.call("POST", f"/factors/{self.id}/challenge", {}, token=token)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def verify(self, code: str, challenge: str | None = None, member: Session | None = None):
        member = member or self.member
        body = {"challenge_id": challenge or self.challenge(member), "code": code}
        return self.auth.call("POST", f"/factors/{self.id}/verify", body, token=member.token)

    def passed(self, periods: int = 0, member: Session | None = None) -> Session:
        answer = self.verify(self.code(periods), member=member)
        assert answer.status_code == 200, answer.text
        return Session(answer.json())


@pytest.fixture
def member(auth: Auth) -> Session:
    return auth.member()


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error_code")


def test_enroll_shows_the_secret_once(auth, member):
    phone = Phone(auth, member)
    assert phone.enrolled["type"] == "totp"
    totp = phone.enrolled["totp"]
    assert totp["qr_code"].startswith("<svg ")
    assert pyotp.parse_uri(totp["uri"]).secret == totp["secret"]
    assert pyotp.parse_uri(totp["uri"]).name == member.user["email"]
    assert pyotp.parse_uri(totp["uri"]).issuer == "127.0.0.1:3000"
    [factor] = auth.call("GET", "/user", token=member.token).json()["factors"]
    assert (factor["status"], factor["friendly_name"]) == ("unverified", "phone")
    assert "secret" not in factor


def test_verified_session(auth, member):
    other = auth.sign_in(member.user["email"])
    phone = Phone(auth, member)
    lifted = phone.passed()
    assert lifted.claims["aal"] == "aal2"
    assert {row["method"] for row in lifted.claims["amr"]} == {"password", "totp"}
    assert lifted.claims["session_id"] == member.claims["session_id"]
    assert lifted.user["factors"][0]["status"] == "verified"
    # the user's other session, which has not passed, is gone
    assert code_of(auth.call("GET", "/user", token=other.token)) == (403, "session_not_found")
    answer = auth.call(
        "POST", "/token?grant_type=refresh_token", {"refresh_token": other.body["refresh_token"]}
    )
    assert answer.status_code == 400
    # and a refresh keeps the level
    refreshed = auth.call(
        "POST", "/token?grant_type=refresh_token", {"refresh_token": lifted.body["refresh_token"]}
    )
    assert Session(refreshed.json()).claims["aal"] == "aal2"


def test_old_refresh_token_is_spent(auth, member):
    Phone(auth, member).passed()
    with psycopg.connect(auth.stack.database_url) as db:
        row = db.execute(
            "select revoked from auth.refresh_tokens where token = %s",
            [member.body["refresh_token"]],
        ).fetchone()
    assert row == (True,)


def test_one_code_is_good_once(auth, member):
    phone = Phone(auth, member)
    code = phone.code(-1)
    lifted = phone.verify(code)
    assert lifted.status_code == 200
    again = phone.verify(code, member=Session(lifted.json()))
    assert code_of(again) == (422, "mfa_verification_failed")
    # the next one is good, and then the one before it is not
    assert phone.verify(phone.code(1), member=Session(lifted.json())).status_code == 200
    assert phone.verify(phone.code(0), member=Session(lifted.json())).status_code == 422


def test_one_code_in_parallel_passes_once(auth, member):
    phone = Phone(auth, member)
    challenges = [phone.challenge() for _ in range(4)]
    code = phone.code()
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda c=one: answers.append(phone.verify(code, c).status_code))
        for one in challenges
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 422, 422, 422]


def test_one_challenge_is_good_once(auth, member):
    phone = Phone(auth, member)
    challenge = phone.challenge()
    lifted = phone.verify(phone.code(-1), challenge)
    again = phone.verify(phone.code(0), challenge, Session(lifted.json()))
    assert code_of(again) == (422, "mfa_ip_address_mismatch")


def test_challenge_expires(auth, member):
    phone = Phone(auth, member)
    challenge = phone.challenge()
    with psycopg.connect(auth.stack.database_url, autocommit=True) as db:
        db.execute(
            "update auth.mfa_challenges set created_at = now() - interval '301 seconds'"
            " where id = %s",
            [challenge],
        )
    assert code_of(phone.verify(phone.code(), challenge)) == (422, "mfa_challenge_expired")
    assert code_of(phone.verify(phone.code(), challenge)) == (422, "mfa_factor_not_found")


def test_guessing_ends_soon(auth, member):
    phone = Phone(auth, member)
    challenge = phone.challenge()
    outcomes = [phone.verify("000000", challenge).status_code for _ in range(7)]
    assert outcomes == [422] * 5 + [429] * 2
    # also with the right code, and with a new challenge
    assert code_of(phone.verify(phone.code())) == (429, "over_request_rate_limit")
    # somebody else is not concerned
    assert Phone(auth, auth.member()).passed().claims["aal"] == "aal2"


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "000000"])
def test_wrong_codes(auth, member, code):
    answer = Phone(auth, member).verify(code)
    assert answer.status_code in (400, 422)
    assert answer.json()["error_code"] in ("validation_failed", "mfa_verification_failed")


def test_names_are_unique(auth, member):
    Phone(auth, member)
    body = {"factor_type": "totp", "friendly_name": "phone"}
    answer = auth.call("POST", "/factors", body, token=member.token)
    assert code_of(answer) == (422, "mfa_factor_name_conflict")
    assert answer.json()["msg"] == (
        'A factor with the friendly name "phone" for this user already exists'
    )
    Phone(auth, auth.member())


def test_ten_factors_at_most(auth, member):
    for number in range(10):
        Phone(auth, member, f"phone {number}")
    body = {"factor_type": "totp", "friendly_name": "one more"}
    answer = auth.call("POST", "/factors", body, token=member.token)
    assert code_of(answer) == (422, "too_many_enrolled_mfa_factors")


def test_verifying_one_drops_the_unverified(auth, member):
    Phone(auth, member, "lost")
    lifted = Phone(auth, member, "kept").passed()
    assert [factor["friendly_name"] for factor in lifted.user["factors"]] == ["kept"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("phone", (422, "mfa_phone_enroll_not_enabled")),
        ("webauthn", (422, "mfa_webauthn_enroll_not_enabled")),
        ("smoke", (400, "validation_failed")),
        ("", (400, "validation_failed")),
    ],
)
def test_other_kinds(auth, member, kind, expected):
    body = {"factor_type": kind, "friendly_name": "x", "phone": "+15551234"}
    assert code_of(auth.call("POST", "/factors", body, token=member.token)) == expected


def test_anonymous_users_have_no_factors(auth):
    body = {"factor_type": "totp", "friendly_name": "x"}
    answer = auth.call("POST", "/factors", body, token=auth.anonymous().token)
    assert code_of(answer) == (403, "no_authorization")


# --- bypasses


@pytest.fixture
def guarded(auth, member) -> tuple[Phone, Session, Session]:
    """A member with a verified factor: the app, a session that passed it, one that did not."""
    phone = Phone(auth, member)
    lifted = phone.passed(-1)
    return phone, lifted, auth.sign_in(member.user["email"])


def test_unenroll_needs_aal2(auth, guarded):
    phone, lifted, low = guarded
    refused = auth.call("DELETE", f"/factors/{phone.id}", token=low.token)
    assert code_of(refused) == (422, "insufficient_aal")
    done = auth.call("DELETE", f"/factors/{phone.id}", token=lifted.token)
    assert (done.status_code, done.json()) == (200, {"id": phone.id})
    # the session falls back with its next token
    refreshed = auth.call(
        "POST", "/token?grant_type=refresh_token", {"refresh_token": lifted.body["refresh_token"]}
    )
    assert Session(refreshed.json()).claims["aal"] == "aal1"


def test_second_factor_cannot_be_added_at_aal1(auth, guarded):
    _, lifted, low = guarded
    body = {"factor_type": "totp", "friendly_name": "attacker's"}
    assert code_of(auth.call("POST", "/factors", body, token=low.token)) == (
        403,
        "insufficient_aal",
    )
    assert auth.call("POST", "/factors", body, token=lifted.token).status_code == 200


@pytest.mark.parametrize("change", [{"password": "another password"}, {"email": "new@example.com"}])
def test_password_and_address_cannot_be_changed_at_aal1(auth, guarded, change):
    _, _, low = guarded
    answer = auth.call("PUT", "/user", change, token=low.token)
    assert answer.status_code in (401, 403, 422)
    assert answer.json()["error_code"] == "insufficient_aal"


def test_factor_of_another_user(auth, guarded):
    phone, _, _ = guarded
    stranger = auth.member()
    challenge = phone.challenge(guarded[2])
    body = {"challenge_id": challenge, "code": phone.code()}
    for method, path, sent in (
        ("POST", f"/factors/{phone.id}/challenge", {}),
        ("POST", f"/factors/{phone.id}/verify", body),
        ("DELETE", f"/factors/{phone.id}", None),
    ):
        answer = auth.call(method, path, sent, token=stranger.token)
        assert code_of(answer) == (404, "mfa_factor_not_found")
    # nor does another's challenge fit one's own factor
    own = Phone(auth, stranger)
    assert code_of(own.verify(own.code(), challenge)) == (422, "mfa_factor_not_found")


def test_paths_that_name_nothing(auth, member):
    for factor in (str(uuid4()), "x", "%00"):
        answer = auth.call("POST", f"/factors/{factor}/challenge", {}, token=member.token)
        assert answer.status_code == 404, answer.text
    answer = auth.call("POST", f"/factors/{uuid4()}/challenge", {})
    assert answer.status_code in (401, 403)


def test_sign_in_starts_at_aal1_again(auth, guarded):
    _, _, low = guarded
    assert low.claims["aal"] == "aal1"
    person = auth.person(email=low.user["email"])
    assert auth.session_of(auth.travel("google", person)).claims["aal"] == "aal1"
