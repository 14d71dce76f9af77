"""A refund whose last event is lost is asked after, until its provider says how it ended."""

import pytest

from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.counters import WAYS, Counter
from workers.payments import carry


@pytest.fixture(params=WAYS)
def counter(request, own_database):
    with serve_sandbox() as sandbox, Counter.open(own_database, sandbox, request.param) as made:
        yield made


@pytest.mark.parametrize(("end", "left"), [("succeeded", 734), ("failed", 1234)])
def test_what_is_long_on_its_way_is_looked_up(counter, end, left):
    refund = counter.refund()
    counter.run(carry.check_refund, refund)
    assert counter.till.refunds() == [(refund, 500, "sent")]
    assert counter.balance() == [(500, 734)]
    counter.end(end)
    assert counter.due() == 0  # every six hours
    counter.db.execute("update refunds set look_at = now()")
    assert (counter.due(), counter.due()) == (1, 0)
    counter.run(carry.check_refund, refund)
    assert counter.till.refunds() == [(refund, 500, end)]
    assert counter.balance() == [(0, left)]
    counter.db.execute("update refunds set look_at = now()")
    assert counter.due() == 0
    assert counter.till.findings() == []


def test_no_answer_proves_nothing(own_database):
    with serve_sandbox() as sandbox, Counter.open(own_database, sandbox, "stripe") as counter:
        refund = counter.refund()
        for break_it in (
            lambda: sandbox.fail("stripe", "500_before", "GET "),
            lambda: counter.db.execute("update private.provider_requests set attempt = 7"),
        ):
            break_it()  # out of order, then: a key that the provider does not know
            counter.run(carry.check_refund, refund)
            sandbox.recover("stripe")
            assert counter.till.refunds() == [(refund, 500, "sent")]
            assert counter.balance() == [(500, 734)]


def test_one_that_takes_two_weeks_is_a_finding(till):
    """By then its last event is lost, and the provider's report tells that the money went."""
    payment = till.pay(till.order(500), 700, reference="pi_1")
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    assert till.refund(payment, "pending", 200, "re_1", request) == "ok"
    till.worker.rows(
        "select private.import_movement('stripe', 'refund', 're_1', -200, 'EUR', 0,"
        " now() - interval '2 hours', null)"
    )
    found = "select finding from private.check_invariants()"
    differs = "select reference, provider_minor, ledger_minor from private.find_differences()"
    for days, findings, differences in (
        (13, [], []),
        (
            15,
            [("a refund is on its way for two weeks",), ("provider and ledger differ",)],
            [("re_1", -200, 0)],
        ),
    ):
        till.db.execute("update refunds set created_at = now() - make_interval(days => %s)", [days])
        assert till.db.execute(found).fetchall() == findings
        assert till.db.execute(differs).fetchall() == differences
    assert till.refund(payment, "succeeded", 200, "re_1", request) == "ok"
    assert till.db.execute(found).fetchall() == []
