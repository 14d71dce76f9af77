"""Many at once: each booking settles once, each hour is booked once, nothing waits for ever."""

import random
import threading
import time
from collections import Counter

import psycopg

from tests.fixtures.people import Person, error_code, sign_up


def _together(works):
    """Run these at once, each in a thread; what each returned or was refused with."""
    barrier = threading.Barrier(len(works))
    results = [None] * len(works)

    def run(number):
        barrier.wait()
        try:
            results[number] = works[number]()
        except psycopg.Error as error:
            results[number] = error_code(error)

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(results)


def _as(house, person, query, *arguments):
    """A call by somebody on a connection of its own."""
    other = Person(house.connect(), person.name, person.role, person.id)
    return lambda: other.rows(query, arguments)[0][0]


def _worker(house, query, *arguments):
    db = house.connect()
    return lambda: db.execute(query, arguments).fetchone()[0]


def _many(house, count, currencies=("EUR", "JPY", "INR")):
    """Completed bookings of several hosts and guests, each twice a party; due now."""
    people = [sign_up(house.db, f"person{number}") for number in range(6)]
    made = []
    for number in range(count):
        house.host, house.guest = people[number % 6], people[(number + 1 + number // 6 % 5) % 6]
        rating = (None, 1, 2, 3, 4, 5)[number % 6]
        currency = currencies[number % len(currencies)]
        made.append(house.completed(rating, price=1_000 + number, currency=currency))
    house.db.execute("update bookings set settles_at = now() where status = 'completed'")
    return made


def test_eight_workers_settle_each_booking_once(open_house):
    house = open_house
    house.policy((1, 2, 9_000, 3_333, "guest"), (3, 5, 8_999, 0))
    bookings = _many(house, 90)
    taken = []

    def work():
        db = house.connect()
        while count := db.execute("select private.settle_due_bookings(7)").fetchone()[0]:
            taken.append(count)
        return "done"

    assert _together([work] * 8) == {"done": 8}
    assert sum(taken) == len(bookings)
    assert {house.status(booking) for booking in bookings} == {"released"}
    assert house.one("select count(*) from ledger_transactions where kind = 'bookings.settle'") == (
        len(bookings)
    )
    assert house.one("select count(*) from booking_events where to_status = 'released'") == len(
        bookings
    )
    total = house.one("select sum(total_minor)::bigint from bookings")
    assert (
        house.one(
            "select sum(private.account_balance(id))::bigint from ledger_accounts"
            " where kind in ('available', 'fees')"
        )
        == total
    )
    assert house.findings() == []


def test_settling_and_a_dispute_in_time_have_one_winner(open_house):
    """The dispute began within the 24 hours; the worker comes by as they end."""
    house = open_house
    outcomes = set()
    for _ in range(6):
        booking = house.completed()
        late = Person(psycopg.connect(house.db.info.dsn, password=house.db.info.password), "guest",
                      id=house.guest.id)  # fmt: skip
        late.db.execute("select now()")  # its clock stands from here
        house.db.execute(
            "update bookings set settles_at = clock_timestamp() where id = %s", [booking]
        )
        time.sleep(0.002)

        def dispute(late=late, booking=booking):
            with late.db:
                return late.rows("select status from dispute_booking(%s, 'No.')", [booking])[0][0]

        results = _together(
            [dispute, *[_worker(house, "select private.settle_due_bookings()")] * 2]
        )
        status = house.status(booking)
        assert status in ("disputed", "released")
        assert results["disputed"] == (status == "disputed")
        assert results[1] == (status == "released")
        outcomes.add(status)
        assert house.findings() == []
    assert outcomes <= {"disputed", "released"}


def test_cancelling_confirming_missing_and_disputing_have_one_winner(open_house):
    house = open_house
    call = "select status from {}(%s{})"
    for _ in range(5):
        booking = house.start(house.paid())
        house.act(house.host, "confirm_completion", booking)
        house.db.execute("update bookings set completes_at = now() where id = %s", [booking])
        _together([
            _as(house, house.host, call.format("cancel_booking", ""), booking),
            _as(house, house.guest, call.format("confirm_completion", ""), booking),
            _as(house, house.guest, call.format("report_no_show", ""), booking),
            _as(house, house.host, call.format("report_no_show", ""), booking),
            _as(house, house.guest, call.format("dispute_booking", ", 'x'"), booking),
            _worker(house, "select private.complete_due_bookings()"),
        ])  # fmt: skip
        steps = house.db.execute(
            "select from_status, to_status from booking_events where booking_id = %s"
            " and from_status <> to_status order by id",
            [booking],
        ).fetchall()
        assert [old for old, _ in steps].count("paid") == 1, steps
        assert house.findings() == []


def test_of_many_guests_one_gets_the_hour(open_house):
    house = open_house
    offers = [house.offer() for _ in range(3)]
    guests = [sign_up(house.db, f"guest{number}") for number in range(16)]
    ask = "select status from book_offer(%s, date_trunc('hour', now()) + interval '9 h')"
    outcomes = _together([
        _as(house, guest, ask, offers[number % 3]) for number, guest in enumerate(guests)
    ])  # fmt: skip
    assert outcomes == {"pending_payment": 1, "bookings.slot_taken": 15}


def test_one_payment_delivered_many_times_funds_once(open_house):
    house = open_house
    booking, other = house.book(), house.book()
    pay = "select (private.fund_booking(%s, 'razorpay', %s, 10000, 'EUR')).status"
    outcomes = _together([
        *[_worker(house, pay, booking, "pay_1") for _ in range(12)],
        *[_worker(house, pay, booking, "pay_2") for _ in range(12)],
    ])  # fmt: skip
    assert outcomes == {"paid": 12, "bookings.already_funded": 12}
    (reference,) = house.row(booking, "payment_reference")
    outcomes = _together([_worker(house, pay, other, reference) for _ in range(8)])
    assert outcomes == {"bookings.payment_reused": 8}
    assert house.findings() == []


def test_paying_and_expiring_have_one_winner(open_house):
    house = open_house
    for _ in range(6):
        booking = house.book()
        house.db.execute("update bookings set expires_at = now() where id = %s", [booking])
        pay = "select (private.fund_booking(%s, 'razorpay', %s, 10000, 'EUR')).status"
        results = _together([
            _worker(house, pay, booking, f"pay_{booking}"),
            _worker(house, "select private.cancel_unpaid_bookings()"),
            _worker(house, "select private.cancel_unpaid_bookings()"),
        ])  # fmt: skip
        assert (house.status(booking) == "paid") == (results["paid"] == 1)
        assert (house.status(booking) == "cancelled") == (results["bookings.not_payable"] == 1)
        assert house.findings() == []


def test_everything_at_once_deadlocks_never(open_house):
    """Banks, operators, parties and workers on the same bookings, in any order."""
    house = open_house
    bookings = _many(house, 24, ("EUR", "JPY"))
    parties = {
        booking: [
            Person(house.db, "party", id=person)
            for person in house.row(booking, "host_id, guest_id")
        ]
        for booking in bookings
    }
    disputed, frozen = bookings[:8], bookings[8:12]
    house.db.execute("update bookings set settles_at = now() + interval '1 h'")
    for booking in disputed:
        house.act(parties[booking][1], "dispute_booking", booking, "x")
    for booking in frozen:
        house.one("select private.freeze_booking(%s, true)", booking)
    house.db.execute("update bookings set settles_at = now()")
    charge = "select (private.charge_back_booking(%s, 'dp_1', 700, 'x')).status"
    split = "select status from resolve_booking_dispute(%s, 'split', 'x', 300)"
    works = [_worker(house, "select private.settle_due_bookings(5)") for _ in range(8)]
    works += [_worker(house, charge, booking) for booking in bookings[4:16]]
    works += [_as(house, house.moderator, split, booking) for booking in disputed]
    works += [
        _worker(house, "select (private.freeze_booking(%s, false)).status", booking)
        for booking in frozen
    ]
    random.Random(5).shuffle(works)
    outcomes = _together(works)
    assert "40P01" not in outcomes, outcomes
    assert {code for code in outcomes if isinstance(code, str)} <= {
        "completed", "released", "disputed", "charged_back",
    }, outcomes  # fmt: skip
    while house.one("select private.settle_due_bookings(5)"):
        pass
    assert {house.status(booking) for booking in bookings} == {"released"}
    assert (
        house.one("select count(*) from ledger_transactions where kind = 'bookings.charge_back'")
        == 12
    )
    assert house.findings() == []
