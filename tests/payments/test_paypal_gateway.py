"""PayPal's own ways: approval, then capture; whole amounts; payouts that settle by their item."""

import copy
import json
import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.sandboxing import HURRIED_SECONDS, serve_sandbox
from tests.payments.contract.paypal import CASE
from workers.core.errors import NotConfigured
from workers.core.money import Money
from workers.payments import paypal as paypal_module
from workers.payments.base import (
    AccountChanged,
    Destination,
    OutcomeUnknown,
    PaymentDisputed,
    PaymentFailed,
    PaymentSucceeded,
    ProviderDeclined,
    ProviderUnavailable,
    RefundChanged,
    Started,
    WithdrawalChanged,
)
from workers.payments.calls import Answer
from workers.payments.paypal import PayPal, _movement

NOW = datetime.now(UTC)


@pytest.fixture
def sandbox():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
async def gateway(sandbox):
    made = PayPal(sandbox.settings())
    yield made
    await made.aclose()


@pytest.fixture
def known(sandbox):
    return sandbox.worlds["paypal"]


async def _approved(sandbox, gateway, **changes):
    order = CASE.order(**changes)
    started = await gateway.start_payment(order)
    CASE.pay(sandbox, started)
    return order, started


async def _captured(sandbox, gateway, **changes):
    order, started = await _approved(sandbox, gateway, **changes)
    (paid,) = await gateway.capture_payment(key=uuid.uuid4(), started=started.reference)
    return order, started, paid


def _told(sandbox, gateway, kind=object):
    facts = [fact for event in sandbox.events("paypal") for fact in gateway.read(event.body)]
    return [fact for fact in facts if isinstance(fact, kind)]


# --- amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "currency", "value"),
    [
        (1234, "EUR", "12.34"),
        (5, "USD", "0.05"),
        (100_000, "USD", "1000.00"),
        (1234, "JPY", "1234"),
        (123_400, "HUF", "1234"),
        (123_400, "TWD", "1234"),
    ],
)
async def test_amounts_have_the_decimals_that_paypal_takes(
    sandbox, gateway, known, minor, currency, value
):
    order, _, paid = await _captured(sandbox, gateway, amount=Money(minor, currency))
    (made,) = known.all("order")
    assert made["purchase_units"][0]["amount"] == {"currency_code": currency, "value": value}
    assert paid.amount == order.amount
    assert sandbox.balance("paypal") == {currency: minor}


@pytest.mark.parametrize(
    ("minor", "currency"),
    [
        (123_450, "HUF"),
        (1, "TWD"),
        (100, "INR"),
        (100, "XOF"),
        (1000, "KWD"),
        (0, "EUR"),
        (-1, "EUR"),
    ],
)
async def test_what_paypal_cannot_carry_is_refused_before_any_call(gateway, known, minor, currency):
    amount = Money(minor, currency)
    for call in (
        gateway.start_payment(CASE.order(amount=amount)),
        gateway.refund(key=uuid.uuid4(), payment="8AC96375AB5107512", amount=amount),
        gateway.send(key=uuid.uuid4(), to=Destination("m@example.com"), amount=amount),
    ):
        with pytest.raises(ProviderDeclined):
            await call
    assert known.calls == 0


# --- the token ------------------------------------------------------------------------------------


async def test_one_token_serves_many_calls_and_a_new_one_follows(sandbox, gateway, known):
    await gateway.start_payment(CASE.order())
    await gateway.start_payment(CASE.order())
    assert known.calls == 3
    sandbox.fail("paypal", "expired_token")
    await gateway.start_payment(CASE.order())
    assert known.calls == 6
    assert len(known.all("order")) == 3


async def test_a_token_that_is_never_taken_ends_after_two_tries(sandbox, gateway, known):
    sandbox.fail("paypal", "expired_token", times=None)
    with pytest.raises(ProviderUnavailable):
        await gateway.start_payment(CASE.order())
    assert known.calls == 4  # paypalrestsdk asked on without end


async def test_without_the_right_credentials_nothing_is_asked(sandbox):
    wrong = PayPal(sandbox.settings(paypal_client_secret="wrong"))
    with pytest.raises(ProviderUnavailable):
        await wrong.start_payment(CASE.order())
    await wrong.aclose()
    none = PayPal(sandbox.settings(paypal_client_secret=None))
    for call in (none.start_payment(CASE.order()), none.find_started(CASE.order())):
        with pytest.raises(NotConfigured):
            await call
    await none.aclose()


@pytest.mark.parametrize("fault", ["timeout_before", "drop_before", "500_before", "429"])
async def test_no_token_means_nothing_was_done(sandbox, fault):
    sandbox.fail("paypal", fault, "/v1/oauth2/token")
    hurried = PayPal(sandbox.settings(provider_timeout_seconds=HURRIED_SECONDS))
    with pytest.raises(ProviderUnavailable):
        await hurried.start_payment(CASE.order())
    await hurried.aclose()


# --- orders and captures --------------------------------------------------------------------------


async def test_the_payer_is_sent_to_paypal_and_back(sandbox, gateway, known):
    order = CASE.order(title="Tea\n for  two " + "x" * 200)
    started = await gateway.start_payment(order)
    url = f"{sandbox.url}/paypal/checkoutnow?token={started.reference}"
    assert started.client == {"url": url}
    with sandbox.client() as client:
        assert "Tea for two" in client.get(url).text
        back = client.post(f"/control/paypal/orders/{started.reference}/approve?go=1")
    assert back.headers["location"].startswith("https://shop.example/back?token=")
    (made,) = known.all("order")
    unit = made["purchase_units"][0]
    assert (unit["custom_id"], unit["invoice_id"]) == (str(order.order_id), str(order.key))
    assert len(unit["description"]) == 127


async def test_what_nobody_approved_is_not_taken(gateway, sandbox):
    started = await gateway.start_payment(CASE.order())
    with pytest.raises(ProviderDeclined, match="ORDER_NOT_APPROVED"):
        await gateway.capture_payment(key=uuid.uuid4(), started=started.reference)
    with pytest.raises(ProviderDeclined):
        await gateway.capture_payment(key=uuid.uuid4(), started="5O190127TN364715T")


async def test_what_paypal_has_forgotten_is_over(gateway, known):
    """It keeps an order that nobody approved for hours."""
    order = CASE.order()
    started = await gateway.start_payment(order)
    known.objects.clear()
    (fact,) = await gateway.look_up_payment(started.reference)
    assert (fact.started, fact.unless_taken) == (started.reference, True)
    assert await gateway.find_started(replace(order, started=started.reference)) is None


async def test_where_the_payer_goes_is_read_again_with_the_order(gateway, sandbox):
    order = CASE.order()
    started = await gateway.start_payment(order)
    again = replace(order, started=started.reference)
    assert await gateway.find_started(again) == started
    with pytest.raises(OutcomeUnknown):
        await gateway.find_started(replace(again, amount=Money(1, "EUR")))
    CASE.pay(sandbox, started)
    assert await gateway.find_started(again) == Started(started.reference, {})
    CASE.let_fail(sandbox, started)
    assert await gateway.find_started(again) is None


async def test_a_card_that_is_declined_is_no_payment(gateway, sandbox):
    _, started = await _approved(sandbox, gateway)
    sandbox.fail("paypal", "decline", "/capture")
    with pytest.raises(ProviderDeclined, match="INSTRUMENT_DECLINED"):
        await gateway.capture_payment(key=uuid.uuid4(), started=started.reference)
    assert sandbox.balance("paypal") == {}


async def test_a_capture_that_failed_is_told_at_once(gateway, sandbox):
    order, started = await _approved(sandbox, gateway)
    sandbox.fail("paypal", "declined", "/capture")
    (failed,) = await gateway.capture_payment(key=uuid.uuid4(), started=started.reference)
    assert failed == PaymentFailed("PayPal: DECLINED", order.order_id, started.reference)
    assert _told(sandbox, gateway, PaymentFailed) == [failed]


@pytest.mark.parametrize("end", ["complete", "deny"])
async def test_a_capture_under_review_is_no_payment_yet(gateway, sandbox, known, end):
    order, started = await _approved(sandbox, gateway)
    sandbox.fail("paypal", "pending", "/capture")
    assert await gateway.capture_payment(key=uuid.uuid4(), started=started.reference) == []
    assert list(await gateway.look_up_payment(started.reference)) == []
    assert _told(sandbox, gateway, (PaymentSucceeded, PaymentFailed)) == []
    (capture,) = known.all("capture")
    sandbox.control("paypal", f"captures/{capture['id']}/{end}")
    (told,) = _told(sandbox, gateway, (PaymentSucceeded, PaymentFailed))
    assert list(await gateway.look_up_payment(started.reference)) == [told]
    assert isinstance(told, PaymentSucceeded) == (end == "complete")
    assert (told.order_id, told.started) == (order.order_id, started.reference)


async def test_one_invoice_is_paid_once(gateway, sandbox, known):
    """Should a key ever be forgotten and an order made twice, PayPal takes the second no more."""
    order, _, _ = await _captured(sandbox, gateway)
    known.answers.clear()  # as after six hours
    again = await gateway.start_payment(order)
    CASE.pay(sandbox, again)
    with pytest.raises(ProviderDeclined, match="DUPLICATE_INVOICE_ID"):
        await gateway.capture_payment(key=uuid.uuid4(), started=again.reference)
    assert sandbox.balance("paypal") == {"EUR": order.amount.minor}


async def test_a_key_with_another_order_is_doubt(gateway):
    order = CASE.order()
    await gateway.start_payment(order)
    with pytest.raises(OutcomeUnknown, match="DUPLICATE_REQUEST_ID"):
        await gateway.start_payment(CASE.order(key=order.key))


async def test_amounts_that_are_hidden_are_not_guessed(gateway, sandbox):
    sandbox.fail("paypal", "minimal")
    with pytest.raises(OutcomeUnknown):
        await gateway.start_payment(CASE.order())
    order, started = await _approved(sandbox, gateway)
    key = uuid.uuid4()
    sandbox.fail("paypal", "minimal")
    with pytest.raises(OutcomeUnknown):
        await gateway.capture_payment(key=key, started=started.reference)
    (paid,) = await gateway.capture_payment(key=key, started=started.reference)
    assert paid.amount == order.amount
    sandbox.fail("paypal", "minimal")
    made = await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=order.amount)
    assert made.amount == order.amount  # read again by its address


async def test_fees_are_told_and_kept(sandbox):
    with serve_sandbox(paypal_fee_bps=349) as costly:
        gateway = PayPal(costly.settings())
        order, _, paid = await _captured(costly, gateway, amount=Money(10_000, "EUR"))
        await gateway.aclose()
        assert (paid.amount, paid.fee_minor) == (order.amount, 349)
        assert costly.balance("paypal") == {"EUR": 9651}


# --- refunds --------------------------------------------------------------------------------------


async def test_a_refund_under_way_is_pending_and_may_fail(gateway, sandbox):
    _, _, paid = await _captured(sandbox, gateway)
    sandbox.fail("paypal", "pending", "/refund")
    key = uuid.uuid4()
    made = await gateway.refund(key=key, payment=paid.reference, amount=paid.amount)
    assert made.status == "pending"
    sandbox.control("paypal", f"refunds/{made.reference}/fail")
    pending, failed = _told(sandbox, gateway, RefundChanged)
    assert (pending, failed.status) == (made, "failed")
    assert await gateway.find_refund(key=key, payment=paid.reference, amount=paid.amount) == failed
    assert sandbox.balance("paypal") == {"EUR": paid.amount.minor}


async def test_a_refund_by_hand_bears_no_key_of_a_refund(gateway, sandbox):
    order, _, paid = await _captured(sandbox, gateway)
    sandbox.control("paypal", f"captures/{paid.reference}/refund", amount_minor=200)
    (told,) = _told(sandbox, gateway, RefundChanged)
    assert (told.payment, told.status, told.amount) == (
        paid.reference, "succeeded", Money(200, "EUR"),
    )  # fmt: skip
    # PayPal hands on what the payment bore; no request of ours has the order's id
    assert told.key in (None, order.order_id)
    found = await gateway.find_refund(key=uuid.uuid4(), payment=paid.reference, amount=told.amount)
    assert found is None


async def test_a_disputed_payment_is_not_refunded_besides(gateway, sandbox):
    _, _, paid = await _captured(sandbox, gateway)
    sandbox.fail("paypal", "disputed", "/refund")
    with pytest.raises(ProviderDeclined, match="TRANSACTION_DISPUTED"):
        await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=paid.amount)


# --- cases ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verdict", "status"), [("win", "won"), ("lose", "lost")])
async def test_a_reversal_freezes_until_its_case_is_decided(
    gateway, sandbox, known, verdict, status
):
    _, _, paid = await _captured(sandbox, gateway)
    sandbox.control("paypal", f"captures/{paid.reference}/dispute", stage="CHARGEBACK")
    sandbox.control("paypal", f"captures/{paid.reference}/reverse")
    (case,) = known.all("dispute")
    reversal = f"reversal:{paid.reference}"
    opened = _told(sandbox, gateway, PaymentDisputed)
    assert [(fact.reference, fact.status) for fact in opened] == [
        (case["id"], "open"), (reversal, "open"),
    ]  # fmt: skip
    sandbox.control("paypal", f"disputes/{case['id']}/{verdict}")
    decided = _told(sandbox, gateway, PaymentDisputed)[2:]
    assert [(fact.reference, fact.status) for fact in decided] == [
        (case["id"], status), (reversal, "won"),
    ]  # fmt: skip
    assert {fact.payment for fact in decided} == {paid.reference}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("RESOLVED_BUYER_FAVOUR", "lost"), ("ACCEPTED", "lost"),
        ("RESOLVED_SELLER_FAVOUR", "won"), ("RESOLVED_WITH_PAYOUT", "won"),
        ("CANCELED_BY_BUYER", "won"), ("DENIED", "won"),
        ("NONE", "open"), ("OF_TOMORROW", "open"), (None, "open"),
    ],
)  # fmt: skip
def test_the_outcome_decides(gateway, outcome, status):
    event = {
        "event_type": "CUSTOMER.DISPUTE.RESOLVED",
        "resource": {
            "dispute_id": "PP-D-1",
            "disputed_transactions": [{"seller_transaction_id": "00D10444LD479031K"}],
            "reason": "UNAUTHORISED",
            "status": "RESOLVED",
            "dispute_amount": {"currency_code": "USD", "value": "5.00"},
            "dispute_outcome": {
                "outcome_code": outcome,
                "amount_refunded": {"currency_code": "USD", "value": "3.00"},
            },
            "seller_response_due_date": "2018-07-06T13:55:58.000Z",
        },
    }  # fmt: skip
    (told,) = gateway.read(json.dumps(event).encode())
    assert told.status == status
    assert told.amount == Money(300 if status == "lost" else 500, "USD")
    assert told.due_at == datetime(2018, 7, 6, 13, 55, 58, tzinfo=UTC)


# --- payouts --------------------------------------------------------------------------------------


async def _sent(sandbox, gateway):
    CASE.fund(sandbox, CASE.money(500))
    ask = {"key": uuid.uuid4(), "to": Destination("m@example.com"), "amount": CASE.money(500)}
    return ask, await gateway.send(**ask)


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ("SUCCESS", "paid"), ("UNCLAIMED", "sent"), ("ONHOLD", "sent"), ("ON_HOLD", "sent"),
        ("FAILED", "failed"), ("BLOCKED", "failed"), ("DENIED", "failed"),
        ("RETURNED", "returned"), ("REFUNDED", "returned"), ("REVERSED", "returned"),
        ("CANCELED", "returned"),
    ],
)  # fmt: skip
async def test_the_item_settles_not_the_batch(gateway, sandbox, known, item, status):
    ask, sent = await _sent(sandbox, gateway)
    sandbox.control("paypal", f"payouts/{sent.reference}/settle", status=item)
    (batch,) = known.all("payout")
    assert batch["batch_header"]["batch_status"] == "SUCCESS"
    found = await gateway.find_sent(**ask, since=NOW)
    assert (found.reference, found.key, found.status) == (sent.reference, ask["key"], status)
    told = _told(sandbox, gateway, WithdrawalChanged)
    assert {fact.reference for fact in told} == {sent.reference}
    assert {fact.key for fact in told} == {ask["key"]}
    assert told[-1].status == status
    came_back = status in ("failed", "returned")
    assert sandbox.balance("paypal") == ({"EUR": 500} if came_back else {})
    assert (found.reason is not None) == came_back
    assert await gateway.send(**ask) == found  # by the link in PayPal's refusal
    assert len(known.all("payout")) == 1


async def test_what_was_paid_may_come_back(gateway, sandbox):
    ask, sent = await _sent(sandbox, gateway)
    for item in ("UNCLAIMED", "SUCCESS", "RETURNED"):
        sandbox.control("paypal", f"payouts/{sent.reference}/settle", status=item)
    told = [fact.status for fact in _told(sandbox, gateway, WithdrawalChanged)]
    assert told == ["sent", "sent", "paid", "returned"]
    assert (await gateway.find_sent(**ask, since=NOW)).status == "returned"


async def test_a_batch_may_be_refused_as_a_whole(gateway, sandbox):
    ask, sent = await _sent(sandbox, gateway)
    sandbox.control("paypal", f"payouts/{sent.reference}/deny")
    assert _told(sandbox, gateway, WithdrawalChanged)[-1].status == "failed"
    assert (await gateway.find_sent(**ask, since=NOW)).status == "failed"
    assert sandbox.balance("paypal") == {"EUR": 500}


async def test_a_batch_is_found_among_many_events():
    with serve_sandbox(paypal_largest_page=3) as sandbox:
        gateway = PayPal(sandbox.settings())
        first, sent = await _sent(sandbox, gateway)
        CASE.fund(sandbox, CASE.money(500))
        for _ in range(10):
            other = first | {"key": uuid.uuid4(), "amount": CASE.money(50)}
            await gateway.send(**other)
        assert (await gateway.find_sent(**first, since=NOW)).reference == sent.reference
        assert await gateway.find_sent(**first | {"key": uuid.uuid4()}, since=NOW) is None
        with pytest.raises(OutcomeUnknown):  # it is ours, but not this
            await gateway.find_sent(**first | {"amount": CASE.money(51)}, since=NOW)
        await gateway.aclose()


@pytest.fixture
def short_pages():
    with serve_sandbox(paypal_largest_page=3) as served:
        yield served


async def test_events_of_other_days_do_not_hide_a_batch(short_pages, monkeypatch):
    """More of them than are ever read: the list begins where the withdrawal was asked for."""
    monkeypatch.setattr(paypal_module, "_MAX_PAGES", 2)
    sandbox, moment = short_pages, datetime.now(UTC)
    gateway = PayPal(sandbox.settings())
    ask, sent = await _sent(sandbox, gateway)
    first, *rest = _batch_events(sandbox)
    assert rest == []
    # seven a day for 20 days, ours in the middle of them
    days = [moment - timedelta(days=age) for age in range(20, 0, -1)]
    asked = days[10] - timedelta(minutes=1)
    kept = sandbox.worlds["paypal"].waiting
    kept.remove(first)
    kept += [_other_batch(first, day) for day in days[:10] for _ in range(7)]
    kept.append(_dated(first, days[10]))
    kept += [_other_batch(first, day) for day in days[11:] for _ in range(7)]
    with pytest.raises(OutcomeUnknown):  # as far back as it goes: a day has too many of them
        await gateway.find_sent(**ask)
    assert (await gateway.find_sent(**ask, since=asked)).reference == sent.reference
    # spans later than its own are looked through as well: it may have been sent again and again
    first_days = asked - timedelta(days=10, hours=1)
    monkeypatch.setattr(paypal_module, "_MAX_PAGES", 4)
    assert (await gateway.find_sent(**ask, since=first_days)).reference == sent.reference
    other = ask | {"key": uuid.uuid4()}
    assert await gateway.find_sent(**other, since=asked) is None
    await gateway.aclose()


def _batch_events(sandbox):
    kind = "PAYMENT.PAYOUTSBATCH.PROCESSING"
    return [sent for sent in sandbox.events("paypal") if sent.kind == kind]


def _dated(sent, moment):
    body = json.loads(sent.body) | {"create_time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return replace(sent, body=json.dumps(body).encode())


def _other_batch(sent, moment):
    body = json.loads(sent.body)
    body["resource"]["batch_header"]["sender_batch_header"]["sender_batch_id"] = str(uuid.uuid4())
    return _dated(replace(sent, body=json.dumps(body).encode()), moment)


@pytest.mark.parametrize(
    ("details", "links"),
    [
        ([{"issue": "Batch with given sender_batch_id already exists"}], []),
        ([{"issue": "Duplicate batch request"}], [{"href": "https://x/docs/#errors"}]),
        (
            [{"issue": "Batch with given sender_batch_id already exists",
              "link": [{"href": "https://evil.example/v1/payments/payouts/../../x"}]}],
            [],
        ),
    ],
)  # fmt: skip
async def test_a_duplicate_without_its_link_is_doubt(gateway, monkeypatch, details, links):
    async def refuse(*_, **__):
        body = {"name": "USER_BUSINESS_ERROR", "details": details, "links": links}
        return Answer(400, body)

    monkeypatch.setattr(gateway, "_ask", refuse)
    with pytest.raises(OutcomeUnknown):
        await gateway.send(
            key=uuid.uuid4(), to=Destination("m@example.com"), amount=CASE.money(500)
        )


@pytest.mark.parametrize(
    "address",
    ["", "m", "m@", "@example.com", "m@example", "a b@example.com", "m@example.com\nx", None, 5,
     "a" * 65 + "@example.com", "m@" + "e" * 130 + ".com", "m@@example.com", "m@.com"],
)  # fmt: skip
async def test_only_addresses_are_accounts(gateway, known, address):
    with pytest.raises(ProviderDeclined):
        await gateway.open_account(key=uuid.uuid4(), person={"email": address})
    if isinstance(address, str):
        with pytest.raises(ProviderDeclined):
            await gateway.send(key=uuid.uuid4(), to=Destination(address), amount=CASE.money(500))
    assert known.calls == 0


async def test_an_address_needs_no_onboarding(gateway):
    person = {"email": "login@example.com", "details": {"paypal_email": " M.o+x@Example.com "}}
    account = await gateway.open_account(key=uuid.uuid4(), person=person)
    assert account == "M.o+x@Example.com"
    link = await gateway.onboarding_link(account, return_url="https://a/", refresh_url="https://b/")
    assert link == "https://a/"
    assert await gateway.look_up_account(account) == AccountChanged(account, "active")


# --- reports --------------------------------------------------------------------------------------


async def test_everything_that_moved_is_reported(gateway, sandbox, known):
    order, _, paid = await _captured(sandbox, gateway)
    refund = await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=CASE.money(100))
    ask, sent = await _sent(sandbox, gateway)
    sandbox.control("paypal", f"payouts/{sent.reference}/settle", status="RETURNED")
    sandbox.control("paypal", f"captures/{paid.reference}/dispute")
    (case,) = known.all("dispute")
    sandbox.control("paypal", f"disputes/{case['id']}/lose")
    moved = [one async for one in gateway.movements(NOW - timedelta(days=70), NOW + timedelta(1))]
    lines = [(one.kind, one.amount.minor, one.key) for one in moved]
    assert lines == [
        ("payment", order.amount.minor, None),
        ("refund", -100, None),
        ("other", 500, None),
        ("withdrawal", -500, ask["key"]),
        ("withdrawal", 500, ask["key"]),
        ("dispute", -order.amount.minor, None),
    ]
    assert [one.reference for one in moved[:2]] == [paid.reference, refund.reference]
    assert sum(one.amount.minor for one in moved) == sandbox.balance("paypal").get("EUR", 0)
    before = [one async for one in gateway.movements(NOW - timedelta(9), NOW - timedelta(1))]
    assert before == []


@pytest.mark.parametrize(
    ("code", "value", "kind", "fee"),
    [
        ("T0006", "10.00", "payment", 0),
        ("T1107", "-10.00", "refund", 0),
        ("T1108", "0.49", "other", -49),
        ("T1109", "0.49", "other", -49),
        ("T0001", "-5.00", "withdrawal", 0),
        ("T1114", "5.00", "withdrawal", 0),
        ("T1115", "5.00", "withdrawal", 0),
        ("T1106", "-10.00", "dispute", 0),
        ("T1201", "-10.00", "dispute", 0),
    ],
)
def test_lines_of_the_report_by_their_code(code, value, kind, fee):
    """A fee that comes back is its own line, and no refund."""
    line = _movement(
        {
            "transaction_id": "5TY05013RG002845M",
            "transaction_event_code": code,
            "transaction_initiation_date": "2026-11-01T10:00:00+0000",
            "transaction_amount": {"currency_code": "EUR", "value": value},
            "transaction_status": "S",
        }
    )
    assert (line.kind, line.fee_minor, line.line) == (kind, fee, "5TY05013RG002845M")


async def test_a_report_that_is_refused_is_no_empty_day(gateway, sandbox):
    sandbox.fail("paypal", "500_before", "/v1/reporting")
    with pytest.raises(OutcomeUnknown):
        [one async for one in gateway.movements(NOW - timedelta(days=1), NOW)]


# --- reading --------------------------------------------------------------------------------------


async def test_events_of_any_shape_are_read_without_a_stumble(gateway, sandbox, known):
    _, _, paid = await _captured(sandbox, gateway)
    await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=CASE.money(100))
    _, sent = await _sent(sandbox, gateway)
    CASE.settle(sandbox, sent, "paid")
    sandbox.control("paypal", f"captures/{paid.reference}/dispute", stage="CHARGEBACK")
    sandbox.control("paypal", f"captures/{paid.reference}/reverse")
    (case,) = known.all("dispute")
    sandbox.control("paypal", f"disputes/{case['id']}/lose")
    chance, odd = random.Random(1), (None, 0, -1, "", "x", "1e999", [], {}, [[]], True, "NaN")
    bodies = sandbox.bodies("paypal")
    assert len(bodies) >= 9
    for _ in range(4000):
        event = copy.deepcopy(chance.choice(bodies))
        for _ in range(chance.randint(1, 3)):
            place = event
            while True:
                keys = list(place) if isinstance(place, dict) else list(range(len(place)))
                if not keys:
                    break
                key = chance.choice(keys)
                if isinstance(place[key], dict | list) and chance.random() < 0.8:
                    place = place[key]
                    continue
                if chance.random() < 0.3:
                    del place[key]
                else:
                    place[key] = copy.deepcopy(chance.choice(odd))
                break
        for fact in gateway.read(json.dumps(event).encode()):
            fact.booking("paypal")


def test_what_others_made_at_our_paypal_means_nothing(gateway):
    captured = {"id": "42311647XV020574X", "status": "COMPLETED", "custom_id": "shop-7",
                "amount": {"currency_code": "USD", "value": "5.00"}}  # fmt: skip
    item = {"payout_batch_id": "FYXMPQTX4JC9N", "transaction_status": "SUCCESS",
            "payout_item": {"sender_item_id": "14Feb_978"}}  # fmt: skip
    batch = {"payout_batch_id": "F", "sender_batch_header": {"sender_batch_id": "Feb"}}
    for kind, resource in (
        ("PAYMENT.CAPTURE.COMPLETED", captured),
        ("PAYMENT.CAPTURE.DENIED", captured),
        ("CHECKOUT.ORDER.COMPLETED",
         {"id": "5O190127TN364715T", "purchase_units": [{"payments": {"captures": [captured]}}]}),
        ("PAYMENT.PAYOUTS-ITEM.SUCCEEDED", item),
        ("PAYMENT.PAYOUTSBATCH.PROCESSING", {"batch_header": batch}),
        ("PAYMENT.SALE.COMPLETED", captured),
        ("BILLING.SUBSCRIPTION.CREATED", {"id": "I-BW452GLLEP1G"}),
    ):  # fmt: skip
        body = json.dumps({"event_type": kind, "resource": resource}).encode()
        assert list(gateway.read(body)) == []
