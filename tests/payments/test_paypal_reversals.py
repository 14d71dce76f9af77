"""A payment that PayPal takes back is booked once: its case decides, the reversal only freezes."""

import json

import pytest

from workers.payments.paypal_facts import event_facts

CAPTURE = "42311647XV020574X"


def _reversed():
    return {
        "event_type": "PAYMENT.CAPTURE.REVERSED",
        "resource": {
            "id": "8LT12345RE678901X",
            "amount": {"currency_code": "EUR", "value": "11.00"},
            "links": [{"rel": "up", "href": f"https://x/v2/payments/captures/{CAPTURE}"}],
        },
    }


def _case(outcome=None, amount="11.00"):
    return {
        "event_type": "CUSTOMER.DISPUTE.UPDATED",
        "resource": {
            "dispute_id": "PP-D-1",
            "disputed_transactions": [{"seller_transaction_id": CAPTURE}],
            "reason": "UNAUTHORISED",
            "status": "RESOLVED" if outcome else "OPEN",
            "dispute_life_cycle_stage": "CHARGEBACK",
            "dispute_amount": {"currency_code": "EUR", "value": amount},
        }
        | ({"dispute_outcome": {"outcome_code": outcome}} if outcome else {}),
    }


def _book(till, *events):
    for event in events:
        for fact in event_facts(json.loads(json.dumps(event))):
            query, arguments = fact.booking("paypal")
            assert till.told(query, *arguments) == "ok"


@pytest.fixture
def escrow(till):
    """An escrow that PayPal paid: eleven euros."""
    escrow, order = till.escrow()
    till.pay(order, 1100, reference=CAPTURE, provider="paypal")
    return escrow


def _frozen(till, escrow):
    return till.one("select frozen_at is not null from escrows where id = %s", escrow)


def _charged_back(till):
    return till.one("select charged_back_minor from payments")


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (0, 2, 1), (2, 1, 0)])
def test_lost_is_booked_once_in_any_order(till, escrow, order):
    events = [_case(), _reversed(), _case("RESOLVED_BUYER_FAVOUR")]
    for number in (*order, *order):
        _book(till, events[number])
    assert _charged_back(till) == 1100
    assert till.held("clearing") == 0
    assert till.findings() == []


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (0, 2, 1), (2, 1, 0)])
def test_won_frees_what_was_frozen_in_any_order(till, escrow, order):
    events = [_case(), _reversed(), _case("RESOLVED_SELLER_FAVOUR")]
    for number in (*order, *order):
        _book(till, events[number])
    assert _charged_back(till) == 0
    assert _frozen(till, escrow) is False
    assert till.findings() == []


def test_a_reversal_without_a_case_stays_frozen(till, escrow):
    _book(till, _reversed(), _reversed())
    assert _frozen(till, escrow) is True
    assert _charged_back(till) == 0
