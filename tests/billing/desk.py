"""Everything together: the api, Stripe's sandbox, their webhooks, and a worker when it is asked."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import psycopg

from tests.fixtures.people import Person
from tests.fixtures.sandboxing import SandboxServed, serve_sandbox
from tests.fixtures.serving import SECRET, Served, serve
from workers.app import DOMAINS, jobs, queue_connector
from workers.billing.stripe import open_billing
from workers.core.db import make_pool
from workers.core.settings import Settings
from workers.payments.registry import open_providers

DAY = 24 * 3600
_WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody who subscribes, over real HTTP alone."""

    api: Served
    sandbox: SandboxServed
    known: Settings
    owner: Person
    token: str

    def ask(self, path: str, token: str | None = None, **body: Any) -> Any:
        """A POST of the caller; the answer."""
        with self.api.client(token or self.token) as client:
            return client.post(f"/billing/{path}", json=body or None)

    def ask_in_vain(self, fault: str, call: str, path: str, **body: Any) -> tuple[int, str]:
        """A request whose call at Stripe meets this fault; status and code of the answer."""
        known = self.api.app.state.settings
        patience, known.provider_timeout_seconds = known.provider_timeout_seconds, 3.0
        if not fault.startswith("timeout"):  # nobody is hurried who is answered
            known.provider_timeout_seconds = patience
        self.sandbox.fail("stripe", fault, call)
        told = self.code(path, **body)
        known.provider_timeout_seconds = patience
        return told

    def do(self, path: str, **body: Any) -> dict[str, Any]:
        """The same, which must succeed; its data."""
        answer = self.ask(path, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["data"])

    def code(self, path: str, **body: Any) -> tuple[int, str]:
        """The same, which must be refused; status and code."""
        answer = self.ask(path, **body)
        return answer.status_code, answer.json()["error"]["code"]

    def price(self, plan: str = "premium", period: str = "month", currency: str = "EUR") -> str:
        return str(
            self.one(
                "select id from plan_prices where (plan, period, currency) = (%s, %s, %s)"
                " and is_sold",
                plan, period, currency,
            )
        )  # fmt: skip

    def one(self, query: str, *arguments: Any) -> Any:
        rows = self.api.execute(query, arguments)
        return rows[0][0] if rows else None

    def row(self, *columns: str) -> tuple[Any, ...] | None:
        """The owner's newest subscription, at Stripe if there is one."""
        rows = self.api.execute(
            f"select {', '.join(columns)} from subscriptions where owner_id = %s"
            " order by provider is null, started_at desc limit 1",
            [self.owner.id],
        )
        return rows[0] if rows else None

    def owner_calls(self, query: str, *arguments: Any) -> None:
        """A call of the Data API by the owner, committed."""
        with psycopg.connect(self.api.database_url) as db:
            replace(self.owner, db=db).rows(query, arguments)

    def page(self, url: str) -> str:
        """A page's id at Stripe, from its address."""
        return url.rsplit("/", 1)[1]

    def subscribe(self, plan: str = "premium", period: str = "month") -> None:
        """By the page, as people do; and the events have arrived."""
        page = self.page(self.do("checkout", price_id=self.price(plan, period))["url"])
        self.sandbox.control("stripe", f"checkout/sessions/{page}/subscribe")
        self.settle()

    def pass_time(self, days: float) -> None:
        self.sandbox.control("stripe", "advance", seconds=int(days * DAY))
        self.settle()

    def card(self, outcome: str) -> None:
        customer = self.one("select customer from subscriptions where provider is not null")
        self.sandbox.control("stripe", f"customers/{customer}/card", outcome=outcome)
        self.settle()

    def settle(self) -> None:
        """Until every event is delivered and every job is done."""
        world = self.sandbox.worlds["stripe"]
        deadline = time.monotonic() + _WAIT_SECONDS
        while not world.delivery.is_held and (world._tasks or world.waiting):
            assert time.monotonic() < deadline, "events wait"
            time.sleep(0.02)
        self.work()

    def work(self) -> None:
        """Workers run what waits, and what that queues."""
        due = (
            "select count(*) from procrastinate.procrastinate_jobs"
            " where status = 'todo' and coalesce(scheduled_at, '-infinity') <= now()"
        )
        deadline = time.monotonic() + _WAIT_SECONDS
        asyncio.run(run_jobs(self.known))
        while self.one(due):
            assert time.monotonic() < deadline, "jobs wait"
            asyncio.run(run_jobs(self.known))

    def failed(self) -> list[tuple[Any, ...]]:
        """Events that were not booked, and why."""
        return self.api.execute(
            "select kind, status, note from private.webhook_events"
            " where status not in ('processed', 'ignored')"
        )

    def findings(self) -> list[tuple[Any, ...]]:
        return self.api.execute(
            "select * from private.check_billing() union all select * from private.verify_ledger()"
        )

    def earned(self, currency: str = "EUR") -> int:
        return int(
            self.one(
                "select coalesce(sum(private.account_balance(id)), 0) from ledger_accounts"
                " where kind = 'fees' and currency = %s",
                currency,
            )
        )


async def run_jobs(known: Settings) -> None:
    """What waits now, in this process."""
    for domain in DOMAINS:
        import_module(f"workers.{domain}.tasks")
    with jobs.replace_connector(queue_connector(known)) as app:
        async with (
            make_pool(known) as pool,
            open_providers(known) as providers,
            open_billing(known) as billing,
            app.open_async(),
        ):
            await app.run_worker_async(
                wait=False,
                listen_notify=False,
                install_signal_handlers=False,
                concurrency=4,
                additional_context={"pool": pool, "providers": providers, "billing": billing},
            )


@contextmanager
def open_desk(database_url: str) -> Iterator[Desk]:
    """A sandbox and an api that know each other, and a sponsor who is signed in."""
    with serve_sandbox() as sandbox:
        known = sandbox.settings(
            database_url, supabase_jwt_secret=SECRET, provider_timeout_seconds=25
        )
        given = known.model_dump(exclude={"database_url", "supabase_jwt_secret"})
        with serve(database_url, **given) as api:
            sandbox.known.api_url = api.url
            sandbox.worlds["stripe"].delivery.is_held = False
            owner, token = api.person("sponsor", "sponsor")
            yield Desk(api, sandbox, known, owner, token)
