"""Hosts, guests and bookings in any state."""

import uuid

import psycopg
import pytest

from tests.fixtures.people import Person, appoint, error_code, sign_up

TIMES = ("starts_at", "ends_at", "expires_at", "completes_at", "settles_at")


class House:
    """A host, a guest and operators on one connection, and what they do to bookings."""

    def __init__(self, db):
        self.db = db
        self.host = sign_up(db, "host")
        self.guest = sign_up(db, "guest")
        self.moderator = appoint(db, sign_up(db, "moderator"), "moderator")
        self.admin = appoint(db, sign_up(db, "admin"), "admin")
        self.made = self.started = 0

    def one(self, query, *arguments):
        row = self.db.execute(query, arguments).fetchone()
        return row[0] if row else None

    def offer(self, price=10_000, currency="EUR", minutes=60, host=None, **terms):
        """A new offer; its id."""
        names = "".join(f", {name} => %s" for name in terms)
        ((offer,),) = (host or self.host).rows(
            f"select id from create_booking_offer('A lesson', %s, %s, %s{names})",
            [minutes, price, currency, *terms.values()],
        )
        return offer

    def book(self, offer=None, hours=None, guest=None, **terms):
        """A booking that starts in so many hours, two days and in a free hour else; its id."""
        self.made += 1
        return self.one(
            "select id from bookings where id = %s",
            (guest or self.guest).rows(
                "select id from book_offer(%s, now() + make_interval(mins => %s))",
                [
                    offer or self.offer(**terms),
                    int((48 + self.made * 2 if hours is None else hours) * 60),
                ],
            )[0][0],
        )

    def pay(self, booking, reference=None, amount=None, currency=None):
        """What a provider's payment does: the booking's state, or the code of the refusal."""
        total, own = self.db.execute(
            "select total_minor, currency from bookings where id = %s", [booking]
        ).fetchone()
        reference = reference or f"pay_{uuid.uuid4().hex}"
        answer = self.attempt(
            "select (private.fund_booking(%s, 'razorpay', %s, %s, %s)).status",
            booking, reference, total if amount is None else amount, currency or own,
        )  # fmt: skip
        if "." not in answer and self.one("select to_regclass('public.payments') is not null"):
            # so that it can go back the way it came
            self.db.execute(
                "with paid as (insert into orders (payer_id, purpose, amount_minor, currency,"
                " status, provider, provider_reference, paid_at, booking_id)"
                " select guest_id, 'x', total_minor, currency, 'paid', provider,"
                " payment_reference, now(), id from bookings where id = %s"
                " on conflict do nothing returning *)"
                " insert into payments (order_id, payer_id, provider, reference, amount_minor,"
                " currency, applied_minor) select id, payer_id, provider, provider_reference,"
                " amount_minor, currency, amount_minor from paid",
                [booking],
            )
        return answer

    def paid(self, **terms):
        """A booking that is paid; its id."""
        booking = self.book(**terms)
        assert self.pay(booking) == "paid"
        return booking

    def attempt(self, query, *arguments):
        """The first value, or the code of a refusal, which changes nothing."""
        try:
            with self.db.transaction():
                return self.one(query, *arguments)
        except psycopg.Error as error:
            return error_code(error)

    def act(self, person: Person, call, booking, *arguments):
        """The status after a step, or the code of its refusal, which changes nothing."""
        holes = "".join(", %s" for _ in arguments)
        try:
            with self.db.transaction():
                query = f"select status from {call}(%s{holes})"
                return person.rows(query, [booking, *arguments])[0][0]
        except psycopg.errors.InsufficientPrivilege:
            return "denied"
        except psycopg.Error as error:
            return error_code(error)

    def pass_time(self, hours, booking=None):
        """Move everything, or one booking, so many hours into the past."""
        moves = ", ".join(f"{name} = {name} - make_interval(mins => %(m)s)" for name in TIMES)
        self.db.execute(
            f"update bookings set {moves} where %(id)s::uuid is null or id = %(id)s",
            {"m": round(hours * 60), "id": booking},
        )

    def start(self, booking):
        """Until the session has begun, a quarter of an hour ago or more: one after another."""
        left = self.one(
            "select extract(epoch from starts_at - now())::int from bookings where id = %s", booking
        )
        self.pass_time(left / 3600 + 0.25 + self.started * 1.5, booking)
        self.started += 1
        return booking

    def completed(self, rating=None, **terms):
        """A booking that both confirmed, rated or not; its id."""
        booking = self.start(self.paid(**terms))
        for person in (self.host, self.guest):
            self.act(person, "confirm_completion", booking)
        assert self.status(booking) == "completed"
        if rating:
            assert self.act(self.guest, "rate_booking", booking, rating) == "completed"
        return booking

    def settle(self, *bookings):
        """When the hold of these is over; their states."""
        for booking in bookings:
            self.pass_time(24, booking)
        while self.one("select private.settle_due_bookings()"):
            pass
        return [self.status(booking) for booking in bookings]

    def into(self, status, **terms):
        """A booking in this state, by legal steps alone."""
        if status in ("pending_payment", "cancelled"):
            booking = self.book(**terms)
            if status == "cancelled":
                self.act(self.guest, "cancel_booking", booking)
        elif status == "paid":
            booking = self.paid(**terms)
        elif status in ("completed", "released"):
            booking = self.completed(**terms)
        elif status in ("no_show", "refunded"):
            booking = self.start(self.paid(**terms))
            self.act(self.guest, "report_no_show", booking)
        elif status == "disputed":
            booking = self.start(self.paid(**terms))
            self.act(self.guest, "dispute_booking", booking, "Nobody spoke.")
        else:
            booking = self.paid(**terms)
            self.one(
                "select private.charge_back_booking(%s, 'dp_1', total_minor, 'lost')"
                " from bookings where id = %s",
                booking, booking,
            )  # fmt: skip
        if status in ("released", "refunded"):
            self.settle(booking)
        assert self.status(booking) == status
        return booking

    def policy(self, *bands, **terms):
        """A new policy; its version. Bands: least and greatest rating, share, penalty, to whom."""
        names = "".join(f", {name} => %s" for name in terms)
        rows = [
            dict(
                zip(
                    ("min_rating", "max_rating", "host_share_bps", "penalty_bps", "penalty_to"),
                    band, strict=False,
                )
            )
            | {"name": f"band_{'abcde'[number]}"}
            for number, band in enumerate(bands)
        ]  # fmt: skip
        return self.admin.rows(
            f"select version from add_settlement_policy(%s{names})",
            [psycopg.types.json.Jsonb(rows), *terms.values()],
        )[0][0]

    def status(self, booking):
        return self.one("select status from bookings where id = %s", booking)

    def row(self, booking, columns):
        return self.db.execute(
            f"select {columns} from bookings where id = %s", [booking]
        ).fetchone()

    def held(self, person=None, currency="EUR", kind="fees"):
        """What a person has in the ledger, reserved or not; None: the platform, by kind."""
        return (
            self.one(
                "select sum(private.account_balance(id))::bigint from ledger_accounts"
                " where owner_id is not distinct from %s and kind = %s and currency = %s",
                person and person.id, "available" if person else kind, currency,
            )
            or 0
        )  # fmt: skip

    def going_back(self, person, currency="EUR"):
        """What is on its way back to a payer."""
        return (
            self.one(
                "select reserved_minor from ledger_accounts where owner_id = %s and currency = %s",
                person.id, currency,
            )
            or 0
        )  # fmt: skip

    def findings(self):
        return self.db.execute(
            "select * from private.check_bookings() union all select * from private.verify_ledger()"
        ).fetchall()


@pytest.fixture
def house(db):
    return House(db)


@pytest.fixture
def open_house(own_database):
    """A house that commits, and further connections to act on."""
    connections = []

    def connect():
        connections.append(psycopg.connect(own_database, autocommit=True))
        return connections[-1]

    house = House(connect())
    house.connect = connect
    yield house
    for connection in connections:
        connection.close()
