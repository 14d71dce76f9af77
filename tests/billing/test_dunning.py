"""A payment that fails is tried again for a while; then the subscription ends, or waits unpaid."""

import pytest


def _fail(desk):
    """The renewal's payment fails."""
    desk.card("decline")
    desk.pass_time(31.1)


def _is_premium(desk):
    return desk.one("select private.is_premium(%s)", desk.owner.id)


def test_all_stays_open_while_it_is_tried_again(subscribed):
    _fail(subscribed)
    assert subscribed.row("status") == ("past_due",)
    assert _is_premium(subscribed)
    status, again, url = subscribed.api.execute(
        "select status, next_attempt_at is not null, hosted_url from invoices"
        " order by issued_at desc limit 1"
    )[0]
    assert (status, again) == ("open", True)
    assert url.startswith(subscribed.sandbox.url)
    assert subscribed.earned() == 1900


def test_a_later_try_succeeds(subscribed):
    _fail(subscribed)
    subscribed.card("ok")
    subscribed.pass_time(3.1)
    assert subscribed.row("status") == ("active",)
    assert subscribed.earned() == 3800
    assert subscribed.failed() == []
    assert subscribed.findings() == []


def test_after_the_last_try_it_ends(subscribed):
    """Stripe's setting: cancel. What only the plan allowed is closed."""
    subscribed.api.execute("update plan_features set allowed = 1 where plan = 'free'")
    creator, _ = subscribed.api.person("creator")
    for _ in range(3):
        subscribed.owner_calls(
            "select open_escrow(%s, 'Tea', 'EUR', '[{\"title\": \"x\", \"price_minor\": 1}]')",
            creator.id,
        )
    _fail(subscribed)
    count = "select count(*) from escrows where closed_at is null"
    assert subscribed.one(count) == 3
    subscribed.pass_time(16)
    assert subscribed.row("status", "end_reason") == ("canceled", "payment_failed")
    assert not _is_premium(subscribed)
    assert subscribed.one(count) == 1
    assert subscribed.earned() == 1900
    assert subscribed.failed() == []


@pytest.mark.parametrize("setting", ["unpaid", "past_due"])
def test_or_it_waits(subscribed, setting):
    """Stripe's other settings: unpaid opens nothing until it is paid by hand."""
    subscribed.sandbox.control("stripe", "billing", after_dunning=setting)
    _fail(subscribed)
    subscribed.pass_time(16)
    assert subscribed.row("status") == (setting,)
    assert _is_premium(subscribed) is (setting == "past_due")
    subscribed.card("ok")
    bill = subscribed.one("select reference from invoices where status = 'open'")
    key = subscribed.sandbox.known.stripe_api_key.get_secret_value()
    with subscribed.sandbox.client(authorization=f"Bearer {key}") as client:
        assert client.post(f"/stripe/v1/invoices/{bill}/pay").status_code == 200
    subscribed.settle()
    assert subscribed.row("status") == ("active",)
    assert _is_premium(subscribed)
    assert subscribed.earned() == 3800


def test_who_is_unpaid_may_still_cancel(subscribed):
    subscribed.sandbox.control("stripe", "billing", after_dunning="unpaid")
    _fail(subscribed)
    subscribed.pass_time(16)
    assert subscribed.do("cancel")["cancel_at"] is not None


def test_a_trials_card_that_was_taken_off(desk):
    """missing_payment_method=cancel: the trial ends, and nothing is owed."""
    desk.subscribe()
    desk.card("none")
    desk.pass_time(14.1)
    assert desk.row("status") == ("canceled",)
    assert desk.one("select count(*) from invoices where status = 'open'") == 0
    assert desk.earned() == 0


def test_a_trials_card_that_fails(desk):
    desk.subscribe()
    desk.card("decline")
    desk.pass_time(14.1)
    assert desk.row("status") == ("past_due",)
    desk.card("ok")
    desk.pass_time(3.1)
    assert desk.row("status") == ("active",)
    assert desk.earned() == 1900
