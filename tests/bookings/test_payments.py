"""A payment funds a booking once; what a bank disputes is frozen, what it takes back is found."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def _charge(house, booking, reference, amount):
    return house.attempt(
        "select (private.charge_back_booking(%s, %s, %s, 'fraud')).status",
        booking, reference, amount,
    )  # fmt: skip


def _freeze(house, booking, is_frozen):
    return house.attempt(
        "select (private.freeze_booking(%s, %s)).frozen_at is not null", booking, is_frozen
    )


def test_a_payment_funds_once(house):
    booking = house.book()
    for _ in range(2):
        assert house.pay(booking, "pay_1") == "paid"
    assert house.pay(booking, "pay_2") == "bookings.already_funded"
    assert house.pay(house.book(), "pay_1") == "bookings.payment_reused"
    assert house.row(booking, "remaining_minor, provider, payment_reference") == (
        10_000, "razorpay", "pay_1",
    )  # fmt: skip
    assert house.one("select count(*) from ledger_transactions") == 1
    assert house.held(kind="clearing") == -10_000
    assert house.findings() == []


@pytest.mark.parametrize(("amount", "currency", "code"), [
    (9_999, "EUR", "bookings.payment_too_small"), (0, "EUR", "bookings.payment_too_small"),
    (-10_000, "EUR", "bookings.payment_too_small"), (10_001, "EUR", "bookings.payment_too_large"),
    (9 * 10**18, "EUR", "bookings.payment_too_large"), (10_000, "USD", "bookings.wrong_currency"),
])  # fmt: skip
def test_only_the_whole_price_in_its_currency(house, amount, currency, code):
    booking = house.book()
    assert house.pay(booking, "pay_1", amount, currency) == code
    assert house.status(booking) == "pending_payment"
    assert house.one("select count(*) from ledger_entries") == 0


def test_no_booking_no_payment(house):
    call = "select private.{}('00000000-0000-0000-0000-000000000001', {})"
    for name, arguments in (
        ("fund_booking", "'stripe', 'x', 1, 'EUR'"),
        ("freeze_booking", "true"),
        ("charge_back_booking", "'x', 1, 'x'"),
    ):
        assert house.attempt(call.format(name, arguments)) == "bookings.not_found"


def test_what_goes_back_settles_a_debt_first(house):
    booking = house.paid()
    account = house.one(
        "select private.ledger_account('available', 'EUR', owner_id => %s)", house.guest.id
    )
    house.db.execute("update ledger_accounts set floor_minor = -4000 where id = %s", [account])
    house.one(
        "select private.post_transaction('debt', 'test.owe', array[%s,"
        " private.ledger_account('loss', 'EUR')], array[-4000, 4000])",
        account,
    )
    house.act(house.host, "cancel_booking", booking)
    assert (house.held(house.guest), house.going_back(house.guest)) == (6_000, 6_000)
    assert house.findings() == []


def test_what_is_frozen_stays(house):
    disputed, completed, paid = house.into("disputed"), house.completed(), house.paid(hours=30)
    for booking in (disputed, completed, paid):
        for _ in range(2):
            assert _freeze(house, booking, True) is True
    assert house.settle(completed) == ["completed"]
    for person in (house.host, house.guest):
        assert house.act(person, "cancel_booking", paid) == "bookings.frozen"
    call = ("resolve_booking_dispute", disputed, "refund", "x")
    assert house.act(house.moderator, *call) == "bookings.frozen"
    assert (house.held(house.host), house.held(house.guest)) == (0, 0)
    assert house.findings() == []
    for booking in (disputed, completed, paid):
        for _ in range(2):
            assert _freeze(house, booking, False) is False
    assert house.one("select private.settle_due_bookings()") == 1
    assert house.status(completed) == "released"
    assert house.act(house.moderator, *call) == "refunded"
    assert house.act(house.guest, "cancel_booking", paid) == "cancelled"
    assert house.db.execute(
        "select reason from booking_events where booking_id = %s and reason like 'payment%%'"
        " order by id",
        [completed],
    ).fetchall() == [("payment dispute opened",), ("payment dispute over",)]


@pytest.mark.parametrize("state", ["cancelled", "released", "refunded", "charged_back"])
def test_what_is_over_has_nothing_to_freeze(house, state):
    assert _freeze(house, house.into(state), True) is False


@pytest.mark.parametrize("state", ["paid", "completed", "no_show", "disputed"])
def test_a_bank_takes_what_is_held(house, state):
    booking = house.into(state)
    _freeze(house, booking, True)
    for _ in range(2):
        assert _charge(house, booking, "dp_1", 4_000) == state
    assert house.row(booking, "remaining_minor, charged_back_minor") == (6_000, 4_000)
    assert _charge(house, booking, "dp_1", 4_001) == "ledger.key_reused"
    assert house.findings() == []
    assert _charge(house, booking, "dp_2", 6_000) == "charged_back"
    assert house.row(booking, "remaining_minor, charged_back_minor, frozen_at") == (0, 10_000, None)
    assert house.held(kind="clearing") == 0
    assert house.findings() == []


def test_what_it_leaves_settles(house):
    booking = house.completed()
    _charge(house, booking, "dp_1", 4_000)
    assert house.settle(booking) == ["released"]
    assert (house.held(house.host), house.held()) == (5_400, 600)
    assert house.findings() == []


def test_after_settlement_host_and_platform_give_in_proportion(house):
    booking = house.completed(3)
    house.settle(booking)
    assert (house.held(house.host), house.held()) == (8_100, 1_900)
    assert _charge(house, booking, "dp_1", 5_000) == "released"
    assert (house.held(house.host), house.held()) == (4_050, 950)
    assert _charge(house, booking, "dp_2", 5_000) == "released"
    assert (house.held(house.host), house.held(), house.held(kind="loss")) == (0, 0, 0)
    assert house.row(booking, "taken_back_minor, released_minor") == (10_000, 10_000)
    assert house.findings() == []


def test_what_nobody_has_any_more_is_lost(house):
    """Half went back to the guest; the bank takes all of it again."""
    booking = house.paid(hours=10)
    house.act(house.guest, "cancel_booking", booking)
    assert house.held(house.guest) == 5_000
    assert _charge(house, booking, "dp_1", 10_000) == "cancelled"
    assert [house.held(who) for who in (house.guest, house.host, None)] == [5_000, 0, 0]
    assert house.held(kind="loss") == -5_000
    assert house.findings() == []


def test_after_a_withdrawal_the_host_owes_and_earns_it_off(house):
    booking = house.completed()
    house.settle(booking)
    account = house.one("select id from ledger_accounts where owner_id = %s", house.host.id)
    house.one(
        "select private.post_transaction('w1', 'test.withdraw', array[%s,"
        " private.ledger_account('clearing', 'EUR', provider => 'razorpay')], array[-9000, 9000])",
        account,
    )
    _charge(house, booking, "dp_1", 10_000)
    assert house.host.rows("select available_minor from ledger_balances") == [(-9_000,)]
    house.settle(house.completed(price=20_000))
    assert house.host.rows("select available_minor from ledger_balances") == [(9_000,)]
    assert house.findings() == []


@pytest.mark.parametrize("amount", [0, -1, None])
def test_no_amount_no_effect(house, amount):
    assert _charge(house, house.into("paid"), "dp_1", amount) == "bookings.invalid_amount"


@pytest.mark.parametrize("state", ["pending_payment", "cancelled"])
def test_what_was_never_paid_is_not_taken(house, state):
    assert _charge(house, house.into(state), "dp_1", 1) == "bookings.invalid_transition"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    price=st.integers(1, 10**12),
    rating=st.none() | st.integers(1, 5),
    to=st.sampled_from(["platform", "guest"]),
    parts=st.lists(st.floats(0.001, 0.9), max_size=4),
)
def test_any_chargebacks_add_up_and_nobody_gives_more_than_they_got(
    house, price, rating, to, parts
):
    with house.db.transaction(force_rollback=True):
        house.policy((1, 2, 8_500, 3_333, to), (3, 5, 9_000, 0))
        booking = house.completed(rating, price=price)
        house.settle(booking)
        guest = house.held(house.guest)
        left = price
        for number, part in enumerate([*parts, 1.0]):
            amount = left if part == 1.0 else max(1, int(left * part))
            if amount > left or not left:
                continue
            _charge(house, booking, f"dp_{number}", amount)
            left -= amount
            host, platform = house.held(house.host), house.held()
            assert min(host, platform) >= 0
            assert host + platform == max(0, left - guest)
            assert house.held(kind="loss") == min(0, left - guest)
            assert house.findings() == []
        assert house.held(kind="clearing") == 0
