"""Stripe's own SDK is a client of the sandbox, which bills and refuses as Stripe does."""

import uuid

import pytest
import stripe

from tests.billing.desk import DAY
from tests.fixtures.sandboxing import serve_sandbox


@pytest.fixture(scope="module")
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
def v1(sandbox):
    stripe.enable_telemetry = False
    client = stripe.StripeClient(
        sandbox.known.stripe_api_key.get_secret_value(),
        base_addresses={"api": f"{sandbox.url}/stripe"},
    )
    return client.v1


@pytest.fixture
def price(v1):
    """A new product's prices: `price(amount, interval)`."""
    product = v1.products.create({"name": "Tea"}).id

    def make(amount=1000, interval="month", **more):
        return v1.prices.create(
            {
                "product": product,
                "unit_amount": amount,
                "currency": "eur",
                "recurring": {"interval": interval},
            }
            | more
        )

    return make


@pytest.fixture
def customer(v1, sandbox):
    made = v1.customers.create({"email": "tea@example.com"}).id
    sandbox.control("stripe", f"customers/{made}/card", outcome="ok")
    return made


def _refused(call, *arguments):
    with pytest.raises(stripe.StripeError) as caught:
        call(*arguments)
    return caught.value


def _kinds(sandbox, since=0):
    return [one["type"] for one in sandbox.bodies("stripe")[since:]]


def test_the_first_month(v1, sandbox, customer, price):
    before = len(sandbox.events("stripe"))
    held = v1.subscriptions.create({"customer": customer, "items": [{"price": price().id}]})
    assert held.status == "active"
    item = held["items"].data[0]
    assert 28 * DAY <= item.current_period_end - item.current_period_start <= 31 * DAY
    (bill,) = v1.invoices.list({"subscription": held.id, "expand": ["data.payments"]}).data
    assert (bill.status, bill.amount_paid, bill.parent.subscription_details.subscription) == (
        "paid", 1000, held.id
    )  # fmt: skip
    (paid,) = bill.payments.data
    assert v1.payment_intents.retrieve(paid.payment.payment_intent).status == "succeeded"
    kinds = _kinds(sandbox, before)
    for kind in (
        "customer.subscription.created", "invoice.created", "invoice.finalized",
        "payment_intent.succeeded", "invoice_payment.paid", "invoice.paid",
        "customer.subscription.updated",
    ):  # fmt: skip
        assert kinds.count(kind) == 1, kind


def test_a_card_that_is_declined(v1, sandbox, customer, price):
    sandbox.control("stripe", f"customers/{customer}/card", outcome="decline")
    wish = {"customer": customer, "items": [{"price": price().id}]}
    held = v1.subscriptions.create(wish)
    assert held.status == "incomplete"
    error = _refused(v1.subscriptions.create, wish | {"payment_behavior": "error_if_incomplete"})
    assert isinstance(error, stripe.CardError)
    assert (error.http_status, error.code) == (402, "card_declined")
    sandbox.control("stripe", "advance", seconds=int(23.5 * 3600))
    assert v1.subscriptions.retrieve(held.id).status == "incomplete_expired"
    assert v1.invoices.list({"subscription": held.id}).data[0].status == "void"


def test_an_incomplete_one_is_paid_after_all(v1, sandbox, customer, price):
    sandbox.control("stripe", f"customers/{customer}/card", outcome="decline")
    held = v1.subscriptions.create({"customer": customer, "items": [{"price": price().id}]})
    sandbox.control("stripe", f"customers/{customer}/card", outcome="ok")
    assert v1.invoices.pay(held.latest_invoice).status == "paid"
    assert v1.subscriptions.retrieve(held.id).status == "active"


@pytest.mark.parametrize("missing", ["cancel", "pause", "create_invoice"])
def test_a_trial_without_a_card(v1, sandbox, price, missing):
    nobody = v1.customers.create({}).id
    held = v1.subscriptions.create(
        {
            "customer": nobody,
            "items": [{"price": price().id}],
            "trial_period_days": 5,
            "trial_settings": {"end_behavior": {"missing_payment_method": missing}},
        }
    )
    assert held.status == "trialing"
    assert held.trial_end == held["items"].data[0].current_period_end
    before = len(sandbox.events("stripe"))
    sandbox.control("stripe", "advance", seconds=5 * DAY + 2 * 3600)
    expected = {"cancel": "canceled", "pause": "paused", "create_invoice": "past_due"}[missing]
    assert v1.subscriptions.retrieve(held.id).status == expected
    assert "customer.subscription.trial_will_end" in _kinds(sandbox, before)


def test_set_off_for_another_price(v1, sandbox, customer, price):
    held = v1.subscriptions.create({"customer": customer, "items": [{"price": price().id}]})
    item = held["items"].data[0]
    half = (item.current_period_end - item.current_period_start) // 2
    sandbox.control("stripe", "advance", seconds=half)
    change = {"items": [{"id": item.id, "price": price(3000).id}]}
    # to the next invoice
    v1.subscriptions.update(held.id, change | {"proration_behavior": "create_prorations"})
    assert len(v1.invoices.list({"subscription": held.id}).data) == 1
    # down again, at once: what is too much stays as a credit
    back = {"items": [{"id": item.id, "price": price(1000).id}]}
    v1.subscriptions.update(held.id, back | {"proration_behavior": "always_invoice"})
    bill = v1.invoices.list({"subscription": held.id, "limit": 1}).data[0]
    assert bill.total == pytest.approx(-1000, abs=2)
    assert (bill.amount_due, bill.status) == (0, "paid")
    assert v1.customers.retrieve(customer).balance == bill.total
    sandbox.control("stripe", "advance", seconds=half + 2 * 3600)
    bill = v1.invoices.list({"subscription": held.id, "limit": 1}).data[0]
    assert (bill.billing_reason, bill.status) == ("subscription_cycle", "paid")
    assert bill.total == pytest.approx(1000 + 1000, abs=2)
    assert bill.amount_due == pytest.approx(1000, abs=4)


def test_with_none_nothing_is_set_off(v1, customer, price):
    held = v1.subscriptions.create({"customer": customer, "items": [{"price": price().id}]})
    item = held["items"].data[0].id
    v1.subscriptions.update(
        held.id,
        {"items": [{"id": item, "price": price(9000).id}], "proration_behavior": "none"},
    )
    assert len(v1.invoices.list({"subscription": held.id}).data) == 1


def test_under_a_schedule_its_end_is_not_touched(v1, customer, price):
    held = v1.subscriptions.create({"customer": customer, "items": [{"price": price().id}]})
    plan = v1.subscription_schedules.create({"from_subscription": held.id})
    error = _refused(v1.subscriptions.update, held.id, {"cancel_at_period_end": True})
    assert "managed by the subscription schedule" in str(error)
    again = _refused(v1.subscription_schedules.create, {"from_subscription": held.id})
    assert "already attached" in str(again)
    phases = [{"items": [{"price": price().id}], "start_date": plan.phases[0].start_date + 1}]
    moved = _refused(v1.subscription_schedules.update, plan.id, {"phases": phases})
    assert "start date of the current phase" in str(moved)
    assert v1.subscription_schedules.release(plan.id).status == "released"
    assert "released" in str(_refused(v1.subscription_schedules.release, plan.id))
    assert v1.subscriptions.update(held.id, {"cancel_at_period_end": True}).cancel_at is not None


def test_what_is_over(v1, customer, price):
    held = v1.subscriptions.create({"customer": customer, "items": [{"price": price().id}]})
    assert v1.subscriptions.cancel(held.id).status == "canceled"
    assert _refused(v1.subscriptions.cancel, held.id).http_status == 404
    assert _refused(v1.subscriptions.update, held.id, {"metadata": {"a": "b"}}).http_status == 400


def test_one_key_acts_once(v1, customer, price):
    wish = {"customer": customer, "items": [{"price": price().id}]}
    key = {"idempotency_key": str(uuid.uuid4())}
    first, second = (v1.subscriptions.create(wish, key) for _ in range(2))
    assert first.id == second.id
    error = _refused(v1.subscriptions.create, wish | {"metadata": {"a": "b"}}, key)
    assert isinstance(error, stripe.IdempotencyError)


def test_names_are_taken_once(v1, price):
    v1.products.create({"id": "tea_product", "name": "Tea"})
    error = _refused(v1.products.create, {"id": "tea_product", "name": "Tea"})
    assert error.code == "resource_already_exists"
    made = price(lookup_key="tea_month")
    assert "already uses that lookup key" in str(_refused(lambda: price(lookup_key="tea_month")))
    assert [one.id for one in v1.prices.list({"lookup_keys": ["tea_month"]}).data] == [made.id]


PAGE = {"mode": "subscription", "success_url": "https://shop.example/", "line_items": []}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"line_items": []}, "line_items"),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "No such price"),
        ({"success_url": ""}, "success_url"),
        ({"customer": "cus_none"}, "No such customer"),
        ({"subscription_data": {"trial_period_days": 0}}, "minimum number of trial"),
        ({"subscription_data": {"trial_end": 1}}, "48 hours"),
        ({"subscription_data": {"trial_end": 4e9, "trial_period_days": 1}}, "only specify one"),
        ({"nonsense": "1"}, "unknown parameter"),
    ],
)
def test_pages_that_cannot_be(v1, price, changes, told):
    wish = PAGE | {"line_items": [{"price": price().id, "quantity": 1}]} | changes
    if "subscription_data" in changes:
        wish["subscription_data"] = {k: int(v) for k, v in changes["subscription_data"].items()}
    error = _refused(v1.checkout.sessions.create, wish)
    assert error.http_status in (400, 404)
    assert told in str(error)


def test_a_page_and_its_buttons(v1, sandbox, price):
    page = v1.checkout.sessions.create(
        PAGE
        | {
            "success_url": "https://shop.example/?s={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example/no",
            "line_items": [{"price": price().id, "quantity": 1}],
        }
    )
    with sandbox.client() as client:
        assert "EUR 1000" in client.get(page.url).text
        left = client.post(f"{page.url}/leave")
        assert left.headers["location"] == "https://shop.example/no"
        done = client.post(f"{page.url}/subscribe")
        assert done.headers["location"] == f"https://shop.example/?s={page.id}"
        assert "complete" in client.get(page.url).text
    found = v1.checkout.sessions.retrieve(page.id)
    assert (found.status, found.payment_status) == ("complete", "paid")
    assert v1.subscriptions.retrieve(found.subscription).status == "active"


def test_the_portal_needs_a_customer(v1, customer):
    assert _refused(v1.billing_portal.sessions.create, {"customer": "cus_none"}).http_status == 404
    assert v1.billing_portal.sessions.create({"customer": customer}).url


def test_invoices_end_in_other_ways(v1, sandbox, customer, price):
    sandbox.control("stripe", f"customers/{customer}/card", outcome="decline")

    def bill():
        wish = {"customer": customer, "items": [{"price": price().id}]}
        return v1.subscriptions.create(wish).latest_invoice

    assert v1.invoices.void_invoice(bill()).status == "void"
    bad = bill()
    assert v1.invoices.mark_uncollectible(bad).status == "uncollectible"
    paid = v1.invoices.pay(bad, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid, paid.amount_paid_off_stripe) == ("paid", 1000, 1000)
    assert _refused(v1.invoices.pay, bad).code == "invoice_not_editable"
