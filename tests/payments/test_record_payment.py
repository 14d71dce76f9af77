"""A payment settles one order once; whatever else arrives is refused, so that somebody looks."""

import json
import uuid

import pytest

from workers.payments.stripe import read

PAY = "select private.record_payment(%s, 'stripe', %s, %s, %s)"


@pytest.fixture
def order(cast):
    ((made,),) = cast["sponsor"].rows("select (create_order(500, 'EUR', 'tea')).id")
    return made


def test_the_same_payment_may_come_again(cast, db, order):
    for _ in range(2):
        cast["worker"].rows(PAY, [order, "pi_1", 500, "EUR"])
    assert db.execute(
        "select status::text, provider_reference from orders where id = %s", [order]
    ).fetchall() == [("paid", "pi_1")]


def test_a_second_payment_does_not_pass_for_the_first(cast, order):
    cast["worker"].rows(PAY, [order, "pi_1", 500, "EUR"])
    assert cast["worker"].outcome(PAY, [order, "pi_2", 500, "EUR"]) == "payments.already_paid"


def test_one_payment_pays_one_order(cast, order):
    ((other,),) = cast["sponsor"].rows("select (create_order(500, 'EUR', 'tea')).id")
    cast["worker"].rows(PAY, [order, "pi_1", 500, "EUR"])
    assert cast["worker"].outcome(PAY, [other, "pi_1", 500, "EUR"]) == "payments.already_paid"


@pytest.mark.parametrize(("amount", "currency"), [(499, "EUR"), (501, "EUR"), (500, "USD")])
def test_it_is_exactly_what_was_ordered(cast, order, amount, currency):
    told = cast["worker"].outcome(PAY, [order, "pi_1", amount, currency])
    assert told == "payments.order_mismatch"


def test_an_order_of_nobody(cast):
    told = cast["worker"].outcome(PAY, [uuid.uuid4(), "pi_1", 500, "EUR"])
    assert told == "payments.order_not_found"


@pytest.mark.parametrize("metadata", [None, {}, {"order_id": "ORD-17"}, {"order_id": 17}])
def test_payments_of_others_mean_nothing(metadata):
    intent = {"id": "pi_1", "amount_received": 1, "currency": "eur", "metadata": metadata}
    event = {"type": "payment_intent.succeeded", "data": {"object": intent}}
    assert read(json.dumps(event).encode()) is None
