"""People subscribe on Stripe's page, with what is left of their trial, and never twice."""

import uuid

import pytest

from tests.billing.desk import DAY

PAGE = "checkout/sessions"


def _pages(desk, status="open"):
    return [
        one["id"]
        for one in desk.sandbox.worlds["stripe"].all("checkout.session")
        if one["status"] == status
    ]


def _subscriptions(desk):
    return desk.sandbox.worlds["stripe"].all("subscription")


def test_a_page_then_a_subscription(desk):
    desk.api.execute("update plans set trial_days = 0")
    page = desk.do("checkout", price_id=desk.price())
    assert page["expires_at"] is not None
    ((session,),) = [(one,) for one in desk.sandbox.worlds["stripe"].all("checkout.session")]
    assert session["success_url"].endswith("/billing?checkout={CHECKOUT_SESSION_ID}")
    assert session["cancel_url"].endswith("/billing")
    assert desk.row("id") is None
    desk.sandbox.control("stripe", f"{PAGE}/{session['id']}/subscribe")
    desk.settle()
    assert desk.row("status", "plan", "cancel_at", "is_extra") == (
        "active", "premium", None, False
    )  # fmt: skip
    assert desk.one("select status from private.checkouts") == "completed"
    assert desk.failed() == []
    assert desk.earned() == 1900
    assert desk.sandbox.balance("stripe") == {"EUR": 1900}
    assert desk.findings() == []


def test_who_never_had_a_trial_gets_the_plans(desk):
    desk.subscribe()
    # Stripe's clock and ours may be a second apart
    days = "round(extract(epoch from trial_ends_at - started_at) / 86400)::integer"
    assert desk.row("status", days) == ("trialing", 14)
    assert desk.one("select status from invoices") == "paid"  # of nothing
    assert desk.earned() == 0
    desk.pass_time(14.1)
    assert desk.row("status") == ("active",)
    assert desk.earned() == 1900
    desk.pass_time(31)
    assert desk.earned() == 3800
    assert desk.one("select count(*) from invoices where status = 'paid'") == 3
    assert desk.failed() == []
    assert desk.findings() == []


def test_what_is_left_of_a_trial_is_kept(desk):
    desk.owner_calls("select start_trial()")
    until = desk.one("select date_trunc('second', trial_ends_at) from subscriptions")
    desk.subscribe()
    assert desk.row("status", "trial_ends_at", "provider") == ("trialing", until, "stripe")
    assert desk.one("select end_reason from subscriptions where provider is null") == "converted"
    assert desk.earned() == 0
    desk.pass_time(14.1)
    assert desk.earned() == 1900


@pytest.mark.parametrize("left", ["1 day", "-1 day"])
def test_a_trial_that_is_over_or_nearly_is_paid_at_once(desk, left):
    desk.owner_calls("select start_trial()")
    desk.api.execute(f"update subscriptions set trial_ends_at = now() + interval '{left}'")
    desk.subscribe()
    assert desk.row("status", "trial_ends_at") == ("active", None)
    assert desk.earned() == 1900


def test_the_same_page_while_it_is_open(desk):
    urls = {desk.do("checkout", price_id=desk.price())["url"] for _ in range(3)}
    assert len(urls) == 1
    assert len(_pages(desk)) == 1
    assert desk.one("select count(*) from private.provider_requests") == 2  # the price, the page


def test_another_price_ends_the_first_page(desk):
    first = desk.do("checkout", price_id=desk.price())["url"]
    second = desk.do("checkout", price_id=desk.price("business"))["url"]
    assert _pages(desk) == [desk.page(second)]
    assert _pages(desk, "expired") == [desk.page(first)]
    with desk.sandbox.client() as client:
        answer = client.post(f"/control/stripe/{PAGE}/{desk.page(first)}/subscribe")
    assert answer.status_code == 400


def test_a_page_that_was_paid_meanwhile(desk):
    """Its events are still on their way: the second page is refused all the same."""
    page = desk.page(desk.do("checkout", price_id=desk.price())["url"])
    desk.sandbox.worlds["stripe"].delivery.is_held = True
    desk.sandbox.control("stripe", f"{PAGE}/{page}/subscribe")
    wish = {"price_id": desk.price("business")}
    assert desk.code("checkout", **wish) == (409, "billing.already_subscribed")
    assert desk.row("plan") == ("premium",)
    assert len(_subscriptions(desk)) == 1


def test_who_subscribes_already(subscribed):
    wish = {"price_id": subscribed.price("business")}
    assert subscribed.code("checkout", **wish) == (409, "billing.already_subscribed")


def test_after_the_end_one_may_begin_anew(subscribed):
    subscribed.do("cancel")
    subscribed.pass_time(32)
    assert subscribed.row("status") == ("canceled",)
    subscribed.subscribe("business")
    assert subscribed.row("status", "plan") == ("active", "business")
    # the same person at Stripe as before
    assert subscribed.one("select count(distinct customer) from subscriptions") == 1
    assert subscribed.findings() == []


def test_a_page_nobody_used_expires(desk):
    desk.do("checkout", price_id=desk.price())
    desk.pass_time(1.1)
    assert desk.one("select status from private.checkouts") == "expired"
    desk.do("checkout", price_id=desk.price())
    assert len(_pages(desk)) == 1


def test_money_that_goes_back(subscribed):
    """Stripe names the payment alone: it is the invoice's, and the platform's earning shrinks."""
    paid = subscribed.one("select reference from private.invoice_payments")
    refund = subscribed.sandbox.control("stripe", f"payment_intents/{paid}/refund", amount=500)
    subscribed.settle()
    assert subscribed.earned() == 1400
    assert subscribed.one("select refunded_minor from invoices") == 500
    subscribed.sandbox.control("stripe", f"refunds/{refund['id']}/fail")
    subscribed.settle()
    assert subscribed.earned() == 1900
    dispute = subscribed.sandbox.control("stripe", f"payment_intents/{paid}/dispute")
    subscribed.settle()
    assert subscribed.earned() == 1900
    subscribed.sandbox.control("stripe", f"disputes/{dispute['id']}/lose")
    subscribed.settle()
    assert subscribed.earned() == 0
    assert subscribed.sandbox.balance("stripe") == {}
    assert subscribed.one("select charged_back_minor from invoices") == 1900
    assert subscribed.failed() == []
    assert subscribed.findings() == []


def test_a_price_is_made_at_stripe_once(desk):
    desk.do("checkout", price_id=desk.price())
    _, token = desk.api.person("other")
    assert desk.ask("checkout", token, price_id=desk.price()).status_code == 200
    world = desk.sandbox.worlds["stripe"]
    ((price),) = world.all("price")
    assert (price["unit_amount"], price["currency"], price["recurring"]["interval"]) == (
        1900, "eur", "month"
    )  # fmt: skip
    assert [one["id"] for one in world.all("product")] == ["guildhall_premium"]
    assert desk.one("select reference from plan_prices where id = %s", desk.price()) == price["id"]
    desk.do("checkout", price_id=desk.price("premium", "year"))
    assert [one["id"] for one in world.all("product")] == ["guildhall_premium"]


def test_under_one_idempotency_key_the_same_answer(desk):
    with desk.api.client(desk.token, **{"idempotency-key": "k1"}) as client:
        answers = [
            client.post("/billing/checkout", json={"price_id": desk.price()}) for _ in range(2)
        ]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert answers[1].headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("order", ["reversed", "shuffled"])
def test_in_any_order_and_more_than_once(desk, order, copies):
    """The whole first month, told in one go when it is over."""
    world = desk.sandbox.worlds["stripe"]
    world.delivery.is_held = True
    page = desk.page(desk.do("checkout", price_id=desk.price())["url"])
    desk.sandbox.control("stripe", f"{PAGE}/{page}/subscribe")
    desk.sandbox.control("stripe", "advance", seconds=int(46 * DAY))
    world.delivery.order, world.delivery.copies = order, copies
    desk.sandbox.control("stripe", "deliver")
    desk.work()
    assert desk.row("status", "plan", "is_extra") == ("active", "premium", False)
    assert desk.failed() == []
    assert desk.earned() == 3800 == desk.sandbox.balance("stripe")["EUR"]
    assert desk.one("select count(*) from invoices where status = 'paid'") == 3
    assert desk.findings() == []


def test_bad_input(desk):
    unknown = {"price_id": str(uuid.uuid4())}
    assert desk.code("checkout", **unknown) == (404, "billing.price_not_found")
    assert desk.code("change", **unknown) == (404, "billing.no_subscription")
    for path in ("checkout", "change"):
        for body in ({}, {"price_id": "x"}, {"price_id": None}, unknown | {"trial_days": 9999}):
            assert desk.code(path, **body)[0] == 422
    desk.api.execute("update plan_prices set is_sold = false where plan = 'business'")
    gone = {"price_id": str(desk.one("select id from plan_prices where plan = 'business' limit 1"))}
    assert desk.code("checkout", **gone) == (404, "billing.price_not_found")
    assert desk.sandbox.worlds["stripe"].calls == 0


@pytest.mark.parametrize("path", ["checkout", "portal", "change", "cancel", "resume"])
def test_who_may_not(desk, path):
    body = {"price_id": desk.price()} if path in ("checkout", "change") else {}
    with desk.api.client() as client:
        assert client.post(f"/billing/{path}", json=body).status_code == 401
    _, token = desk.api.person("shut out", "suspended")
    answer = desk.ask(path, token, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "identity.not_active")
    assert desk.sandbox.worlds["stripe"].calls == 0


@pytest.mark.parametrize("path", ["checkout", "portal", "change", "cancel", "resume"])
def test_without_stripe_nothing_is_tried(desk, path):
    desk.api.app.state.billing._known = desk.known.model_copy(update={"stripe_api_key": None})
    body = {"price_id": desk.price()} if path in ("checkout", "change") else {}
    assert desk.code(path, **body) == (503, "payments.provider_not_configured")
    assert desk.one("select count(*) from private.checkouts") == 0
