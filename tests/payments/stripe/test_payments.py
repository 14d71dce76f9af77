"""Taking money by Stripe: which of its ways an order gets, and what happens to them."""

import uuid
from dataclasses import replace

import pytest

from tests.fixtures.sandboxing import NOWHERE, serve_sandbox
from workers.core.errors import NotConfigured
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments.base import (
    OutcomeUnknown,
    PaymentApproved,
    PaymentFailed,
    PaymentSucceeded,
    ProviderDeclined,
    ProviderUnavailable,
)
from workers.payments.stripe import Stripe

PAGE = "https://shop.example/back"


# --- which way ------------------------------------------------------------------------------------


async def test_an_order_to_return_from_gets_a_page(shop, gateway, world):
    order = shop.order(return_url=PAGE)
    started = await gateway.start_payment(order)
    assert started.client["url"].endswith(f"/stripe/pay/{started.reference}")
    session = world.objects[started.reference]
    assert session["client_reference_id"] == str(order.order_id)
    assert session["customer_email"] == order.payer_email
    assert session["success_url"] == PAGE
    shop.control(f"checkout/sessions/{started.reference}/pay")
    (intent,) = world.all("payment_intent")
    (charge,) = world.all("charge")
    for made in (session, intent, charge):  # whichever of them an event shows
        assert made["metadata"]["order_id"] == str(order.order_id)
        assert made["metadata"]["key"] == str(order.key)


async def test_an_order_without_gets_an_intent(shop, gateway, world):
    order = shop.order()
    started = await gateway.start_payment(order)
    assert started.client["client_secret"].startswith(f"{started.reference}_secret_")
    intent = world.objects[started.reference]
    assert intent["metadata"] == {"order_id": str(order.order_id), "key": str(order.key)}
    assert intent["description"] == order.title


async def test_what_the_client_needs_is_not_shown_by_accident(shop, gateway):
    started = await gateway.start_payment(shop.order())
    assert started.client["client_secret"] not in repr(started)


async def test_a_person_pays_on_the_page(shop, gateway, sandbox):
    started = await gateway.start_payment(shop.order(return_url=PAGE))
    with sandbox.client() as client:
        assert "EUR 1234" in client.get(started.client["url"]).text
        gone = client.post(f"{started.client['url']}/pay")
    assert (gone.status_code, gone.headers["location"]) == (303, PAGE)
    (fact,) = await gateway.look_up_payment(started.reference)
    assert fact.amount == Money(1234, "EUR")


# --- saved methods --------------------------------------------------------------------------------


async def test_a_card_that_was_saved_pays_without_its_owner(shop, gateway):
    customer, method = await shop.saved()
    assert (method.kind, method.label) == ("card", "visa 4242")
    order = shop.order(customer=customer, saved_method=method.reference, return_url=PAGE)
    started = await gateway.start_payment(order)
    (fact,) = await gateway.look_up_payment(started.reference)
    assert isinstance(fact, PaymentSucceeded)
    assert (fact.order_id, fact.amount) == (order.order_id, order.amount)
    assert await gateway.start_payment(order) == started
    assert shop.balance() == {"EUR": 2 * order.amount.minor}


async def test_one_saved_on_the_page(shop, gateway):
    customer = await gateway.open_customer(key=uuid.uuid4(), email=None, name=None)
    started = await gateway.start_payment(shop.order(customer=customer, return_url=PAGE))
    assert list(await gateway.saved_methods(customer)) == []
    shop.control(f"checkout/sessions/{started.reference}/pay")
    (method,) = await gateway.saved_methods(customer)
    await gateway.forget_method(method.reference)
    await gateway.forget_method(method.reference)
    assert list(await gateway.saved_methods(customer)) == []


async def test_customers_are_made_once(gateway, world):
    key = uuid.uuid4()
    made = {await gateway.open_customer(key=key, email="a@example.com", name="A") for _ in range(3)}
    assert len(made) == 1
    assert len(world.all("customer")) == 1


@pytest.mark.parametrize("word", ["authentication_required", "card_declined"])
async def test_a_saved_card_that_is_refused_is_a_final_no(shop, gateway, sandbox, word):
    customer, method = await shop.saved()
    held = shop.balance()
    sandbox.fail("stripe", word)
    with pytest.raises(ProviderDeclined) as no:
        await gateway.start_payment(shop.order(customer=customer, saved_method=method.reference))
    assert no.value.details == {"code": word}
    assert shop.balance() == held


async def test_nobody_pays_with_the_card_of_another(shop, gateway):
    _, method = await shop.saved()
    other = await gateway.open_customer(key=uuid.uuid4(), email=None, name=None)
    for customer in (other, None):
        with pytest.raises(ProviderDeclined):
            await gateway.start_payment(
                shop.order(customer=customer, saved_method=method.reference)
            )


async def test_of_a_saved_card_only_its_own_charge_is_found(shop, gateway):
    """A form of the same order that can still be paid is no charge of the card."""
    customer, method = await shop.saved()
    form = shop.order()
    started = await gateway.start_payment(form)
    saved = {"customer": customer, "saved_method": method.reference}
    order = shop.order(order_id=form.order_id, **saved)
    assert await gateway.find_started(order) is None
    charged = await gateway.start_payment(order)
    assert await gateway.find_started(order) == charged != started


@pytest.mark.parametrize("return_url", [PAGE, ""])
async def test_what_is_ended_cannot_be_paid_and_what_is_paid_not_ended(shop, gateway, return_url):
    order = shop.order(return_url=return_url)
    started = await gateway.start_payment(order)
    for _ in range(2):
        await gateway.end_started(started.reference)
    assert await gateway.find_started(replace(order, started=started.reference)) is None
    assert [fact.started for fact in shop.facts(PaymentFailed)] == [started.reference]
    path = "checkout/sessions" if return_url else "payment_intents"
    with shop.sandbox.client() as client:
        assert client.post(f"/control/stripe/{path}/{started.reference}/pay").status_code == 400
    other = await gateway.start_payment(shop.order(return_url=return_url))
    shop.control(f"{path}/{other.reference}/pay")
    with pytest.raises(ProviderDeclined):
        await gateway.end_started(other.reference)
    assert shop.balance() == {"EUR": order.amount.minor}


# --- what becomes of it ---------------------------------------------------------------------------


async def test_a_declined_card_may_be_followed_by_another(shop, gateway):
    order = shop.order()
    started = await gateway.start_payment(order)
    shop.control(f"payment_intents/{started.reference}/decline")
    why = "Your card was declined."
    failed = PaymentFailed(why, order.order_id, started.reference)
    assert list(await gateway.look_up_payment(started.reference)) == [failed]
    shop.control(f"payment_intents/{started.reference}/pay")
    (fact,) = await gateway.look_up_payment(started.reference)
    assert isinstance(fact, PaymentSucceeded)
    assert shop.facts(PaymentFailed) == [failed]


async def test_on_a_page_a_declined_card_ends_nothing(shop, gateway):
    started = await gateway.start_payment(shop.order(return_url=PAGE))
    shop.control(f"checkout/sessions/{started.reference}/decline")
    assert shop.facts(PaymentFailed) == []
    assert list(await gateway.look_up_payment(started.reference)) == []
    shop.control(f"checkout/sessions/{started.reference}/pay")
    assert {fact.order_id for fact in shop.facts(PaymentSucceeded)} != {None}


@pytest.mark.parametrize("ending", ["pay", "decline"])
async def test_money_that_comes_days_later_or_never(shop, gateway, world, ending):
    """`completed` and unpaid is no payment."""
    order = shop.order(return_url=PAGE)
    started = await gateway.start_payment(order)
    shop.control(f"checkout/sessions/{started.reference}/pay", is_delayed=True)
    assert list(await gateway.look_up_payment(started.reference)) == []
    assert shop.facts(PaymentSucceeded) == []
    (intent,) = world.all("payment_intent")
    shop.control(f"payment_intents/{intent['id']}/{ending}")
    (fact,) = await gateway.look_up_payment(started.reference)
    if ending == "pay":
        assert shop.balance() == {"EUR": order.amount.minor}
        assert {told.reference for told in shop.facts(PaymentSucceeded)} == {fact.reference}
    else:
        assert shop.balance() == {}
        (told,) = shop.facts(PaymentFailed)
        assert (told.order_id, told.started) == (fact.order_id, fact.started)


async def test_a_page_lasts_a_day(shop, gateway):
    order = shop.order(return_url=PAGE)
    started = await gateway.start_payment(order)
    shop.control(f"checkout/sessions/{started.reference}/expire")
    (fact,) = await gateway.look_up_payment(started.reference)
    assert fact == PaymentFailed("the page expired", order.order_id, started.reference)
    again = await gateway.find_started(order)
    assert (again.reference, again.client) == (started.reference, {})


async def test_what_was_only_authorised_is_captured_once(shop, gateway, sandbox):
    order = shop.order()
    with sandbox.client(authorization="Bearer sk_test_sandbox") as client:
        intent = client.post(
            "/stripe/v1/payment_intents",
            data={
                "amount": "1100",
                "currency": "eur",
                "capture_method": "manual",
                "metadata[order_id]": str(order.order_id),
            },
        ).json()
    shop.control(f"payment_intents/{intent['id']}/pay")
    assert shop.facts(PaymentApproved) == [PaymentApproved(intent["id"])]
    assert shop.balance() == {}
    for key in (order.key, order.key, uuid.uuid4()):
        (fact,) = await gateway.capture_payment(key=key, started=intent["id"])
        assert fact.amount == Money(1100, "EUR")
    assert shop.balance() == {"EUR": 1100}


async def test_stripes_fee_is_told_when_it_is_looked_up(shop):
    with serve_sandbox(stripe_fee_bps=290) as sandbox:
        gateway = Stripe(sandbox.settings())
        shop.sandbox, shop.gateway = sandbox, gateway
        paid = await shop.paid(amount=Money(10_000, "EUR"))
        page = await gateway.start_payment(shop.order(return_url=PAGE))
        shop.control(f"checkout/sessions/{page.reference}/pay")
        (by_page,) = await gateway.look_up_payment(page.reference)
        await gateway.aclose()
    assert paid.fee_minor == 290
    assert by_page.fee_minor == 1234 * 290 // 10_000


async def test_a_refund_that_takes_its_time(shop, gateway, sandbox, world):
    paid = await shop.paid()
    sandbox.fail("stripe", "pending_refund")
    ask = {"key": uuid.uuid4(), "payment": paid.reference, "amount": Money(500, "EUR")}
    refund = await gateway.refund(**ask)
    assert refund.status == "pending"
    shop.control(f"refunds/{refund.reference}/succeed")
    assert (await gateway.find_refund(**ask)).status == "succeeded"
    # the payer's bank sends it back after all
    shop.control(f"refunds/{refund.reference}/fail")
    found = await gateway.find_refund(**ask)
    assert (found.status, found.reason) == ("failed", "expired_or_canceled_card")
    assert shop.balance() == {"EUR": paid.amount.minor}


async def test_what_a_bank_disputes_is_not_refunded(shop, gateway):
    paid = await shop.paid()
    shop.control(f"payment_intents/{paid.reference}/dispute")
    with pytest.raises(ProviderDeclined) as no:
        await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=paid.amount)
    assert no.value.details == {"code": "charge_disputed"}


# --- doubt ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("return_url", [PAGE, ""])
async def test_the_same_key_with_another_body_finds_what_was_made(shop, gateway, world, return_url):
    """The payer's address or title changed between two tries: never a second payment."""
    order = shop.order(return_url=return_url)
    started = await gateway.start_payment(order)
    changed = shop.order(
        key=order.key, order_id=order.order_id, return_url=return_url, title="Another title"
    )
    assert await gateway.start_payment(changed) == started
    assert len(world.all("checkout.session") + world.all("payment_intent")) == 1


async def test_the_same_order_under_another_key_finds_what_can_be_paid(shop, gateway):
    order = shop.order()
    started = await gateway.start_payment(order)
    again = shop.order(order_id=order.order_id)
    assert await gateway.find_started(again) == started
    shop.control(f"payment_intents/{started.reference}/pay")
    assert await gateway.find_started(again) is None
    assert await gateway.find_started(order) == started


async def test_an_intent_is_found_when_the_other_way_was_meant_now(shop, gateway):
    order = shop.order()
    started = await gateway.start_payment(order)
    by_page = shop.order(key=order.key, order_id=order.order_id, return_url=PAGE)
    assert await gateway.find_started(by_page) == started


async def test_the_search_lags_and_the_list_does_not(shop, gateway, sandbox):
    order = shop.order()
    started = await gateway.start_payment(order)
    sandbox.fail("stripe", "search_lag", times=None)
    assert await gateway.find_started(order) == started


async def test_an_old_intent_is_found_by_the_search(shop, gateway):
    order = shop.order()
    started = await gateway.start_payment(order)
    for _ in range(101):
        await gateway.start_payment(shop.order())
    assert await gateway.find_started(order) == started


async def test_a_page_among_hundreds_is_found(shop, gateway):
    order = shop.order(return_url=PAGE)
    started = await gateway.start_payment(order)
    for _ in range(101):
        await gateway.start_payment(shop.order(return_url=PAGE))
    assert await gateway.find_started(order) == started


async def test_a_key_that_is_just_being_used_is_doubt(shop, gateway, sandbox):
    sandbox.fail("stripe", "in_flight")
    with pytest.raises(OutcomeUnknown):
        await gateway.start_payment(shop.order())


@pytest.mark.parametrize(
    ("word", "is_made"), [("500_kept_before", False), ("500_kept_after", True)]
)
async def test_a_500_that_stripe_keeps_stays_doubt_until_it_is_found(
    shop, gateway, sandbox, word, is_made
):
    """The key answers 500 for as long as it lives: only looking tells."""
    paid = await shop.paid()
    ask = {"key": uuid.uuid4(), "payment": paid.reference, "amount": Money(500, "EUR")}
    sandbox.fail("stripe", word)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            await gateway.refund(**ask)
    assert (await gateway.find_refund(**ask) is not None) == is_made
    assert shop.balance() == {"EUR": paid.amount.minor - 500 * is_made}


async def test_a_wrong_key_is_no_verdict(shop, sandbox):
    """Keys are rolled: what it did not let in can be sent again."""
    stranger = Stripe(sandbox.settings(stripe_api_key="sk_test_of_somebody_else"))
    for call in (
        stranger.start_payment(shop.order()),
        stranger.refund(key=uuid.uuid4(), payment="pi_1", amount=Money(500, "EUR")),
    ):
        with pytest.raises(ProviderUnavailable):
            await call
    await stranger.aclose()


async def test_nobody_there(shop, sandbox):
    lonely = Stripe(sandbox.settings(stripe_api_url="http://127.0.0.1:1"))
    with pytest.raises(ProviderUnavailable):
        await lonely.start_payment(shop.order())
    await lonely.aclose()


async def test_without_a_key_nothing_is_tried(shop):
    stripe = Stripe(Settings(_env_file=None, database_url=NOWHERE))
    with pytest.raises(NotConfigured):
        await stripe.start_payment(shop.order())
    with pytest.raises(NotConfigured):
        await stripe.find_refund(key=uuid.uuid4(), payment="pi_1", amount=Money(500, "EUR"))
    await stripe.aclose()


@pytest.mark.parametrize("answer", ["[]", "null", "7", '"x"', "{}", '{"object": "refund"}'])
async def test_an_answer_that_is_no_object_of_stripes_is_doubt(answer, odd_server):
    stripe = Stripe(odd_server(answer))
    calls = [
        stripe.refund(key=uuid.uuid4(), payment="pi_1", amount=Money(500, "EUR")),
        stripe.find_refund(key=uuid.uuid4(), payment="pi_1", amount=Money(500, "EUR")),
        stripe.look_up_payment("pi_1"),
        stripe.look_up_payment("cs_1"),
        stripe.look_up_account("acct_1"),
    ]
    for call in calls:
        with pytest.raises(OutcomeUnknown):
            await call
    await stripe.aclose()
