"""What an operator asks the ledger."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TextIO

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must hold and does not."""

    finding: str
    subject: str


@dataclass(frozen=True, slots=True)
class Total:
    """What all accounts of a kind hold together, in minor units."""

    currency: str
    kind: str
    accounts: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One amount that moved on an account, and its balance after it; minor units."""

    posted_at: datetime
    transaction_id: int
    kind: str
    memo: str
    amount_minor: int
    balance_minor: int | None
    currency: str


def verify(db_url: str) -> list[Finding]:
    """Every violation; none means that the ledger is whole."""
    with psycopg.connect(db_url) as db, db.cursor(row_factory=class_row(Finding)) as cursor:
        return cursor.execute("select * from private.verify_ledger()").fetchall()


def check(db_url: str) -> list[Finding]:
    """What must hold of all money and does not, from its beginning."""
    with psycopg.connect(db_url) as db, db.cursor(row_factory=class_row(Finding)) as cursor:
        return cursor.execute("select * from private.check_everything()").fetchall()


def trial_balance(db_url: str) -> list[Total]:
    """Balances by currency and kind; those of a currency sum to zero."""
    with psycopg.connect(db_url) as db, db.cursor(row_factory=class_row(Total)) as cursor:
        return cursor.execute(
            "select currency, kind, count(*) as accounts,"
            " sum(private.account_balance(id))::bigint as balance_minor"
            " from public.ledger_accounts group by 1, 2 order by 1, 2"
        ).fetchall()


def has_account(db_url: str, account_id: int) -> bool:
    """Whether there is an account of this id."""
    with psycopg.connect(db_url) as db:
        found = db.execute("select from public.ledger_accounts where id = %s", [account_id])
        return found.rowcount > 0


def statement(db_url: str, account_id: int) -> Iterator[StatementLine]:
    """An account's lines, oldest first, streamed."""
    with (
        psycopg.connect(db_url) as db,
        db.cursor(name="statement", row_factory=class_row(StatementLine)) as cursor,
    ):
        cursor.execute(
            "select posted_at, transaction_id, kind, memo, amount_minor, balance_minor, currency"
            " from public.ledger_statement where account_id = %s"
            " order by posted_at, transaction_id",
            [account_id],
        )
        yield from cursor


def write_csv(lines: Iterator[StatementLine], to: TextIO) -> None:
    """A statement as CSV. A memo that a spreadsheet would run as a formula is defused."""
    names = [field.name for field in fields(StatementLine)]
    writer = csv.writer(to)
    writer.writerow(names)
    for line in lines:
        writer.writerow([_plain(getattr(line, name)) for name in names])


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value
