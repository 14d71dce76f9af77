"""Ten wrong passwords in a row lock an account for 15 minutes, the right one included."""

import json


def _attempt(db, person, valid):
    db.execute("set local role supabase_auth_admin")
    event = json.dumps({"user_id": str(person.id), "valid": valid})
    (answer,) = db.execute("select private.limit_password_attempts(%s)", [event]).fetchone()
    db.execute("reset role")
    return answer["decision"]


def _age(db, interval):
    db.execute(
        "update private.password_attempts set last_failed_at = last_failed_at - %s::interval,"
        " locked_until = locked_until - %s::interval",
        [interval, interval],
    )


def test_ten_lock(cast, db):
    person = cast["creator"]
    for _ in range(9):
        assert _attempt(db, person, False) == "continue"
    assert _attempt(db, person, True) == "continue"
    for _ in range(10):
        assert _attempt(db, person, False) == "continue"
    assert _attempt(db, person, True) == "reject"
    assert _attempt(db, cast["sponsor"], True) == "continue"
    _age(db, "14 minutes")
    assert _attempt(db, person, True) == "reject"
    _age(db, "1 minute 1 second")
    assert _attempt(db, person, True) == "continue"


def test_slow_mistakes_never_lock(cast, db):
    for _ in range(30):
        assert _attempt(db, cast["creator"], False) == "continue"
        _age(db, "16 minutes")
    assert _attempt(db, cast["creator"], True) == "continue"
