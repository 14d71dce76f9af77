"""Ledger postings per second, beside plain SQL that does the same writes with no check at all.

    python bench/ledger.py [seconds]

Default Postgres settings, fsync on; each client is a process with one connection and sends one
posting at a time. Plain: two updates and a two-row insert in one pipeline, a hot row written last.
"""

import multiprocessing
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable

import psycopg
from ground import guildhall_database, row

ACCOUNTS = 1000
CLIENTS = (1, 4, 8, 16)
Work = Callable[[psycopg.Connection, random.Random, list[int], int], None]


def pair(db: psycopg.Connection, chance: random.Random, accounts: list[int], hot: int) -> None:
    """One random account to another."""
    giver, taker = chance.sample(accounts, 2)
    _post(db, [giver, taker], [-1, 1])


def hot(db: psycopg.Connection, chance: random.Random, accounts: list[int], hot: int) -> None:
    """A random account to the one that everybody pays."""
    _post(db, [chance.choice(accounts), hot], [-1, 1])


def split(db: psycopg.Connection, chance: random.Random, accounts: list[int], hot: int) -> None:
    """One account to two others and the hot one."""
    giver, one, two = chance.sample(accounts, 3)
    _post(db, [giver, one, two, hot], [-10, 5, 4, 1])


def _post(db: psycopg.Connection, accounts: list[int], amounts: list[int]) -> None:
    db.execute(
        "select private.post_transaction(%s, 'bench.move', %s, %s)",
        [uuid.uuid4().hex, accounts, amounts],
    )


def plain_pair(
    db: psycopg.Connection, chance: random.Random, accounts: list[int], hot: int
) -> None:
    """The writes of `pair`, unchecked."""
    _plain(db, *sorted(chance.sample(accounts, 2)))


def plain_hot(db: psycopg.Connection, chance: random.Random, accounts: list[int], hot: int) -> None:
    """The writes of `hot`, unchecked, on a row that everybody locks."""
    _plain(db, chance.choice(accounts), hot)


def _plain(db: psycopg.Connection, first: int, second: int) -> None:
    with db.pipeline(), db.transaction():
        db.execute("insert into bench_entries values (%s, -1), (%s, 1)", [first, second])
        for account, amount in ((first, -1), (second, 1)):
            db.execute(
                "update bench_accounts set balance = balance + %s where id = %s", [amount, account]
            )


SCENES: dict[str, tuple[Work, Work | None]] = {
    "random pairs": (pair, plain_pair),
    "hot platform account": (hot, plain_hot),
    "three-way split": (split, None),
}


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3
    with guildhall_database() as url:
        accounts, platform = _fill(url)
        heads = ("clients", "post/s", "p50 ms", "p99 ms", "plain/s", "ratio")
        print(" " * 24 + "".join(f"{head:>9}" for head in heads))
        for name, (work, plain) in SCENES.items():
            for clients in CLIENTS:
                rate, p50, p99 = _run(url, work, clients, seconds, accounts, platform)
                text = f"{name:<24}{clients:>9}{rate:>9.0f}{p50:>9.2f}{p99:>9.2f}"
                if plain is not None:
                    limit, _, _ = _run(url, plain, clients, seconds, accounts, platform)
                    text += f"{limit:>9.0f}{rate / limit:>9.2f}"
                print(text, flush=True)
        with psycopg.connect(url) as db:
            print("findings:", db.execute("select * from private.verify_ledger()").fetchall())


def _fill(url: str) -> tuple[list[int], int]:
    with psycopg.connect(url) as db:
        db.execute("delete from auth.users")
        db.execute(
            "insert into auth.users (id, aud, role) select gen_random_uuid(), 'authenticated',"
            f" 'authenticated' from generate_series(1, {ACCOUNTS})"
        )
        ids = [
            int(found)
            for (found,) in db.execute(
                "select private.ledger_account('available', 'EUR', owner_id => id) from profiles"
            ).fetchall()
        ]
        (platform,) = row(db, "select private.ledger_account('fees', 'EUR')")
        (clearing,) = row(
            db, "select private.ledger_account('clearing', 'EUR', provider => 'bench')"
        )
        for account in ids:
            _post(db, [clearing, account], [-(10**9), 10**9])  # type: ignore[list-item]
        db.execute(
            "create table bench_accounts as select id, 0::bigint as balance from ledger_accounts"
        )
        db.execute("alter table bench_accounts add primary key (id)")
        db.execute("create table bench_entries (account_id bigint, amount bigint)")
        db.execute("create index on bench_entries (account_id)")
    return ids, int(str(platform))


def _client(
    url: str, work: Work, seconds: float, accounts: list[int], platform: int, seed: int
) -> list[float]:
    chance = random.Random(seed)
    taken = []
    with psycopg.connect(url, autocommit=True) as db:
        end = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            work(db, chance, accounts, platform)
            taken.append((time.perf_counter() - begun) * 1000)
    return taken


def _run(
    url: str, work: Work, clients: int, seconds: float, accounts: list[int], platform: int
) -> tuple[float, float, float]:
    with multiprocessing.Pool(clients) as pool:
        arguments = [(url, work, seconds, accounts, platform, seed) for seed in range(clients)]
        taken = sorted(ms for part in pool.starmap(_client, arguments) for ms in part)
    return len(taken) / seconds, statistics.median(taken), taken[int(len(taken) * 0.99)]


if __name__ == "__main__":
    main()
