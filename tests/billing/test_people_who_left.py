"""Who deleted their account is charged no more, whatever was under way when they left."""

import pytest

from tests.billing.test_subscribing import PAGE

CHANGES = "select kind, status from private.subscription_changes"


def _page(office):
    ((checkout, request),) = office.owner.rows(
        "select checkout_id, request_id from private.start_checkout(%s)",
        [office.price("price_premium_eur_month")],
    )
    return checkout, request


def test_a_subscription_that_is_told_of_after_its_person_left(office):
    checkout, request = _page(office)
    office.worker.rows(
        "select private.checkout_started(%s, %s, 'cs_1', 'https://x', now() + interval '1 day')",
        [checkout, request],
    )
    office.owner.rows("select delete_account()")
    assert office.told(office.subscription()) == "ok"
    office.pay()
    assert office.db.execute(CHANGES).fetchall() == [("end", "asked")]
    office.db.execute("update subscriptions set created_at = now() - interval '2 hours'")
    assert office.findings() == []
    office.db.execute("update profiles set deleted_at = now() - interval '2 hours' where id = %s",
                      [office.owner.id])  # fmt: skip
    assert [row[0] for row in office.findings()] == ["subscription of a deleted person"]
    assert office.told(office.subscription("canceled")) == "ok"
    assert office.findings() == []


def test_a_page_that_is_being_made_is_given_up(office):
    checkout, request = _page(office)
    office.owner.rows("select delete_account()")
    assert office.one("select status from private.checkouts") == "abandoned"
    ((is_open,),) = office.worker.rows(
        "select private.checkout_started(%s, %s, 'cs_1', 'https://x', now() + interval '1 day')",
        [checkout, request],
    )
    assert is_open is False


def test_a_page_that_is_open_is_ended(desk):
    page = desk.page(desk.do("checkout", price_id=desk.price())["url"])
    desk.owner_calls("select delete_account()")
    desk.settle()
    assert desk.one("select status from private.checkouts") == "expired"
    with desk.sandbox.client() as client:
        assert client.post(f"/control/stripe/{PAGE}/{page}/subscribe").status_code == 400


@pytest.mark.parametrize("trial_days", [0, 14])
def test_a_page_that_was_just_paid(desk, trial_days):
    """19.00 are charged once at most, and not every month."""
    desk.api.execute("update plans set trial_days = %s", [trial_days])
    page = desk.page(desk.do("checkout", price_id=desk.price())["url"])
    desk.sandbox.worlds["stripe"].delivery.is_held = True
    desk.sandbox.control("stripe", f"{PAGE}/{page}/subscribe")
    desk.owner_calls("select delete_account()")
    desk.settle()
    (held,) = desk.sandbox.worlds["stripe"].all("subscription")
    assert (held["status"], desk.row("status")) == ("canceled", ("canceled",))
    desk.sandbox.worlds["stripe"].delivery.is_held = False
    desk.sandbox.control("stripe", "deliver")
    # nor is the card kept that it was paid with
    cards = desk.sandbox.worlds["stripe"].all("payment_method")
    assert [card["customer"] for card in cards] == [None]
    desk.pass_time(62)
    assert desk.earned() == (0 if trial_days else 1900)
    assert desk.failed() == []
    assert desk.findings() == []
