"""A payment dispute whose verdict is lost is asked after, on whatever it is, and seen if old."""

import pytest

from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.counters import WAYS, Counter
from workers.payments import carry
from workers.payments.base import PaymentDisputed

FOUND = "select finding from private.check_invariants() where finding ~ 'dispute'"


@pytest.fixture(params=WAYS)
def counter(request, own_database):
    with serve_sandbox() as sandbox, Counter.open(own_database, sandbox, request.param) as made:
        yield made


def _open(counter):
    """The bank asks, and its event arrives; the dispute's id."""
    counter.case.dispute(counter.sandbox, counter.payment.reference, "open")
    gateway = counter.case.provider(counter.known)
    for event in counter.sandbox.events(counter.provider):
        for fact in gateway.read(event.body):
            if isinstance(fact, PaymentDisputed):
                counter.till.worker.rows(*fact.booking(counter.provider))
    return counter.till.one("select id from payment_disputes")


def _due(counter):
    return counter.till.one("select private.tend_disputes()")


@pytest.mark.parametrize(("verdict", "left"), [("won", 1234), ("lost", 0)])
def test_an_open_one_is_looked_up(counter, verdict, left):
    dispute = _open(counter)
    counter.run(carry.check_dispute, dispute)
    status = "select status from payment_disputes"
    assert counter.till.one(status) == "open"
    assert counter.balance() == [(1234, 0)]
    counter.case.dispute(counter.sandbox, counter.payment.reference, verdict)
    assert _due(counter) == 0  # once a day
    counter.db.execute("update payment_disputes set look_at = now()")
    assert (_due(counter), _due(counter)) == (1, 0)
    counter.run(carry.check_dispute, dispute)
    assert counter.till.one(status) == verdict
    assert counter.balance() == [(0, left)]
    counter.db.execute("update payment_disputes set look_at = now()")
    assert _due(counter) == 0
    assert counter.till.findings() == []


def test_no_answer_proves_nothing(own_database):
    with serve_sandbox() as sandbox, Counter.open(own_database, sandbox, "stripe") as counter:
        dispute = _open(counter)
        counter.case.dispute(sandbox, counter.payment.reference, "lost")
        sandbox.fail("stripe", "500_before", "GET ")
        counter.run(carry.check_dispute, dispute)
        assert counter.till.one("select status from payment_disputes") == "open"
        assert counter.balance() == [(1234, 0)]


@pytest.mark.parametrize(("verdict", "left"), [("won", 1234), ("lost", 0)])
def test_a_reversal_ends_with_its_case(own_database, verdict, left):
    """PayPal reversed the payment, and every event of the case was lost."""
    with serve_sandbox() as sandbox, Counter.open(own_database, sandbox, "paypal") as counter:
        capture = counter.payment.reference
        amount = counter.payment.amount
        reversed_for = PaymentDisputed(f"reversal:{capture}", capture, "open", amount, "x")
        counter.till.worker.rows(*reversed_for.booking("paypal"))
        dispute = counter.till.one("select id from payment_disputes")
        counter.run(carry.check_dispute, dispute)  # without a case nobody knows
        assert counter.balance() == [(1234, 0)]
        sandbox.control("paypal", f"captures/{capture}/dispute", stage="CHARGEBACK")
        counter.case.dispute(sandbox, capture, verdict)
        counter.run(carry.check_dispute, dispute)
        assert counter.db.execute(
            "select status from payment_disputes order by reference like 'reversal:%'"
        ).fetchall() == [(verdict,), ("won",)]
        assert counter.balance() == [(0, left)]
        assert counter.till.findings() == []


@pytest.mark.parametrize("is_escrow", [True, False])
def test_one_that_lasts_is_a_finding_whatever_it_is_on(till, is_escrow):
    order = till.escrow()[1] if is_escrow else till.order(1100)
    till.dispute(till.pay(order, 1100), "open", 1100)
    for due, age, findings in (
        (None, 119, 0), (None, 121, 1), (29, 100, 0), (31, 100, 1), (200, 200, 1), (31, 31, 1),
    ):  # fmt: skip
        till.db.execute(
            "update payment_disputes set due_at = now() - make_interval(days => %s),"
            " created_at = now() - make_interval(days => %s)",
            [due, age],
        )
        assert len(till.db.execute(FOUND).fetchall()) == findings, (due, age)
    till.db.execute("update payment_disputes set status = 'won'")
    assert till.db.execute(FOUND).fetchall() == []


def test_a_report_that_tells_a_verdict_nobody_heard_is_a_difference(till):
    """Taken by the bank for good, and open here: after 120 days its report is believed."""
    payment = till.pay(till.order(700), 700, reference="pi_1")
    till.dispute(payment, "open", 700)
    till.worker.rows(
        "select private.import_movement('stripe', 'dispute', 'dp_1', -700, 'EUR', 0,"
        " now() - interval '2 hours', null)"
    )
    differs = "select reference, provider_minor, ledger_minor from private.find_differences()"
    assert till.db.execute(differs).fetchall() == []
    till.db.execute("update payment_disputes set created_at = now() - interval '121 days'")
    assert till.db.execute(differs).fetchall() == [("dp_1", -700, 0)]
    till.dispute(payment, "lost", 700)
    assert till.db.execute(differs).fetchall() == []
