"""A payment dispute that was lost is won on appeal: all that it took comes home, once."""

import itertools

import pytest

from tests.bookings.conftest import House
from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.counters import Counter
from workers.payments.base import PaymentDisputed

ESCROW = (
    "select status::text, remaining_minor, refunded_minor, released_minor, taken_back_minor"
    " from escrows"
)
BOOKING = (
    "select status::text, remaining_minor, charged_back_minor, released_minor, taken_back_minor"
    " from bookings"
)
HANDED_IN = ("start_work", "submit_work")
RELEASED = (*HANDED_IN, "start_review", "approve_escrow")


@pytest.fixture
def paid(till):
    """1000 for the creator and a fee of 100."""
    escrow, order = till.escrow()
    return escrow, till.pay(order, 1100)


def _to(till, escrow, *steps):
    for step in steps:
        who = "creator" if step in HANDED_IN else "sponsor"
        more = ", 'Here it is.'" if step in ("submit_work", "reject_work", "dispute_escrow") else ""
        till.cast[who].rows(f"select {step}(%s{more})", [escrow])


def _won(till, payment, amount=1100, reference="dp_1"):
    """The appeal, told twice; then what is old comes late."""
    for status in ("won", "won", "lost", "open", "lost"):
        assert till.dispute(payment, status, amount, reference) == "ok"
    assert till.one("select status from payment_disputes where reference = %s", reference) == "won"


def _sound(till):
    assert till.findings() == []
    checks = "select finding from private.check_bookings() union all select finding from"
    assert till.db.execute(f"{checks} private.check_invariants()").fetchall() == []


@pytest.mark.parametrize(
    ("steps", "sponsor", "creator", "fees"),
    [
        ((), 1100, 0, 0),
        (("start_work",), 1100, 0, 0),
        (("start_work", "dispute_escrow"), 1100, 0, 0),
        ((*HANDED_IN, "start_review", "reject_work"), 1100, 0, 0),
        (HANDED_IN, 0, 1000, 100),
        ((*HANDED_IN, "start_review"), 0, 1000, 100),
        ((*HANDED_IN, "start_review", "dispute_escrow"), 0, 1000, 100),
        (RELEASED, 0, 1000, 100),
    ],
)
def test_what_the_bank_ended_goes_where_it_would_have_gone(
    till, paid, steps, sponsor, creator, fees
):
    """What was handed in is paid for, the rest is the sponsor's."""
    escrow, payment = paid
    _to(till, escrow, *steps)
    for status in ("open", "lost"):
        till.dispute(payment, status, 1100)
    assert till.held("clearing") == 0
    _won(till, payment)
    assert till.held("clearing") == -1100
    assert till.held(person=till.payer) == sponsor
    assert till.held(person=till.cast["creator"]) == creator
    assert (till.held("fees"), till.held("loss"), till.held("escrow")) == (fees, 0, 0)
    assert till.one("select charged_back_minor from payments") == 0
    _sound(till)


def test_what_is_still_open_holds_it_again(till, paid):
    escrow, payment = paid
    _to(till, escrow, "start_work")
    for status in ("open", "lost"):
        till.dispute(payment, status, 300)
    assert till.db.execute(ESCROW).fetchall() == [("work_in_progress", 800, 300, 0, 0)]
    _won(till, payment, 300)
    assert till.db.execute(ESCROW).fetchall() == [("work_in_progress", 1100, 0, 0, 0)]
    _to(till, escrow, "submit_work", "start_review", "approve_escrow")
    assert till.held(person=till.cast["creator"]) == 1000
    _sound(till)


def test_what_was_refunded_by_a_decision_is_the_payers(till, paid):
    escrow, payment = paid
    _to(till, escrow, *HANDED_IN, "start_review", "dispute_escrow")
    till.dispute(payment, "lost", 300)
    till.cast["moderator"].rows("select resolve_dispute(%s, 'refund', 'x')", [escrow])
    _won(till, payment, 300)
    assert till.held(person=till.payer) == 1100
    assert till.held(person=till.cast["creator"]) == 0
    _sound(till)


def test_who_gave_gets_it_back_and_may_give_again(till, paid):
    """Of 550 the creator gave 500 and the platform 50; a second case takes it from them again."""
    escrow, payment = paid
    _to(till, escrow, *RELEASED)
    till.dispute(payment, "lost", 550)
    _won(till, payment, 550)
    assert till.db.execute(ESCROW).fetchall() == [("released", 0, 0, 1100, 0)]
    assert (till.held(person=till.cast["creator"]), till.held("fees")) == (1000, 100)
    till.dispute(payment, "lost", 1100, "dp_2")
    assert till.held(person=till.cast["creator"]) == till.held("fees") == till.held("loss") == 0
    _won(till, payment, 1100, "dp_2")
    assert (till.held(person=till.cast["creator"]), till.held("fees")) == (1000, 100)
    _sound(till)


def test_a_debt_and_a_loss_are_made_good(till, paid):
    """The bank takes 600 more than there ever was of what is not refunded already."""
    escrow, payment = paid
    till.cast["creator"].rows("select refund_escrow(%s, 'x', 600)", [escrow])
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    till.refund(payment, "succeeded", 600, request=request)
    till.dispute(payment, "lost", 1900)
    assert (till.held(person=till.payer), till.held("loss")) == (-600, -800)
    _won(till, payment, 1900)
    assert (till.held(person=till.payer), till.held("loss")) == (500, 0)
    assert till.held("clearing") == -500
    _sound(till)


@pytest.mark.parametrize("order", list(itertools.permutations(["open", "lost", "won"])))
def test_in_any_order(till, order):
    """Of a balance: whatever is told when, in the end it is there and may be withdrawn."""
    payment = till.pay(till.order(500))
    for status in order:
        for _ in range(2):
            till.dispute(payment, status, 500)
    assert till.payer.rows("select reserved_minor, available_minor from ledger_balances") == [
        (0, 500)
    ]
    assert till.held("clearing") == -500
    keys = (
        "select count(*) from ledger_transactions where idempotency_key ~ '^dispute:.*:reinstated$'"
    )
    is_appeal = order.index("lost") < order.index("won")
    assert till.one(keys) == is_appeal
    _sound(till)


@pytest.mark.parametrize("order", [("refund", "lost"), ("lost", "refund")])
def test_a_case_that_was_told_as_a_refund_too(till, order):
    """PayPal: the refund that stood for the case has come to nothing with it."""
    _, wanted = till.escrow()
    payment = till.pay(wanted, 1100, provider="paypal")
    reference = till.reference(payment)

    def tell(status):
        return till.told(
            "select private.change_payment_dispute("
            "'paypal', 'PP-1', %s, %s, 400, 'EUR', 'x', null)",
            reference, status,
        )  # fmt: skip

    def refund(status, amount=400):
        return till.told(
            "select private.change_refund('paypal', 'R-1', %s, %s, %s, 'EUR', null, 'x')",
            reference, status, amount,
        )  # fmt: skip

    assert tell("open") == "ok"
    for word in order:
        assert (refund("succeeded") if word == "refund" else tell("lost")) == "ok"
    assert till.held("clearing") == -700
    for _ in range(2):
        assert tell("won") == "ok"
        assert (refund("failed"), refund("succeeded")) == ("ok", "ok")
    assert till.held("clearing") == -1100
    assert till.one("select charged_back_minor from payments") == 0
    assert till.db.execute(ESCROW).fetchall() == [("locked", 1100, 0, 0, 0)]
    _sound(till)


def test_more_than_the_case_by_hand_is_for_people_to_see(till):
    _, wanted = till.escrow()
    reference = till.reference(till.pay(wanted, 1100, provider="paypal"))
    tell = "select private.change_payment_dispute('paypal', 'PP-1', %s, %s, 400, 'EUR', 'x', null)"
    for status in ("open", "lost"):
        assert till.told(tell, reference, status) == "ok"
    refund = "select private.change_refund('paypal', 'R-1', %s, 'succeeded', 700, 'EUR', null, 'x')"
    assert till.told(refund, reference) == "ok"
    assert till.told(tell, reference, "won") == "payments.dispute_mismatch"


@pytest.mark.parametrize(
    ("ends", "status", "guest", "host", "fees"),
    [
        (False, "charged_back", 10_000, 0, 0),
        (True, "charged_back", 0, 9_000, 1_000),
    ],
)
def test_a_booking_that_the_bank_ended(db, till, ends, status, guest, host, fees):
    """The session was held: host and platform by the policy; it was not: the guest."""
    house = House(db)
    if ends:
        house.completed(rating=5)
    else:
        house.paid()
    payment = till.one("select id from payments")
    for word in ("open", "lost"):
        assert _razorpay(till, payment, word) == "ok"
    assert till.db.execute(BOOKING).fetchall() == [(status, 0, 10_000, 0, 0)]
    for word in ("won", "won", "lost"):
        assert _razorpay(till, payment, word) == "ok"
    assert (till.held(person=house.guest), till.held(person=house.host)) == (guest, host)
    assert (till.held("fees"), till.held("clearing")) == (fees, -10_000)
    assert till.db.execute(BOOKING).fetchall() == [(status, 0, guest, host + fees, 0)]
    _sound(till)


def test_a_booking_that_is_open_or_settled(db, till):
    house = House(db)
    booking = house.completed(rating=5)
    payment = till.one("select id from payments")
    for word in ("open", "lost", "won", "won"):
        assert _razorpay(till, payment, word, 4_000) == "ok"
        held = till.one("select remaining_minor from bookings")
        assert held == (6_000 if word == "lost" else 10_000)
    house.settle(booking)
    for word, host in (("lost", 4_500), ("won", 9_000)):
        assert _razorpay(till, payment, word, 5_000, "dp_2") == "ok"
        assert till.held(person=house.host) == host
    assert till.db.execute(BOOKING).fetchall() == [("released", 0, 0, 10_000, 0)]
    _sound(till)


def _razorpay(till, payment, status, amount=10_000, reference="dp_1"):
    return till.told(
        "select private.change_payment_dispute('razorpay', %s, %s, %s, %s, 'EUR', 'x', null)",
        reference, till.reference(payment), status, amount,
    )  # fmt: skip


def test_operators_may_say_so(till, paid):
    escrow, payment = paid
    _to(till, escrow, *RELEASED)
    till.dispute(payment, "lost", 550)
    dispute = till.one("select id from payment_disputes")
    propose = "select id from propose_dispute_outcome(%s, %s, 'Their letter says so.', %s)"
    one = till.cast["moderator"]
    for wrong in (["lost", None], ["won", 300]):
        assert one.outcome(propose, [dispute, *wrong]) == "payments.dispute_not_found"
    ((approval,),) = one.rows(propose, [dispute, "won", None])
    till.cast["admin"].rows("select confirm_approval(%s)", [approval])
    assert till.held(person=till.cast["creator"]) == 1000
    assert one.outcome(propose, [dispute, "won", None]) == "payments.dispute_not_found"
    _sound(till)


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_an_appeal_at_the_provider(own_database, provider):
    """Stripe tells it by `charge.dispute.funds_reinstated`, PayPal by a second verdict."""
    with serve_sandbox() as sandbox, Counter.open(own_database, sandbox, provider) as counter:
        for status, left in (("open", 0), ("lost", 0), ("won", 1234)):
            counter.case.dispute(sandbox, counter.payment.reference, status)
            gateway = counter.case.provider(counter.known)
            for event in sandbox.events(provider):
                for fact in gateway.read(event.body):
                    if isinstance(fact, PaymentDisputed):
                        counter.till.worker.rows(*fact.booking(provider))
            assert counter.balance()[0][1] == left
            assert counter.till.one("select status from payment_disputes") == status
        assert counter.till.held("clearing") == -1234
        assert sandbox.balance(provider) == {"EUR": 1234}
        assert counter.till.findings() == []


def _spend(till, person, amount):
    """Gone from the balance, as if it had been withdrawn."""
    spend = "select id from propose_adjustment(%s, %s, 'EUR', 'fees', 'spent')"
    ((proposal,),) = till.cast["moderator"].rows(spend, [person.id, -amount])
    till.cast["admin"].rows("select confirm_approval(%s)", [proposal])


def _write_off(till, person):
    write_off = "select id from propose_write_off(%s, 'EUR', 'Gone.')"
    ((proposal,),) = till.cast["moderator"].rows(write_off, [person.id])
    till.cast["admin"].rows("select confirm_approval(%s)", [proposal])


def _all_is_well(till):
    return till.db.execute("select * from private.check_everything()").fetchall() == []


def test_what_was_written_off_is_not_given_a_second_time(till):
    """500 spent, taken back by the bank, forgiven, and won on appeal: the platform gets it back."""
    payment = till.pay(till.order(500))
    _spend(till, till.payer, 500)
    till.dispute(payment, "lost", 500)
    assert (till.held(person=till.payer), till.held("loss")) == (-500, 0)
    _write_off(till, till.payer)
    assert (till.held(person=till.payer), till.held("loss")) == (0, -500)
    for _ in range(2):
        assert till.dispute(payment, "won", 500) == "ok"
    assert (till.held(person=till.payer), till.held("loss")) == (0, 0)
    assert till.held("clearing") == -500
    assert _all_is_well(till)


def test_nor_is_what_was_written_off_of_a_creators(till):
    escrow, order = till.escrow()
    payment = till.pay(order, 1100)
    _to(till, escrow, *RELEASED)
    creator = till.cast["creator"]
    _spend(till, creator, 1000)
    till.dispute(payment, "lost", 1100)
    assert till.held(person=creator) == -1000
    _write_off(till, creator)
    assert till.dispute(payment, "won", 1100) == "ok"
    assert (till.held(person=creator), till.held("loss")) == (0, 0)
    assert _all_is_well(till)


def test_who_has_left_gets_nothing_of_an_appeal(till):
    escrow, order = till.escrow()
    payment = till.pay(order, 1100)
    _to(till, escrow, *HANDED_IN)
    for word in ("open", "lost"):
        till.dispute(payment, word, 1100)
    creator = till.cast["creator"]
    creator.rows("select delete_account()")
    assert till.dispute(payment, "won", 1100) == "ok"
    assert (till.held(person=creator), till.held("fees")) == (0, 1100)
    assert _all_is_well(till)


def test_what_a_payment_says_is_checked_once_a_day(till):
    payment = till.pay(till.order(500))
    assert _all_is_well(till)
    for column in ("refunded_minor", "charged_back_minor"):
        with till.db.transaction(force_rollback=True):
            till.db.execute(f"update payments set {column} = 300 where id = %s", [payment])
            assert not _all_is_well(till)


def test_a_refund_for_a_case_that_was_won_is_no_difference(till):
    """PayPal's report keeps the refund, and brings the money back by a line of the case."""
    _, wanted = till.escrow()
    payment = till.pay(wanted, 1100, provider="paypal")
    reference = till.reference(payment)
    case = "select private.change_payment_dispute('paypal', 'PP-1', %s, %s, 400, 'EUR', 'x', null)"
    by_hand = (
        "select private.change_refund('paypal', 'R-1', %s, 'succeeded', 400, 'EUR', null, 'x')"
    )
    line = (
        "select private.import_movement('paypal', %s, %s, %s, 'EUR', 0, now() - interval '2 hours')"
    )
    assert till.told(case, reference, "open") == till.told(by_hand, reference) == "ok"
    assert till.told(case, reference, "lost") == till.told(case, reference, "won") == "ok"
    for moved in (("payment", reference, 1100), ("refund", "R-1", -400), ("dispute", "T-1", 400)):
        till.worker.rows(line, moved)
    assert till.held("clearing") == -1100
    assert till.one("select count(*) from private.find_differences()") == 0


def test_a_returned_refund_of_a_lost_case_stays_counted(till):
    """400 refunded by hand for a case, the case lost, the refund returned, another case won."""
    _, wanted = till.escrow()
    payment = till.pay(wanted, 1100, provider="paypal")
    reference = till.reference(payment)

    def case(name, status, amount):
        dispute = (
            "select private.change_payment_dispute('paypal', %s, %s, %s, %s, 'EUR', 'x', null)"
        )
        assert till.told(dispute, name, reference, status, amount) == "ok"

    def refund(status):
        by_hand = "select private.change_refund('paypal', 'R-1', %s, %s, 400, 'EUR', null, 'x')"
        assert till.told(by_hand, reference, status) == "ok"

    case("PP-1", "open", 400)
    refund("succeeded")
    case("PP-1", "lost", 400)
    refund("failed")
    case("PP-2", "lost", 100)
    case("PP-2", "won", 100)
    assert till.one("select charged_back_minor from payments") == 400
    case("PP-3", "lost", 700)
    assert (till.held(person=till.payer), till.held("escrow")) == (0, 0)
    assert till.one("select charged_back_minor from payments") == 1100
