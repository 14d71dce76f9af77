"""What a payer could get twice they get once: a refund here and their bank, by hand and by us."""

import json
import threading
import time

import psycopg
import pytest

from tests.fixtures.people import cast as make_cast
from workers.payments.paypal_facts import event_facts

INVARIANTS = "select finding, subject from private.check_everything()"


def _mine(till):
    return till.payer.rows("select available_minor from ledger_balances")


def _refused_refund(till):
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    till.worker.rows("select private.decline_refund(%s, 'card closed')", [request])
    return request


@pytest.fixture
def paid(till):
    escrow, order = till.escrow()
    return escrow, till.pay(order, 1100)


def test_a_refund_that_stayed_here_and_the_bank(till, paid):
    escrow, payment = paid
    till.payer.rows("select refund_escrow(%s, 'x')", [escrow])
    _refused_refund(till)
    assert _mine(till) == [(1100,)]
    till.dispute(payment, "open", 1100)
    till.dispute(payment, "lost", 1100)
    assert (_mine(till), till.held("loss"), till.held("clearing")) == ([(0,)], 0, 0)
    assert till.findings() == []


def test_a_refund_under_way_and_the_bank(till, paid):
    """Stripe: a disputed charge cannot be refunded; the refusal comes after the verdict."""
    escrow, payment = paid
    till.payer.rows("select refund_escrow(%s, 'x')", [escrow])
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    till.dispute(payment, "lost", 1100)
    till.worker.rows("select private.decline_refund(%s, 'charge_disputed')", [request])
    assert (_mine(till), till.held("loss")) == ([(0,)], 0)


def test_a_bookings_refund_that_stayed_here_and_the_bank(till):
    host, guest = till.cast["creator"], till.payer
    ((offer,),) = host.rows("select id from create_booking_offer('x', 60, 1000, 'EUR')")
    ((booking,),) = guest.rows("select id from book_offer(%s, now() + interval '2 days')", [offer])
    ((bill,),) = guest.rows("select id from order_booking(%s)", [booking])
    payment = till.pay(bill, 1000)
    guest.rows("select cancel_booking(%s)", [booking])
    _refused_refund(till)
    till.dispute(payment, "lost", 1000)
    assert (_mine(till), till.held("loss")) == ([(0,)], 0)


def test_what_was_too_much_goes_back_by_hand_from_the_payers_balance(till):
    escrow, order = till.escrow()
    payment = till.pay(order, 1300)
    _refused_refund(till)
    assert _mine(till) == [(200,)]
    till.refund(payment, "succeeded", 200, "re_hand")
    assert till.one("select remaining_minor from escrows where id = %s", escrow) == 1100
    assert _mine(till) == [(0,)]


def test_a_part_by_hand_and_then_the_rest(till, paid):
    escrow, payment = paid
    till.refund(payment, "succeeded", 400, "re_hand")
    till.payer.rows("select refund_escrow(%s, 'x')", [escrow])
    assert sorted(row[1] for row in till.refunds()) == [400, 700]


def test_a_part_by_hand_leaves_a_disputed_escrow_frozen(till, paid):
    escrow, payment = paid
    till.dispute(payment, "open", 1100)
    till.refund(payment, "succeeded", 1, "re_hand")
    assert till.one("select frozen_at is not null from escrows where id = %s", escrow)


def test_an_echo_without_our_key_is_ours(till, paid):
    escrow, payment = paid
    till.payer.rows("select refund_escrow(%s, 'x')", [escrow])
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    assert till.refund(payment, "succeeded", 1100, "re_1") == "ok"
    assert till.refund(payment, "succeeded", 1100, "re_1", request) == "ok"
    assert [row[2] for row in till.refunds()] == ["succeeded"]
    assert till.held("clearing") == till.held("loss") == 0


def test_one_by_hand_that_comes_back(till, paid):
    _, payment = paid
    for status in ("succeeded", "failed", "failed"):
        till.refund(payment, status, 400, "re_hand")
    assert till.held("clearing") == -1100
    assert _mine(till) == [(400,)]
    assert till.one("select charged_back_minor from payments where id = %s", payment) == 0
    assert till.findings() == []


def test_an_inquiry_that_ends_in_a_refund(till):
    """PayPal tells it as a refund and as a case that was lost."""
    _, order = till.escrow()
    till.pay(order, 1100, reference="CAP", provider="paypal")
    money = {"currency_code": "EUR", "value": "11.00"}
    case = {
        "dispute_id": "PP-D-1",
        "disputed_transactions": [{"seller_transaction_id": "CAP"}],
        "reason": "X",
        "status": "OPEN",
        "dispute_life_cycle_stage": "INQUIRY",
        "dispute_amount": money,
    }
    refund = {
        "id": "RF",
        "status": "COMPLETED",
        "amount": money,
        "links": [{"rel": "up", "href": "https://x/v2/payments/captures/CAP"}],
    }
    lost = {"status": "RESOLVED", "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"}}
    for kind, resource in [
        ("CUSTOMER.DISPUTE.CREATED", case),
        ("PAYMENT.CAPTURE.REFUNDED", refund),
        ("CUSTOMER.DISPUTE.RESOLVED", case | lost),
    ]:
        for fact in event_facts({"event_type": kind, "resource": resource}):
            query, arguments = fact.booking("paypal")
            assert till.told(query, *arguments) == "ok"
    assert (till.held("clearing"), till.held("loss")) == (0, 0)


CASE = "select private.change_payment_dispute(%s, %s, %s, %s, %s, 'EUR', 'x', null)"
BY_HAND = "select private.change_refund(%s, %s, %s, %s, %s, 'EUR', null, 'x')"


class Matter:
    """A payment of 1,100 at a provider, and what its bank and its payer make of it."""

    def __init__(self, till, provider):
        self.till, self.provider = till, provider
        _, order = till.escrow()
        till.pay(order, 1100, reference="P-1", provider=provider)

    def case(self, status, amount, reference="PP-D-1"):
        told = self.till.told(CASE, self.provider, reference, "P-1", status, amount)
        assert told == "ok"

    def by_hand(self, amount, reference="RF-1", status="succeeded"):
        told = self.till.told(BY_HAND, self.provider, reference, "P-1", status, amount)
        assert told == "ok"

    def gone(self):
        """What the ledger says left the provider."""
        assert self.till.findings() == []
        return 1100 + self.till.held("clearing")


# what PayPal tells of one matter of 400: the money left once
ONE_MATTER = {
    "as it happens": ["open", "refund", "lost"],
    "the case's end first": ["open", "lost", "refund"],
    "reversed before the case": ["reversed", "open", "refund", "lost", "reversal ends"],
    "reversed after it": ["open", "reversed", "refund", "lost", "reversal ends"],
    "each twice": ["open", "open", "refund", "refund", "lost", "lost", "refund", "open"],
    "a case alone": ["open", "lost"],
    "a refund alone": ["refund"],
    "a case that we won, after a refund": ["open", "refund", "won"],
}


@pytest.mark.parametrize("told", ONE_MATTER)
def test_a_case_that_ends_in_a_refund_is_told_as_both(till, told):
    matter = Matter(till, "paypal")
    steps = {
        "refund": lambda: matter.by_hand(400),
        "reversed": lambda: matter.case("open", 400, "reversal:P-1"),
        "reversal ends": lambda: matter.case("won", 400, "reversal:P-1"),
    }
    for step in ONE_MATTER[told]:
        steps.get(step, lambda status=step: matter.case(status, 400))()
    assert matter.gone() == 400


@pytest.mark.parametrize("provider", ["stripe", "razorpay"])
def test_where_both_are_told_of_their_own_both_count(till, provider):
    """A part refunded in an inquiry, the rest lost to the bank: two lines of the balance."""
    matter = Matter(till, provider)
    matter.case("open", 600)
    matter.by_hand(400)
    matter.case("lost", 600)
    assert matter.gone() == 1000


def test_two_cases_and_refunds_of_their_own(till):
    matter = Matter(till, "paypal")
    matter.by_hand(100, "RF-0")  # before any case
    matter.case("open", 300)
    matter.by_hand(300)
    matter.case("lost", 300)
    matter.case("open", 500, "PP-D-2")
    matter.case("lost", 500, "PP-D-2")
    matter.by_hand(500, "RF-2")
    assert matter.gone() == 900


@pytest.mark.parametrize(("end", "credit"), [("lost", 0), ("won", 400), ("open", 400)])
def test_a_refund_of_a_case_that_comes_back_is_not_given_twice(till, end, credit):
    """The payer has it by the case: not a second time because their account is closed."""
    matter = Matter(till, "paypal")
    matter.case("open", 1000)
    matter.by_hand(400)
    if end != "open":
        matter.case(end, 1000)
    matter.by_hand(400, status="failed")
    assert till.held(person=till.payer) == credit
    if end == "open":  # and then it counts whole
        matter.case("lost", 1000)
        assert matter.gone() == 1000


def test_operators_end_a_dispute_that_nobody_decides(till, paid):
    _, payment = paid
    till.dispute(payment, "open", 1100)
    dispute = till.one("select id from payment_disputes")
    propose = "select id from propose_dispute_outcome(%s, %s, 'no word for months')"
    moderator, admin = till.cast["moderator"], till.cast["admin"]
    assert moderator.outcome(propose, [dispute, "open"]) == "payments.invalid_outcome"
    ((approval,),) = moderator.rows(propose, [dispute, "won"])
    told = moderator.outcome("select confirm_approval(%s)", [approval])
    assert told == "ops.second_operator_required"
    admin.rows("select confirm_approval(%s)", [approval])
    assert till.one("select status from payment_disputes") == "won"
    assert till.one("select frozen_at from escrows") is None
    assert moderator.outcome(propose, [dispute, "won"]) == "payments.dispute_not_found"


# --- nothing is forgotten, and nothing rings without a cause --------------------------------------


def _captured(till):
    order = till.order(500)
    ((attempt, request),) = till.payer.rows(
        "select attempt_id, request_id from private.start_payment(%s, 'paypal')", [order]
    )
    till.worker.rows("select private.payment_started(%s, %s, 'O-1')", [attempt, request])
    till.worker.rows("select private.approve_payment('paypal', 'O-1')")
    return attempt


def _waiting(till, task):
    return till.one(
        "select count(*) from procrastinate.procrastinate_jobs"
        " where task_name = %s and status = 'todo'",
        task,
    )


def test_a_capture_in_doubt_is_closed_by_its_event(till):
    attempt = _captured(till)
    ((capture,),) = till.worker.rows("select request_id from private.claim_capture(%s)", [attempt])
    till.worker.rows("select private.close_request(%s, 'unknown', null, 'timed out')", [capture])
    till.worker.rows(
        "select private.record_payment(null, 'paypal', 'CAP-1', 500, 'EUR', null, 'O-1')"
    )
    assert till.one("select count(*) from private.provider_requests where closed_at is null") == 0
    till.db.execute("update private.provider_requests set created_at = now() - interval '2 hours'")
    assert till.db.execute(INVARIANTS).fetchall() == []


@pytest.mark.parametrize("is_capture", [True, False])
def test_a_job_that_was_lost_before_it_asked_is_queued_again(till, paid, is_capture):
    if is_capture:
        task, sweep = "payments.capture_payment", "select private.tend_captures()"
        _captured(till)
        till.db.execute("update payment_attempts set approved_at = now() - interval '11 minutes'")
    else:
        task, sweep = "payments.send_refund", "select private.tend_refunds()"
        till.payer.rows("select refund_escrow(%s, 'x')", [paid[0]])
        till.db.execute("update refunds set look_at = now()")
    till.db.execute(
        "update procrastinate.procrastinate_jobs set status = 'failed' where task_name = %s", [task]
    )
    assert till.one(sweep) == 1
    assert _waiting(till, task) == 1


def test_a_provider_switched_off_still_gives_back(till, paid):
    till.payer.rows("select refund_escrow(%s, 'x')", [paid[0]])
    till.db.execute("update private.providers set is_enabled = false")
    assert len(till.claim(till.refunds()[0][0])) == 1
    ask = "select * from private.start_payment(%s)"
    assert till.payer.outcome(ask, [till.order()]) == "payments.no_route"


def test_a_release_that_fails_is_seen(till, paid):
    escrow, _ = paid
    creator = till.cast["creator"]
    creator.rows("select start_work(%s)", [escrow])
    creator.rows("select submit_work(%s, 'x')", [escrow])
    till.db.execute(
        "create function private.broken() returns trigger language plpgsql as"
        " $$ begin raise exception 'broken'; end $$"
    )
    till.db.execute(
        "create trigger broken before insert on ledger_transactions for each row"
        " when (new.kind = 'escrow.release') execute function private.broken()"
    )
    till.db.execute("update escrows set review_due_at = now() - interval '1 minute'")
    assert till.one("select private.approve_next_overdue()") == escrow
    assert till.one("select id from private.stuck_escrows") == escrow
    till.db.execute("drop trigger broken on ledger_transactions")
    till.db.execute("update escrows set review_due_at = now() - interval '1 minute'")
    assert till.one("select private.approve_next_overdue()") == escrow
    assert till.db.execute("select id from private.stuck_escrows").fetchall() == []


def test_a_booking_is_locked_before_its_payment(own_database):
    """A slow cancellation and the bank's word at the same moment: one waits, none dies."""
    with psycopg.connect(own_database, autocommit=True) as db:
        people = make_cast(db)
        host, guest = people["creator"], people["sponsor"]
        ((offer,),) = host.rows("select id from create_booking_offer('x', 60, 10000, 'EUR')")
        ((booking,),) = guest.rows(
            "select id from book_offer(%s, now() + interval '2 days')", [offer]
        )
        ((bill,),) = guest.rows("select id from order_booking(%s)", [booking])
        db.execute("select private.record_payment(%s, 'stripe', 'pi_b', 10000, 'EUR')", [bill])
        db.execute(
            "create function private.slow() returns trigger language plpgsql as"
            " $$ begin perform pg_sleep(1); return new; end $$"
        )
        db.execute(
            "create trigger a_slow before insert on ledger_transactions for each row"
            " when (new.kind = 'bookings.cancel') execute function private.slow()"
        )
    errors = []

    def run(query, *arguments, who=None):
        try:
            with psycopg.connect(own_database) as one:
                if who:
                    one.execute(
                        "select set_config('role', 'authenticated', true),"
                        " set_config('request.jwt.claims', %s, true)",
                        [json.dumps({"sub": str(who), "role": "authenticated"})],
                    )
                one.execute(query.encode(), arguments)
        except psycopg.Error as error:
            errors.append(error.sqlstate)

    first = threading.Thread(
        target=run, args=("select cancel_booking(%s)", booking), kwargs={"who": guest.id}
    )
    first.start()
    time.sleep(0.4)
    run(
        "select private.change_payment_dispute("
        "'stripe', 'dp', 'pi_b', 'open', 10000, 'EUR', 'x', null)"
    )
    first.join()
    assert errors == []
