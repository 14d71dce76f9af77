"""One's statement and balances are read from a range of an index, however much others have."""

import json

import psycopg
import pytest

from tests.fixtures.people import sign_up
from tests.ledger.conftest import Books

PEOPLE, OWN, PAGE = 3000, 4000, 50
# (query, what it may look at): all of it is bounded by a page or by what is one's own
READS = {
    "first page": (
        "select * from ledger_statement where account_id = {account}"
        f" order by posted_at desc limit {PAGE}",
        6 * PAGE,
    ),
    "a page further down": (
        "select * from ledger_statement where account_id = {account}"
        " and posted_at < timestamptz '2025-01-01' + interval '30000 seconds'"
        f" order by posted_at desc limit {PAGE}",
        6 * PAGE,
    ),
    "one balance": ("select * from ledger_balances where account_id = {account}", 5),
    "all one's balances": ("select * from ledger_balances", 10),
    "one's reservations": ("select * from ledger_reservations", 10),
    "a balance at a time": (
        "select private.balance_at({account}, timestamptz '2025-01-01' + interval '30000 seconds')",
        5,
    ),
    # whoever does not say which account reads all of their own, and nothing of others
    "a page of all accounts": (
        f"select * from ledger_statement order by posted_at desc limit {PAGE}",
        4 * OWN + 10,
    ),
}


@pytest.fixture(scope="module")
def owner(run_databases):
    """Somebody with 4,000 entries, among others who have 36,000 together; two currencies."""
    with (
        run_databases.clone() as name,
        psycopg.connect(run_databases.url(name), autocommit=True) as db,
    ):
        yield _fill(db)


def _fill(db):
    books = Books(db)
    owner = sign_up(db, "owner")
    # rows as they would be: the triggers are no part of what is asked here
    db.execute("set session_replication_role = replica")
    db.execute(
        "insert into profiles (id, handle, display_name)"
        " select gen_random_uuid(), 'person_' || n, 'Person'"
        f" from generate_series(1, {PEOPLE}) as n"
    )
    db.execute(
        "insert into ledger_accounts (kind, currency, owner_id)"
        " select 'available', currency, id from profiles"
        " cross join (values ('EUR'), ('USD')) as known (currency)"
    )
    mine = books.account(owner_id=owner.id)
    db.execute(
        "insert into ledger_transactions (kind, idempotency_key, input_hash, posted_at)"
        " select 'test.fund', n::text, '', timestamptz '2025-01-01' + n * interval '1 second'"
        " from generate_series(1, %s) as n",
        [10 * OWN],
    )
    db.execute(
        "insert into ledger_entries"
        " select moved.id, line.account_id, line.amount, line.amount, moved.posted_at"
        " from ledger_transactions as moved,"
        "  lateral (values (%s, -1), (case when moved.id %% 10 = 0 then %s else ("
        "    select min(id) from ledger_accounts where currency = 'USD') + moved.id %% %s end, 1)"
        "  ) as line (account_id, amount)",
        [books.clearing(), mine, PEOPLE],
    )
    db.execute(
        "insert into ledger_reservations (account_id, amount_minor, idempotency_key, input_hash)"
        " select account.id, 1, account.id || ':' || n, '' from ledger_accounts as account,"
        " generate_series(1, 5) as n where account.kind = 'available'"
    )
    db.execute("reset session_replication_role")
    db.execute("vacuum analyze")
    return mine, owner


def _nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _looked_at(plan):
    """Rows that scans of tables fetched, those thrown away after it included; all loops."""
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in _nodes(plan)
        if "Relation Name" in node
    )


@pytest.mark.parametrize("read", READS)
def test_reads_are_a_range_of_an_index(owner, read):
    account, person = owner
    query, most = READS[read]
    with person.acting() as db:
        if "balance_at" in read or "private." in query:
            db.execute("reset role")  # a function that looks with its owner's eyes
        ((plans,),) = db.execute(
            "explain (analyze, format json) " + query.format(account=account)
        ).fetchall()
    plan = plans[0]["Plan"]
    kinds = {node["Node Type"] for node in _nodes(plan)}
    assert "Seq Scan" not in kinds, json.dumps(plan, indent=1)
    assert not [
        node for node in _nodes(plan) if node["Node Type"] == "Sort" and node["Actual Rows"] > PAGE
    ]
    assert _looked_at(plan) <= most, json.dumps(plan, indent=1)
