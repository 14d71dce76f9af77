"""Every provider keeps the promises of workers/payments/base.py, whatever breaks on the way."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sandbox.core import CALL_FAULTS
from workers.payments.base import (
    OutcomeUnknown,
    PaymentApproved,
    PaymentDisputed,
    PaymentFailed,
    PaymentSucceeded,
    ProviderDeclined,
    ProviderUnavailable,
    RefundChanged,
    WithdrawalChanged,
)

# nothing here is sent before
SINCE = datetime.now(UTC)


def _has_acted(fault):
    return fault.endswith("_after")


async def _fails(fault, call):
    """The call under a fault: unknown, and surely not done where that can be known."""
    with pytest.raises(OutcomeUnknown) as caught:
        await call
    assert isinstance(caught.value, ProviderUnavailable) == (fault == "429")


async def _facts(sandbox, gateway, kind):
    """What the events so far mean, verified as the api does, of this kind."""
    found = []
    for event in sandbox.events(gateway.name):
        headers = {name.lower(): value for name, value in event.headers.items()}
        assert (await gateway.verify(event.body, headers)).id
        found += [fact for fact in gateway.read(event.body) if isinstance(fact, kind)]
    return found


async def _paid(case, sandbox, gateway, **changes):
    """A payment that arrived: the order, what was started, the fact."""
    order = case.order(**changes)
    started = await gateway.start_payment(order)
    case.pay(sandbox, started)
    if case.capture_call:
        await gateway.capture_payment(key=uuid.uuid4(), started=started.reference)
    (fact,) = await gateway.look_up_payment(started.reference)
    assert isinstance(fact, PaymentSucceeded)
    return order, started, fact


async def _is_found(case, gateway, order, started):
    """By the provider's own id always, by our key where it finds by that."""
    assert await gateway.find_started(replace(order, started=started.reference)) == started
    by_key = await gateway.find_started(order)
    assert by_key == (started if case.start_is_found_by_key else None)


def _needs(case, what):
    if not what:
        pytest.skip(f"{case.name} does not do this")


# --- starting a payment ---------------------------------------------------------------------------


async def test_what_is_started_can_be_paid(case, sandbox, gateway):
    order, started, fact = await _paid(case, sandbox, gateway)
    assert fact.amount == order.amount
    assert fact.order_id in (order.order_id, None)
    assert fact.started in (started.reference, None)
    assert fact.order_id or fact.started
    assert sandbox.balance(case.name) == {case.currency: order.amount.minor}


async def test_starting_twice_is_once(case, sandbox, gateway):
    _needs(case, case.start_is_idempotent)
    order = case.order()
    first = await gateway.start_payment(order)
    assert await gateway.start_payment(order) == first
    await _is_found(case, gateway, order, first)
    assert len(sandbox.worlds[case.name].all(case.start_object)) == 1


async def test_what_was_started_is_found_until_nobody_can_pay_it(case, sandbox, gateway):
    order = case.order()
    await gateway.start_payment(case.order())
    started = await gateway.start_payment(order)
    await _is_found(case, gateway, order, started)
    case.let_fail(sandbox, started)
    again = await gateway.find_started(replace(order, started=started.reference))
    assert again == (started if case.failed_is_payable else None)


async def test_what_the_payer_did_is_found_and_not_begun_anew(case, sandbox, gateway):
    order, started, _ = await _paid(case, sandbox, gateway)
    found = await gateway.find_started(replace(order, started=started.reference))
    assert found is not None
    assert found.reference == started.reference


async def test_what_the_provider_does_not_know_is_not_found(case, sandbox, gateway):
    """Forgotten, or made with the keys of another account."""
    started = await gateway.start_payment(case.order())
    order = case.order(started=started.reference[:-4] + "zzzz")
    assert await gateway.find_started(order) is None


async def test_nothing_is_found_of_what_was_not_started(case, sandbox, gateway):
    await gateway.start_payment(case.order())
    assert await gateway.find_started(case.order()) is None


async def test_before_it_is_paid_there_is_nothing_to_tell(case, sandbox, gateway):
    started = await gateway.start_payment(case.order())
    assert list(await gateway.look_up_payment(started.reference)) == []


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_a_start_in_doubt_is_found_or_was_not(case, sandbox, gateway, at_fault, fault):
    order = case.order()
    sandbox.fail(case.name, fault, case.start_call)
    await _fails(fault, at_fault(fault).start_payment(order))
    sandbox.recover(case.name)
    found = await gateway.find_started(order)
    assert (found is not None) == (_has_acted(fault) and case.start_is_found_by_key)
    if found is None or case.start_is_idempotent:
        found = await gateway.start_payment(order)
    await _is_found(case, gateway, order, found)
    assert len(sandbox.worlds[case.name].all(case.start_object)) == 1


async def test_a_start_that_is_declined_is_a_final_no(case, sandbox, gateway):
    _needs(case, case.start_declines)
    for word in case.start_declines:
        sandbox.fail(case.name, word, case.start_call)
        with pytest.raises(ProviderDeclined):
            await gateway.start_payment(case.order())
    assert sandbox.balance(case.name) == {}


async def test_an_answer_in_another_currency_is_doubt(case, sandbox, gateway):
    sandbox.fail(case.name, "wrong_currency", case.start_call)
    with pytest.raises(OutcomeUnknown):
        await gateway.start_payment(case.order())


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_looking_up_in_vain_is_doubt_not_no(case, sandbox, gateway, at_fault, fault):
    started = await gateway.start_payment(case.order())
    case.pay(sandbox, started)
    sandbox.fail(case.name, fault, "GET ")
    await _fails(fault, at_fault(fault).look_up_payment(started.reference))


# --- capturing ------------------------------------------------------------------------------------


async def test_what_was_approved_is_taken_once(case, sandbox, gateway):
    _needs(case, case.capture_call)
    order = case.order()
    started = await gateway.start_payment(order)
    case.pay(sandbox, started)
    assert PaymentApproved(started.reference) in await _facts(sandbox, gateway, PaymentApproved)
    assert sandbox.balance(case.name) == {}
    key = uuid.uuid4()
    told = [
        await gateway.capture_payment(key=key, started=started.reference),
        await gateway.capture_payment(key=key, started=started.reference),
        await gateway.capture_payment(key=uuid.uuid4(), started=started.reference),
    ]
    assert len({fact.reference for facts in told for fact in facts}) == 1
    assert sandbox.balance(case.name) == {case.currency: order.amount.minor}


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_a_capture_in_doubt_takes_once(case, sandbox, gateway, at_fault, fault):
    _needs(case, case.capture_call)
    order = case.order()
    started = await gateway.start_payment(order)
    case.pay(sandbox, started)
    key = uuid.uuid4()
    sandbox.fail(case.name, fault, case.capture_call)
    await _fails(fault, at_fault(fault).capture_payment(key=key, started=started.reference))
    sandbox.recover(case.name)
    facts = await gateway.look_up_payment(started.reference)
    taken = [fact for fact in facts if isinstance(fact, PaymentSucceeded)]
    assert bool(taken) == _has_acted(fault)
    await gateway.capture_payment(key=key, started=started.reference)
    assert sandbox.balance(case.name) == {case.currency: order.amount.minor}


# --- refunds --------------------------------------------------------------------------------------


async def test_a_refund_in_parts_and_not_a_unit_more(case, sandbox, gateway):
    _needs(case, case.refund_call)
    _, _, paid = await _paid(case, sandbox, gateway)
    part, rest = case.money(paid.amount.minor // 3), case.money(-(-paid.amount.minor * 2 // 3))
    key = uuid.uuid4()
    first = await gateway.refund(key=key, payment=paid.reference, amount=part)
    assert (first.payment, first.amount) == (paid.reference, part)
    assert first.key in (key, None)
    assert first.status in ("pending", "succeeded")
    with pytest.raises(ProviderDeclined):
        await gateway.refund(
            key=uuid.uuid4(), payment=paid.reference, amount=case.money(rest.minor + 1)
        )
    await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=rest)
    with pytest.raises(ProviderDeclined):
        await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=case.money(100))
    assert sandbox.balance(case.name) == {}


async def test_refunding_twice_is_once(case, sandbox, gateway):
    _needs(case, case.refund_call)
    _, _, paid = await _paid(case, sandbox, gateway)
    ask = {"key": uuid.uuid4(), "payment": paid.reference, "amount": case.money(500)}
    first, again = await gateway.refund(**ask), await gateway.refund(**ask)
    assert first.reference == again.reference
    found = await gateway.find_refund(**ask)
    assert found is not None
    assert found.reference == first.reference
    assert sandbox.balance(case.name) == {case.currency: paid.amount.minor - 500}


async def test_no_refund_is_found_that_was_not_made(case, sandbox, gateway):
    _needs(case, case.refund_call)
    _, _, paid = await _paid(case, sandbox, gateway)
    amount = case.money(500)
    await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=amount)
    other = await gateway.find_refund(key=uuid.uuid4(), payment=paid.reference, amount=amount)
    assert other is None


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_a_refund_in_doubt_is_found_or_was_not(case, sandbox, gateway, at_fault, fault):
    _needs(case, case.refund_call)
    _, _, paid = await _paid(case, sandbox, gateway)
    ask = {"key": uuid.uuid4(), "payment": paid.reference, "amount": case.money(500)}
    sandbox.fail(case.name, fault, case.refund_call)
    await _fails(fault, at_fault(fault).refund(**ask))
    sandbox.recover(case.name)
    found = await gateway.find_refund(**ask)
    assert (found is not None) == _has_acted(fault)
    made = await gateway.refund(**ask)
    assert found is None or found.reference == made.reference
    assert sandbox.balance(case.name) == {case.currency: paid.amount.minor - 500}


async def test_a_refund_that_is_declined_is_a_final_no(case, sandbox, gateway):
    _needs(case, case.refund_call and case.refund_declines)
    _, _, paid = await _paid(case, sandbox, gateway)
    for word in case.refund_declines:
        sandbox.fail(case.name, word, case.refund_call)
        with pytest.raises(ProviderDeclined):
            await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=case.money(500))
    assert sandbox.balance(case.name) == {case.currency: paid.amount.minor}


async def test_a_refund_answered_in_another_currency_is_doubt(case, sandbox, gateway):
    _needs(case, case.refund_call)
    _, _, paid = await _paid(case, sandbox, gateway)
    sandbox.fail(case.name, "wrong_currency", case.refund_call)
    with pytest.raises(OutcomeUnknown):
        await gateway.refund(key=uuid.uuid4(), payment=paid.reference, amount=case.money(500))


async def test_a_payment_that_nobody_knows_is_not_refunded(case, sandbox, gateway):
    _needs(case, case.refund_call)
    with pytest.raises(ProviderDeclined):
        await gateway.refund(key=uuid.uuid4(), payment="pi_of_nobody", amount=case.money(500))


# --- withdrawals ----------------------------------------------------------------------------------


async def _ready(case, sandbox, gateway, minor=500):
    """A destination, and money enough for two."""
    _needs(case, case.send_call)
    destination = await case.destination(sandbox, gateway)
    case.fund(sandbox, case.money(2 * minor))
    return {"key": uuid.uuid4(), "to": destination, "amount": case.money(minor)}


async def test_sending_twice_is_once(case, sandbox, gateway):
    ask = await _ready(case, sandbox, gateway)
    first = await gateway.send(**ask)
    assert first.key in (ask["key"], None)
    assert first.status == case.sent_status
    assert (await gateway.send(**ask)).reference == first.reference
    found = await gateway.find_sent(**ask, since=SINCE)
    assert found is not None
    assert found.reference == first.reference
    assert sandbox.balance(case.name) == {case.currency: 500}


async def test_nothing_is_found_that_was_not_sent(case, sandbox, gateway):
    ask = await _ready(case, sandbox, gateway)
    await gateway.send(**ask)
    assert await gateway.find_sent(**(ask | {"key": uuid.uuid4()}), since=SINCE) is None


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_a_withdrawal_in_doubt_is_found_or_was_not(case, sandbox, gateway, at_fault, fault):
    ask = await _ready(case, sandbox, gateway)
    sandbox.fail(case.name, fault, case.send_call)
    await _fails(fault, at_fault(fault).send(**ask))
    sandbox.recover(case.name)
    found = await gateway.find_sent(**ask, since=SINCE)
    assert (found is not None) == _has_acted(fault)
    made = await gateway.send(**ask)
    assert found is None or found.reference == made.reference
    assert sandbox.balance(case.name) == {case.currency: 500}


async def test_a_withdrawal_that_is_declined_moved_nothing(case, sandbox, gateway):
    ask = await _ready(case, sandbox, gateway)
    _needs(case, case.send_declines)
    for word in case.send_declines:
        sandbox.fail(case.name, word, case.send_call)
        with pytest.raises(ProviderDeclined):
            await gateway.send(**(ask | {"key": uuid.uuid4()}))
    assert sandbox.balance(case.name) == {case.currency: 1000}


async def test_more_than_there_is_is_not_sent(case, sandbox, gateway):
    ask = await _ready(case, sandbox, gateway)
    with pytest.raises(ProviderDeclined):
        await gateway.send(**(ask | {"amount": case.money(1001)}))
    assert sandbox.balance(case.name) == {case.currency: 1000}


async def test_a_withdrawal_answered_in_another_currency_is_doubt(case, sandbox, gateway):
    ask = await _ready(case, sandbox, gateway)
    sandbox.fail(case.name, "wrong_currency", case.send_call)
    with pytest.raises(OutcomeUnknown):
        await gateway.send(**ask)


async def test_the_banks_word_is_told_and_found(case, sandbox, gateway):
    ask = await _ready(case, sandbox, gateway)
    sent = await gateway.send(**ask)
    case.settle(sandbox, sent, "paid")
    found = await gateway.find_sent(**ask, since=SINCE)
    assert found is not None
    assert found.status == "paid"
    (told,) = [f for f in await _facts(sandbox, gateway, WithdrawalChanged) if f.status == "paid"]
    assert told.reference == sent.reference or told.key == ask["key"]


@pytest.mark.parametrize("status", ["failed", "returned"])
async def test_what_the_bank_refused_is_ours_again(case, sandbox, gateway, status):
    ask = await _ready(case, sandbox, gateway)
    sent = await gateway.send(**ask)
    case.settle(sandbox, sent, status)
    found = await gateway.find_sent(**ask, since=SINCE)
    assert found is not None
    assert found.status in ("failed", "returned")
    assert sandbox.balance(case.name) == {case.currency: 1000}


# --- events ---------------------------------------------------------------------------------------


async def test_a_whole_payment_is_told_by_events(case, sandbox, gateway):
    order, started, paid = await _paid(case, sandbox, gateway)
    told = await _facts(sandbox, gateway, PaymentSucceeded)
    assert told
    for fact in told:  # one may tell more than another; none contradicts
        assert (fact.reference, fact.amount) == (paid.reference, order.amount)
        assert fact.order_id in (order.order_id, None)
        assert fact.started in (started.reference, None)
    assert await _facts(sandbox, gateway, PaymentFailed) == []


async def test_a_refund_is_told_by_events(case, sandbox, gateway):
    _needs(case, case.refund_call)
    _, _, paid = await _paid(case, sandbox, gateway)
    key, amount = uuid.uuid4(), case.money(500)
    made = await gateway.refund(key=key, payment=paid.reference, amount=amount)
    told = await _facts(sandbox, gateway, RefundChanged)
    assert told
    for fact in told:
        assert (fact.reference, fact.payment) == (made.reference, paid.reference)
        assert fact.amount == amount
        assert fact.key in (key, None)


async def test_a_failed_try_is_told_by_events(case, sandbox, gateway):
    order = case.order()
    started = await gateway.start_payment(order)
    case.let_fail(sandbox, started)
    (told,) = await _facts(sandbox, gateway, PaymentFailed)
    assert order.order_id == told.order_id or started.reference == told.started
    assert told.reason
    assert sandbox.balance(case.name) == {}


@pytest.mark.parametrize("verdict", ["won", "lost"])
async def test_a_payment_dispute_is_told_by_events(case, sandbox, gateway, verdict):
    _needs(case, case.refund_call and case.has_disputes)
    _, _, paid = await _paid(case, sandbox, gateway)
    case.dispute(sandbox, paid.reference, "open")
    case.dispute(sandbox, paid.reference, verdict)
    told = await _facts(sandbox, gateway, PaymentDisputed)
    assert {fact.status for fact in told} == {"open", verdict}
    assert len({fact.reference for fact in told}) == 1
    for fact in told:
        assert (fact.payment, fact.amount) == (paid.reference, paid.amount)
        assert fact.reason
    kept = {case.currency: paid.amount.minor} if verdict == "won" else {}
    assert sandbox.balance(case.name) == kept


@pytest.mark.parametrize("verdict", ["open", "won", "lost"])
async def test_a_payment_dispute_is_looked_up_as_it_was_told(case, sandbox, gateway, verdict):
    _needs(case, case.refund_call and case.has_disputes)
    _, _, paid = await _paid(case, sandbox, gateway)
    for status in dict.fromkeys(("open", verdict)):
        case.dispute(sandbox, paid.reference, status)
    told = (await _facts(sandbox, gateway, PaymentDisputed))[-1]
    assert told.status == verdict
    assert list(await gateway.look_up_dispute(told.reference)) == [told]


@pytest.mark.parametrize("fault", [*CALL_FAULTS, None])
async def test_a_dispute_looked_up_in_vain_is_doubt(case, sandbox, gateway, at_fault, fault):
    _needs(case, case.has_disputes)
    _, _, paid = await _paid(case, sandbox, gateway)
    case.dispute(sandbox, paid.reference, "open")
    told = (await _facts(sandbox, gateway, PaymentDisputed))[-1]
    if fault is None:  # another's, or nobody's
        with pytest.raises((OutcomeUnknown, ProviderDeclined)):
            await gateway.look_up_dispute(told.reference[:-3] + "xyz")
        return
    sandbox.fail(case.name, fault, "GET ")
    await _fails(fault, at_fault(fault).look_up_dispute(told.reference))


async def test_what_means_nothing_is_read_as_nothing(case, gateway):
    for body in (b"{}", b'{"type": "of.tomorrow"}', b'{"event": null}', b"[]", b"null", b'"x"'):
        assert list(gateway.read(body)) == []
