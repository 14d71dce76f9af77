"""A sandbox per test and Stripe's adapter pointed at it, with what its tests do again and again."""

import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.fixtures.sandboxing import HURRIED_SECONDS, NOWHERE, serve_sandbox
from tests.payments.contract.stripe import CASE
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments.stripe import Stripe


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
async def gateway(sandbox):
    made = Stripe(sandbox.settings())
    yield made
    await made.aclose()


@pytest.fixture
async def at_fault(sandbox, gateway):
    """The adapter for a call that breaks: one that is never answered is waited for less."""
    hurried = Stripe(sandbox.settings(provider_timeout_seconds=HURRIED_SECONDS))
    yield lambda fault: hurried if fault.startswith("timeout") else gateway
    await hurried.aclose()


@pytest.fixture
def world(sandbox):
    return sandbox.worlds["stripe"]


class Shop:
    """Orders and payments at Stripe."""

    def __init__(self, sandbox, gateway):
        self.sandbox, self.gateway = sandbox, gateway

    def order(self, **changes):
        """An order for a form of ours; with a `return_url`, for Stripe's page."""
        return CASE.order(**({"return_url": ""} | changes))

    async def paid(self, **changes):
        """The fact of a payment that arrived."""
        started = await self.gateway.start_payment(self.order(**changes))
        self.control(f"payment_intents/{started.reference}/pay")
        (fact,) = await self.gateway.look_up_payment(started.reference)
        return fact

    async def saved(self):
        """A customer and the card that they saved by paying once."""
        customer = await self.gateway.open_customer(
            key=uuid.uuid4(), email="payer@example.com", name="Pat Payer"
        )
        await self.paid(customer=customer)
        (method,) = await self.gateway.saved_methods(customer)
        return customer, method

    async def withdrawal(self, minor=500, currency="EUR", funds=1000):
        """What `send` takes: an account that may be paid, and money for it on our balance."""
        self.control("fund", amount=funds, currency=currency.lower())
        return {
            "key": uuid.uuid4(),
            "to": await CASE.destination(self.sandbox, self.gateway),
            "amount": Money(minor, currency),
        }

    def control(self, path, **form):
        return self.sandbox.control("stripe", path, **form)

    def balance(self, account=None):
        """On our balance, or on a person's account."""
        with self.sandbox.client() as client:
            told = client.get(
                "/control/stripe/balance", params={"account": account} if account else {}
            ).json()
        return {currency: minor for currency, minor in told.items() if minor}

    def facts(self, kind):
        """What the events so far mean, of this kind."""
        return [
            fact
            for event in self.sandbox.events("stripe")
            for fact in self.gateway.read(event.body)
            if isinstance(fact, kind)
        ]


@pytest.fixture
def shop(sandbox, gateway):
    return Shop(sandbox, gateway)


@pytest.fixture
def odd_server():
    """Settings for a Stripe that answers everything with the same body."""
    servers = []

    def start(answer):
        class Odd(BaseHTTPRequestHandler):
            def do_GET(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return Settings(
            _env_file=None,
            database_url=NOWHERE,
            stripe_api_key="sk_test",
            stripe_api_url=f"http://127.0.0.1:{server.server_port}",
        )

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
