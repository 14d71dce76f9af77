"""What Stripe's events mean: the facts they tell, whatever fields are missing or new."""

import hashlib
import json
import uuid
from contextlib import suppress

import pytest

from tests.fixtures.sandboxing import NOWHERE
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments.base import (
    AccountChanged,
    PaymentApproved,
    PaymentDisputed,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
    UnreadableEvent,
    WithdrawalChanged,
    WithdrawalStranded,
)
from workers.payments.stripe import Stripe
from workers.payments.stripe_events import KINDS

ORDER, KEY = uuid.uuid4(), uuid.uuid4()
EUR = Money(1100, "EUR")
INTENT = {
    "id": "pi_1",
    "status": "succeeded",
    "amount_received": 1100,
    "currency": "eur",
    "metadata": {"order_id": str(ORDER), "key": str(KEY)},
    "latest_charge": "ch_1",
    "last_payment_error": None,
}
SESSION = {
    "id": "cs_1",
    "mode": "payment",
    "status": "complete",
    "payment_status": "paid",
    "amount_total": 1100,
    "currency": "eur",
    "payment_intent": "pi_1",
    "metadata": {"order_id": str(ORDER)},
}
REFUND = {
    "id": "re_1",
    "status": "succeeded",
    "amount": 1100,
    "currency": "eur",
    "payment_intent": "pi_1",
    "charge": "ch_1",
    "metadata": {"key": str(KEY)},
}
DISPUTE = {
    "id": "dp_1",
    "status": "needs_response",
    "amount": 1100,
    "currency": "eur",
    "payment_intent": "pi_1",
    "charge": "ch_1",
    "reason": "fraudulent",
}
PAYOUT = {
    "id": "po_1",
    "status": "pending",
    "amount": 1100,
    "currency": "eur",
    "metadata": {"key": str(KEY), "transfer": "tr_1"},
}
TRANSFER = {"id": "tr_1", "reversed": False, "metadata": {"key": str(KEY)}}
ACCOUNT = {
    "id": "acct_1",
    "details_submitted": True,
    "payouts_enabled": True,
    "capabilities": {"transfers": "active"},
    "requirements": {"currently_due": [], "past_due": [], "disabled_reason": None},
}
CAPABILITY = {"id": "transfers", "account": "acct_1", "status": "active", "requirements": {}}
FAILED = {
    "status": "requires_payment_method",
    "last_payment_error": {"code": "card_declined", "message": "Your card was declined."},
}
ON_PAGE = {"metadata": INTENT["metadata"] | {"page": "checkout"}}
PAID = PaymentSucceeded("pi_1", EUR, ORDER, "pi_1")


def _account(**changes):
    asked = ACCOUNT["requirements"] | changes.pop("requirements", {})
    return ACCOUNT | changes | {"requirements": asked}


def _bank(**changes):
    return {
        "id": "ba_1", "object": "bank_account", "currency": "eur", "default_for_currency": True,
        "fingerprint": "f1",
    } | changes  # fmt: skip


def _dispute(status):
    return PaymentDisputed("dp_1", "pi_1", status, EUR, "fraudulent")


def _refund(status, **changes):
    fact = {"reference": "re_1", "payment": "pi_1", "amount": EUR, "key": KEY} | changes
    return RefundChanged(status=status, **fact)


TOLD = [
    # payments by an intent of ours
    ("payment_intent.succeeded", INTENT, PAID),
    ("payment_intent.succeeded", INTENT | ON_PAGE, PaymentSucceeded("pi_1", EUR, ORDER)),
    (
        "payment_intent.payment_failed",
        INTENT | FAILED,
        PaymentFailed("Your card was declined.", ORDER, "pi_1"),
    ),
    # on a page another card may be tried
    ("payment_intent.payment_failed", INTENT | FAILED | ON_PAGE, None),
    (
        "payment_intent.canceled",
        INTENT | {"status": "canceled", "cancellation_reason": "abandoned"},
        PaymentFailed("canceled: abandoned", ORDER, "pi_1"),
    ),
    (
        "payment_intent.amount_capturable_updated",
        INTENT | {"status": "requires_capture"},
        PaymentApproved("pi_1"),
    ),
    # of others: an invoice's, a shop's beside ours
    ("payment_intent.succeeded", INTENT | {"metadata": {}}, None),
    ("payment_intent.succeeded", INTENT | {"metadata": None}, None),
    ("payment_intent.succeeded", INTENT | {"metadata": {"order_id": "R-17"}}, None),
    # payments on a page
    ("checkout.session.completed", SESSION, PaymentSucceeded("pi_1", EUR, ORDER, "cs_1")),
    ("checkout.session.completed", SESSION | {"payment_status": "unpaid"}, None),
    ("checkout.session.completed", SESSION | {"mode": "subscription"}, None),
    (
        "checkout.session.async_payment_succeeded",
        SESSION | {"payment_intent": {"id": "pi_1"}},
        PaymentSucceeded("pi_1", EUR, ORDER, "cs_1"),
    ),
    (
        "checkout.session.async_payment_failed",
        SESSION | {"payment_status": "unpaid"},
        PaymentFailed("the delayed payment failed", ORDER, "cs_1"),
    ),
    (
        "checkout.session.expired",
        SESSION | {"status": "expired", "payment_status": "unpaid", "payment_intent": None},
        PaymentFailed("the page expired", ORDER, "cs_1"),
    ),
    # refunds
    ("refund.created", REFUND | {"status": "pending"}, _refund("pending")),
    ("refund.updated", REFUND, _refund("succeeded")),
    ("charge.refund.updated", REFUND | {"status": "requires_action"}, _refund("pending")),
    (
        "refund.failed",
        REFUND | {"status": "failed", "failure_reason": "lost_or_stolen_card"},
        _refund("failed", reason="lost_or_stolen_card"),
    ),
    ("refund.updated", REFUND | {"status": "canceled"}, _refund("failed")),
    ("refund.created", REFUND | {"metadata": None}, _refund("succeeded", key=None)),
    ("refund.created", REFUND | {"payment_intent": None}, _refund("succeeded", payment="ch_1")),
    # disputes
    ("charge.dispute.created", DISPUTE, _dispute("open")),
    ("charge.dispute.funds_withdrawn", DISPUTE, _dispute("open")),
    ("charge.dispute.updated", DISPUTE | {"status": "under_review"}, _dispute("open")),
    ("charge.dispute.updated", DISPUTE | {"status": "appeal_under_review"}, _dispute("open")),
    ("charge.dispute.created", DISPUTE | {"status": "warning_needs_response"}, _dispute("open")),
    ("charge.dispute.closed", DISPUTE | {"status": "warning_closed"}, _dispute("won")),
    ("charge.dispute.closed", DISPUTE | {"status": "prevented"}, _dispute("won")),
    ("charge.dispute.closed", DISPUTE | {"status": "won"}, _dispute("won")),
    ("charge.dispute.funds_reinstated", DISPUTE | {"status": "won"}, _dispute("won")),
    ("charge.dispute.closed", DISPUTE | {"status": "lost"}, _dispute("lost")),
    # withdrawals: the transfer alone says nothing, its payout does
    ("transfer.created", TRANSFER, None),
    ("transfer.reversed", TRANSFER, None),  # a part of it
    (
        "transfer.reversed",
        TRANSFER | {"reversed": True},
        WithdrawalChanged("tr_1", "failed", KEY, "the transfer was reversed"),
    ),
    ("payout.created", PAYOUT, WithdrawalChanged("tr_1", "sent", KEY)),
    ("payout.updated", PAYOUT | {"status": "in_transit"}, WithdrawalChanged("tr_1", "sent", KEY)),
    ("payout.paid", PAYOUT | {"status": "paid"}, WithdrawalChanged("tr_1", "paid", KEY)),
    (
        "payout.failed",
        PAYOUT | {"status": "failed", "failure_message": "The account is closed."},
        WithdrawalStranded("tr_1", KEY, "The account is closed."),
    ),
    (
        "payout.canceled",
        PAYOUT | {"status": "canceled"},
        WithdrawalStranded("tr_1", KEY, "canceled"),
    ),
    ("payout.paid", PAYOUT | {"status": "paid", "metadata": {}}, None),  # our own, to our own bank
    # accounts
    ("account.updated", ACCOUNT, AccountChanged("acct_1", "active", [])),
    (
        "account.updated",
        _account(
            external_accounts={
                "data": [
                    _bank(
                        object="card", brand="Visa", last4="4242", fingerprint="f2", currency="usd"
                    ),
                    _bank(bank_name="Bank 123456", last4="6789"),
                    _bank(bank_name="Spare", last4="1111", default_for_currency=False),
                ]
            }
        ),
        AccountChanged(
            "acct_1",
            "active",
            [],
            "Bank •••• •••• 6789, Visa •••• 4242",
            hashlib.sha256(b"eur f1\nusd f2").hexdigest(),
        ),
    ),
    (
        "account.updated",
        _account(external_accounts={"data": []}),
        AccountChanged("acct_1", "active", [], "", hashlib.sha256(b"").hexdigest()),
    ),
    (
        "account.updated",
        _account(requirements={"currently_due": ["tos"], "past_due": ["tos", "dob"]}),
        AccountChanged("acct_1", "needs_information", ["tos", "dob"]),
    ),
    (
        "account.updated",
        _account(payouts_enabled=False, requirements={"pending_verification": ["document"]}),
        AccountChanged("acct_1", "pending", []),
    ),
    (
        "account.updated",
        _account(requirements={"disabled_reason": "under_review"}),
        AccountChanged("acct_1", "restricted", []),
    ),
    (
        "account.updated",
        _account(requirements={"disabled_reason": "rejected.fraud"}),
        AccountChanged("acct_1", "closed", []),
    ),
    (
        "account.updated",
        _account(capabilities={"transfers": "inactive"}),
        AccountChanged("acct_1", "pending", []),
    ),
    (
        "account.updated",
        _account(details_submitted=False),
        AccountChanged("acct_1", "pending", []),
    ),
    ("account.updated", {"id": "acct_1"}, AccountChanged("acct_1", "pending", [])),
    ("capability.updated", CAPABILITY, None),
    ("capability.updated", CAPABILITY | {"id": "card_payments", "status": "inactive"}, None),
    (
        "capability.updated",
        CAPABILITY | {"status": "inactive", "requirements": {"currently_due": ["document"]}},
        AccountChanged("acct_1", "needs_information", ["document"]),
    ),
    (
        "capability.updated",
        CAPABILITY | {"status": "pending"},
        AccountChanged("acct_1", "pending", []),
    ),
    ("account.application.deauthorized", {"id": "ca_1"}, AccountChanged("acct_1", "closed")),
    # what is nobody's business here
    ("balance.available", {}, None),
    ("invoice.paid", {"id": "in_1"}, None),
]


@pytest.fixture(scope="module")
def stripe():
    return Stripe(Settings(_env_file=None, database_url=NOWHERE))


def _body(kind, subject, **more):
    event = {"id": "evt_1", "type": kind, "data": {"object": subject}}
    if kind.startswith(("account.", "capability.", "payout.")):
        event["account"] = "acct_1"
    return json.dumps(event | more).encode()


@pytest.mark.parametrize(
    ("kind", "subject", "fact"), TOLD, ids=[f"{n}-{row[0]}" for n, row in enumerate(TOLD)]
)
def test_what_it_means(stripe, kind, subject, fact, caplog):
    assert list(stripe.read(_body(kind, subject))) == ([] if fact is None else [fact])
    assert not caplog.records


def test_when_evidence_is_due(stripe):
    subject = DISPUTE | {"evidence_details": {"due_by": 1764547200}}
    (fact,) = stripe.read(_body("charge.dispute.created", subject))
    assert fact.due_at.isoformat() == "2025-12-01T00:00:00+00:00"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("subject", [{}, None, [], "x", {"id": None, "status": 7, "metadata": 1}])
def test_a_shape_unknown_is_told_as_such_and_nothing_else(stripe, kind, subject):
    with suppress(UnreadableEvent):
        for fact in stripe.read(_body(kind, subject)):
            fact.booking("stripe")


def test_what_should_mean_something_and_cannot_be_read_is_for_a_person(stripe):
    subject = INTENT | {"amount_received": "a lot"}
    with pytest.raises(UnreadableEvent, match=r"payment_intent.succeeded"):
        stripe.read(_body("payment_intent.succeeded", subject))


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("payment_intent.succeeded", INTENT),
        ("checkout.session.completed", SESSION),
        ("refund.created", REFUND),
        ("charge.dispute.created", DISPUTE),
    ],
)
def test_what_is_paid_to_somebodys_own_account_is_not_ours(stripe, kind, subject):
    event = json.loads(_body(kind, subject)) | {"account": "acct_somebody"}
    assert list(stripe.read(json.dumps(event).encode())) == []


def test_every_kind_is_told_by_some_event_above():
    assert set(KINDS) == {kind for kind, _, _ in TOLD} - {
        "transfer.created",
        "balance.available",
        "invoice.paid",
    }


def test_what_is_no_json_is_an_error(stripe):
    with pytest.raises(ValueError):
        stripe.read(b"{")
