"""A larger plan begins at once and is set off, a smaller one with the next period; ends wait."""

from datetime import timedelta

import pytest

from tests.billing.desk import DAY

HALF = 15.5 * DAY  # December has 31 days, so has January


def _half_way(desk):
    """The middle of the period, by Stripe's clock."""
    (start, end) = desk.row("current_period_start", "current_period_end")
    now = desk.sandbox.worlds["stripe"].now()
    desk.pass_time(((start + (end - start) / 2).timestamp() - now) / DAY)
    return (end - start).total_seconds()


def _stripes(desk):
    """Our subscription as Stripe has it."""
    return desk.sandbox.worlds["stripe"].all("subscription")[-1]


def test_up_at_once(subscribed):
    _half_way(subscribed)
    answer = subscribed.do("change", price_id=subscribed.price("business"))
    assert (answer["plan"], answer["status"]) == ("business", "active")
    subscribed.settle()
    # half of 49.00 to come, less half of 19.00 not used
    assert subscribed.earned() == 1900 + 1500
    assert subscribed.row("plan", "next_price_id") == ("business", None)
    assert subscribed.sandbox.balance("stripe") == {"EUR": 3400}
    assert subscribed.failed() == []
    assert subscribed.findings() == []


def test_from_month_to_year_at_once(subscribed):
    seconds = _half_way(subscribed)
    subscribed.do("change", price_id=subscribed.price("premium", "year"))
    subscribed.settle()
    start, end = subscribed.row("current_period_start", "current_period_end")
    assert timedelta(days=365) <= end - start <= timedelta(days=366)
    # the unused half comes off the year; a second or two may have passed
    assert abs(subscribed.earned() - (1900 + 19000 - 950)) <= 1 + 1900 / seconds
    assert subscribed.earned() == subscribed.sandbox.balance("stripe")["EUR"]


def test_up_and_the_card_is_declined(subscribed):
    subscribed.card("decline")
    wish = {"price_id": subscribed.price("business")}
    assert subscribed.code("change", **wish) == (402, "payments.provider_declined")
    subscribed.settle()
    assert subscribed.row("plan", "status") == ("premium", "active")
    assert subscribed.earned() == 1900
    assert subscribed.one("select status from private.subscription_changes") == "failed"
    # with another card it may be asked again
    subscribed.card("ok")
    assert subscribed.do("change", **wish)["plan"] == "business"


def test_down_with_the_next_period(desk):
    desk.api.execute("update plans set trial_days = 0")
    desk.subscribe("business")
    premium = desk.price()
    answer = desk.do("change", price_id=premium)
    assert (answer["plan"], answer["next_price_id"]) == ("business", premium)
    desk.settle()
    assert desk.row("plan", "next_price_id::text") == ("business", premium)
    assert desk.earned() == 4900
    desk.pass_time(31.1)
    assert desk.row("plan", "next_price_id", "status") == ("premium", None, "active")
    assert desk.earned() == 4900 + 1900
    desk.pass_time(31.1)
    assert desk.earned() == 4900 + 2 * 1900
    assert _stripes(desk)["schedule"] is None
    assert desk.failed() == []
    assert desk.findings() == []


def test_from_year_to_month_with_the_next_period(desk):
    desk.api.execute("update plans set trial_days = 0")
    desk.subscribe("premium", "year")
    desk.do("change", price_id=desk.price())
    desk.pass_time(366.1)
    assert desk.row("price_id::text", "next_price_id") == (desk.price(), None)
    assert desk.earned() == 19000 + 1900


def test_another_smaller_plan_takes_the_place_of_the_first(desk):
    desk.api.execute("update plans set trial_days = 0")
    desk.subscribe("business", "year")
    desk.do("change", price_id=desk.price("premium", "year"))
    answer = desk.do("change", price_id=desk.price("premium", "month"))
    assert answer["next_price_id"] == desk.price("premium", "month")
    desk.settle()
    assert desk.row("next_price_id::text") == (desk.price("premium", "month"),)
    assert len(desk.sandbox.worlds["stripe"].all("subscription_schedule")) == 1


@pytest.mark.parametrize("how", ["resume", "change"])
def test_a_smaller_plan_is_called_off(desk, how):
    desk.api.execute("update plans set trial_days = 0")
    desk.subscribe("business")
    desk.do("change", price_id=desk.price())
    wish = {"price_id": desk.price("business")} if how == "change" else {}
    assert desk.do(how, **wish)["next_price_id"] is None
    desk.settle()
    assert desk.row("plan", "next_price_id") == ("business", None)
    desk.pass_time(31.1)
    assert desk.row("plan") == ("business",)
    assert desk.earned() == 2 * 4900


def test_up_after_a_smaller_plan_was_planned(desk):
    desk.api.execute("update plans set trial_days = 0")
    desk.subscribe("premium", "year")
    desk.do("change", price_id=desk.price("premium", "month"))
    answer = desk.do("change", price_id=desk.price("business", "year"))
    assert (answer["plan"], answer["next_price_id"]) == ("business", None)
    desk.settle()
    assert desk.row("plan", "next_price_id") == ("business", None)


def test_in_a_trial_every_change_is_at_once(desk):
    desk.subscribe("business")
    assert desk.row("status") == ("trialing",)
    answer = desk.do("change", price_id=desk.price())
    assert (answer["plan"], answer["status"]) == ("premium", "trialing")
    desk.pass_time(14.1)
    assert desk.earned() == 1900


def test_cancel_keeps_it_open_to_the_end(subscribed):
    answer = subscribed.do("cancel")
    assert answer["cancel_at"] == answer["current_period_end"]
    assert subscribed.do("cancel")["cancel_at"] == answer["cancel_at"]  # safe to repeat
    subscribed.settle()
    subscribed.pass_time(20)
    assert subscribed.one("select private.is_premium(%s)", subscribed.owner.id)
    subscribed.pass_time(12)
    assert subscribed.row("status", "end_reason") == ("canceled", "cancellation_requested")
    assert not subscribed.one("select private.is_premium(%s)", subscribed.owner.id)
    assert subscribed.earned() == 1900
    assert subscribed.code("cancel") == (404, "billing.no_subscription")
    assert subscribed.code("resume") == (404, "billing.no_subscription")


def test_resume(subscribed):
    subscribed.do("cancel")
    assert subscribed.do("resume")["cancel_at"] is None
    assert subscribed.do("resume")["cancel_at"] is None
    subscribed.settle()
    subscribed.pass_time(32)
    assert subscribed.row("status") == ("active",)
    assert subscribed.earned() == 3800


def test_cancel_after_a_smaller_plan_was_planned(desk):
    desk.api.execute("update plans set trial_days = 0")
    desk.subscribe("business")
    desk.do("change", price_id=desk.price())
    answer = desk.do("cancel")
    assert answer["cancel_at"] is not None
    assert answer["next_price_id"] is None
    desk.pass_time(32)
    assert desk.row("status") == ("canceled",)


def test_what_cannot_be_changed(subscribed):
    def refused(plan="premium", period="month", currency="EUR"):
        price = {"price_id": subscribed.price(plan, period, currency)}
        return subscribed.code("change", **price)

    assert refused() == (409, "billing.nothing_to_change")
    assert refused("business", currency="USD") == (409, "billing.wrong_currency")
    subscribed.do("cancel")
    assert refused("business") == (409, "billing.subscription_ending")
    subscribed.do("resume")
    subscribed.do("change", price_id=subscribed.price("business"))
    subscribed.do("change", price_id=subscribed.price())
    assert refused() == (409, "billing.nothing_to_change")
    subscribed.settle()
    subscribed.card("decline")
    subscribed.pass_time(32)
    assert subscribed.row("status") == ("past_due",)
    assert refused("business") == (409, "billing.payment_due")
    assert _stripes(subscribed)["status"] == "past_due"


def test_a_local_trial_has_nothing_to_change(desk):
    desk.owner_calls("select start_trial()")
    assert desk.code("cancel") == (404, "billing.no_subscription")
    assert desk.code("change", price_id=desk.price()) == (404, "billing.no_subscription")
    assert desk.code("portal") == (404, "billing.no_customer")


def test_nobody_changes_what_is_anothers(subscribed):
    _, token = subscribed.api.person("stranger")
    for path, body in (("cancel", {}), ("resume", {}), ("portal", {}),
                       ("change", {"price_id": subscribed.price("business")})):  # fmt: skip
        assert subscribed.ask(path, token, **body).status_code == 404
    assert subscribed.row("plan", "cancel_at") == ("premium", None)


def test_the_portal(subscribed):
    """Stripe's own page: what is changed there comes back as events."""
    url = subscribed.do("portal")["url"]
    portal = subscribed.sandbox.worlds["stripe"].all("billing_portal.session")[0]
    assert portal["url"] == url
    assert portal["return_url"].endswith("/billing")
    with subscribed.sandbox.client() as client:
        assert "active" in client.get(f"/stripe/portal/{portal['id']}").text
        client.post(f"/stripe/portal/{portal['id']}/cancel")
        subscribed.settle()
        assert subscribed.row("cancel_at = current_period_end") == (True,)
        client.post(f"/stripe/portal/{portal['id']}/resume")
        subscribed.settle()
    assert subscribed.row("cancel_at") == (None,)


def test_a_deleted_account_pays_no_longer(subscribed):
    subscribed.owner_calls("select delete_account()")
    subscribed.settle()
    assert _stripes(subscribed)["status"] == "canceled"
    assert subscribed.row("status") == ("canceled",)
    subscribed.settle()
    subscribed.pass_time(62)
    assert subscribed.earned() == 1900
    assert subscribed.failed() == []


def test_a_deleted_accounts_trial_ends(desk):
    desk.owner_calls("select start_trial()")
    desk.owner_calls("select delete_account()")
    assert desk.row("status", "end_reason") == ("canceled", "account_deleted")
