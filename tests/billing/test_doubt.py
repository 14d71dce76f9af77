"""When Stripe's answer is lost, what was asked is looked up, and happens once."""

import pytest

from sandbox.core import CALL_FAULTS
from tests.billing.desk import open_desk

CHANGE = "POST /stripe/v1/subscriptions/"
PAGE = "POST /stripe/v1/checkout/sessions"
STATES = (
    "select changed.status, asked.status from private.subscription_changes as changed"
    " join private.provider_requests as asked on asked.subject_id = changed.id"
)


@pytest.fixture
def desk(own_database):
    with open_desk(own_database) as opened:
        opened.api.execute("update plans set trial_days = 0")
        yield opened


def _time_to_look(desk):
    """The reconciler finds the request due, and its job runs."""
    desk.api.execute("update private.provider_requests set look_at = now()")
    desk.api.execute("select private.reconcile_requests()")
    desk.work()
    desk.settle()


def _doubt(fault):
    """How the api answers a call that met this fault."""
    if fault == "429":
        return 503, "payments.provider_unavailable"
    return 502, "payments.outcome_unknown"


@pytest.mark.parametrize("who", ["the person asks again", "the reconciler looks"])
@pytest.mark.parametrize("fault", CALL_FAULTS)
def test_an_upgrade_is_paid_once(desk, fault, who):
    desk.subscribe()
    wish = {"price_id": desk.price("business")}
    assert desk.ask_in_vain(fault, CHANGE, "change", **wish) == _doubt(fault)
    assert desk.api.execute(STATES) == [("asked", "unknown")]
    # nothing else may be asked meanwhile
    assert desk.code("cancel") == (409, "billing.change_pending")
    if who == "the person asks again":
        assert desk.do("change", **wish)["plan"] == "business"
    else:
        _time_to_look(desk)
    desk.settle()
    assert desk.api.execute(STATES) == [("done", "succeeded")]
    assert desk.row("plan", "status") == ("business", "active")
    bills = desk.sandbox.worlds["stripe"].all("invoice")
    assert [one["billing_reason"] for one in bills] == [
        "subscription_create",
        "subscription_update",
    ]
    assert desk.earned() == desk.sandbox.balance("stripe")["EUR"]
    assert desk.failed() == []
    assert desk.findings() == []


@pytest.mark.parametrize("fault", ["drop_after", "500_before", "malformed_after"])
@pytest.mark.parametrize(
    "call", ["POST /stripe/v1/subscription_schedules", "POST /stripe/v1/subscription_schedules/"]
)
def test_a_downgrade_of_two_calls(desk, call, fault):
    desk.subscribe("business")
    wish = {"price_id": desk.price()}
    assert desk.ask_in_vain(fault, call, "change", **wish) == _doubt(fault)
    _time_to_look(desk)
    assert desk.row("plan", "next_price_id::text") == ("business", desk.price())
    assert len(desk.sandbox.worlds["stripe"].all("subscription_schedule")) == 1
    desk.pass_time(31.1)
    assert desk.row("plan") == ("premium",)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_the_look_up_itself_is_lost(desk, fault):
    """The change was made, and its result could not be read: it is no second change."""
    desk.subscribe()
    assert desk.ask_in_vain(fault, "GET /stripe/v1/invoices", "cancel") == _doubt(fault)
    _time_to_look(desk)
    assert desk.row("cancel_at is not null") == (True,)
    assert desk.api.execute(STATES) == [("done", "succeeded")]


def test_what_was_not_done_while_the_key_lived_failed(desk):
    desk.subscribe()
    assert desk.ask_in_vain("500_before", CHANGE, "cancel") == _doubt("500_before")
    desk.api.execute(
        "update private.provider_requests set created_at = now() - interval '25 hours'"
    )
    _time_to_look(desk)
    assert desk.api.execute(STATES) == [("failed", "declined")]
    assert desk.do("cancel")["cancel_at"] is not None


def test_a_doubt_stays_while_stripe_is_silent(desk):
    desk.subscribe()
    desk.sandbox.fail("stripe", "500_before", "/stripe/v1/subscriptions/", times=None)
    assert desk.code("cancel") == _doubt("500_before")
    for _ in range(3):
        _time_to_look(desk)
        assert desk.api.execute(STATES) == [("asked", "unknown")]
    desk.sandbox.recover("stripe")
    _time_to_look(desk)
    assert desk.api.execute(STATES) == [("done", "succeeded")]
    assert desk.row("cancel_at is not null") == (True,)


def test_whoever_waited_died_before_it_was_sent(desk):
    """What was asked is stored with its job: it happens all the same."""
    desk.subscribe()
    desk.owner_calls("select private.cancel_plan()")
    desk.work()
    assert desk.row("cancel_at") == (None,)  # the one who waits has a minute and a half
    desk.api.execute(
        "update procrastinate.procrastinate_jobs set scheduled_at = now()"
        " where task_name = 'billing.change_subscription'"
    )
    desk.work()
    assert desk.row("cancel_at is not null") == (True,)


@pytest.mark.parametrize("fault", CALL_FAULTS)
def test_one_page_whatever_breaks(desk, fault):
    wish = {"price_id": desk.price()}
    assert desk.ask_in_vain(fault, PAGE, "checkout", **wish) == _doubt(fault)
    desk.do("checkout", **wish)
    assert len(desk.sandbox.worlds["stripe"].all("checkout.session")) == 1


def test_a_page_that_nobody_waits_for_is_given_up(desk):
    wish = {"price_id": desk.price()}
    assert desk.ask_in_vain("drop_after", PAGE, "checkout", **wish) == _doubt("drop_after")
    _time_to_look(desk)
    assert desk.one("select status from private.checkouts") == "abandoned"
    assert desk.one("select count(*) from private.provider_requests where closed_at is null") == 0
    desk.do("checkout", **wish)
    assert desk.one("select count(*) from private.checkouts where status = 'open'") == 1


def test_a_page_after_the_key_expired(desk):
    wish = {"price_id": desk.price()}
    assert desk.ask_in_vain("drop_before", PAGE, "checkout", **wish) == _doubt("drop_before")
    desk.api.execute(
        "update private.provider_requests set created_at = now() - interval '25 hours'"
        " where action = 'billing.start_subscription'"
    )
    desk.do("checkout", **wish)
    assert desk.api.execute("select status from private.checkouts order by created_at") == [
        ("abandoned",), ("open",)
    ]  # fmt: skip


@pytest.mark.parametrize("call", ["POST /stripe/v1/products", "POST /stripe/v1/prices"])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500_after", "429"])
def test_one_price_whatever_breaks(desk, call, fault):
    wish = {"price_id": desk.price()}
    assert desk.ask_in_vain(fault, call, "checkout", **wish) == _doubt(fault)
    _time_to_look(desk)
    desk.do("checkout", **wish)
    world = desk.sandbox.worlds["stripe"]
    assert (len(world.all("product")), len(world.all("price"))) == (1, 1)
    assert desk.one("select count(*) from private.provider_requests where closed_at is null") == 0


def test_the_portal_is_simply_asked_again(desk):
    desk.subscribe()
    assert desk.ask_in_vain("500_before", "billing_portal", "portal") == _doubt("500_before")
    assert desk.do("portal")["url"]


def test_a_declined_page_may_be_asked_anew(desk):
    wish = {"price_id": desk.price()}
    desk.sandbox.fail("stripe", "decline", PAGE)
    assert desk.code("checkout", **wish) == (402, "payments.provider_declined")
    desk.do("checkout", **wish)


def test_switched_off(desk):
    desk.api.execute("update private.providers set is_enabled = false")
    wish = {"price_id": desk.price()}
    assert desk.code("checkout", **wish) == (409, "payments.provider_not_available")
    assert desk.one("select count(*) from private.checkouts") == 0
