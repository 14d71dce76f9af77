"""Accounts to move money between."""

import psycopg
import pytest

from tests.fixtures.people import sign_up


class Books:
    """The ledger, as the functions of other domains use it: by the owner's hand."""

    def __init__(self, db):
        self.db = db

    def one(self, query, *arguments):
        row = self.db.execute(query, arguments).fetchone()
        return row[0] if row else None

    def account(self, kind="available", currency="EUR", **whose):
        names = "".join(f", {name} => %s" for name in whose)
        return self.one(
            f"select private.ledger_account(%s, %s{names})", kind, currency, *whose.values()
        )

    def person(self, funds=0, currency="EUR"):
        """A new person's account with money in it."""
        owner = sign_up(self.db, "someone")
        account = self.account(owner_id=owner.id, currency=currency)
        if funds:
            self.move(f"fund:{account}", {self.clearing(currency): -funds, account: funds})
        return account

    def clearing(self, currency="EUR"):
        return self.account("clearing", currency, provider="stripe")

    def move(self, key, lines, kind="test.move_money", memo=""):
        return self.one(
            "select private.post_transaction(%s, %s, %s, %s, memo => %s)",
            key, kind, list(lines), list(lines.values()), memo,
        )  # fmt: skip

    def balance(self, account):
        return self.one("select private.account_balance(%s)", account)

    def trial_balance(self):
        """What all entries sum to, per currency: nothing but zeros, ever."""
        return dict(
            self.db.execute(
                "select account.currency, sum(entry.amount_minor)::bigint"
                " from ledger_entries as entry"
                " join ledger_accounts as account on account.id = entry.account_id group by 1"
            ).fetchall()
        )

    def broken_statements(self):
        """Entries whose balance is not the sum so far, or that came later with a smaller id."""
        return self.db.execute(
            "select * from ("
            "  select entry.*,"
            "    sum(amount_minor) over account as so_far,"
            "    lag(transaction_id) over account as id_before"
            "  from ledger_entries as entry join ledger_accounts as a on a.id = account_id"
            "  where not a.is_folded"
            "  window account as (partition by account_id order by posted_at, transaction_id)"
            ") as line where balance_minor <> so_far or transaction_id < id_before"
        ).fetchall()

    def findings(self):
        return self.db.execute("select * from private.verify_ledger()").fetchall()


@pytest.fixture
def books(db):
    return Books(db)


@pytest.fixture
def open_books(own_database):
    """Books of a database of one's own, committed at once; call for more connections."""
    connections = []

    def connect():
        connections.append(psycopg.connect(own_database, autocommit=True))
        return Books(connections[-1])

    yield connect
    for connection in connections:
        connection.close()
