"""Who is suspended reads their own, changes nothing, and gets no new token."""

import json

import pytest

from tests.fixtures.people import appoint, sign_up


def test_suspending_ends_sessions_and_is_written_down(cast, db):
    creator, moderator = cast["creator"], cast["moderator"]
    db.execute(
        "insert into auth.sessions (id, user_id) values (gen_random_uuid(), %s)", [creator.id]
    )
    moderator.rows("select suspend_user(%s, '  spam  ')", [creator.id])
    assert db.execute("select from auth.sessions where user_id = %s", [creator.id]).rowcount == 0
    assert creator.rows("select reason from suspensions") == [("spam",)]
    assert cast["admin"].rows("select actor_id, action, subject_id from audit_log") == [
        (moderator.id, "identity.suspend_user", str(creator.id))
    ]


def test_it_holds_at_once_whatever_the_token_says(cast):
    creator = cast["creator"]
    write = "update profiles set bio = 'x' where id = auth.uid()"
    assert creator.outcome(write) == "row"
    cast["moderator"].rows("select suspend_user(%s, 'spam')", [creator.id])
    assert creator.outcome(write) == "nothing"
    assert creator.outcome("select choose_role('agent')") == "identity.not_active"
    assert creator.outcome("select * from profile_private") == "row"
    cast["moderator"].rows("select lift_suspension(%s)", [creator.id])
    assert creator.outcome(write) == "row"


def test_a_suspended_operator_is_no_operator(cast):
    moderator = cast["moderator"]
    cast["admin"].rows("select suspend_user(%s, 'abuse')", [moderator.id])
    assert moderator.outcome("select suspend_user(%s, 'x')", [cast["creator"].id]) == (
        "identity.operator_required"
    )


def test_moderators_do_not_judge_operators(cast, db):
    other = appoint(db, sign_up(db, "other"), "moderator")
    for target in (other, cast["admin"], cast["moderator"]):
        assert cast["moderator"].outcome("select suspend_user(%s, 'x')", [target.id]) == (
            "identity.operator_required"
        )
    assert cast["admin"].outcome("select suspend_user(%s, 'x')", [other.id]) == "row"
    assert cast["admin"].outcome("select suspend_user(auth.uid(), 'x')") == (
        "identity.operator_required"
    )


def test_moderators_do_not_let_operators_in(cast, db):
    other = appoint(db, sign_up(db, "other"), "moderator")
    cast["admin"].rows("select suspend_user(%s, 'abuse')", [other.id])
    lift = "select lift_suspension(%s)"
    assert cast["moderator"].outcome(lift, [other.id]) == "identity.operator_required"
    assert cast["admin"].outcome(lift, [other.id]) == "row"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("(%s, '')", "identity.invalid_reason"),
        ("(%s, null)", "identity.invalid_reason"),
        ("(%s, repeat('x', 501))", "identity.invalid_reason"),
        ("(%s, 'x', now() - interval '1 minute')", "identity.invalid_time"),
        ("(gen_random_uuid(), 'x' || left(%s::text, 0))", "identity.user_not_found"),
        ("(%s, 'x', now() + interval '1 day')", "row"),
    ],
)
def test_bad_input_is_named(cast, arguments, expected):
    statement = f"select suspend_user{arguments}"
    assert cast["moderator"].outcome(statement, [cast["creator"].id]) == expected


def test_twice_is_refused_and_it_ends_by_itself(cast, db):
    creator, moderator = cast["creator"], cast["moderator"]
    moderator.rows("select suspend_user(%s, 'x', now() + interval '1 day')", [creator.id])
    assert moderator.outcome("select suspend_user(%s, 'x')", [creator.id]) == (
        "identity.already_suspended"
    )
    db.execute("update suspensions set ends_at = now() - interval '1 second' where ends_at > now()")
    assert creator.outcome("update profiles set bio = 'x' where id = auth.uid()") == "row"
    assert moderator.outcome("select lift_suspension(%s)", [creator.id]) == "identity.not_suspended"


def _token(db, person):
    event = {"user_id": str(person.id), "claims": {"sub": str(person.id), "role": "authenticated"}}
    db.execute("set local role supabase_auth_admin")
    (answer,) = db.execute("select private.add_roles_to_token(%s)", [json.dumps(event)]).fetchone()
    db.execute("reset role")
    return answer


def test_the_token_tells_the_roles(cast, db):
    cast["creator"].rows("select choose_role('agent')")
    claims = _token(db, cast["creator"])["claims"]
    assert claims["app_roles"] == ["agent", "creator"]
    assert claims["sub"] == str(cast["creator"].id)
    assert _token(db, cast["stranger"])["claims"]["app_roles"] == []


def test_the_suspended_get_no_token(cast, db):
    assert _token(db, cast["suspended"]) == {
        "error": {"http_code": 403, "message": "This account is suspended."}
    }
