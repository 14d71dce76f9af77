"""Orders, payments that arrive for them, and what the ledger says afterwards."""

import uuid

import psycopg
import pytest

from tests.fixtures.people import error_code
from tests.payments.purses import Purse

PAY = "select private.record_payment(%s, %s, %s, %s, %s)"
REFUND = "select private.change_refund('stripe', %s, %s, %s, %s, 'EUR', %s, 'x')"
DISPUTE = (
    "select private.change_payment_dispute('stripe', %s, %s, %s, %s, 'EUR', 'fraudulent', null)"
)


class Till:
    """What providers tell the database, by the worker's hand."""

    def __init__(self, db, cast):
        self.db, self.cast, self.worker = db, cast, cast["worker"]
        self.payer = cast["sponsor"]

    def one(self, query, *arguments):
        row = self.db.execute(query, arguments).fetchone()
        return row[0] if row else None

    def order(self, amount=500, currency="EUR"):
        return self.payer.rows("select (create_order(%s, %s, 'tea')).id", [amount, currency])[0][0]

    def escrow(self, price=1000):
        """An escrow and the order that pays it, price and fee."""
        ((escrow,),) = self.payer.rows(
            "select id from open_escrow(%s, 'Tea', 'EUR',"
            " jsonb_build_array(jsonb_build_object('title', 'x', 'price_minor', %s::bigint)))",
            [self.cast["creator"].id, price],
        )
        ((order,),) = self.payer.rows("select id from order_escrow(%s)", [escrow])
        return escrow, order

    def pay(self, order, amount=500, currency="EUR", reference=None, provider="stripe"):
        """The payment's id."""
        reference = reference or f"pi_{uuid.uuid4().hex}"
        return self.worker.rows(PAY, [order, provider, reference, amount, currency])[0][0]

    def told(self, query, *arguments):
        """What the database answers a fact: `ok`, or the code of its refusal."""
        try:
            with self.db.transaction():
                self.worker.rows(query, arguments)
        except psycopg.Error as error:
            return error_code(error)
        return "ok"

    def refund(self, payment, status, amount, reference="re_1", request=None):
        return self.told(REFUND, reference, self.reference(payment), status, amount, request)

    def dispute(self, payment, status, amount, reference="dp_1"):
        return self.told(DISPUTE, reference, self.reference(payment), status, amount)

    def claim(self, refund):
        """The request of a refund, as a worker takes it up."""
        return self.worker.rows(
            "select request_id, payment, amount_minor, is_repeat, may_resend"
            " from private.claim_refund(%s)",
            [refund],
        )

    def reference(self, payment):
        return self.one("select reference from payments where id = %s", payment)

    def refunds(self):
        return self.db.execute(
            "select id, amount_minor, status from refunds order by created_at, id"
        ).fetchall()

    def held(self, kind="available", person=None, currency="EUR"):
        return (
            self.one(
                "select sum(private.account_balance(id))::bigint from ledger_accounts"
                " where kind = %s and currency = %s and owner_id is not distinct from %s",
                kind, currency, person and person.id,
            )
            or 0
        )  # fmt: skip

    def findings(self):
        return self.db.execute(
            "select * from private.check_escrows() union all select * from private.verify_ledger()"
        ).fetchall()


@pytest.fixture
def till(db, cast):
    return Till(db, cast)


@pytest.fixture
def purse(db):
    """Somebody with 10,000 EUR minor units and a Stripe account that may be paid."""
    made = Purse(db)
    made.fund(10_000)
    made.account()
    return made
