"""Api and worker are killed 200 times in a storm of money while one call in five breaks.

Three providers at once. Afterwards nobody was paid twice, nothing is lost, nothing is stuck, and
each provider and the ledger agree to the unit.
"""

import asyncio
import json
import random
import threading
import time
import uuid

import httpx
import psycopg
import pytest

from sandbox.core import CALL_FAULTS, Delivery
from stack.core.config import free_port
from tests.fixtures.people import sign_up
from tests.fixtures.processes import Restarting, environment_of
from tests.fixtures.sandboxing import serve_sandbox
from tests.fixtures.serving import SECRET, token_of
from tests.payments.contract import paypal, razorpay, stripe
from tests.payments.purses import Purse
from workers.payments.base import Started

KILLS = 200
CALMING_SECONDS = 150
pytestmark = pytest.mark.timeout(600)


class Bank:
    """A provider in the storm: its part of the contract tests, a currency of its own, its payouts.

    `calls`: what breaks, as a part of "METHOD /path". `ends`: how a payout arrives or comes back,
    below `payouts/<id>/`. `refunds`, `payouts`: what of ours each of them bears.
    """

    def __init__(self, case, currency, calls, ends, refunds, payouts):
        self.case, self.name, self.currency, self.calls = case, case.name, currency, calls
        self.ends, self.refunds, self.payouts = ends, refunds, payouts

    def account(self, sandbox, number):
        """Where a creator may be paid."""
        if self.name == "paypal":
            return f"creator{number}@example.com"

        async def opened():
            gateway = self.case.provider(sandbox.settings())
            try:
                return await self.case.destination(sandbox, gateway)
            finally:
                await gateway.aclose()

        return asyncio.run(opened()).account

    def waiting(self, sandbox):
        """The ids of payouts that the bank has yet to carry."""
        found = []
        for one in sandbox.worlds[self.name].all("payout"):
            status = one.get("status") or one["batch_header"]["batch_status"]
            if status.lower() in ("pending", "in_transit", "processing"):
                found.append(one["id"])
        return found

    def end(self, sandbox, payout, *, arrives):
        """The bank's word on a payout."""
        path, form = self.ends[arrives]
        sandbox.control(self.name, f"payouts/{payout}/{path}", **form)

    def keys(self, sandbox, kind):
        """Our keys on what there is of a kind at the provider, with every repeat."""
        name, key = {"refund": self.refunds, "payout": self.payouts}[kind]
        return [key(one) for one in sandbox.worlds[self.name].all(name)]


BANKS = [
    Bank(
        stripe.CASE, "EUR", "POST /stripe/v1/", {True: ("paid", {}), False: ("failed", {})},
        ("refund", lambda one: one["metadata"]["key"]),
        ("transfer", lambda one: one["metadata"]["key"]),
    ),
    Bank(
        paypal.CASE, "USD", "POST /paypal/v",
        {True: ("settle", {"status": "SUCCESS"}), False: ("settle", {"status": "FAILED"})},
        ("refund", lambda one: one["custom_id"]),
        ("payout", lambda one: one["batch_header"]["sender_batch_header"]["sender_batch_id"]),
    ),
    Bank(
        razorpay.CASE, "INR", "POST /razorpay/v1/",
        {True: ("processed", {}), False: ("failed", {})},
        ("refund", lambda one: one["notes"]["key"]),
        ("payout", lambda one: one["reference_id"]),
    ),
]  # fmt: skip


class Market:
    """Two sponsors and two creators with an account at each bank, who never stop doing business."""

    def __init__(self, database_url, api_url, sandbox, seed):
        self.url, self.api, self.sandbox = database_url, api_url, sandbox
        self.chance = random.Random(seed)
        self.db = psycopg.connect(database_url, autocommit=True)
        self.sponsors = [Purse(self.db, self._sign_up("sponsor")) for _ in range(2)]
        self.creators = [Purse(self.db, self._sign_up("creator")) for _ in range(2)]
        self.accounts = {
            (creator.owner.id, bank.name): creator.account(
                bank.name, reference=bank.account(sandbox, number)
            )
            for number, creator in enumerate(self.creators)
            for bank in BANKS
        }
        self.db.execute(
            "update private.withdrawal_limits set minimum_minor = 1, multiple_minor = 1,"
            " maximum_minor = 1e12, daily_minor = 1e12, monthly_minor = 1e12,"
            " approval_minor = 1e12, hold_hours = 0"
        )
        self.db.execute("update plan_features set allowed = null")
        self.opened = 0

    def _sign_up(self, role):
        return sign_up(self.db, role, role)

    def step(self):
        """One thing that somebody does; what is refused or broken just then is let be."""
        try:
            self.chance.choice(
                [self.open, self.pay, self.pay, self.work, self.work, self.withdraw, self.end]
            )()
        except (psycopg.Error, httpx.HTTPError, AssertionError):
            return

    def open(self):
        sponsor, creator = self.chance.choice(self.sponsors), self.chance.choice(self.creators)
        price, bank = self.chance.randint(100, 100_000), self.chance.choice(BANKS)
        ((escrow,),) = sponsor.owner.rows(
            "select id from open_escrow(%s, 'Tea', %s, %s::jsonb)",
            [creator.owner.id, bank.currency, json.dumps([{"title": "x", "price_minor": price}])],
        )
        sponsor.owner.rows("select order_escrow(%s)", [escrow])
        self.opened += 1

    def pay(self):
        """By the api, which may be dead, and then by the provider's page."""
        row = self._any("select id, payer_id, currency from orders where status = 'pending'")
        if row is None:
            return
        order, payer, currency = row
        (bank,) = [one for one in BANKS if one.currency == currency]
        answer = httpx.post(
            f"{self.api}/orders/{order}/pay",
            headers={"authorization": f"Bearer {token_of(payer)}"},
            json={"provider": bank.name},
            timeout=5,
            trust_env=False,
        )
        if answer.status_code == 200:
            self.sandbox.worlds[bank.name].delivery = Delivery(
                self.chance.randint(1, 3), order="shuffled"
            )
            bank.case.pay(self.sandbox, Started(answer.json()["data"]["reference"], {}))

    def work(self):
        row = self._any(
            "select id, sponsor_id, creator_id, status::text from escrows"
            " where status in ('locked', 'work_in_progress', 'work_submitted', 'under_review')"
        )
        if row is None:
            return
        escrow, sponsor, creator, status = row
        who, step = {
            "locked": (creator, "start_work(%s)"),
            "work_in_progress": (creator, "submit_work(%s, 'x')"),
            "work_submitted": (sponsor, "start_review(%s)"),
            "under_review": (sponsor, "approve_escrow(%s)"),
        }[status]
        if self.chance.random() < 0.15:
            who, step = creator, "refund_escrow(%s, 'x')"
        self._person(who).rows(f"select {step}", [escrow])

    def withdraw(self):
        creator, bank = self.chance.choice(self.creators), self.chance.choice(BANKS)
        posted, reserved = creator.balance(bank.currency)
        if posted - reserved > 0:
            creator.request(
                self.chance.randint(1, posted - reserved),
                bank.currency,
                self.accounts[creator.owner.id, bank.name],
                uuid.uuid4().hex,
            )

    def end(self):
        """Banks take their time: payouts arrive, and a few come back."""
        bank = self.chance.choice(BANKS)
        waiting = bank.waiting(self.sandbox)
        if waiting:
            payout = self.chance.choice(waiting)
            bank.end(self.sandbox, payout, arrives=self.chance.random() >= 0.2)

    def business(self, bank):
        """How many payments, refunds and withdrawals of a bank there are by now."""
        with psycopg.connect(self.url) as db:
            return db.execute(
                "select (select count(*) from payments where provider = %(name)s),"
                " (select count(*) from refunds where provider = %(name)s),"
                " (select count(*) from withdrawals where provider = %(name)s)",
                {"name": bank.name},
            ).fetchone()

    def _any(self, query):
        rows = self.db.execute(query.encode()).fetchall()
        return self.chance.choice(rows) if rows else None

    def _person(self, user_id):
        (found,) = [
            one.owner for one in (*self.sponsors, *self.creators) if one.owner.id == user_id
        ]
        return found


@pytest.fixture
def storm(own_database, tmp_path):
    port = free_port()
    with serve_sandbox(api_url=f"http://127.0.0.1:{port}") as sandbox:
        known = sandbox.settings(own_database, provider_timeout_seconds=1)
        environment = environment_of(known) | {"SUPABASE_JWT_SECRET": SECRET}
        api = Restarting("api", environment, tmp_path / "api.log", port)
        worker = Restarting("worker", environment, tmp_path / "worker.log")
        api.start()
        worker.start()
        api.wait()
        try:
            yield Market(own_database, f"http://127.0.0.1:{port}", sandbox, 7), api, worker, sandbox
        finally:
            api.stop()
            worker.stop()


OPEN = """
    select
        (select count(*) from private.provider_requests where closed_at is null),
        (select count(*) from private.webhook_events where status = 'kept'),
        (select count(*) from public.refunds where status not in ('succeeded', 'failed')),
        (select count(*) from public.withdrawals
            where status not in ('paid', 'failed', 'returned', 'cancelled')),
        (select count(*) from procrastinate.procrastinate_jobs where status = 'doing'),
        (select count(*) from public.escrows where status = 'payment_processing')
"""


def test_killed_anywhere(storm):
    market, api, worker, sandbox = storm
    for bank in BANKS:
        for kind in CALL_FAULTS:  # a fifth of all calls, before their effect and after
            sandbox.fail(bank.name, kind, bank.calls, times=None, chance=0.025)
    is_over = threading.Event()

    def trade():
        while not is_over.is_set():
            market.step()

    trading = threading.Thread(target=trade, daemon=True)
    trading.start()
    for _ in range(KILLS):
        time.sleep(market.chance.uniform(0.02, 0.35))
        victim = market.chance.choice([api, worker])
        victim.kill()
        victim.start()
    # a storm that left a bank alone proves nothing of it
    deadline = time.monotonic() + 60
    while not all(min(market.business(bank)) > 0 for bank in BANKS):
        assert time.monotonic() < deadline, [market.business(bank) for bank in BANKS]
        time.sleep(0.5)
    is_over.set()
    trading.join(60)
    for bank in BANKS:
        sandbox.recover(bank.name)
    assert api.kills + worker.kills == KILLS

    _calm_down(market, sandbox)
    _nothing_is_wrong(market, sandbox)


def _calm_down(market, sandbox):
    """Nobody acts any more; what was under way is brought to its end by our own means alone."""
    deadline = time.monotonic() + CALMING_SECONDS
    while True:
        for bank in BANKS:
            for payout in bank.waiting(sandbox):
                bank.end(sandbox, payout, arrives=True)
        # the reconciler's own patience, shortened
        market.db.execute(
            "update private.provider_requests set look_at = now() where closed_at is null"
            " and look_at > now() + interval '2 seconds'"
        )
        market.db.execute(
            "update withdrawals set look_at = now() where status in ('reserved', 'sent')"
        )
        market.db.execute("select private.reconcile_requests(), private.tend_withdrawals()")
        left = market.db.execute(OPEN).fetchone()
        # a provider sends again what nobody took; killed apis take it late
        unheard = sum(
            not any(200 <= code < 300 for code in event.answers)
            for bank in BANKS
            for event in sandbox.events(bank.name)
        )
        if (*left, unheard) == (0, 0, 0, 0, 0, 0, 0):
            return
        assert time.monotonic() < deadline, f"still open: {left}, unheard: {unheard}"
        time.sleep(2)


def _nothing_is_wrong(market, sandbox):
    db = market.db
    for check in ("verify_ledger", "check_escrows", "check_withdrawals", "check_invariants"):
        assert db.execute(f"select * from private.{check}()".encode()).fetchall() == [], check
    assert market.opened > 0
    for bank in BANKS:
        assert min(market.business(bank)) > 0, bank.name
        # the provider holds what the ledger says it holds, to the unit
        (held,) = db.execute(
            "select coalesce(-sum(private.account_balance(id)), 0)::bigint from ledger_accounts"
            " where kind = 'clearing' and provider = %s",
            [bank.name],
        ).fetchone()
        assert sandbox.balance(bank.name).get(bank.currency, 0) == held, bank.name
        # each refund and withdrawal is one object there
        for kind in ("refund", "payout"):
            keys = bank.keys(sandbox, kind)
            assert len(keys) == len(set(keys)), (bank.name, kind)
            assert None not in keys
    paid = db.execute("select count(*), count(distinct (provider, reference)) from payments")
    count, distinct = paid.fetchone()
    assert count == distinct
