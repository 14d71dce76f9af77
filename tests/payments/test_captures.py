"""What a payer approved at the provider is taken by us: once, and only while it is still wanted."""

import pytest

CANCEL = "select cancel_escrow(%s, 'No need.')"
START = "select attempt_id, request_id from private.start_payment(%s, 'paypal')"
CLAIM = "select request_id, is_repeat, may_resend from private.claim_capture(%s)"
GIVEN_UP = "select is_given_up from private.claim_capture(%s)"


@pytest.fixture
def approved(till):
    """An escrow whose sponsor agreed at PayPal: escrow, order and the try to pay."""
    escrow, order = till.escrow()
    ((attempt, request),) = till.payer.rows(START, [order])
    till.worker.rows("select private.payment_started(%s, %s, 'O-1')", [attempt, request])
    till.worker.rows("select private.approve_payment('paypal', 'O-1')")
    return escrow, order, attempt


def _status(till, table, one):
    return till.one(f"select status::text from {table} where id = %s", one)


def test_while_it_is_taken_nobody_calls_it_off(till, approved):
    escrow, order, attempt = approved
    assert _status(till, "escrows", escrow) == "pending_payment"
    ((request, is_repeat, may_resend),) = till.worker.rows(CLAIM, [attempt])
    assert (is_repeat, may_resend) == (False, True)
    assert _status(till, "escrows", escrow) == "payment_processing"
    assert till.payer.outcome(CANCEL, [escrow]) == "escrow.invalid_transition"
    assert till.worker.rows(CLAIM, [attempt]) == [(request, True, True)]
    till.worker.rows(
        "select private.record_payment(%s, 'paypal', 'CAP-1', 1100, 'EUR', null, 'O-1')", [order]
    )
    assert _status(till, "escrows", escrow) == "locked"
    assert till.worker.rows(CLAIM, [attempt]) == []
    assert till.findings() == []


def test_a_capture_that_is_declined_may_be_tried_again(till, approved):
    escrow, order, attempt = approved
    ((request, *_),) = till.worker.rows(CLAIM, [attempt])
    till.worker.rows("select private.close_request(%s, 'declined', null, 'no')", [request])
    till.worker.rows("select private.fail_payment(null, 'paypal', 'O-1', 'no')")
    assert _status(till, "escrows", escrow) == "failed"
    assert _status(till, "payment_attempts", attempt) == "failed"
    ((again, _),) = till.payer.rows(START, [order])
    assert again != attempt
    till.pay(order, 1100, provider="paypal")
    assert _status(till, "escrows", escrow) == "locked"


def test_what_was_called_off_is_not_taken(till, approved):
    escrow, _, attempt = approved
    till.payer.rows(CANCEL, [escrow])
    assert till.worker.rows(CLAIM, [attempt]) == []
    assert till.one("select status || ': ' || reason from payment_attempts") == (
        "failed: what it was for has ended"
    )
    assert till.one("select count(*) from private.provider_requests where closed_at is null") == 0
    till.db.execute("update payment_attempts set approved_at = now() - interval '11 minutes'")
    assert till.one("select private.tend_captures()") == 0


def test_what_was_paid_otherwise_is_not_taken_too(till, approved):
    _, order, attempt = approved
    till.pay(order, 1100)
    assert till.worker.rows(CLAIM, [attempt]) == []
    assert _status(till, "payment_attempts", attempt) == "failed"


def test_what_may_have_been_taken_is_asked_about_and_not_sent_again(till, approved):
    escrow, order, attempt = approved
    ((request, *_),) = till.worker.rows(CLAIM, [attempt])
    till.worker.rows("select private.close_request(%s, 'unknown', null, 'timed out')", [request])
    till.pay(order, 1100)
    assert _status(till, "escrows", escrow) == "locked"
    assert till.worker.rows(CLAIM, [attempt]) == [(request, True, False)]
    # it was: the second payment goes back
    till.worker.rows(
        "select private.record_payment(%s, 'paypal', 'CAP-1', 1100, 'EUR', null, 'O-1')", [order]
    )
    assert till.one("select sum(amount_minor)::bigint from refunds") == 1100
    assert till.findings() == []


def _age(till, what, hours):
    till.db.execute(
        f"update {what} set created_at = now() - make_interval(hours => %s)".encode(), [hours]
    )


def test_what_was_not_taken_in_time_is_given_up(till, approved):
    """Nobody sends it any more, and none of our calls is under way."""
    _, order, attempt = approved
    till.worker.rows(CLAIM, [attempt])
    for hours, is_given_up in ((71, False), (73, True)):
        _age(till, "private.provider_requests", hours)
        assert till.worker.rows(GIVEN_UP, [attempt]) == [(is_given_up,)]
    _age(till, "private.provider_requests", 0)
    till.pay(order, 1100)
    assert till.worker.rows(GIVEN_UP, [attempt]) == [(False,)]
    _age(till, "private.provider_requests", 2)
    assert till.worker.rows(GIVEN_UP, [attempt]) == [(True,)]


def test_another_try_that_fails_calls_nothing_off(till, approved):
    """A page at Stripe runs out while PayPal reviews an e-cheque."""
    escrow, order, attempt = approved
    till.payer.rows("select private.start_payment(%s, 'stripe')", [order])
    ((request, *_),) = till.worker.rows(CLAIM, [attempt])
    till.worker.rows("select private.close_request(%s, 'succeeded')", [request])
    till.worker.rows("select private.fail_payment(%s, 'stripe', null, 'expired')", [order])
    assert _status(till, "escrows", escrow) == "payment_processing"
    assert till.payer.outcome(CANCEL, [escrow]) == "escrow.invalid_transition"
    till.worker.rows("select private.fail_payment(null, 'paypal', 'O-1', 'denied')")
    assert _status(till, "escrows", escrow) == "failed"


def test_too_little_leaves_it_to_be_paid_again(till, approved):
    escrow, order, attempt = approved
    till.worker.rows(CLAIM, [attempt])
    till.worker.rows(
        "select private.record_payment(%s, 'paypal', 'CAP-1', 1000, 'EUR', null, 'O-1')", [order]
    )
    assert _status(till, "escrows", escrow) == "failed"
    till.pay(order, 1100)
    assert _status(till, "escrows", escrow) == "locked"
    assert till.findings() == []


def test_payments_of_which_nothing_was_heard_are_looked_up(till, approved):
    _, _, attempt = approved
    asked = "select count(*) from procrastinate.procrastinate_jobs where task_name = %s"
    for minutes, count in ((50, 0), (70, 1), (130, 1), (370, 2), (1450, 3), (1500, 3)):
        _grow(till, minutes)
        till.worker.rows("select private.tend_payments()")
        assert till.one(asked, "payments.check_payment") == count, minutes
    # taken and reviewed: every hour
    ((request, *_),) = till.worker.rows(CLAIM, [attempt])
    till.worker.rows("select private.close_request(%s, 'succeeded')", [request])
    for minutes, count in ((1550, 3), (1565, 4), (1600, 4), (1630, 5), (44 * 1440, 6)):
        _grow(till, minutes)
        till.worker.rows("select private.tend_payments()")
        assert till.one(asked, "payments.check_payment") == count, minutes
    check = "select * from private.claim_payment_check(%s)"
    assert till.worker.rows(check, [attempt]) == [("paypal", "O-1")]
    till.worker.rows("select private.fail_payment(null, 'paypal', 'O-1', 'denied')")
    assert till.worker.rows(check, [attempt]) == []


def _grow(till, minutes):
    """So old is the only try now; what is due meanwhile is due."""
    till.db.execute(
        "update payment_attempts set created_at = now() - make_interval(mins => %(m)s),"
        " look_at = look_at - (created_at - (now() - make_interval(mins => %(m)s)))",
        {"m": round(minutes)},
    )


@pytest.mark.parametrize("down_until", [1.5, 8, 30, 24 * 9])
def test_a_worker_that_was_down_looks_when_it_is_back(till, approved, down_until):
    """Then once, and not the looks that it missed; a Razorpay order is open for ever."""
    tend = "select private.tend_payments()"
    _grow(till, 60 * down_until)
    assert [till.one(tend) for _ in range(3)] == [1, 0, 0]
    later = next(hours for hours in (6, 24, down_until + 24) if hours > down_until)
    _grow(till, 60 * later - 5)
    assert till.one(tend) == 0
    _grow(till, 60 * later + 5)
    assert till.one(tend) == 1


def test_daily_until_it_is_30_days_old(till, approved):
    counts = []
    for days in range(1, 40):
        _grow(till, days * 1440 + 1)
        counts.append(till.one("select private.tend_payments()"))
    assert counts == [1] * 30 + [0] * 9


def test_of_an_order_that_is_paid_no_longer_than_a_day(till, approved):
    _, order, _ = approved
    till.pay(order, 1100)
    tend = "select private.tend_payments()"
    for minutes, count in ((70, 1), (370, 1), (1450, 1), (3000, 0), (9000, 0)):
        _grow(till, minutes)
        assert till.one(tend) == count, minutes


def test_nothing_is_taken_of_somebody_who_has_left(till):
    """What comes all the same goes back by itself."""
    order = till.order(500)
    ((attempt, request),) = till.payer.rows(
        "select attempt_id, request_id from private.start_payment(%s, 'paypal')", [order]
    )
    till.worker.rows("select private.payment_started(%s, %s, 'PO-1')", [attempt, request])
    till.worker.rows("select private.approve_payment('paypal', 'PO-1')")
    till.payer.rows("select delete_account()")
    assert till.worker.rows(CLAIM, [attempt]) == []
    came = "select private.record_payment(%s, 'paypal', 'CAP-1', 500, 'EUR', null, 'PO-1')"
    assert till.told(came, order) == "ok"
    assert [row[1:] for row in till.refunds()] == [(500, "requested")]
    assert till.one("select note from payments") == "its payer has left"


def test_looks_are_found_by_an_index(till, approved):
    till.db.execute("set local enable_seqscan = off")
    plan = till.db.execute(
        "explain select id from payment_attempts where status = 'started' and look_at <= now()"
        " order by look_at limit 500"
    ).fetchall()
    assert "payment_attempts_look_at_idx" in str(plan)


def test_nobodys_try_is_none(till):
    nobody = "00000000-0000-0000-0000-000000000001"
    assert till.worker.rows(CLAIM, [nobody]) == []
