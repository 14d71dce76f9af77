"""Plans, people who subscribe to them, and what a provider tells of it, on one connection."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.billing.desk import open_desk
from tests.fixtures.people import error_code, sign_up
from workers.billing.facts import InvoiceChanged, InvoicePaid, SubscriptionChanged

START = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Office:
    """A subscriber, the prices of the plans as Stripe knows them, and the worker who books."""

    def __init__(self, db, cast):
        self.db, self.cast, self.worker = db, cast, cast["worker"]
        self.owner = cast["sponsor"]
        db.execute(
            "update plan_prices set reference"
            " = 'price_' || plan || '_' || lower(currency) || '_' || period"
        )

    def one(self, query, *arguments):
        row = self.db.execute(query, arguments).fetchone()
        return row[0] if row else None

    def price(self, reference):
        return self.one("select id from plan_prices where reference = %s", reference)

    def told(self, fact):
        """What the database answers a fact: `ok`, or the code of its refusal."""
        query, arguments = fact.booking("stripe")
        try:
            with self.db.transaction():
                self.worker.rows(query, arguments)
        except psycopg.Error as error:
            return error_code(error)
        return "ok"

    def subscription(self, status="active", at=START, person=None, **changes):
        """A fact, as an event of this time tells it."""
        known = SubscriptionChanged(
            reference="sub_1",
            customer="cus_1",
            price="price_premium_eur_month",
            status=status,
            started_at=START,
            period_start=START,
            period_end=START + 31 * DAY,
            owner_id=(person or self.owner).id,
            told_at=at,
            event=f"evt_{uuid.uuid4().hex}",
            ended_at=at if status in ("canceled", "incomplete_expired") else None,
        )
        return replace(known, **changes)

    def invoice(self, status="paid", at=START, paid=1900, person=None, **changes):
        known = InvoiceChanged(
            reference="in_1",
            subscription="sub_1",
            customer="cus_1",
            status=status,
            currency="EUR",
            total_minor=1900,
            paid_minor=paid,
            issued_at=START,
            owner_id=(person or self.owner).id,
            number="GUILD-0001",
            told_at=at,
            event=f"evt_{uuid.uuid4().hex}",
        )
        return replace(known, **changes)

    def subscribe(self, person=None, **changes):
        """Somebody with an active subscription that is paid."""
        assert self.told(self.subscription(person=person, **changes)) == "ok"

    def pay(self, amount=1900, **changes):
        """An invoice that was paid by pi_1."""
        assert self.told(self.invoice(paid=amount, total_minor=amount, **changes)) == "ok"
        assert self.told(InvoicePaid("pi_1", changes.get("reference", "in_1"))) == "ok"

    def held(self, *columns, reference="sub_1"):
        """A subscription's row, or these columns of it."""
        names = ", ".join(columns) or "*"
        return self.db.execute(
            f"select {names} from subscriptions where reference = %s", [reference]
        ).fetchone()

    def is_premium(self, person=None):
        return self.one("select private.is_premium(%s)", (person or self.owner).id)

    def balance(self, kind, currency="EUR"):
        return (
            self.one(
                "select sum(private.account_balance(id))::bigint from ledger_accounts"
                " where kind = %s and currency = %s and owner_id is null",
                kind,
                currency,
            )
            or 0
        )

    def open_agreement(self, person=None, parts=1):
        """An agreement's escrows: their ids, or the code of the refusal."""
        milestones = ", ".join(['{"title": "x", "price_minor": 1000}'] * parts)
        try:
            with self.db.transaction():
                return [
                    row[0]
                    for row in (person or self.owner).rows(
                        "select id from open_escrow(%s, 'Tea', 'EUR', %s)",
                        [self.cast["creator"].id, f"[{milestones}]"],
                    )
                ]
        except psycopg.Error as error:
            return error_code(error)

    def findings(self):
        return self.db.execute(
            "select * from private.check_billing() union all select * from private.verify_ledger()"
        ).fetchall()

    def sign_up(self, name="somebody"):
        return sign_up(self.db, name, "sponsor")


@pytest.fixture
def office(db, cast):
    return Office(db, cast)


@pytest.fixture
def desk(own_database):
    with open_desk(own_database) as opened:
        yield opened


@pytest.fixture
def subscribed(desk):
    """Paid from the first day: who tried the plan before, or a plan without a trial."""
    desk.api.execute("update plans set trial_days = 0")
    desk.subscribe()
    return desk
