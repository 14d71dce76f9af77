"""Premium people ask 5,000 times an hour, 500 at once; everybody else as before."""

import psycopg

from tests.billing.conftest import Office
from tests.fixtures.people import cast
from tests.fixtures.serving import serve, token_of

LIMIT = "select tier, requests_per_hour, burst from private.rate_limit()"


def test_the_tiers(office):
    ask = office.owner.rows
    assert ask(LIMIT) == [("member", 1000, 100)]
    office.subscribe(status="trialing")
    assert ask(LIMIT) == [("premium", 5000, 500)]
    office.subscribe(status="canceled")
    assert ask(LIMIT) == [("member", 1000, 100)]
    assert office.cast["visitor"].rows(LIMIT) == [("anonymous", 100, 10)]


def test_a_trial_is_premium(office):
    office.owner.rows("select start_trial()")
    assert office.owner.rows(LIMIT) == [("premium", 5000, 500)]
    office.db.execute("update subscriptions set trial_ends_at = now()")
    assert office.owner.rows(LIMIT) == [("member", 1000, 100)]


def test_admins_keep_having_none(office):
    office.subscribe(person=office.cast["admin"])
    assert office.cast["admin"].rows(LIMIT) == [("admin", None, None)]


def test_over_http(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        office = Office(db, cast(db))
        office.subscribe()
    with serve(own_database) as api, api.client(token_of(office.owner.id)) as client:
        answers = [client.get("/me") for _ in range(500)]
    assert [answer.status_code for answer in answers] == [200] * 500
    headers = answers[0].headers
    assert headers["ratelimit-limit"] == "500"
    assert headers["ratelimit-policy"] == "5000;w=3600;burst=500"
    assert headers["ratelimit-remaining"] == "499"


def test_at_the_data_api(office):
    """Its writes are counted in the database: 500 at once, and then they wait."""
    office.subscribe()
    office.db.execute("select set_config('request.method', 'POST', true)")
    for _ in range(500):
        office.owner.rows("select private.check_request()")
    # as if all had come in one moment: nothing has refilled
    office.db.execute(
        "update private.request_rates set due_at = clock_timestamp() + interval '6 minutes'"
    )
    assert office.owner.outcome("select private.check_request()") == "ops.rate_limited"
