"""Money that arrived is always booked: it settles its order once, the rest goes back."""

import json
import uuid

import pytest

from tests.payments.conftest import PAY
from workers.core.settings import Settings
from workers.payments.stripe import Stripe


def test_the_same_payment_may_come_again(till, db):
    order = till.order()
    for _ in range(3):
        assert till.pay(order, reference="pi_1") == till.pay(order, reference="pi_1")
    assert db.execute(
        "select status::text, provider_reference from orders where id = %s", [order]
    ).fetchall() == [("paid", "pi_1")]
    assert till.held(person=till.payer) == 500
    assert till.refunds() == []


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (100_000_000_000_000, "row"),
        (100_000_000_000_001, "payments.invalid_amount"),
        (9_000_000_000_000_000_000, "payments.invalid_amount"),
        (0, "payments.invalid_amount"),
        (None, "payments.invalid_amount"),
    ],
)
def test_what_can_be_ordered_can_be_booked(till, amount, code):
    """10^14 at most, as of an escrow: more would come from the provider and fit in no account."""
    assert till.payer.outcome("select create_order(%s, 'EUR', 'tea')", [amount]) == code
    if code == "row":
        till.pay(till.order(amount), amount)
        assert till.held(person=till.payer) == amount
        assert till.findings() == []


@pytest.mark.parametrize(
    ("amount", "applied", "tax", "net"), [(500, 500, 79, 421), (600, 500, 79, 421), (499, 0, 0, 0)]
)
def test_the_parts_of_a_receipt(till, amount, applied, tax, net):
    """Of what settled the order; what goes back is neither tax nor net."""
    till.db.execute("insert into private.tax_rates (country, rate_bps) values ('DE', 1900)")
    till.db.execute("update profile_private set country = 'DE' where user_id = %s", [till.payer.id])
    payment = till.pay(till.order(), amount)
    ((receipt,),) = till.payer.rows("select get_receipt(%s)", [payment])
    parts = ("amount_minor", "applied_minor", "tax_minor", "net_minor")
    assert [receipt[name] for name in parts] == [amount, applied, tax, net]
    assert receipt["issuer"] is None


@pytest.mark.parametrize(
    ("amount", "currency", "applied", "note"),
    [
        (500, "EUR", 500, None),
        (501, "EUR", 500, None),
        (100_000, "EUR", 500, None),
        (499, "EUR", 0, "less than was ordered"),
        (1, "EUR", 0, "less than was ordered"),
        (500, "USD", 0, "paid in another currency"),
        (500, "JPY", 0, "paid in another currency"),
    ],
)
def test_over_and_under_payment_go_back(till, amount, currency, applied, note):
    order = till.order()
    payment = till.pay(order, amount, currency)
    assert till.db.execute(
        "select applied_minor, note from payments where id = %s", [payment]
    ).fetchall() == [(applied, note)]
    back = [(amount - applied, "requested")] if amount > applied else []
    assert [row[1:] for row in till.refunds()] == back
    assert till.one("select status from orders where id = %s", order) == (
        "paid" if applied else "pending"
    )
    # all of it is the payer's, and what goes back is held back
    assert till.held("clearing", currency=currency) == -amount
    assert till.payer.rows(
        "select available_minor from ledger_balances where currency = %s", [currency]
    ) == [(applied,)]
    assert till.findings() == []


def test_a_second_payment_goes_back(till):
    order = till.order()
    till.pay(order, reference="pi_1")
    till.pay(order, reference="pi_2")
    assert [row[1:] for row in till.refunds()] == [(500, "requested")]
    assert till.one("select provider_reference from orders where id = %s", order) == "pi_1"


def test_a_payment_after_cancellation_goes_back(till):
    escrow, order = till.escrow()
    till.payer.rows("select cancel_escrow(%s)", [escrow])
    payment = till.pay(order, 1100)
    assert till.one("select note from payments where id = %s", payment) == "escrow.not_payable"
    assert [row[1:] for row in till.refunds()] == [(1100, "requested")]
    assert till.held("escrow") == 0
    assert till.findings() == []


def test_a_provider_without_refunds_leaves_it_to_the_payer(till):
    """What is not needed is then the payer's balance, to be withdrawn."""
    till.db.execute(
        "delete from private.provider_actions"
        " where (provider, action) = ('coinbase', 'payments.send_refund')"
    )
    till.pay(till.order(500, "USD"), 499, "USD", provider="coinbase")
    assert till.refunds() == []
    assert till.payer.rows("select available_minor from ledger_balances") == [(499,)]


def test_one_payment_is_of_one_order(till):
    order, other = till.order(), till.order()
    till.pay(order, reference="pi_1")
    for arguments in [
        (other, "stripe", "pi_1", 500, "EUR"), (order, "stripe", "pi_1", 501, "EUR"),
        (order, "stripe", "pi_1", 500, "USD"),
    ]:  # fmt: skip
        assert till.told(PAY, *arguments) == "payments.payment_mismatch"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "EUR", "payments.invalid_amount"),
        (-1, "EUR", "payments.invalid_amount"),
        (None, "EUR", "payments.invalid_amount"),
        (500, "eur", "payments.invalid_currency"),
        (500, None, "payments.invalid_currency"),
        (500, "EURO", "payments.invalid_currency"),
    ],
)
def test_bad_input_moves_nothing(till, amount, currency, code):
    assert till.told(PAY, till.order(), "stripe", "pi_1", amount, currency) == code
    assert till.one("select count(*) from payments") == 0


def test_an_order_of_nobody(till):
    assert till.told(PAY, uuid.uuid4(), "stripe", "pi", 5, "EUR") == "payments.order_not_found"


def test_a_payment_is_found_by_what_was_started(till):
    """Where the provider does not echo our id, its own of the started payment names the order."""
    order = till.order()
    till.db.execute(
        "insert into payment_attempts (order_id, provider, reference, status)"
        " values (%s, 'razorpay', 'order_1', 'started')",
        [order],
    )
    record = "select private.record_payment(null, 'razorpay', %s, 500, 'EUR', null, %s)"
    assert till.told(record, "pay_1", "order_2") == "payments.order_not_found"
    assert till.told(record, "pay_1", "order_1") == "ok"
    assert till.one("select status from orders where id = %s", order) == "paid"
    assert till.one("select status from payment_attempts") == "succeeded"


def test_the_providers_fee_is_the_platforms_cost(till):
    for _ in range(2):
        till.worker.rows(
            "select private.record_payment(%s, 'stripe', 'pi_1', 500, 'EUR', 30)",
            [till.one("select id from orders") or till.order()],
        )
    assert (till.held("clearing"), till.held("costs")) == (-470, -30)
    assert till.held(person=till.payer) == 500


@pytest.mark.parametrize("metadata", [None, {}, {"order_id": "ORD-17"}, {"order_id": 17}])
def test_payments_of_others_mean_nothing(metadata):
    intent = {"id": "pi_1", "amount_received": 1, "currency": "eur", "metadata": metadata}
    event = {"type": "payment_intent.succeeded", "data": {"object": intent}}
    provider = Stripe(Settings(_env_file=None, database_url="postgresql://nowhere"))
    assert list(provider.read(json.dumps(event).encode())) == []
