"""A request with an Idempotency-Key is carried out once, and answered the same again."""

import asyncio
import uuid
from contextlib import AsyncExitStack

import httpx
import psycopg
import pytest

from tests.fixtures.people import Person, error_code
from tests.fixtures.serving import routes, serve

WISH = {"amount_minor": 5, "purpose": "tea"}


@pytest.fixture
def member(unlimited):
    return unlimited.person("ada")


def _orders(served, person):
    return served.execute("select count(*) from orders where payer_id = %s", [person.id])[0][0]


def test_the_same_request_is_answered_the_same(unlimited, member):
    person, token = member
    with unlimited.client(token, **{"idempotency-key": "first"}) as client:
        first, again = (client.post("/orders", json=WISH) for _ in range(2))
        gateway = client.post("/functions/v1/orders", json=WISH)
    assert first.status_code == again.status_code == gateway.status_code == 201
    assert first.content == again.content == gateway.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert _orders(unlimited, person) == 1


def test_another_body_is_refused(unlimited, member):
    person, token = member
    with unlimited.client(token, **{"idempotency-key": "k"}) as client:
        client.post("/orders", json=WISH)
        other = client.post("/orders", json=WISH | {"amount_minor": 6})
        query = client.post("/orders?x=1", json=WISH)
    for answer in (other, query):
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "ops.idempotency_key_reused"
    assert _orders(unlimited, person) == 1


def test_keys_belong_to_a_caller_and_a_route(unlimited, member):
    person, token = member
    other, other_token = unlimited.person("bob")
    for shown in (token, other_token):
        with unlimited.client(shown, **{"idempotency-key": "shared"}) as client:
            assert client.post("/orders", json=WISH).status_code == 201
            assert client.post("/break", json=WISH).status_code == 500
    assert (_orders(unlimited, person), _orders(unlimited, other)) == (1, 1)


@pytest.mark.parametrize("key", ["", "a" * 256, "with space", "ü"])
def test_bad_keys(unlimited, member, key):
    with unlimited.client(member[1]) as client:
        answer = client.post(
            "/orders", json=WISH, headers={"idempotency-key": key.encode("latin-1")}
        )
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "header.Idempotency-Key"


def test_a_refusal_is_kept_too(unlimited, member):
    _, token = member
    with unlimited.client(token, **{"idempotency-key": "bad"}) as client:
        answers = [client.post("/orders", json={"amount_minor": 0}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[1].headers["idempotent-replayed"] == "true"


def test_a_failure_of_ours_gives_the_key_back(unlimited, member):
    person, token = member
    with unlimited.client(token, **{"idempotency-key": "broken"}) as client:
        answers = [client.post("/break", json=WISH) for _ in range(2)]
    assert all("idempotent-replayed" not in answer.headers for answer in answers)
    assert unlimited.execute(
        "select count(*) from private.idempotency_keys where caller = %s", [f"user:{person.id}"]
    ) == [(0,)]


def test_a_failure_after_the_work_was_committed_does_not_repeat_it(unlimited, member):
    person, token = member
    wish = WISH | {"purpose": "break afterwards"}
    with unlimited.client(token, **{"idempotency-key": "late"}) as client:
        answers = [client.post("/orders", json=wish) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert _orders(unlimited, person) == 1


async def test_a_thousand_at_once_are_one(run_databases):
    """Through two processes' worth of apis, as a load balancer would spread them."""
    with run_databases.clone() as name:
        url = run_databases.url(name)
        with serve(url, routes()) as one, serve(url, routes()) as two:
            one.execute("update private.rate_tiers set requests_per_hour = null, burst = null")
            person, token = one.person("eager")
            headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid.uuid4())}
            limits = httpx.Limits(max_connections=5)
            async with AsyncExitStack() as stack:
                # one client looks through all that wait whenever one is done
                clients = [
                    await stack.enter_async_context(
                        httpx.AsyncClient(
                            headers=headers, limits=limits, timeout=90, trust_env=False
                        )
                    )
                    for _ in range(20)
                ]
                answers = await asyncio.gather(
                    *(
                        clients[n % 20].post((one if n % 2 else two).url + "/orders", json=WISH)
                        for n in range(1000)
                    )
                )
            done = [answer for answer in answers if answer.status_code == 201]
            others = [answer for answer in answers if answer.status_code != 201]
            assert len({answer.content for answer in done}) == 1
            assert {answer.json()["error"]["code"] for answer in others} <= {
                "ops.idempotency_in_flight"
            }
            assert _orders(one, person) == 1


BEGIN = "select * from private.begin_request('user:1', 'POST /x', 'k', %s, interval '60 s')"


def _call(db, query, arguments=()):
    """As the api does: the worker's role, one transaction."""
    with db.transaction():
        db.execute("set local role guildhall_worker")
        return db.execute(query, arguments).fetchone()


def _grow_old(url, age):
    with psycopg.connect(url) as db:
        db.execute(
            "update private.idempotency_keys set started_at = now() - %s::interval,"
            " created_at = now() - %s::interval",
            [age, age],
        )


def _code(db, query, arguments=()):
    with pytest.raises(psycopg.Error) as raised:
        _call(db, query, arguments)
    return error_code(raised.value)


def test_a_killed_process_is_followed_by_another(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        (dead, *_) = _call(db, BEGIN, [b"body"])
        assert _code(db, BEGIN, [b"body"]) == "ops.idempotency_in_flight"
        assert _code(db, BEGIN, [b"other"]) == "ops.idempotency_key_reused"
        _grow_old(own_database, "61 s")
        (next_one, *_) = _call(db, BEGIN, [b"body"])
        assert next_one not in (None, dead)
        # the one thought dead wakes up: its work must not commit
        assert _code(db, "select private.commit_request(%s)", [dead]) == "ops.idempotency_in_flight"
        _call(db, "select private.commit_request(%s)", [next_one])
        _call(db, "select private.finish_request(%s, 201, 'text/plain', 'done', true)", [next_one])
        assert _call(db, BEGIN, [b"body"]) == (None, 201, "text/plain", b"done")
        _call(db, "select private.finish_request(%s, 500, 'text/plain', 'x', true)", [dead])
        assert _call(db, BEGIN, [b"body"])[1] == 201


def test_killed_between_work_and_answer_it_is_not_done_again(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        (attempt, *_) = _call(db, BEGIN, [b"body"])
        _call(db, "select private.commit_request(%s)", [attempt])
        assert _code(db, BEGIN, [b"body"]) == "ops.idempotency_in_flight"
        _grow_old(own_database, "61 s")
        assert _code(db, BEGIN, [b"body"]) == "ops.idempotency_answer_lost"


def test_after_a_day_a_key_is_new(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        (attempt, *_) = _call(db, BEGIN, [b"body"])
        _call(db, "select private.finish_request(%s, 200, 'a/b', 'x', true)", [attempt])
        _grow_old(own_database, "23 h 59 min")
        assert _call(db, BEGIN, [b"body"])[1] == 200
        _grow_old(own_database, "24 h 1 min")
        assert _call(db, BEGIN, [b"another"])[0] is not None
        _grow_old(own_database, "24 h 1 min")
        assert _call(db, "select private.prune_limits()") == (1,)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_nobody_else_may_touch_keys(db, role):
    for call in (
        "private.begin_request('user:1', 'r', 'k', '', '1 s')",
        "private.commit_request(gen_random_uuid())",
        "private.finish_request(gen_random_uuid(), 200, '', '', true)",
        "private.prune_limits()",
        "private.readiness()",
        "private.spend_request('k', 1, 1)",
    ):
        assert Person(db, role, role=role).outcome(f"select {call}") == "denied"
