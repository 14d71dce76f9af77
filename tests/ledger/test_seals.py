"""Tampering shows: a seal hashes every posting since the seal before it."""

import asyncio
from types import SimpleNamespace

import psycopg
import pytest
from pydantic import SecretStr

from workers.core.db import make_pool
from workers.core.settings import Settings
from workers.ledger.tasks import seal_postings


def _tamper(books, statement, *arguments):
    """As a superuser who switches the guards off."""
    books.db.execute("set session_replication_role = replica")
    books.db.execute(statement, arguments)
    books.db.execute("reset session_replication_role")


@pytest.fixture
def sealed(open_books):
    books = open_books()
    ada, ben = books.person(1000), books.person()
    for step in range(5):
        books.move(f"a:{step}", {ada: -10, ben: 10})
    first = books.one("select private.seal_ledger()")
    for step in range(5):
        books.move(f"b:{step}", {ada: -10, ben: 10})
    assert books.one("select private.seal_ledger()") == first + 1
    assert books.findings() == []
    return books


def test_nothing_new_makes_no_seal(sealed):
    assert sealed.one("select private.seal_ledger()") is None
    assert sealed.db.execute(
        "select transaction_count, entry_count from private.ledger_seals order by id"
    ).fetchall() == [(6, 12), (5, 10)]


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_transactions set memo = 'forged' where idempotency_key = 'a:3'",
        "update ledger_transactions set posted_at = posted_at - interval '1 day'"
        " where idempotency_key = 'b:1'",
        "delete from ledger_entries using ledger_transactions as t"
        " where transaction_id = t.id and t.idempotency_key = 'a:2'",
        "update ledger_entries set amount_minor = amount_minor * 2, balance_minor = 0"
        " from ledger_transactions as t where transaction_id = t.id and t.idempotency_key = 'b:4'",
        "update private.ledger_seals set hash = sha256('forged') where id = (select min(id)"
        " from private.ledger_seals)",
        "delete from private.ledger_seals where id = (select min(id) from private.ledger_seals)",
    ],
)
def test_a_change_of_the_past_is_found(sealed, statement):
    _tamper(sealed, statement)
    assert "seal broken" in {finding for finding, _ in sealed.findings()}


@pytest.mark.parametrize(
    "column",
    [
        "owner_id = case owner_id when %(ada)s then %(ben)s::uuid else %(ada)s end",
        "subject_id = %(ada)s",
        "provider = 'paypal'",
        "kind = 'escrow'",
        "currency = 'USD'",
    ],
)
def test_an_account_that_became_another_is_found(sealed, column):
    """Whose it is, is sealed with what moved on it: the sums alone would still agree."""
    ada, ben = (row[0] for row in sealed.db.execute(
        "select owner_id from ledger_accounts where owner_id is not null order by id"
    ))  # fmt: skip
    sealed.db.execute("set session_replication_role = replica")
    sealed.db.execute("alter table ledger_accounts drop constraint ledger_accounts_identity_key")
    sealed.db.execute(
        f"update ledger_accounts set {column} where owner_id is not null",
        {"ada": ada, "ben": ben},
    )
    sealed.db.execute("reset session_replication_role")
    assert "seal broken" in {finding for finding, _ in sealed.findings()}


def test_a_deleted_person_breaks_no_seal(open_books):
    """Their account keeps its owner, who is nobody any more."""
    books = open_books()
    ada, ben = books.person(100), books.person()
    books.move("all", {ada: -100, ben: 100})
    books.one("select private.seal_ledger()")
    books.db.execute(
        "update profiles set deleted_at = now() where id ="
        " (select owner_id from ledger_accounts where id = %s)", [ada],
    )  # fmt: skip
    assert books.findings() == []


def test_what_was_sealed_before_is_verified_as_it_was_sealed(open_books):
    """A chain goes on from seals that did not name whose the accounts are."""
    books = open_books()
    ada, ben = books.person(100), books.person()
    books.db.execute(
        "insert into private.ledger_seals"
        " (transaction_ids, transaction_count, entry_count, hash, form)"
        " select ids, made.transaction_count, made.entry_count, made.hash, 1"
        " from private.unsealed_ids() as ids, private.hash_postings('', ids, 1) as made"
    )
    books.move("later", {ada: -10, ben: 10})
    books.one("select private.seal_ledger()")
    assert books.findings() == []
    assert books.db.execute("select form from private.ledger_seals order by id").fetchall() == [
        (1,), (2,),
    ]  # fmt: skip
    _tamper(books, "update ledger_transactions set memo = 'forged' where id = 1")
    assert "seal broken" in {finding for finding, _ in books.findings()}


def test_a_forged_balance_is_found(sealed):
    _tamper(
        sealed, "update ledger_accounts set posted_minor = posted_minor + 1 where not is_folded"
    )
    assert {finding for finding, _ in sealed.findings()} == {"balance differs from its entries"}


def test_a_posting_under_way_is_sealed_later(open_books):
    books, other = open_books(), open_books()
    ada, ben = books.person(100), books.person()
    with other.db.transaction():
        other.move("slow", {ada: -1, ben: 1})
        books.person(100)
        assert books.one("select private.seal_ledger()") == 1
    assert books.one("select private.seal_ledger()") == 2
    assert books.one("select private.seal_ledger()") is None
    assert books.db.execute(
        "select transaction_count from private.ledger_seals order by id"
    ).fetchall() == [(2,), (1,)]
    assert books.findings() == []


def test_a_seal_names_a_hundred_thousand_at_most(open_books):
    books = open_books()
    books.db.execute(
        "insert into ledger_transactions (kind, idempotency_key, input_hash, posted_at)"
        " select 'test.import', n::text, '', now() from generate_series(1, 100001) as n"
    )
    assert books.one("select private.seal_ledger()") == 1
    assert books.one("select private.seal_ledger()") == 2
    assert books.one("select private.seal_ledger()") is None
    assert books.db.execute(
        "select transaction_count from private.ledger_seals order by id"
    ).fetchall() == [(100000,), (1,)]


def test_the_worker_seals_however_much_there_is(own_database):
    """Not one seal in five minutes, which were 333 postings a second."""

    async def run():
        async with make_pool(Settings(database_url=SecretStr(own_database))) as pool:
            await seal_postings(SimpleNamespace(additional_context={"pool": pool}), 0)

    with psycopg.connect(own_database, autocommit=True) as db:
        db.execute(
            "insert into ledger_transactions (kind, idempotency_key, input_hash, posted_at)"
            " select 'test.import', n::text, '', now() from generate_series(1, 200001) as n"
        )
        for _ in range(2):
            asyncio.run(run())
            assert db.execute(
                "select transaction_count, count(*) over (partition by xmin::text)"
                " from private.ledger_seals order by id"
            ).fetchall() == [(100000, 1), (100000, 1), (1, 1)]


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("delete from ledger_accounts where owner_id is not null", "entry of no account"),
        (
            "delete from ledger_transactions where idempotency_key = 'b:1'",
            "entry of no transaction",
        ),
        ("delete from ledger_entries where amount_minor > 0", "transaction unbalanced"),
        ("delete from ledger_entries", "transaction empty"),
        (
            "insert into private.ledger_seals"
            " (transaction_ids, transaction_count, entry_count, hash) values ('{[3,4)}', 1, 2, '')",
            "sealed twice",
        ),
    ],
)
def test_what_is_missing_or_doubled_is_named(sealed, statement, finding):
    _tamper(sealed, statement)
    assert finding in {found for found, _ in sealed.findings()}


def test_folds_change_no_balance(open_books):
    books = open_books()
    ada = books.person(1000)
    clearing = books.clearing()
    for step in range(3):
        assert books.balance(clearing) == -1000 - step * 10
        books.db.execute("select private.fold_balances()")
        assert books.balance(clearing) == -1000 - step * 10
        books.move(f"in:{step}", {clearing: -10, ada: 10})
    assert books.one("select balance_minor from private.ledger_folds") == -1020
    assert books.findings() == []
