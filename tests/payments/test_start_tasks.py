"""A start whose answer nobody heard is looked up by a job: found, or over; never another's."""

import asyncio
import uuid
from types import SimpleNamespace

import psycopg
import pytest

from tests.fixtures.people import cast
from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.conftest import Till
from workers.core.db import make_pool
from workers.core.money import Money
from workers.payments import carry
from workers.payments.base import OrderToPay
from workers.payments.stripe import Stripe

START = "select attempt_id, request_id from private.start_payment(%s, 'stripe', null, %s)"


@pytest.fixture
def till(own_database):
    with psycopg.connect(own_database, autocommit=True) as db:
        yield Till(db, cast(db))


@pytest.fixture
def run(own_database):
    """The job, after what the provider did; the provider's id of that."""
    with serve_sandbox() as sandbox:
        known = sandbox.settings(own_database)

        async def go(attempt, made):
            gateway = Stripe(known)
            async with make_pool(known) as pool:
                context = {"pool": pool, "providers": {"stripe": gateway}}
                started = made and await gateway.start_payment(made)
                await carry.find_start(SimpleNamespace(additional_context=context), str(attempt))
            await gateway.aclose()
            return started and started.reference

        yield lambda attempt, made: asyncio.run(go(attempt, made))


def _asked(order, key, return_url=""):
    return OrderToPay(
        key=key, order_id=order, amount=Money(500, "EUR"), title="tea", payer_email=None,
        return_url=return_url,
    )  # fmt: skip


def _attempt(till, attempt):
    return till.db.execute(
        "select status, reference from payment_attempts where id = %s", [attempt]
    ).fetchone()


@pytest.mark.parametrize(("way", "back"), [("page", "https://shop.example/"), ("form", "")])
def test_what_was_made_is_found(till, run, way, back):
    order = till.order()
    ((attempt, request),) = till.payer.rows(START, [order, way])
    reference = run(attempt, _asked(order, request, back))
    assert _attempt(till, attempt) == ("started", reference)


def test_what_was_not_made_is_over(till, run):
    ((attempt, _),) = till.payer.rows(START, [till.order(), "page"])
    run(attempt, None)
    assert _attempt(till, attempt) == ("failed", None)


def test_a_form_that_can_still_be_paid_is_no_charge_of_a_saved_method(till, run):
    order = till.order()
    ((attempt, _),) = till.payer.rows(START, [order, str(uuid.uuid4())])
    run(attempt, _asked(order, uuid.uuid4()))
    assert _attempt(till, attempt) == ("failed", None)
