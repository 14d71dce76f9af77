"""Statement pages and balances of an account with 1,000,000 entries, as its owner reads them.

    python bench/statement.py [entries]

Under row-level security and through the views that clients use, beside the same query as the
tables' owner without it; as many entries again belong to 10,000 others. One connection, a page is
50 lines and begins anywhere in the account.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from ground import guildhall_database, row

OTHERS = 10_000
PAGE = "order by posted_at desc limit 50"
MOMENT = "timestamptz '2025-01-01' + %(second)s * interval '1 second'"
# (query under RLS, the same without it when that is another one)
QUERIES = {
    "newest page": (f"select * from ledger_statement where account_id = %(account)s {PAGE}",),
    "page anywhere": (
        "select * from ledger_statement where account_id = %(account)s"
        f" and posted_at < {MOMENT} {PAGE}",
    ),
    "balance": ("select * from ledger_balances where account_id = %(account)s",),
    "all one's balances": (
        "select * from ledger_balances",
        "select * from ledger_balances where owner_id = %(owner)s",
    ),
    "balance at a time": (
        f"select get_balance_at(%(account)s, {MOMENT})",
        f"select private.balance_at(%(account)s, {MOMENT})",
    ),
    "page of an account of 200": (
        f"select * from ledger_statement where account_id = %(small)s {PAGE}",
    ),
}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose money it is; `account` has the many entries, `small` has few, both are theirs."""

    id: object
    account: int
    small: int


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with guildhall_database() as url, psycopg.connect(url, autocommit=True) as db:
        owner = _fill(db, count)
        claims = json.dumps({"sub": str(owner.id), "role": "authenticated"})
        print(f"{'':<27}{'p50 ms':>8}{'p99 ms':>8}{'no RLS p50':>12}{'p99':>8}{'ratio':>7}")
        for name, queries in QUERIES.items():
            plain = _measure(_reading(db, queries[-1], owner, count))
            db.execute("select set_config('request.jwt.claims', %s, false)", [claims])
            db.execute("set role authenticated")
            guarded = _measure(_reading(db, queries[0], owner, count))
            db.execute("reset role")
            print(
                f"{name:<27}{guarded[0]:>8.2f}{guarded[1]:>8.2f}{plain[0]:>12.2f}{plain[1]:>8.2f}"
                f"{guarded[0] / plain[0]:>7.2f}",
                flush=True,
            )


def _reading(db: psycopg.Connection, query: str, owner: Owner, count: int) -> Callable[[], None]:
    def read() -> None:
        values = {
            "owner": owner.id,
            "account": owner.account,
            "small": owner.small,
            "second": random.randint(1000, count),
        }
        assert db.execute(query.encode(), values).fetchone() is not None

    return read


def _measure(run: Callable[[], None], times: int = 500) -> tuple[float, float]:
    """Median and 99th percentile in ms, after ten runs for warming up."""
    taken = []
    for _ in range(times + 10):
        begun = time.perf_counter()
        run()
        taken.append((time.perf_counter() - begun) * 1000)
    taken = sorted(taken[10:])
    return statistics.median(taken), taken[int(len(taken) * 0.99)]


def _fill(db: psycopg.Connection, count: int) -> Owner:
    """One posting a second: every other one to the owner, 200 of these to the small account."""
    db.execute("delete from auth.users")
    db.execute("set session_replication_role = replica")  # no triggers: the rows are written here
    db.execute(
        "insert into profiles (id, handle, display_name)"
        " select gen_random_uuid(), 'person_' || n, 'Person'"
        f" from generate_series(0, {OTHERS}) as n"
    )
    db.execute(
        "insert into ledger_accounts (kind, currency, owner_id)"
        " select 'available', currency, id"
        " from profiles cross join (values ('EUR'), ('USD')) as known (currency)"
    )
    (person,) = row(db, "select id from profiles where handle = 'person_0'")
    mine = "select id from ledger_accounts where owner_id = %s and currency = %s"
    (account,), (small,) = row(db, mine, person, "EUR"), row(db, mine, person, "USD")
    (clearing,) = row(db, "select private.ledger_account('clearing', 'EUR', provider => 'bench')")
    db.execute(
        "insert into ledger_transactions (kind, idempotency_key, input_hash, posted_at)"
        " select 'bench.fund', n::text, sha256(''),"
        "  timestamptz '2025-01-01' + n * interval '0.5 seconds'"
        " from generate_series(1, %s) as n",
        [2 * count],
    )
    db.execute(
        "insert into ledger_entries"
        " select moved.id, line.account_id, line.amount, moved.id, moved.posted_at"
        " from ledger_transactions as moved,"
        "  lateral (values (%(clearing)s, -1), (case"
        "    when moved.id %% 2 = 0 then %(account)s"
        "    when moved.id < 400 then %(small)s"
        "    else 1 + moved.id * 7919 %% %(accounts)s end, 1)"
        "  ) as line (account_id, amount)",
        {"clearing": clearing, "account": account, "small": small, "accounts": 2 * OTHERS},
    )
    db.execute("reset session_replication_role")
    db.execute("vacuum analyze")
    return Owner(person, int(str(account)), int(str(small)))


if __name__ == "__main__":
    main()
