"""Releases a second: approve an escrow, split its money four ways, tell everybody, one by one.

    python bench/release.py [escrows]

Default Postgres settings, fsync on. Escrows of 50 sponsors and 50 creators, whose agents brought
them: each release pays the creator, the agents of both sides their halves of the fee. Each client
is a process with one connection and approves as a sponsor through the function that front ends
call, a transaction each. Beside it, in the same run, the same split as a posting alone.
"""

import json
import multiprocessing
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from ground import guildhall_database, row

CLIENTS = (1, 4, 8)
SIDES = 50
PRICE = 10_000

# what a client does with one of its tasks
Work = Callable[[psycopg.Connection, Any], None]


def main() -> None:
    """Print a Markdown table."""
    escrows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    with guildhall_database() as url:
        with psycopg.connect(url, autocommit=True) as db:
            sponsors, creators = _people(db)
        print("| Clients | releases/s | p50 ms | p99 ms | postings/s | ratio |")
        print("| --: | --: | --: | --: | --: | --: |", flush=True)
        for clients in CLIENTS:
            with psycopg.connect(url, autocommit=True) as db:
                due = _reviewed(db, sponsors, creators, escrows)
                splits = [_accounts(db, escrow) for escrow, _ in due]
            released, times = _run(url, clients, _release, due)
            posted, _ = _run(url, clients, _post, splits)
            cuts = statistics.quantiles(times, n=100)
            print(
                f"| {clients} | {released:.0f} | {cuts[49]:.1f} | {cuts[98]:.1f} | {posted:.0f}"
                f" | {released / posted:.2f} |",
                flush=True,
            )
        with psycopg.connect(url) as db:
            findings = "private.check_escrows() union all select * from private.verify_ledger()"
            print("findings:", db.execute(f"select * from {findings}".encode()).fetchall())


def _act(db: psycopg.Connection, person: object, query: str, *arguments: object) -> list[object]:
    """The first column of what a query answers somebody, as the Data API asks it."""
    claims = json.dumps({"sub": str(person), "role": "authenticated"})
    with db.transaction():
        db.execute(
            "select set_config('role', 'authenticated', true),"
            " set_config('request.jwt.claims', %s, true)",
            [claims],
        )
        return [found for found, *_ in db.execute(query.encode(), arguments).fetchall()]


def _people(db: psycopg.Connection) -> tuple[list[object], list[object]]:
    """Sponsors and creators, each brought by an agent of their own."""
    db.execute("update plan_features set allowed = null")
    sides: list[list[object]] = [[], []]
    for side, role in zip(sides, ("sponsor", "creator"), strict=True):
        for _ in range(SIDES):
            person, agent = _sign_up(db, role), _sign_up(db, "agent")
            (code,) = _act(db, agent, "select get_referral_code()")
            _act(db, person, "select claim_referral(%s)", code)
            side.append(person)
    return sides[0], sides[1]


def _sign_up(db: psycopg.Connection, role: str) -> object:
    return row(
        db,
        "insert into auth.users (id, aud, role, raw_user_meta_data)"
        " values (gen_random_uuid(), 'authenticated', 'authenticated',"
        "  jsonb_build_object('role', %s::text, 'display_name', 'x')) returning id",
        role,
    )[0]


def _reviewed(
    db: psycopg.Connection, sponsors: Sequence[object], creators: Sequence[object], count: int
) -> list[tuple[object, object]]:
    """So many escrows more, paid and under review, each with its sponsor."""
    made = []
    for number in range(count):
        sponsor, creator = sponsors[number % SIDES], creators[number * 7 % SIDES]
        (escrow,) = _act(
            db, sponsor, "select id from open_escrow(%s, 'x', 'EUR', %s)", creator,
            json.dumps([{"title": "x", "price_minor": PRICE}]),
        )  # fmt: skip
        (order,) = _act(db, sponsor, "select id from order_escrow(%s)", escrow)
        db.execute(
            "select private.record_payment(%s, 'stripe', %s, %s, 'EUR')",
            [order, uuid.uuid4().hex, PRICE + PRICE // 10],
        )
        _act(db, creator, "select start_work(%s)", escrow)
        _act(db, creator, "select submit_work(%s, 'x')", escrow)
        _act(db, sponsor, "select start_review(%s)", escrow)
        made.append((escrow, sponsor))
    return made


def _accounts(db: psycopg.Connection, escrow: object) -> tuple[object, object]:
    """Which accounts a split like this one's would touch, without an escrow's own."""
    (accounts,) = row(
        db,
        "select array_agg(private.ledger_account('available', 'EUR', owner_id => owner.id)"
        " order by owner.place) from (select unnest(array[held.creator_id, sponsors.agent_id,"
        "  creators.agent_id]) as id, generate_series(1, 3) as place from escrows as held"
        "  join referrals as sponsors on sponsors.referred_id = held.sponsor_id"
        "  join referrals as creators on creators.referred_id = held.creator_id"
        "  where held.id = %s) as owner",
        escrow,
    )
    (clearing,) = row(db, "select private.ledger_account('clearing', 'EUR', provider => 'stripe')")
    return accounts, clearing


def _release(db: psycopg.Connection, due: tuple[object, object]) -> None:
    escrow, sponsor = due
    _act(db, sponsor, "select approve_escrow(%s)", escrow)


def _post(db: psycopg.Connection, split: tuple[object, object]) -> None:
    accounts, clearing = split
    db.execute(
        "select private.post_transaction(%s, 'bench.split', %s::bigint[] || %s::bigint,"
        " array[10000, 500, 500, -11000]::bigint[])",
        [uuid.uuid4().hex, accounts, clearing],
    )


def _client(url: str, work: Work, mine: Sequence[object]) -> list[float]:
    times = []
    with psycopg.connect(url, autocommit=True) as db:
        for one in mine:
            begun = time.perf_counter()
            work(db, one)
            times.append((time.perf_counter() - begun) * 1000)
    return times


def _run(url: str, clients: int, work: Work, tasks: Sequence[object]) -> tuple[float, list[float]]:
    """How many a second, and the milliseconds of each."""
    with multiprocessing.Pool(clients) as pool:
        pool.starmap(_client, [(url, work, [])] * clients)
        begun = time.perf_counter()
        told = pool.starmap(_client, [(url, work, tasks[n::clients]) for n in range(clients)])
        seconds = time.perf_counter() - begun
    return len(tasks) / seconds, [one for times in told for one in times]


if __name__ == "__main__":
    main()
