"""Who does what when: booking an hour, cancelling in time, not coming, disputing."""

import pytest

from tests.fixtures.people import sign_up, suspend

HOURS = "select * from book_offer(%s, now() + make_interval(mins => %s))"


def _ask(house, offer, hours, guest=None):
    return (guest or house.guest).outcome(HOURS, [offer, int(hours * 60)])


@pytest.mark.parametrize(("terms", "code"), [
    ({}, "row"),
    ({"title": " "}, "bookings.invalid_offer"),
    ({"title": "x" * 201}, "bookings.invalid_offer"),
    ({"title": None}, "bookings.invalid_offer"),
    ({"description": "x" * 5001}, "bookings.invalid_offer"),
    ({"description": None}, "bookings.invalid_offer"),
    ({"duration_minutes": 4}, "bookings.invalid_offer"),
    ({"duration_minutes": 1441}, "bookings.invalid_offer"),
    ({"duration_minutes": None}, "bookings.invalid_offer"),
    ({"price_minor": 0}, "bookings.invalid_amount"),
    ({"price_minor": -1}, "bookings.invalid_amount"),
    ({"price_minor": None}, "bookings.invalid_amount"),
    ({"price_minor": 10**14 + 1}, "bookings.invalid_amount"),
    ({"price_minor": 10**14}, "row"),
    ({"currency": "eur"}, "bookings.invalid_currency"),
    ({"currency": None}, "bookings.invalid_currency"),
    ({"full_refund_hours": -1}, "bookings.invalid_offer"),
    ({"full_refund_hours": 9000}, "bookings.invalid_offer"),
    ({"part_refund_hours": 25}, "bookings.invalid_offer"),
    ({"part_refund_hours": None}, "bookings.invalid_offer"),
    ({"part_refund_bps": 10_001}, "bookings.invalid_offer"),
    ({"part_refund_bps": None}, "bookings.invalid_offer"),
    ({"full_refund_hours": 0, "part_refund_hours": 0, "part_refund_bps": 0}, "row"),
])  # fmt: skip
def test_offers_are_checked(house, terms, code):
    known = {
        "title": "x", "duration_minutes": 60, "price_minor": 1, "currency": "EUR",
        "description": "", "full_refund_hours": 24, "part_refund_hours": 4,
        "part_refund_bps": 5_000,
    } | terms  # fmt: skip
    call = ", ".join(f"{name} => %s" for name in known)
    assert house.host.outcome(f"select create_booking_offer({call})", list(known.values())) == code


def test_members_see_what_is_open_and_guests_what_they_booked(house):
    offer = house.offer()
    house.book(offer)
    stranger = sign_up(house.db, "stranger")
    see = "select from booking_offers where id = %s"
    assert stranger.outcome(see, [offer]) == "row"
    close = "select is_open from close_booking_offer(%s)"
    assert stranger.outcome(close, [offer]) == "bookings.offer_not_found"
    for _ in range(2):
        assert house.host.rows(close, [offer]) == [(False,)]
    assert stranger.outcome(see, [offer]) == "nothing"
    for person in (house.host, house.guest, house.moderator):
        assert person.outcome(see, [offer]) == "row"
    assert _ask(house, offer, 99) == "bookings.offer_not_found"


@pytest.mark.parametrize(("hours", "code"), [
    (-1, "bookings.invalid_time"), (0, "bookings.invalid_time"), (1 / 60, "row"),
    (60 * 24, "row"), (60 * 24 + 1 / 60, "bookings.invalid_time"),
])  # fmt: skip
def test_a_booking_starts_in_the_next_sixty_days(house, hours, code):
    assert _ask(house, house.offer(), hours) == code


def test_how_far_ahead_is_the_policys(house):
    house.policy((1, 5, 9_000, 0), book_ahead_days=2)
    assert _ask(house, house.offer(), 48) == "row"
    assert _ask(house, house.offer(), 49) == "bookings.invalid_time"


def test_a_time_is_needed(house):
    call = "select book_offer(%s, null)"
    assert house.guest.outcome(call, [house.offer()]) == "bookings.invalid_time"
    assert house.guest.outcome("select book_offer(null, now())") == "bookings.offer_not_found"


def test_nobody_books_themselves_the_suspended_or_the_gone(house):
    offer = house.offer()
    assert _ask(house, offer, 5, house.host) == "bookings.own_offer"
    house.host.rows("select delete_account()")
    assert house.one("select is_open from booking_offers where id = %s", offer) is False
    assert _ask(house, offer, 5) == "bookings.offer_not_found"
    other = sign_up(house.db, "other")
    offer = house.offer(host=other)
    suspend(house.db, other)
    assert _ask(house, offer, 5) == "bookings.offer_not_found"


@pytest.mark.parametrize(("hours", "code"), [
    (9, "row"), (9.5, "bookings.slot_taken"), (10, "bookings.slot_taken"),
    (10.5, "bookings.slot_taken"), (11, "row"),
])  # fmt: skip
def test_a_host_is_booked_once_at_a_time(house, hours, code):
    house.book(house.offer(), 10)
    other = sign_up(house.db, "other")
    assert _ask(house, house.offer(), hours, other) == code, "whatever the offer"
    assert _ask(house, house.offer(host=other), hours) == "row", "another host is free"


def test_what_was_cancelled_or_settled_blocks_nobody(house):
    offer = house.offer()
    booking = house.book(offer, 10)
    assert _ask(house, house.offer(), 10) == "bookings.slot_taken"
    house.act(house.guest, "cancel_booking", booking)
    assert _ask(house, offer, 10) == "row"


def test_an_hour_is_held_while_it_is_paid_and_then_free(house):
    offer = house.offer()
    booking = house.book(offer, 10)
    assert house.one("select expires_at - now() from bookings").total_seconds() == 30 * 60
    other = sign_up(house.db, "other")
    house.db.execute("update bookings set expires_at = now() + interval '1 s'")
    assert house.one("select private.cancel_unpaid_bookings()") == 0
    assert _ask(house, offer, 10, other) == "bookings.slot_taken"
    house.db.execute("update bookings set expires_at = now()")
    assert house.act(house.guest, "order_booking", booking) == "bookings.not_payable"
    assert _ask(house, offer, 10, other) == "row", "also before the worker comes by"
    assert house.one("select private.cancel_unpaid_bookings()") == 1
    assert house.row(booking, "status, status_reason") == ("cancelled", "not paid in time")
    assert house.pay(booking) == "bookings.not_payable"


def test_paying_ends_when_the_session_starts(house):
    booking = house.book(hours=0.25)
    assert house.one("select expires_at = starts_at from bookings")
    house.pass_time(0.25)
    assert house.pay(booking) == "bookings.not_payable"


def test_one_unpaid_booking_of_an_offer_at_a_time(house):
    offer = house.offer()
    booking = house.book(offer, 10)
    assert house.book(offer, 10) == booking, "the same again is the same"
    assert _ask(house, offer, 20) == "bookings.unpaid_left"
    house.pay(booking)
    assert _ask(house, offer, 20) == "row"


def test_the_order_is_the_guests(house):
    booking = house.book()
    ask = "select id, amount_minor, currency, booking_id, payer_id from order_booking(%s)"
    (order,) = house.guest.rows(ask, [booking])
    assert order[1:] == (10_000, "EUR", booking, house.guest.id)
    assert house.guest.rows(ask, [booking]) == [order]
    assert house.host.outcome(ask, [booking]) == "bookings.wrong_party"
    assert sign_up(house.db, "stranger").outcome(ask, [booking]) == "bookings.not_found"
    house.pay(booking)
    assert house.guest.outcome(ask, [booking]) == "bookings.not_payable"


@pytest.mark.parametrize("person", ["host", "guest"])
def test_one_confirms_both_confirm(house, person):
    first, second = house.host, house.guest
    if person == "guest":
        first, second = second, first
    booking = house.paid()
    assert house.act(first, "confirm_completion", booking) == "bookings.too_early"
    house.start(booking)
    for _ in range(2):
        assert house.act(first, "confirm_completion", booking) == "paid"
    assert house.act(second, "confirm_completion", booking) == "completed"
    assert house.act(second, "confirm_completion", booking) == "bookings.invalid_transition"
    completed, settles = house.row(booking, "completed_at = now(), settles_at - now()")
    assert (completed, settles.total_seconds()) == (True, 24 * 3600)


def test_it_completes_by_itself_when_nobody_objects(house):
    """Twelve hours after its end, as the policy says."""
    booking = house.paid(hours=1)
    house.act(house.guest, "confirm_completion", booking)
    house.pass_time(1 + 1 + 12 - 1 / 60)
    assert house.one("select private.complete_due_bookings()") == 0
    house.pass_time(1 / 60)
    assert house.one("select private.complete_due_bookings()") == 1
    assert house.one("select private.complete_due_bookings()") == 0
    assert house.row(booking, "status, status_reason, settles_at = now() + interval '24 h'") == (
        "completed", "nobody objected", True,
    )  # fmt: skip


@pytest.mark.parametrize("objection", ["dispute_booking", "report_no_show"])
def test_who_objects_keeps_it_from_completing(house, objection):
    booking = house.start(house.paid())
    house.act(house.guest, objection, booking, *["x"] * (objection == "dispute_booking"))
    house.pass_time(23)
    assert house.one("select private.complete_due_bookings()") == 0


@pytest.mark.parametrize(("missing", "status", "host", "platform", "guest"), [
    ("guest", "released", 9_000, 1_000, 0),
    ("host", "refunded", 0, 0, 10_000),
])  # fmt: skip
def test_who_did_not_come(house, missing, status, host, platform, guest):
    reporter, other = (house.host, house.guest)[:: 1 if missing == "guest" else -1]
    booking = house.start(house.paid())
    assert house.act(reporter, "report_no_show", booking) == "no_show"
    assert house.act(other, "report_no_show", booking) == "bookings.invalid_transition"
    assert house.row(booking, "no_show_party, settles_at - now() = interval '24 h'") == (
        missing, True,
    )  # fmt: skip
    assert house.act(house.guest, "rate_booking", booking, 1) == "bookings.invalid_transition"
    assert house.settle(booking) == [status]
    assert tuple(map(house.held, (house.host, None, house.guest))) == (host, platform, guest)
    assert house.going_back(house.guest) == guest
    assert house.row(booking, "band") == ("satisfied" if host else None,)
    assert house.findings() == []


def test_nobody_is_missing_in_the_first_ten_minutes(house):
    booking = house.paid(hours=1)
    house.pass_time(1 + 9 / 60)
    for person in (house.host, house.guest):
        assert house.act(person, "report_no_show", booking) == "bookings.too_early"
    house.pass_time(1 / 60)
    assert house.act(house.host, "report_no_show", booking) == "no_show"


def test_the_missing_object_by_dispute(house):
    booking = house.start(house.paid())
    house.act(house.guest, "report_no_show", booking)
    assert house.act(house.host, "dispute_booking", booking, "I was there.") == "disputed"
    assert house.settle(booking) == ["disputed"]
    assert house.act(
        house.moderator, "resolve_booking_dispute", booking, "release", "Both were."
    ) == ("released")
    assert house.held(house.host) == 9_000


CANCELLED_BY_GUEST = [
    # hours before the start: guest, host, platform of 10,001
    (24, 10_001, 0, 0),
    (24 - 1 / 60, 5_000, 4_501, 500),
    (4, 5_000, 4_501, 500),
    (4 - 1 / 60, 0, 9_001, 1_000),
    (1 / 60, 0, 9_001, 1_000),
]


@pytest.mark.parametrize(("hours", "guest", "host", "platform"), CANCELLED_BY_GUEST)
def test_the_offers_windows_say_what_a_guest_gets_back(house, hours, guest, host, platform):
    booking = house.paid(hours=48, price=10_001)
    house.pass_time(48 - hours)
    assert house.act(house.guest, "cancel_booking", booking, "Ill.") == "cancelled"
    assert tuple(map(house.held, (house.guest, house.host, None))) == (guest, host, platform)
    assert house.going_back(house.guest) == guest
    assert house.row(booking, "status_reason") == ("cancelled by the guest: Ill.",)
    assert house.findings() == []


def test_once_it_has_begun_a_guest_cancels_no_more(house):
    booking = house.paid(hours=1)
    house.pass_time(1)
    assert house.act(house.guest, "cancel_booking", booking) == "bookings.window_closed"
    assert house.act(house.host, "cancel_booking", booking) == "cancelled"
    assert house.held(house.guest) == 10_000


def test_what_a_host_cancels_goes_back_whole(house):
    booking = house.paid(hours=1)
    assert house.act(house.host, "cancel_booking", booking) == "cancelled"
    assert (house.held(house.guest), house.held(house.host), house.held()) == (10_000, 0, 0)
    assert house.row(booking, "refunded_minor, released_minor, band") == (10_000, 0, None)


def test_whose_host_was_shut_out_gets_all_back(house):
    booking = house.paid(hours=1)
    suspend(house.db, house.host)
    assert house.act(house.host, "cancel_booking", booking) == "identity.not_active"
    assert house.act(house.guest, "cancel_booking", booking) == "cancelled"
    assert house.held(house.guest) == 10_000


def test_the_suspended_take_no_step_but_are_paid(house):
    booking = house.completed()
    suspend(house.db, house.host)
    assert house.act(house.host, "dispute_booking", booking, "x") == "identity.not_active"
    assert house.settle(booking) == ["released"]
    assert house.held(house.host) == 9_000


@pytest.mark.parametrize("rating", [0, 6, -1, None])
def test_a_rating_is_one_to_five(house, rating):
    booking = house.completed()
    assert house.act(house.guest, "rate_booking", booking, rating) == "bookings.invalid_rating"


def test_the_last_rating_before_it_settles_counts(house):
    booking = house.completed(1)
    assert house.act(house.host, "rate_booking", booking, 5) == "bookings.wrong_party"
    for rating in (3, 3, 4):
        assert house.act(house.guest, "rate_booking", booking, rating) == "completed"
    house.pass_time(24, booking)
    assert house.act(house.guest, "rate_booking", booking, 1) == "bookings.window_closed"
    house.one("select private.settle_due_bookings()")
    assert house.row(booking, "rating, band") == (4, "satisfied")
    assert house.act(house.guest, "rate_booking", booking, 1) == "bookings.invalid_transition"


@pytest.mark.parametrize("person", ["host", "guest"])
def test_a_dispute_within_the_24_hours_stops_settlement(house, person):
    booking = house.completed(1)
    house.pass_time(24 - 1 / 60, booking)
    assert house.act(getattr(house, person), "dispute_booking", booking, "No.") == "disputed"
    assert house.settle(booking) == ["disputed"]
    assert house.held(house.host) == 0
    assert house.findings() == []


def test_afterwards_it_is_too_late_to_dispute(house):
    for booking in (house.completed(), house.into("no_show")):
        house.pass_time(24, booking)
        assert house.act(house.guest, "dispute_booking", booking, "x") == "bookings.window_closed"


def test_before_it_begins_there_is_nothing_to_dispute(house):
    assert house.act(house.guest, "dispute_booking", house.paid(), "x") == "bookings.too_early"


@pytest.mark.parametrize(("outcome", "part", "status", "guest", "host", "platform"), [
    ("release", None, "released", 0, 9_000, 1_000),
    ("refund", None, "refunded", 10_000, 0, 0),
    ("split", 5_001, "released", 5_001, 4_500, 499),
    ("split", 9_999, "released", 9_999, 1, 0),
])  # fmt: skip
def test_an_operator_decides_and_it_is_audited(house, outcome, part, status, guest, host, platform):
    booking = house.into("disputed")
    call = ("resolve_booking_dispute", booking, outcome, " Seen. ", part)
    assert house.act(house.moderator, *call) == status
    assert tuple(map(house.held, (house.guest, house.host, None))) == (guest, host, platform)
    assert house.going_back(house.guest) == guest
    action, actor, details = house.db.execute(
        "select action, actor_id, details from audit_log where subject_id = %s", [str(booking)]
    ).fetchone()
    assert (action, actor) == ("bookings.resolve_dispute", house.moderator.id)
    assert (details["outcome"], details["reason"], details["refund_minor"]) == (
        outcome, "Seen.", guest,
    )  # fmt: skip
    assert house.act(house.moderator, *call) == "bookings.invalid_transition"
    assert house.findings() == []


def test_a_release_minds_the_rating(house):
    booking = house.completed(1)
    house.act(house.guest, "dispute_booking", booking, "x")
    house.act(house.moderator, "resolve_booking_dispute", booking, "release", "x")
    assert house.held(house.host) == 6_300


@pytest.mark.parametrize(("outcome", "part", "code"), [
    ("keep", None, "bookings.invalid_outcome"), (None, None, "bookings.invalid_outcome"),
    ("release", 5, "bookings.invalid_outcome"), ("refund", 5, "bookings.invalid_outcome"),
    ("split", None, "bookings.invalid_amount"), ("split", 0, "bookings.invalid_amount"),
    ("split", -1, "bookings.invalid_amount"), ("split", 10_000, "bookings.amount_exceeded"),
    ("split", 10**18, "bookings.amount_exceeded"),
])  # fmt: skip
def test_no_other_end_of_a_dispute(house, outcome, part, code):
    booking = house.into("disputed")
    answer = house.act(house.moderator, "resolve_booking_dispute", booking, outcome, "x", part)
    assert answer == code
    assert house.status(booking) == "disputed"
    assert house.one("select count(*) from audit_log") == 0


def test_an_operator_has_no_say_on_a_booking_of_their_own(house):
    guest, house.guest = house.guest, house.moderator
    booking = house.into("disputed")
    house.guest = guest
    call = ("resolve_booking_dispute", booking, "refund", "x")
    assert house.act(house.moderator, *call) == "bookings.wrong_party"
    assert house.act(house.host, *call) == "identity.operator_required"
    assert house.act(house.admin, *call) == "refunded"


@pytest.mark.parametrize("text", [None, "", "  ", "x" * 5001])
def test_words_are_needed(house, text):
    booking = house.start(house.paid())
    assert house.act(house.guest, "dispute_booking", booking, text) == "bookings.invalid_text"
    house.act(house.guest, "dispute_booking", booking, "x")
    assert house.act(house.guest, "dispute_booking", booking, text) == "bookings.invalid_text"
    call = ("resolve_booking_dispute", booking, "refund", text)
    assert house.act(house.moderator, *call) == "bookings.invalid_text"


def test_strangers_and_operators_take_no_step(house):
    booking = house.completed()
    for person in (sign_up(house.db, "stranger"), house.moderator):
        for call, *arguments in (
            ("cancel_booking",), ("confirm_completion",), ("report_no_show",),
            ("rate_booking", 1), ("dispute_booking", "x"), ("order_booking",),
        ):  # fmt: skip
            assert house.act(person, call, booking, *arguments) == "bookings.not_found"


def test_nobody_leaves_an_open_booking(house):
    booking = house.book()
    for person in (house.host, house.guest):
        assert person.outcome("select delete_account()") == "bookings.still_open"
    house.act(house.guest, "cancel_booking", booking)
    for person in (house.host, house.guest):
        assert person.outcome("select delete_account()") == "row"
