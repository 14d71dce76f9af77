"""A payment's whole life by Stripe, in every order of its events: sandbox, api, inbox, ledger."""

import itertools
import json
from types import SimpleNamespace

import psycopg
import pytest

from tests.fixtures.people import error_code
from tests.fixtures.sandboxing import serve_sandbox
from tests.fixtures.serving import serve
from workers.core.db import make_pool
from workers.core.money import Money
from workers.payments.base import OrderToPay
from workers.payments.stripe import Stripe
from workers.payments.tasks import process_event

ORDERED = "select id, amount_minor, currency from orders"
STATE = (
    "select (select status::text from orders),"
    " (select string_agg(status, ',') from payment_attempts),"
    " (select status::text from escrows),"
    " (select coalesce(sum(amount_minor - refunded_minor - charged_back_minor), 0)::bigint"
    "  from payments),"
    " (select coalesce(-sum(private.account_balance(id)), 0)::bigint from ledger_accounts"
    "  where kind = 'clearing')"
)
STARTED = "select private.payment_started(%s, %s, %s)"


class Deal:
    """A sponsor, an escrow of 1000 and its fee, the order for both, and Stripe."""

    def __init__(self, served, sandbox):
        self.served, self.sandbox = served, sandbox
        self.known = sandbox.settings(served.database_url)
        self.gateway = Stripe(self.known)
        self.sponsor, _ = served.person("sponsor", "sponsor")
        self.creator, _ = served.person("creator", "creator")
        self.as_sponsor(
            "select open_escrow(%s, 'Tea', 'EUR', %s::jsonb)",
            [self.creator.id, json.dumps([{"title": "x", "price_minor": 1000}])],
        )
        self.as_sponsor("select order_escrow(id) from escrows")
        ((self.order, self.amount, _),) = served.execute(ORDERED)

    def as_sponsor(self, query, arguments=()):
        """What the sponsor's client calls, committed."""
        claims = json.dumps({"sub": str(self.sponsor.id), "role": "authenticated"})
        with psycopg.connect(self.served.database_url) as db:
            db.execute(
                "select set_config('role', 'authenticated', true),"
                " set_config('request.jwt.claims', %s, true)",
                [claims],
            )
            return db.execute(query.encode(), arguments).fetchall()

    async def start(self, return_url="https://shop.example/back"):
        """As the api does: store, ask, note what was made."""
        ((attempt, _, request, _, _, provider, amount, currency, title, email, *_),) = (
            self.as_sponsor("select * from private.start_payment(%s, 'stripe')", [self.order])
        )
        assert (provider, amount) == ("stripe", self.amount)
        started = await self.gateway.start_payment(
            OrderToPay(request, self.order, Money(amount, currency), title, email, return_url)
        )
        self.served.execute(STARTED, [attempt, request, started.reference])
        return started

    async def process(self, *, newest_first=False):
        """Work off the inbox, oldest first."""
        waiting = self.served.execute(
            "select id from private.webhook_events where status = 'kept' order by id"
        )
        if newest_first:
            waiting.reverse()
        async with make_pool(self.known) as pool:
            more = {"pool": pool, "providers": {"stripe": self.gateway}}
            for (event,) in waiting:
                job = SimpleNamespace(attempts=9)  # impatient: what is not known fails
                await process_event(SimpleNamespace(additional_context=more, job=job), event)

    def state(self):
        """Order, attempt, escrow; what arrived; what the ledger says Stripe holds for us."""
        return self.served.execute(STATE)[0]

    def inbox(self):
        return self.served.execute(
            "select kind, status, note from private.webhook_events where status = 'failed'"
        )

    def findings(self):
        return self.served.execute("select * from private.verify_ledger()")


@pytest.fixture
def deal(own_database):
    """The events go to the api over HTTP."""
    secrets = ["whsec_of_the_local_sandbox"]
    with (
        serve(own_database, stripe_webhook_secrets=secrets) as served,
        serve_sandbox(api_url=served.url) as sandbox,
    ):
        yield Deal(served, sandbox)


def _hold(sandbox, **more):
    world = sandbox.worlds["stripe"]
    world.delivery.is_held = True
    for name, value in more.items():
        setattr(world.delivery, name, value)


def _deliver(sandbox):
    answers = sandbox.control("stripe", "deliver")
    assert {code for one in answers for code in one["answers"]} == {200}


@pytest.mark.parametrize("return_url", ["https://shop.example/back", ""])
@pytest.mark.parametrize("order", ["as_made", "reversed", "shuffled"])
async def test_paid_whatever_the_order_of_its_events(deal, return_url, order):
    _hold(deal.sandbox, order=order, copies=3)
    started = await deal.start(return_url)
    kind = "checkout/sessions" if return_url else "payment_intents"
    deal.sandbox.control("stripe", f"{kind}/{started.reference}/pay")
    _deliver(deal.sandbox)
    await deal.process()
    assert deal.state() == ("paid", "succeeded", "locked", 1100, 1100)
    assert deal.sandbox.balance("stripe") == {"EUR": 1100}
    assert (deal.inbox(), deal.findings()) == ([], [])


async def test_a_failed_try_then_another(deal):
    _hold(deal.sandbox)
    first = await deal.start("")
    deal.sandbox.control("stripe", f"payment_intents/{first.reference}/decline")
    _deliver(deal.sandbox)
    await deal.process()
    assert deal.state()[:3] == ("pending", "failed", "pending_payment")
    second = await deal.start()
    assert second.reference != first.reference
    deal.sandbox.control("stripe", f"checkout/sessions/{second.reference}/pay")
    # and the payer pays the first one, too: what settles nothing goes back
    deal.sandbox.control("stripe", f"payment_intents/{first.reference}/pay")
    _deliver(deal.sandbox)
    await deal.process()
    assert deal.state() == ("paid", "succeeded,succeeded", "locked", 2200, 2200)
    ((amount, status),) = deal.served.execute("select amount_minor, status from refunds")
    assert (amount, status) == (1100, "requested")
    assert (deal.inbox(), deal.findings()) == ([], [])


async def _claim(deal):
    ((refund,),) = deal.served.execute("select id from refunds where status <> 'succeeded'")
    ((request, payment, minor),) = deal.served.execute(
        "select request_id, payment, amount_minor from private.claim_refund(%s)", [refund]
    )
    return {"key": request, "payment": payment, "amount": Money(minor, "EUR")}


@pytest.mark.parametrize("is_answer_heard", [True, False])
async def test_refunded_with_or_without_the_answer(deal, is_answer_heard):
    _hold(deal.sandbox)
    started = await deal.start()
    deal.sandbox.control("stripe", f"checkout/sessions/{started.reference}/pay")
    _deliver(deal.sandbox)
    await deal.process()
    deal.as_sponsor("select refund_escrow(id, 'Changed my mind.') from escrows")
    fact = await deal.gateway.refund(**await _claim(deal))
    if is_answer_heard:
        deal.served.execute(*fact.booking("stripe"))
    _deliver(deal.sandbox)
    await deal.process()
    assert deal.served.execute("select status, reference from refunds") == [
        ("succeeded", fact.reference)
    ]
    assert deal.state() == ("paid", "succeeded", "refunded", 0, 0)
    assert deal.sandbox.balance("stripe") == {}
    assert (deal.inbox(), deal.findings()) == ([], [])


@pytest.mark.parametrize("verdict", ["win", "lose"])
async def test_disputed(deal, verdict):
    _hold(deal.sandbox)
    started = await deal.start()
    deal.sandbox.control("stripe", f"checkout/sessions/{started.reference}/pay")
    _deliver(deal.sandbox)
    await deal.process()
    (intent,) = deal.sandbox.worlds["stripe"].all("payment_intent")
    dispute = deal.sandbox.control("stripe", f"payment_intents/{intent['id']}/dispute")
    deal.sandbox.control("stripe", f"disputes/{dispute['id']}/{verdict}")
    _deliver(deal.sandbox)
    await deal.process()
    left = 1100 if verdict == "win" else 0
    status = "locked" if verdict == "win" else "refunded"
    assert deal.state() == ("paid", "succeeded", status, left, left)
    assert deal.sandbox.balance("stripe") == ({"EUR": left} if left else {})
    assert (deal.inbox(), deal.findings()) == ([], [])


async def test_refunded_in_stripes_dashboard(deal):
    _hold(deal.sandbox)
    started = await deal.start()
    deal.sandbox.control("stripe", f"checkout/sessions/{started.reference}/pay")
    _deliver(deal.sandbox)
    await deal.process()
    (intent,) = deal.sandbox.worlds["stripe"].all("payment_intent")
    deal.sandbox.control("stripe", f"payment_intents/{intent['id']}/refund")
    _deliver(deal.sandbox)
    await deal.process()
    assert deal.state() == ("paid", "succeeded", "refunded", 0, 0)
    assert (deal.inbox(), deal.findings()) == ([], [])


async def test_a_refund_told_long_before_its_payment_is_not_forgotten(deal):
    """It was given up as somebody else's; when the payment comes, it is looked at again."""
    _hold(deal.sandbox)
    started = await deal.start()
    deal.sandbox.control("stripe", f"checkout/sessions/{started.reference}/pay")
    (intent,) = deal.sandbox.worlds["stripe"].all("payment_intent")
    deal.sandbox.control("stripe", f"payment_intents/{intent['id']}/refund")
    _deliver(deal.sandbox)
    await deal.process(newest_first=True)
    again = deal.served.execute("select kind from private.webhook_events where status = 'kept'")
    assert again
    assert all("refund" in kind for (kind,) in again)
    await deal.process()
    assert deal.state() == ("paid", "succeeded", "refunded", 0, 0)
    assert (deal.inbox(), deal.findings()) == ([], [])


async def test_every_order_of_a_payments_events_ends_the_same(deal):
    """Paid, disputed, won, a part refunded by hand: told in 120 orders, each event twice."""
    _hold(deal.sandbox)
    started = await deal.start()
    deal.sandbox.control("stripe", f"checkout/sessions/{started.reference}/pay")
    (intent,) = deal.sandbox.worlds["stripe"].all("payment_intent")
    dispute = deal.sandbox.control("stripe", f"payment_intents/{intent['id']}/dispute", amount=500)
    deal.sandbox.control("stripe", f"disputes/{dispute['id']}/win")
    deal.sandbox.worlds["stripe"].objects[intent["latest_charge"]]["disputed"] = False
    deal.sandbox.control("stripe", f"payment_intents/{intent['id']}/refund", amount=300)
    facts = {}
    for event in deal.sandbox.events("stripe"):
        for fact in deal.gateway.read(event.body):
            facts.setdefault(repr(fact), fact)
    assert len(facts) == 5
    ends = set()
    with psycopg.connect(deal.served.database_url) as db:
        for told in itertools.permutations(facts.values()):
            with db.transaction(force_rollback=True):
                _tell(db, [fact for one in told for fact in (one, one)])
                ends.add(db.execute(STATE).fetchone())
    assert ends == {("paid", "succeeded", "locked", 800, 800)}


def _tell(db, facts):
    """Book them as the inbox does: what speaks of something unknown yet is tried again later."""
    waiting = facts
    while waiting:
        later = []
        for fact in waiting:
            try:
                with db.transaction():
                    db.execute(*fact.booking("stripe"))
            except psycopg.Error as error:
                if error_code(error) != "payments.payment_not_found":
                    raise
                later.append(fact)
        assert len(later) < len(waiting)
        waiting = later
