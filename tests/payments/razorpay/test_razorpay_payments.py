"""Orders are made once without a key, late money is taken, refunds end as the bank says."""

import uuid

import pytest

from workers.core.errors import NotConfigured
from workers.core.money import Money
from workers.payments.base import (
    OutcomeUnknown,
    PaymentDisputed,
    PaymentFailed,
    PaymentSucceeded,
    ProviderDeclined,
    ProviderUnavailable,
    RefundChanged,
)
from workers.payments.razorpay import Razorpay


def _inr(minor):
    return Money(minor, "INR")


async def test_the_checkout_gets_the_order_and_the_public_key(shop):
    order = shop.order()
    started = await shop.gateway.start_payment(order)
    assert started.client == {
        "order_id": started.reference,
        "key_id": shop.sandbox.known.razorpay_key_id,
    }
    made = shop.world.objects[started.reference]
    assert (made["receipt"], made["amount"], made["currency"]) == (str(order.key), 50_000, "INR")
    assert made["notes"]["order_id"] == str(order.order_id)
    known = await shop.gateway.start_payment(shop.order(customer="cust_1"))
    assert known.client["customer_id"] == "cust_1"


async def test_a_title_may_be_long_and_colourful(shop):
    """Razorpay keeps 256 characters of a note, and no emoji."""
    started = await shop.gateway.start_payment(shop.order(title="चाय for two \N{FIRE}\n" * 100))
    title = shop.world.objects[started.reference]["notes"]["title"]
    assert title.startswith("चाय for two ")
    assert len(title) == 250
    assert "\N{FIRE}" not in title


async def test_of_two_orders_with_one_receipt_the_paid_one_is_found(shop):
    """Razorpay lets it happen: two workers may ask at once."""
    order = shop.order()
    first = await shop.gateway.start_payment(order)
    twin = dict(shop.world.objects[first.reference]) | {"id": "order_twin0000000001"}
    shop.world.add(twin | {"created_at": twin["created_at"] + 1})
    assert (await shop.gateway.find_started(order)).reference == first.reference
    shop.does("orders/order_twin0000000001/pay")
    assert (await shop.gateway.find_started(order)).reference == "order_twin0000000001"


async def test_a_receipt_with_another_amount_is_doubt(shop):
    order = shop.order()
    await shop.gateway.start_payment(order)
    other = shop.order(40_000, key=order.key)
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.find_started(other)
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.start_payment(other)


@pytest.mark.parametrize(
    ("amount", "currency"), [(99, "INR"), (0, "INR"), (-500, "INR"), (12_345, "KWD")]
)
async def test_what_cannot_be_represented_is_declined_before_any_call(shop, amount, currency):
    with pytest.raises(ProviderDeclined):
        await shop.gateway.start_payment(shop.order(amount, currency))
    assert shop.world.calls == 0


@pytest.mark.parametrize(("amount", "currency"), [(100, "INR"), (12_340, "KWD"), (295, "JPY")])
async def test_minor_units_travel_as_they_are(shop, amount, currency):
    started = await shop.gateway.start_payment(shop.order(amount, currency))
    assert shop.world.objects[started.reference]["amount"] == amount


async def test_a_failed_try_and_then_the_same_order_is_paid(shop):
    started = await shop.gateway.start_payment(shop.order())
    shop.does(f"orders/{started.reference}/decline", reason="Wrong PIN")
    assert list(await shop.gateway.look_up_payment(started.reference)) == [
        PaymentFailed("Wrong PIN", None, started.reference)
    ]
    paid = shop.does(f"orders/{started.reference}/pay")
    (fact,) = await shop.gateway.look_up_payment(started.reference)
    assert fact == PaymentSucceeded(paid["id"], _inr(50_000), None, started.reference, 0)


async def test_a_failed_payment_that_went_through_after_all(shop):
    """Late authorisation: failed, then captured, and it is one and the same payment."""
    started = await shop.gateway.start_payment(shop.order())
    payment = shop.does(f"orders/{started.reference}/decline")["id"]
    shop.does(f"payments/{payment}/authorize_late")
    assert shop.told() == [
        "payment.failed", "payment.authorized", "payment.captured", "order.paid",
    ]  # fmt: skip
    kinds = [type(fact) for fact in await shop.facts()]
    assert kinds == [PaymentFailed, PaymentSucceeded, PaymentSucceeded]
    (fact,) = await shop.gateway.look_up_payment(started.reference)
    assert fact.reference == payment
    assert shop.balance() == 50_000


async def test_what_was_authorized_too_late_is_captured_by_us(shop):
    started = await shop.gateway.start_payment(shop.order())
    payment = shop.does(f"orders/{started.reference}/authorize")["id"]
    assert list(await shop.gateway.look_up_payment(started.reference)) == []
    for _ in range(2):
        (fact,) = await shop.gateway.capture_payment(key=uuid.uuid4(), started=started.reference)
        assert (fact.reference, fact.amount) == (payment, _inr(50_000))
    assert shop.balance() == 50_000


async def test_a_capture_in_doubt_takes_once(shop):
    started = await shop.gateway.start_payment(shop.order())
    shop.does(f"orders/{started.reference}/authorize")
    shop.sandbox.fail("razorpay", "500_after", "/capture")
    ask = {"key": uuid.uuid4(), "started": started.reference}
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.capture_payment(**ask)
    assert len(await shop.gateway.look_up_payment(started.reference)) == 1
    assert len(await shop.gateway.capture_payment(**ask)) == 1
    assert shop.balance() == 50_000


async def test_a_capture_that_is_refused_is_a_no(shop):
    started = await shop.gateway.start_payment(shop.order())
    shop.does(f"orders/{started.reference}/authorize")
    shop.sandbox.fail("razorpay", "decline", "/capture")
    with pytest.raises(ProviderDeclined):
        await shop.gateway.capture_payment(key=uuid.uuid4(), started=started.reference)


async def test_what_nobody_captures_goes_back_and_is_no_refund_of_ours(shop):
    started = await shop.gateway.start_payment(shop.order())
    payment = shop.does(f"orders/{started.reference}/authorize")["id"]
    shop.does(f"payments/{payment}/expire")
    assert shop.told() == ["payment.authorized", "refund.created", "refund.processed"]
    assert await shop.facts() == []
    assert list(await shop.gateway.look_up_payment(started.reference)) == []
    assert shop.balance() == 0


async def test_what_razorpay_keeps_is_told_with_the_payment(shop):
    shop.does("fees", payment_bps=236)  # 2 % and 18 % tax on it
    await shop.paid(50_000)
    facts = await shop.facts(PaymentSucceeded)
    assert [fact.fee_minor for fact in facts] == [1180, 1180]
    assert {fact.amount for fact in facts} == {_inr(50_000)}
    assert shop.balance() == 50_000 - 1180


# --- refunds --------------------------------------------------------------------------------------


async def test_a_refund_is_pending_then_arrives(shop):
    payment = await shop.paid()
    key = uuid.uuid4()
    made = await shop.gateway.refund(key=key, payment=payment, amount=_inr(500))
    assert (made.status, made.key) == ("pending", key)
    found = await shop.gateway.find_refund(key=key, payment=payment, amount=_inr(500))
    assert found.status == "succeeded"
    told = await shop.facts(RefundChanged)
    assert [fact.status for fact in told] == ["pending", "succeeded"]
    assert {fact.key for fact in told} == {key}


async def test_a_refund_that_the_bank_sends_back(shop):
    payment = await shop.paid()
    shop.sandbox.fail("razorpay", "refund_fails")
    key = uuid.uuid4()
    await shop.gateway.refund(key=key, payment=payment, amount=_inr(500))
    assert [fact.status for fact in await shop.facts(RefundChanged)] == ["pending", "failed"]
    assert shop.balance() == 50_000


async def test_a_refund_may_take_days(shop):
    payment = await shop.paid()
    shop.sandbox.fail("razorpay", "refund_pending")
    key = uuid.uuid4()
    made = await shop.gateway.refund(key=key, payment=payment, amount=_inr(500))
    ask = {"key": key, "payment": payment, "amount": _inr(500)}
    assert (await shop.gateway.find_refund(**ask)).status == "pending"
    shop.does(f"refunds/{made.reference}/processed")
    assert (await shop.gateway.find_refund(**ask)).status == "succeeded"


async def test_a_refund_from_the_dashboard_bears_no_key(shop):
    payment = await shop.paid()
    refund = shop.does(f"payments/{payment}/refund", amount=700)
    told = await shop.facts(RefundChanged)
    assert [(fact.reference, fact.key) for fact in told] == [(refund["id"], None)] * 2
    assert {fact.amount for fact in told} == {_inr(700)}


async def test_a_refund_key_with_another_amount_is_doubt(shop):
    payment, key = await shop.paid(), uuid.uuid4()
    await shop.gateway.refund(key=key, payment=payment, amount=_inr(500))
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.refund(key=key, payment=payment, amount=_inr(600))
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.find_refund(key=key, payment=payment, amount=_inr(600))
    assert shop.balance() == 49_500


async def test_many_refunds_are_found_page_by_page(shop):
    payment = await shop.paid()
    keys = [uuid.uuid4() for _ in range(105)]
    for key in keys:
        await shop.gateway.refund(key=key, payment=payment, amount=_inr(100))
    for key in (keys[0], keys[-1]):
        found = await shop.gateway.find_refund(key=key, payment=payment, amount=_inr(100))
        assert found.key == key


@pytest.mark.parametrize("amount", [99, 0, 50_001])
async def test_a_refund_of_a_wrong_amount_is_declined(shop, amount):
    payment = await shop.paid()
    with pytest.raises(ProviderDeclined):
        await shop.gateway.refund(key=uuid.uuid4(), payment=payment, amount=_inr(amount))
    assert shop.balance() == 50_000


async def test_a_refund_without_cover_is_declined(shop):
    payment = await shop.paid()
    shop.sandbox.app.state.razorpay_books.held["INR"] = 499
    with pytest.raises(ProviderDeclined, match="balance"):
        await shop.gateway.refund(key=uuid.uuid4(), payment=payment, amount=_inr(500))


# --- disputes -------------------------------------------------------------------------------------


async def test_a_dispute_goes_through_its_steps(shop):
    payment = await shop.paid()
    dispute = shop.does(f"payments/{payment}/dispute", amount=20_000)["id"]
    for step in ("under_review", "action_required", "under_review", "lost"):
        shop.does(f"disputes/{dispute}/{step}")
    told = await shop.facts(PaymentDisputed)
    assert [fact.status for fact in told] == ["open"] * 4 + ["lost"]
    assert {(fact.reference, fact.payment) for fact in told} == {(dispute, payment)}
    assert {fact.amount for fact in told} == {_inr(20_000)}
    assert all(fact.due_at for fact in told)
    assert shop.balance() == 30_000


async def test_a_question_that_is_closed_takes_nothing(shop):
    payment = await shop.paid()
    dispute = shop.does(f"payments/{payment}/dispute", phase="retrieval")["id"]
    shop.does(f"disputes/{dispute}/closed")
    assert [fact.status for fact in await shop.facts(PaymentDisputed)] == ["open", "won"]
    assert shop.balance() == 50_000


# --- what answers mean ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("in_flight", OutcomeUnknown),  # 409: the same key is under way
        ("gateway_error", OutcomeUnknown),
        ("decline", ProviderDeclined),
        ("insufficient_balance", ProviderDeclined),
    ],
)
async def test_a_refund_that_is_not_done(shop, word, error):
    payment = await shop.paid()
    shop.sandbox.fail("razorpay", word, "/refund")
    with pytest.raises(error) as caught:
        await shop.gateway.refund(key=uuid.uuid4(), payment=payment, amount=_inr(500))
    assert not isinstance(caught.value, ProviderUnavailable)
    assert shop.balance() == 50_000


async def test_wrong_credentials_are_no_verdict_on_what_was_asked(sandbox):
    gateway = Razorpay(sandbox.settings(razorpay_key_secret="another"))
    with pytest.raises(ProviderUnavailable):
        await gateway.refund(key=uuid.uuid4(), payment="pay_1", amount=_inr(500))
    await gateway.aclose()


@pytest.mark.parametrize("word", ["wrong_key", "wrong_ip"])
async def test_not_being_let_in_is_none_either_though_it_looks_like_a_no(shop, word):
    payment = await shop.paid()
    shop.sandbox.fail("razorpay", word, "/refund")
    with pytest.raises(ProviderUnavailable):
        await shop.gateway.refund(key=uuid.uuid4(), payment=payment, amount=_inr(500))


async def test_nobody_there_is_surely_not_done(sandbox):
    gateway = Razorpay(sandbox.settings(razorpay_api_url="http://127.0.0.1:1"))
    with pytest.raises(ProviderUnavailable):
        await gateway.look_up_payment("order_1")
    await gateway.aclose()


@pytest.mark.parametrize("missing", ["razorpay_key_id", "razorpay_key_secret"])
async def test_without_credentials_nothing_is_tried(sandbox, missing):
    gateway = Razorpay(sandbox.settings(**{missing: None}))
    with pytest.raises(NotConfigured):
        await gateway.look_up_payment("order_1")
    await gateway.aclose()
    assert sandbox.worlds["razorpay"].calls == 0


async def test_ids_cannot_leave_their_place_in_a_path(shop):
    with pytest.raises((ProviderDeclined, OutcomeUnknown)):
        await shop.gateway.refund(key=uuid.uuid4(), payment="../orders?receipt=x", amount=_inr(500))
    assert shop.world.all("order") == []
