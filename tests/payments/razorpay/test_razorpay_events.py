"""Events as Razorpay documents them become facts; what lacks or is strange becomes none."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.sandboxing import NOWHERE
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments.base import (
    AccountChanged,
    PaymentDisputed,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
    WithdrawalChanged,
)
from workers.payments.razorpay import Razorpay

ORDER_ID, KEY = uuid.uuid4(), uuid.uuid4()
PAYMENT = {
    "id": "pay_1", "entity": "payment", "amount": 50_000, "currency": "INR", "status": "captured",
    "order_id": "order_1", "captured": True, "amount_refunded": 0, "notes": [], "fee": 1180,
    "tax": 180, "error_code": None, "error_description": None, "created_at": 1_700_000_000,
}  # fmt: skip
FAILED = PAYMENT | {
    "status": "failed", "captured": False, "fee": None, "error_code": "BAD_REQUEST_ERROR",
    "error_description": "Payment failed", "error_reason": "payment_failed",
}  # fmt: skip
ORDER = {
    "id": "order_1", "entity": "order", "amount": 50_000, "currency": "INR", "status": "paid",
    "receipt": str(KEY), "notes": {"order_id": str(ORDER_ID), "key": str(KEY)},
}  # fmt: skip
REFUND = {
    "id": "rfnd_1", "entity": "refund", "amount": 500, "currency": "INR", "payment_id": "pay_1",
    "notes": {"key": str(KEY)}, "receipt": str(KEY), "status": "processed",
}  # fmt: skip
DISPUTE = {
    "id": "disp_1", "entity": "dispute", "payment_id": "pay_1", "amount": 50_000,
    "currency": "INR", "amount_deducted": 0, "reason_code": "fraud", "respond_by": 1_700_604_800,
    "status": "open", "phase": "chargeback",
}  # fmt: skip
PAYOUT = {
    "id": "pout_1", "entity": "payout", "fund_account_id": "fa_1", "amount": 500,
    "currency": "INR", "status": "processing", "reference_id": str(KEY), "utr": None,
    "status_details": {"description": "Beneficiary bank is offline", "source": "beneficiary_bank"},
}  # fmt: skip
PRODUCT = {
    "id": "acc_prd_1", "merchant_id": "acc_12345678901234", "activation_status": "activated",
}  # fmt: skip
DUE = datetime(2023, 11, 21, 22, 13, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def provider():
    return Razorpay(Settings(_env_file=None, database_url=NOWHERE))


def _event(kind, account_id="acc_Owner", **entities):
    return json.dumps(
        {
            "entity": "event",
            "account_id": account_id,
            "event": kind,
            "contains": list(entities),
            "payload": {name: {"entity": one} for name, one in entities.items()},
            "created_at": 1_700_000_001,
        }
    ).encode()


PAID = PaymentSucceeded("pay_1", Money(50_000, "INR"), None, "order_1", 1180)
REFUNDED = RefundChanged("rfnd_1", "pay_1", "succeeded", Money(500, "INR"), KEY)
DISPUTED = PaymentDisputed("disp_1", "pay_1", "open", Money(50_000, "INR"), "fraud", DUE)
OFFLINE = "Beneficiary bank is offline"
MEANINGS = [
    # what happened                   what it carries                            what it means
    ("payment.captured", {"payment": PAYMENT}, PAID),
    ("order.paid", {"payment": PAYMENT, "order": ORDER},
     PaymentSucceeded("pay_1", Money(50_000, "INR"), ORDER_ID, "order_1", 1180)),
    ("payment.failed", {"payment": FAILED}, PaymentFailed("Payment failed", None, "order_1")),
    ("payment.failed", {"payment": FAILED | {"error_description": ""}},
     PaymentFailed("payment_failed", None, "order_1")),
    ("refund.created", {"refund": REFUND | {"status": "pending"}, "payment": PAYMENT},
     RefundChanged("rfnd_1", "pay_1", "pending", Money(500, "INR"), KEY)),
    ("refund.created", {"refund": REFUND, "payment": PAYMENT}, REFUNDED),
    ("refund.speed_changed", {"refund": REFUND, "payment": PAYMENT}, REFUNDED),
    ("refund.processed", {"refund": REFUND}, REFUNDED),
    ("refund.processed", {"refund": REFUND | {"notes": []}, "payment": PAYMENT},
     RefundChanged("rfnd_1", "pay_1", "succeeded", Money(500, "INR"))),
    ("refund.failed", {"refund": REFUND | {"status": "failed"}, "payment": PAYMENT},
     RefundChanged("rfnd_1", "pay_1", "failed", Money(500, "INR"), KEY,
                   "Razorpay's refund failed")),
    ("payment.dispute.created", {"payment": PAYMENT, "dispute": DISPUTE}, DISPUTED),
    ("payment.dispute.under_review", {"dispute": DISPUTE}, DISPUTED),
    ("payment.dispute.action_required", {"dispute": DISPUTE}, DISPUTED),
    ("payment.dispute.won", {"dispute": DISPUTE},
     PaymentDisputed("disp_1", "pay_1", "won", Money(50_000, "INR"), "fraud", DUE)),
    ("payment.dispute.lost", {"dispute": DISPUTE | {"amount_deducted": 30_000}},
     PaymentDisputed("disp_1", "pay_1", "lost", Money(30_000, "INR"), "fraud", DUE)),
    ("payment.dispute.closed", {"dispute": DISPUTE | {"phase": "fraud"}},
     PaymentDisputed("disp_1", "pay_1", "won", Money(50_000, "INR"), "fraud", DUE)),
    ("payment.dispute.closed", {"dispute": DISPUTE | {"amount_deducted": 50_000}},
     PaymentDisputed("disp_1", "pay_1", "lost", Money(50_000, "INR"), "fraud", DUE)),
    *[
        (f"payout.{step}", {"payout": PAYOUT | {"status": state}},
         WithdrawalChanged("pout_1", status, KEY, OFFLINE))
        for step, state, status in [
            ("pending", "pending", "sent"), ("queued", "queued", "sent"),
            ("initiated", "processing", "sent"), ("updated", "processing", "sent"),
            ("processed", "processed", "paid"), ("updated", "processed", "paid"),
            ("reversed", "reversed", "returned"), ("failed", "failed", "failed"),
            ("rejected", "rejected", "failed"), ("updated", "cancelled", "failed"),
        ]
    ],
    ("payout.processed", {"payout": {"id": "pout_1", "reference_id": None}},
     WithdrawalChanged("pout_1", "paid")),
    ("product.route.activated", {"merchant_product": PRODUCT},
     AccountChanged("acc_12345678901234", "active")),
    ("product.route.under_review", {"merchant_product": PRODUCT | {"activation_status": None}},
     AccountChanged("acc_12345678901234", "pending")),
    ("product.route.needs_clarification",
     {"merchant_product": PRODUCT | {
         "activation_status": "needs_clarification",
         "requirements": [{"field_reference": "kyc.pan", "reason_code": "kyc_failed"}, 7],
     }},
     AccountChanged("acc_12345678901234", "needs_information", ("kyc.pan",))),
    ("fund_account.validation.completed",
     {"fund_account.validation": {
         "fund_account": {"id": "fa_1"}, "results": {"account_status": "active"}}},
     AccountChanged("fa_1", "active")),
    ("fund_account.validation.completed",
     {"fund_account.validation": {
         "fund_account": {"id": "fa_1"}, "results": {"account_status": "invalid"}}},
     AccountChanged("fa_1", "restricted", ("account_number",))),
]  # fmt: skip
NOTHING = [
    ("payment.authorized", {"payment": PAYMENT}),
    ("payment.captured", {}),
    ("payment.captured", {"payment": PAYMENT | {"order_id": None}}),  # of a payment link
    ("payment.captured", {"payment": PAYMENT | {"amount": 0}}),
    ("payment.captured", {"payment": PAYMENT | {"amount": 1.5}}),
    ("payment.captured", {"payment": PAYMENT | {"amount": True}}),
    ("payment.captured", {"payment": PAYMENT | {"amount": 2**63}}),
    ("payment.captured", {"payment": PAYMENT | {"currency": "rupees"}}),
    ("order.notification.delivered", {"order": ORDER}),
    ("refund.processed", {"refund": REFUND | {"payment_id": None}}),
    ("payment.dispute.forgotten", {"dispute": DISPUTE}),
    # nobody knows how it ended: it is asked after
    ("payment.dispute.closed", {"dispute": DISPUTE | {"amount_deducted": None}}),
    ("payment.downtime.started", {"payment.downtime": {"id": "down_1"}}),
    ("payout.downtime.started", {"payout.downtime": {"id": "poutdown_1"}}),
    ("payout.processed", {"payout": {"status": "processed"}}),
    ("payout.tomorrow", {"payout": PAYOUT | {"status": "teleported"}}),
    ("transaction.created", {"transaction": {"id": "txn_1"}}),
    ("transfer.processed", {"transfer": {"id": "trf_1"}}),
    ("settlement.processed", {"settlement": {"id": "setl_1"}}),
    ("subscription.charged", {"subscription": {"id": "sub_1"}, "payment": PAYMENT}),
    ("account.app.authorization_revoked", {}),
    ("fund_account.validation.failed", {"fund_account.validation": {"fund_account": {}}}),
]


@pytest.mark.parametrize(("kind", "entities", "meaning"), MEANINGS)
def test_what_an_event_means(provider, kind, entities, meaning):
    assert list(provider.read(_event(kind, **entities))) == [meaning]


@pytest.mark.parametrize(("kind", "entities"), NOTHING)
def test_what_means_nothing(provider, kind, entities):
    assert list(provider.read(_event(kind, **entities))) == []


@pytest.mark.parametrize(
    ("step", "status"),
    [("under_review", "pending"), ("activated", "active"), ("suspended", "restricted"),
     ("needs_clarification", "needs_information"), ("rejected", "closed")],
)  # fmt: skip
def test_a_linked_account_is_known_by_the_envelope(provider, step, status):
    body = _event(f"account.{step}", "acc_12345678901234", account={"id": "12345678901234"})
    assert list(provider.read(body)) == [AccountChanged("acc_12345678901234", status)]


@pytest.mark.parametrize("kind", ["refund.created", "refund.processed", "refund.failed"])
def test_what_was_never_captured_goes_back_without_us(provider, kind):
    never = PAYMENT | {"status": "refunded", "captured": False}
    assert list(provider.read(_event(kind, refund=REFUND, payment=never))) == []


def test_the_payers_own_notes_name_no_order(provider):
    """They come from the browser: a payer could pay one order and name another."""
    forged = PAYMENT | {"notes": {"order_id": str(ORDER_ID), "key": str(KEY)}}
    (fact,) = provider.read(_event("payment.captured", payment=forged))
    assert (fact.order_id, fact.started) == (None, "order_1")


def test_a_payment_is_told_twice_and_means_the_same(provider):
    (captured,) = provider.read(_event("payment.captured", payment=PAYMENT))
    (paid,) = provider.read(_event("order.paid", payment=PAYMENT, order=ORDER))
    assert (captured.reference, captured.amount, captured.started, captured.fee_minor) == (
        paid.reference, paid.amount, paid.started, paid.fee_minor,
    )  # fmt: skip


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KINDS = sorted({kind for kind, *_ in [*MEANINGS, *NOTHING]})
ENTITIES = {
    "payment": PAYMENT, "order": ORDER, "refund": REFUND, "dispute": DISPUTE, "payout": PAYOUT,
    "merchant_product": PRODUCT,
    "fund_account.validation": {"fund_account": {"id": "fa_1"}, "results": {}},
}  # fmt: skip


@given(kind=st.sampled_from(KINDS), data=st.data())
def test_no_event_breaks_us(kind, data):
    """Any field of any entity may be anything, or be missing: a fact or none, never an error."""
    provider = Razorpay(Settings(_env_file=None, database_url=NOWHERE))
    payload = {}
    for name, entity in ENTITIES.items():
        spoilt = dict(entity)
        for field in data.draw(st.lists(st.sampled_from(sorted(entity)), max_size=3)):
            if data.draw(st.booleans()):
                spoilt[field] = data.draw(ANYTHING)
            else:
                spoilt.pop(field, None)
        payload[name] = data.draw(st.sampled_from([{"entity": spoilt}, spoilt, None, []]))
    event = {"event": kind, "payload": payload, "account_id": data.draw(ANYTHING)}
    for fact in provider.read(json.dumps(event).encode()):
        assert isinstance(fact.booking("razorpay")[0], str)
