"""Every step that the table names is taken, every other is refused; each leaves its event."""

import itertools

import psycopg
import pytest

from tests.fixtures.people import error_code

STEPS = {
    "pending_payment": ["paid", "cancelled"],
    "paid": ["completed", "no_show", "disputed", "cancelled", "charged_back"],
    "completed": ["released", "disputed", "charged_back"],
    "no_show": ["released", "refunded", "disputed", "charged_back"],
    "disputed": ["released", "refunded", "charged_back"],
    "cancelled": [],
    "released": [],
    "refunded": [],
    "charged_back": [],
}
LEGAL = {(old, new) for old, news in STEPS.items() for new in news}
STATES = sorted(STEPS)
OPEN = {"paid", "completed", "no_show", "disputed"}
OVER = {"cancelled", "released", "refunded", "charged_back"}


def test_the_table_is_this_one(db):
    rows = db.execute("select from_status, to_status from booking_transitions").fetchall()
    assert set(rows) == LEGAL


@pytest.mark.parametrize(("old", "new"), list(itertools.product(STATES, STATES)))
def test_a_pair_is_legal_or_refused(house, old, new):
    booking = house.into(old)
    funded = new in OPEN | {"released", "refunded", "charged_back"}
    # money kept in step with the state, so that only the machine decides
    parts = {
        "remaining_minor": new in OPEN, "released_minor": new == "released",
        "refunded_minor": new == "refunded", "charged_back_minor": new == "charged_back",
    }  # fmt: skip
    try:
        house.db.execute(
            "update bookings set status = %(new)s::text, host_minor = 0, penalty_minor = 0,"
            + "".join(f" {name} = {10_000 * is_there}," for name, is_there in parts.items())
            + " taken_back_minor = 0, no_show_party = 'guest', settles_at = now(),"
            " funded_at = case when %(funded)s::boolean then now() end,"
            " provider = case when %(funded)s::boolean then 'stripe' end,"
            " payment_reference = case when %(funded)s::boolean then 'x' end,"
            " closed_at = case when %(closed)s::boolean then now() end where id = %(booking)s",
            {"new": new, "funded": funded, "closed": new in OVER, "booking": booking},
        )
        outcome = "taken"
    except psycopg.Error as error:
        outcome = error_code(error)
    assert outcome == ("taken" if (old, new) in LEGAL else "bookings.invalid_transition")


DOORS = {
    # call: whose step it is, what it needs besides, from where it leads to where
    "cancel_booking": ("both", (), {"pending_payment": "cancelled", "paid": "cancelled"}),
    "confirm_completion": ("both", (), {"paid": "paid"}),
    "report_no_show": ("both", (), {"paid": "no_show"}),
    "rate_booking": ("guest", (4,), {"completed": "completed"}),
    "dispute_booking": (
        "both", ("Look.",),
        dict.fromkeys(("paid", "completed", "no_show", "disputed"), "disputed"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("person", ["host", "guest"])
@pytest.mark.parametrize("call", DOORS)
@pytest.mark.parametrize("state", STATES)
def test_a_door_opens_from_its_states_only(house, call, state, person):
    whose, arguments, leads = DOORS[call]
    booking = house.into(state)
    if state == "paid" and (call, person) != ("cancel_booking", "guest"):
        house.start(booking)
    outcome = house.act(getattr(house, person), call, booking, *arguments)
    if whose not in ("both", person):
        assert outcome == "bookings.wrong_party"
        assert house.status(booking) == state
        return
    assert outcome == leads.get(state, "bookings.invalid_transition")
    assert house.status(booking) == leads.get(state, state)


@pytest.mark.parametrize("outcome", ["release", "refund", "split"])
@pytest.mark.parametrize("state", STATES)
def test_operators_decide_disputes_only(house, state, outcome):
    booking = house.into(state)
    part = 4_000 if outcome == "split" else None
    answer = house.act(house.moderator, "resolve_booking_dispute", booking, outcome, "Seen.", part)
    ends = "refunded" if outcome == "refund" else "released"
    assert answer == (ends if state == "disputed" else "bookings.invalid_transition")


def test_each_step_leaves_who_from_to_and_why(house):
    booking = house.completed(4)
    house.act(house.guest, "dispute_booking", booking, "It was short.")
    house.act(house.host, "dispute_booking", booking, "It was not.")
    house.act(house.moderator, "resolve_booking_dispute", booking, "release", "It was not.")
    host, guest, moderator = house.host.id, house.guest.id, house.moderator.id
    assert house.db.execute(
        "select actor_id, from_status, to_status, reason, amount_minor from booking_events"
        " where booking_id = %s order by id",
        [booking],
    ).fetchall() == [
        (guest, None, "pending_payment", None, None),
        (None, "pending_payment", "paid", None, 10_000),
        (host, "paid", "paid", "confirmed by the host", None),
        (guest, "paid", "paid", "confirmed by the guest", None),
        (guest, "paid", "completed", "both confirmed", None),
        (guest, "completed", "completed", "rated 4 of 5", None),
        (guest, "completed", "disputed", "It was short.", None),
        (host, "disputed", "disputed", "It was not.", None),
        (moderator, "disputed", "released", "It was not.", 10_000),
    ]


@pytest.mark.parametrize("change", [
    "update booking_events set reason = 'x'",
    "delete from booking_events",
    "truncate booking_events",
    "delete from bookings",
    "update bookings set total_minor = 12000",
    "update bookings set guest_id = host_id",
    "update bookings set policy_version = 2",
    "delete from booking_offers",
    "update booking_offers set price_minor = 1",
    "update booking_offers set host_id = host_id, part_refund_bps = 0",
])  # fmt: skip
def test_history_and_terms_never_change(house, change):
    house.into("disputed")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        house.db.execute(change)


def test_money_and_state_cannot_part(house):
    booking = house.into("paid")
    for change in (
        "remaining_minor = 0, released_minor = 10000",
        "remaining_minor = 9999",
        "status = 'cancelled', closed_at = now()",
        "closed_at = now()",
    ):
        with (
            pytest.raises(psycopg.errors.CheckViolation, match="bookings_"),
            house.db.transaction(),
        ):
            house.db.execute(f"update bookings set {change} where id = %s", [booking])


def test_both_parties_hear_of_each_step(house):
    house.into("released")
    heard = house.db.execute(
        "select topic, event from realtime.messages where event like 'booking%%'"
    ).fetchall()
    for person in (house.host, house.guest):
        assert sorted(event for topic, event in heard if topic == f"user:{person.id}") == [
            "booking_completed", "booking_paid", "booking_pending_payment", "booking_released",
        ]  # fmt: skip
    (payload,) = house.db.execute(
        "select payload from realtime.messages where event = 'booking_released' limit 1"
    ).fetchone()
    assert (payload["status"], payload["remaining_minor"], payload["currency"]) == (
        "released", 0, "EUR",
    )  # fmt: skip


def test_the_check_finds_what_is_wrong(house):
    paid, settled = house.into("paid"), house.into("released")
    house.db.execute(
        "update bookings set remaining_minor = 9000, charged_back_minor = 1000 where id = %s",
        [paid],
    )
    house.db.execute("update bookings set host_minor = 8999 where id = %s", [settled])
    late = house.completed()
    house.pass_time(26, late)
    assert sorted(house.findings()) == [
        ("booking differs from its ledger account", f"booking {paid}"),
        ("due for an hour and not settled", f"booking {late}"),
        ("host got something else than the booking says", f"booking {settled}"),
    ]
