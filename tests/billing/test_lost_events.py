"""Not one event arrives: what Stripe knows is asked for, and is the same in the end."""

from sandbox.core import Delivery


def _look(desk, table):
    """The time to look has come, and workers do."""
    desk.api.execute(f"update {table} set look_at = now() where look_at is not null")
    desk.api.execute("select private.refresh_due()")
    desk.work()


def test_a_whole_subscription_without_an_event(desk):
    world = desk.sandbox.worlds["stripe"]
    world.delivery = Delivery(is_held=True)
    page = desk.page(desk.do("checkout", price_id=desk.price())["url"])
    desk.sandbox.control("stripe", f"checkout/sessions/{page}/subscribe")
    desk.settle()
    assert desk.row("id") is None
    _look(desk, "private.checkouts")
    assert desk.row("status", "plan") == ("trialing", "premium")
    assert desk.one("select status from private.checkouts") == "completed"
    desk.pass_time(14.1)
    assert desk.row("status") == ("trialing",)
    _look(desk, "subscriptions")
    assert desk.row("status") == ("active",)
    assert desk.earned() == 1900
    desk.pass_time(31.1)
    _look(desk, "subscriptions")
    assert desk.earned() == 3800
    # refunds name the payment: that is known as well
    assert desk.one("select count(*) from private.invoice_payments") == 2
    desk.do("cancel")
    desk.pass_time(31.1)
    _look(desk, "subscriptions")
    assert desk.row("status", "end_reason", "look_at") == (
        "canceled", "cancellation_requested", None
    )  # fmt: skip
    before = desk.api.execute("select status, plan, ended_at from subscriptions")
    # and when they come after all, nothing changes
    world.delivery = Delivery(order="shuffled", copies=2)
    desk.sandbox.control("stripe", "deliver")
    desk.settle()
    assert desk.api.execute("select status, plan, ended_at from subscriptions") == before
    assert desk.earned() == 3800 == desk.sandbox.balance("stripe")["EUR"]
    assert desk.failed() == []
    assert desk.findings() == []


def test_a_page_that_expired_unseen(desk):
    desk.sandbox.worlds["stripe"].delivery = Delivery(is_held=True)
    desk.do("checkout", price_id=desk.price())
    desk.pass_time(1.1)
    _look(desk, "private.checkouts")
    assert desk.one("select status from private.checkouts") == "expired"


def test_the_page_told_and_the_subscription_did_not(desk):
    """Any one event is enough to begin with: the rest is asked for."""
    world = desk.sandbox.worlds["stripe"]
    world.delivery = Delivery(is_held=True)
    page = desk.page(desk.do("checkout", price_id=desk.price())["url"])
    desk.sandbox.control("stripe", f"checkout/sessions/{page}/subscribe")
    told = [one for one in world.waiting if one.kind == "checkout.session.completed"]
    world.waiting.clear()
    world.waiting.extend(told)
    desk.sandbox.control("stripe", "deliver")
    desk.work()
    assert desk.row("status") == ("trialing",)


def test_while_stripe_is_down_it_is_asked_later(desk):
    desk.subscribe()
    desk.sandbox.fail("stripe", "500_before", times=None)
    _look(desk, "subscriptions")
    ((status, attempts, is_later),) = desk.api.execute(
        "select status::text, attempts, scheduled_at > now()"
        " from procrastinate.procrastinate_jobs where task_name = 'billing.refresh_subscription'"
    )
    assert (status, attempts, is_later) == ("todo", 1, True)
    assert desk.row("look_at > now()") == (True,)


def test_nobody_is_asked_without_need(desk):
    desk.subscribe()
    calls = desk.sandbox.worlds["stripe"].calls
    desk.api.execute("select private.refresh_due()")
    desk.work()
    assert desk.sandbox.worlds["stripe"].calls == calls
