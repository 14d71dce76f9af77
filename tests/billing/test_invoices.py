"""What an invoice brings is the platform's, posted once; what goes back of it is taken once."""

import threading

import psycopg
import pytest

from tests.billing.conftest import DAY, START, Office
from tests.fixtures.people import Person, cast
from workers.core.money import Money
from workers.payments.base import PaymentDisputed, RefundChanged

POSTED = (
    "select kind, memo, subject_id from ledger_transactions where kind like 'billing.%' order by id"
)


def _refund(status="succeeded", amount=1900, payment="pi_1", reference="re_1"):
    return RefundChanged(reference, payment, status, Money(amount, "EUR"))


def _dispute(status, amount=1900, payment="pi_1", reference="dp_1"):
    return PaymentDisputed(reference, payment, status, Money(amount, "EUR"), "fraudulent")


def _back(office):
    return office.db.execute("select refunded_minor, charged_back_minor from invoices").fetchone()


def test_paid_once_is_posted_once(office):
    office.subscribe()
    for _ in range(3):
        office.pay()
    ((kind, memo, subject),) = office.db.execute(POSTED).fetchall()
    assert (kind, memo) == (
        "billing.receive_invoice", "Subscription invoice GUILD-0001 paid, stripe in_1"
    )  # fmt: skip
    assert subject == office.one("select id from invoices")
    # the provider holds it for us, and it is our earning
    assert (office.balance("clearing"), office.balance("fees")) == (-1900, 1900)
    assert office.findings() == []


def test_the_owner_reads_it(office):
    office.subscribe()
    office.pay()
    ask = "select number, status, total_minor, paid_minor, currency from invoices"
    assert office.owner.rows(ask) == [("GUILD-0001", "paid", 1900, 1900, "EUR")]
    assert office.cast["stranger"].rows(ask) == []
    assert office.cast["moderator"].rows(ask) == [("GUILD-0001", "paid", 1900, 1900, "EUR")]


@pytest.mark.parametrize("status", ["draft", "open", "void", "uncollectible"])
def test_unpaid_posts_nothing(office, status):
    assert office.told(office.invoice(status, paid=0)) == "ok"
    assert office.balance("fees") == 0


def test_a_trials_invoice_of_nothing_posts_nothing(office):
    assert office.told(office.invoice(paid=0, total_minor=0)) == "ok"
    assert office.db.execute(POSTED).fetchall() == []


def test_one_in_the_owners_favour(office):
    assert office.told(office.invoice(paid=0, total_minor=-700)) == "ok"
    assert office.one("select total_minor from invoices") == -700
    assert office.findings() == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_paid_in_parts(office, order):
    """Each part is posted as it comes; what comes late was in the sum already."""
    parts = [
        office.invoice("open", START, 500),
        office.invoice("open", START + DAY, 1200),
        office.invoice("paid", START + 2 * DAY, 1900),
    ]
    for number in order:
        assert office.told(parts[number]) == "ok"
    assert office.balance("fees") == 1900
    assert office.one("select status from invoices") == "paid"
    assert office.findings() == []


def test_uncollectible_and_paid_after_all(office):
    for status, paid in (("open", 0), ("uncollectible", 0), ("paid", 1900)):
        assert office.told(office.invoice(status, paid=paid)) == "ok"
    assert office.balance("fees") == 1900


@pytest.mark.parametrize("amount", [1900, 1])
def test_a_refund_takes_it_back_once(office, amount):
    office.subscribe()
    office.pay()
    for status in ("pending", "succeeded", "succeeded", "pending"):
        assert office.told(_refund(status, amount)) == "ok"
    assert _back(office) == (amount, 0)
    assert (office.balance("fees"), office.balance("clearing")) == (1900 - amount, amount - 1900)
    assert office.findings() == []


def test_several_refunds(office):
    office.pay()
    for number in range(3):
        assert office.told(_refund(amount=500, reference=f"re_{number}")) == "ok"
    assert _back(office) == (1500, 0)
    assert office.balance("fees") == 400


@pytest.mark.parametrize(
    "told", [["succeeded", "failed"], ["failed", "succeeded"], ["failed"], ["pending", "failed"]]
)
def test_a_refund_that_failed_leaves_it(office, told):
    office.pay()
    for status in told * 2:
        assert office.told(_refund(status)) == "ok"
    assert _back(office) == (0, 0)
    assert office.balance("fees") == 1900
    assert office.findings() == []


@pytest.mark.parametrize(
    ("told", "lost"),
    [(["open", "lost"], 1900), (["lost", "open"], 1900), (["open", "won"], 0), (["open"], 0)],
)
def test_a_payment_dispute(office, told, lost):
    office.pay()
    for status in told * 2:
        assert office.told(_dispute(status)) == "ok"
    assert _back(office) == (0, lost)
    assert office.balance("fees") == 1900 - lost
    assert office.findings() == []


def test_a_refund_before_the_invoice_waits_for_it(office):
    """Its event is tried again later: nothing is lost, and nothing is booked in advance."""
    refund = _refund()
    assert office.told(refund) == "payments.payment_not_found"
    office.worker.rows("select private.link_invoice_payment('stripe', 'pi_1', 'in_1')")
    assert office.told(refund) == "billing.invoice_not_found"
    assert office.told(office.invoice()) == "ok"
    assert office.told(refund) == "ok"
    assert office.balance("fees") == 0


def test_what_went_back_too_early_is_replayed(office):
    """So early that its events were ignored: the payment, then the invoice, call them up again."""
    office.worker.rows(
        "select private.keep_events('{stripe,stripe}', '{evt_1,evt_2}',"
        " '{charge.refunded,charge.dispute.created}', array['{}'::bytea, '{}'::bytea])"
    )
    events = office.db.execute("select id from private.webhook_events").fetchall()
    state = "select status, note from private.webhook_events"
    jobs = (
        "select count(*) from procrastinate.procrastinate_jobs"
        " where task_name = 'payments.process_event'"
    )

    def ignored(note):
        for (event,) in events:
            office.worker.rows("select private.finish_event(%s, 'ignored', %s)", [event, note])

    ignored("payments.payment_not_found: pi_1")
    for other in ("pi_2", "pi_1", "pi_1"):
        office.worker.rows("select private.link_invoice_payment('stripe', %s, 'in_1')", [other])
    assert office.db.execute(state).fetchall() == [("kept", None)] * 2
    assert office.one(jobs) == 4
    ignored("billing.invoice_not_found: in_1")
    for reference in ("in_2", "in_1", "in_1"):
        assert office.told(office.invoice(reference=reference)) == "ok"
    assert office.db.execute(state).fetchall() == [("kept", None)] * 2
    assert office.one(jobs) == 6


def test_orders_payments_go_their_own_way(office):
    """The same facts about a payment of an order reach the payments domain."""
    ((order,),) = office.owner.rows("select (create_order(500, 'EUR', 'tea')).id")
    office.worker.rows("select private.record_payment(%s, 'stripe', 'pi_7', 500, 'EUR')", [order])
    assert office.told(_refund(amount=200, payment="pi_7")) == "ok"
    assert office.one("select amount_minor from refunds") == 200
    assert office.told(_dispute("open", 300, "pi_7")) == "ok"
    assert office.one("select status from payment_disputes") == "open"
    assert office.told(_dispute("open", 300, "pi_8")) == "payments.payment_not_found"
    assert office.balance("fees") == 0


def test_more_back_than_was_paid_comes_to_light(office):
    office.pay()
    assert office.told(_refund()) == "ok"
    assert office.told(_dispute("lost")) == "ok"
    assert [one[0] for one in office.findings()] == ["more went back than was paid"]


def test_a_posting_that_differs_comes_to_light(office):
    office.pay()
    office.db.execute("update invoices set paid_minor = 1901")
    assert [one[0] for one in office.findings()] == ["invoice differs from its postings"]


def test_nobody_removes_one(office):
    office.pay()
    office.subscribe()
    for table in ("invoices", "subscriptions"):
        for how in (f"delete from {table}", f"truncate {table} cascade"):
            with pytest.raises(psycopg.Error), office.db.transaction():
                office.db.execute(how)


def test_sixty_four_times_at_once(own_database):
    """One event in many hands: posted once, and the subscription is one."""
    with psycopg.connect(own_database, autocommit=True) as db:
        office = Office(db, cast(db))
        facts = [office.invoice(), office.subscription(), _refund(amount=400)]
        office.worker.rows("select private.link_invoice_payment('stripe', 'pi_1', 'in_1')")
        failures = []

        def tell():
            with psycopg.connect(own_database) as mine:
                worker = Person(mine, "worker", role="guildhall_worker")
                for fact in facts:
                    query, arguments = fact.booking("stripe")
                    try:
                        worker.rows(query, arguments)
                    except psycopg.Error as error:
                        failures.append(repr(error))
                    mine.commit()

        threads = [threading.Thread(target=tell) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert office.balance("fees") == 1500
        assert office.one("select count(*) from subscriptions") == 1
        assert office.one("select subscription_id is not null from invoices")
        assert office.findings() == []
