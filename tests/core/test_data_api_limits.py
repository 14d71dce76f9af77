"""Writes at the Data API count against the same tiers, before each request, in the database."""

import json
import threading

import psycopg
import pytest

from tests.fixtures.people import cast as make_cast
from tests.fixtures.people import error_code


def _request(db, person, method="POST", headers=None, read_only=False):
    """As PostgREST begins one; None, or what was raised."""
    claims = {"role": person.role} | ({"sub": str(person.id)} if person.id else {})
    try:
        with db.transaction():
            db.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true),"
                " set_config('request.method', %s, true), set_config('request.headers', %s, true)",
                [person.role, json.dumps(claims), method, json.dumps(headers or {})],
            )
            if read_only:
                db.execute("set local transaction_read_only = on")
            db.execute("select private.check_request()")
    except psycopg.Error as error:
        return error
    return None


def test_the_data_api_is_told(db):
    (settings,) = db.execute(
        "select setconfig from pg_db_role_setting where setrole = 'authenticator'::regrole"
        " and setconfig::text like '%db_pre_request%'"
    ).fetchone()
    assert "pgrst.db_pre_request=private.check_request" in settings


def test_a_member_writes_a_hundred_times_at_once(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        member = make_cast(db)["creator"]
        outcomes = [_request(db, member) for _ in range(103)]
        refused = [error for error in outcomes if error is not None]
        assert len(refused) in (2, 3)
        assert {error_code(error) for error in refused} == {"ops.rate_limited"}
        told = json.loads(refused[0].diag.message_detail)
        assert told["status"] == 429
        assert 1 <= int(told["headers"]["Retry-After"]) <= 4
        assert json.loads(refused[0].diag.message_primary)["details"] == "member"
        # reading is never counted nor refused
        for method in ("GET", "HEAD"):
            assert _request(db, member, method) is None
        assert _request(db, member, read_only=True) is None
        # an hour later the bucket is full again
        db.execute("update private.request_rates set due_at = due_at - interval '1 hour'")
        assert _request(db, member) is None


def test_tiers(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        cast = make_cast(db)
        for name, tier in (
            ("visitor", "anonymous"), ("stranger", "member"), ("moderator", "member"),
            ("suspended", "member"), ("admin", "admin"), ("service", "admin"),
        ):  # fmt: skip
            with cast[name].acting():
                claims = db.execute("select current_setting('request.jwt.claims')").fetchone()
            found = (
                db.execute("select set_config('request.jwt.claims', %s, false)", claims)
                and db.execute("select private.rate_tier()").fetchone()
            )
            assert found == (tier,), name
        db.execute("select set_config('request.jwt.claims', '', false)")
        for name in ("admin", "service"):
            assert {_request(db, cast[name]) for _ in range(200)} == {None}
        assert db.execute("select count(*) from private.request_rates").fetchone() == (0,)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"cf-connecting-ip": "192.0.2.1"}, "address:192.0.2.1"),
        ({"x-forwarded-for": "1.1.1.1, 192.0.2.2"}, "address:192.0.2.2"),
        ({"x-forwarded-for": "2001:db8:1:2:3::4"}, "address:2001:db8:1:2::/64"),
        ({"x-forwarded-for": "'; drop table x --"}, "address:unknown"),
        ({}, "address:unknown"),
    ],
)
def test_visitors_are_known_by_their_address(own_database, headers, key):
    with psycopg.connect(own_database, autocommit=True) as db:
        visitor = make_cast(db)["visitor"]
        outcomes = [_request(db, visitor, headers=headers) for _ in range(11)]
        assert outcomes[:10] == [None] * 10
        assert error_code(outcomes[10]) == "ops.rate_limited"
        assert db.execute("select key from private.request_rates").fetchall() == [(key,)]


def test_a_failed_write_does_not_count(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        member = make_cast(db)["creator"]
        with db.transaction(force_rollback=True):
            assert _request(db, member) is None
            db.execute("reset role")
            assert db.execute("select count(*) from private.request_rates").fetchone() == (1,)
        assert db.execute("select count(*) from private.request_rates").fetchone() == (0,)


def test_a_race_passes_exactly_the_burst(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        member = make_cast(db)["creator"]
        db.execute("update private.rate_tiers set requests_per_hour = 1, burst = 30")
    outcomes = []

    def run():
        with psycopg.connect(own_database, autocommit=True) as mine:
            outcomes.extend(_request(mine, member) for _ in range(10))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 80
    assert outcomes.count(None) == 30
