"""Money leaves only through a withdrawal whose reserve is in the ledger first, and once."""

import re

import pytest

ALL = [
    "requested", "reserved", "sending", "unknown", "sent", "paid", "failed", "returned",
    "cancelled",
]  # fmt: skip
LEGAL = {
    ("requested", "reserved"),
    ("reserved", "sending"), ("reserved", "cancelled"),
    ("sending", "unknown"), ("sending", "sent"), ("sending", "paid"), ("sending", "failed"),
    ("unknown", "sent"), ("unknown", "paid"), ("unknown", "failed"),
    ("sent", "paid"), ("sent", "failed"),
    ("paid", "returned"),
}  # fmt: skip


def test_the_way_of_the_money(purse):
    withdrawal = purse.request(4_000)
    assert purse.steps(withdrawal) == ["requested", "reserved"]
    assert purse.balance() == (10_000, 4_000)
    assert purse.jobs("payments.send_withdrawal", withdrawal) == 1
    request = purse.claim(withdrawal)
    for told, held in (
        ("sent", (10_000, 4_000)),
        ("paid", (6_000, 0)),
        ("sent", (6_000, 0)),
        ("returned", (10_000, 0)),
        ("paid", (10_000, 0)),
        ("failed", (10_000, 0)),
    ):
        for _ in range(2):
            assert purse.told(told, "tr_1", request) == "ok"
            assert purse.balance() == held
    assert purse.steps(withdrawal) == [
        "requested", "reserved", "sending", "sent", "paid", "returned",
    ]  # fmt: skip
    assert purse.findings() == []


def test_paid_leaves_by_the_providers_clearing(purse):
    _, request, _ = purse.sent(4_000)
    purse.told("paid", key=request)
    assert purse.one("select sum(private.account_balance(id))::bigint from ledger_accounts") == 0
    assert (
        purse.one("select private.account_balance(id) from ledger_accounts where kind = 'clearing'")
        == -6_000
    )
    assert purse.owner.rows(
        "select amount_minor, kind, memo from ledger_statement order by posted_at desc limit 1"
    ) == [(-4_000, "payments.send_withdrawal", "Withdrawn by stripe")]


def test_a_key_asks_once(purse):
    first = purse.request(1_000, key="one")
    assert purse.request(1_000, key="one") == first
    assert purse.asked(1_001, key="one") == "ledger.key_reused"
    assert purse.request(1_000, key="two") != first
    assert purse.balance() == (10_000, 2_000)


def test_without_a_key_each_is_one_of_its_own(purse):
    assert purse.request(1_000) != purse.request(1_000)


@pytest.mark.parametrize(
    ("amount", "currency", "refusal"),
    [
        (0, "EUR", "payments.invalid_amount"),
        (-1, "EUR", "payments.invalid_amount"),
        (None, "EUR", "payments.invalid_amount"),
        (10_001, "EUR", "ledger.insufficient_funds"),
        (2**63 - 1, "EUR", "payments.limit_exceeded"),
        (100, "eur", "payments.invalid_currency"),
        (100, None, "payments.invalid_currency"),
        (100, "USD", "ledger.insufficient_funds"),
        (100, "XAU", "payments.account_not_found"),
    ],
)
def test_what_cannot_be_asked_for(purse, amount, currency, refusal):
    assert purse.asked(amount, currency) == refusal
    assert purse.balance() == (10_000, 0)
    assert purse.one("select count(*) from withdrawals") == 0


def test_a_fraction_is_no_amount(purse):
    ask = "select request_withdrawal(%s, 'EUR')"
    assert purse.outcome(purse.owner, ask, "10.5") == "22P02"


def test_it_is_called_off_while_it_is_not_being_sent(purse):
    withdrawal = purse.request(4_000)
    cancel = "select cancel_withdrawal(%s)"
    for _ in range(2):
        assert purse.outcome(purse.owner, cancel, withdrawal) == "ok"
        assert purse.balance() == (10_000, 0)
    assert purse.claim(withdrawal) is None
    withdrawal = purse.request(4_000)
    purse.claim(withdrawal)
    assert purse.outcome(purse.owner, cancel, withdrawal) == "payments.invalid_transition"
    assert purse.balance() == (10_000, 4_000)
    assert purse.findings() == []


def test_an_operator_may_stop_it_and_says_why(purse, cast):
    withdrawal = purse.request(4_000)
    cancel = "select cancel_withdrawal(%s, %s)"
    moderator = cast["moderator"]
    assert purse.outcome(cast["stranger"], cancel, withdrawal, "x") == (
        "payments.withdrawal_not_found"
    )
    assert purse.outcome(moderator, cancel, withdrawal, None) == "identity.invalid_reason"
    assert purse.outcome(moderator, cancel, withdrawal, "A stranger's hand.") == "ok"
    assert purse.balance() == (10_000, 0)
    assert purse.one("select action from audit_log") == "payments.cancel_withdrawal"


def test_a_final_no_gives_it_back(purse):
    withdrawal = purse.request(4_000)
    request = purse.claim(withdrawal)
    for _ in range(2):
        purse.decline(request)
    assert purse.status(withdrawal) == "failed"
    assert purse.balance() == (10_000, 0)
    assert purse.claim(withdrawal) is None
    assert purse.findings() == []


def test_what_was_declined_and_paid_all_the_same_comes_to_light(purse):
    """The money was given back here: an event that says otherwise must not pass unseen."""
    withdrawal = purse.request(4_000)
    request = purse.claim(withdrawal)
    purse.decline(request)
    assert purse.told("paid", key=request) == "payments.withdrawal_mismatch"
    assert purse.told("failed", key=request) == "ok"
    assert purse.balance() == (10_000, 0)


def test_doubt_stays_doubt(purse):
    """No time alone makes a failure of it; the next claim is of the same key."""
    withdrawal = purse.request(4_000)
    request = purse.claim(withdrawal)
    purse.question(request)
    assert purse.status(withdrawal) == "unknown"
    purse.db.execute(
        "update private.provider_requests set created_at = created_at - interval '90 days',"
        " look_at = now()"
    )
    purse.worker.rows("select private.reconcile_requests()")
    assert purse.jobs("payments.send_withdrawal", withdrawal) == 2
    rows = purse.worker.rows("select * from private.claim_withdrawal(%s)", [withdrawal])
    assert (rows[0][0], rows[0][6:8]) == (request, (True, False))
    assert purse.status(withdrawal) == "unknown"
    assert purse.balance() == (10_000, 4_000)
    assert purse.told("paid", key=request) == "ok"
    purse.question(request)
    assert purse.status(withdrawal) == "paid"
    assert purse.balance() == (6_000, 0)


def test_a_second_attempt_waits_for_the_first(purse):
    """What is in doubt cannot be taken out another time."""
    withdrawal = purse.request(9_000)
    purse.question(purse.claim(withdrawal))
    assert purse.asked(9_000) == "ledger.insufficient_funds"
    cancel = "select cancel_withdrawal(%s)"
    assert purse.outcome(purse.owner, cancel, withdrawal) == "payments.invalid_transition"


def test_an_unknown_withdrawal_is_told_so(purse):
    """It may be ours and not committed yet: the event's job tries again (404)."""
    assert purse.told("paid", "tr_of_somebody") == "payments.withdrawal_not_found"


def test_anothers_key_or_provider_finds_nothing(purse):
    _, request, reference = purse.sent(4_000)
    assert purse.told("paid", "po_1", request, "paypal") == "payments.withdrawal_not_found"
    refund_like = purse.one("select gen_random_uuid()")
    assert purse.told("paid", "po_1", refund_like) == "payments.withdrawal_not_found"
    assert purse.told("paid", reference) == "ok"


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        (["paid", "sent"], "paid"),
        (["returned"], "returned"),
        (["failed", "sent", "paid"], "failed"),
        (["paid", "failed"], "returned"),
        (["returned", "paid", "sent", "failed"], "returned"),
        (["sent", "failed", "returned"], "failed"),
    ],
)
def test_any_order(purse, told, ends):
    withdrawal = purse.request(4_000)
    request = purse.claim(withdrawal)
    for one in told:
        assert purse.told(one, "tr_1", request) == "ok"
    assert purse.status(withdrawal) == ends
    assert purse.balance() == ((6_000 if ends == "paid" else 10_000), 0)
    assert purse.findings() == []


def test_it_comes_back_weeks_later(purse):
    """And may then be withdrawn again, by another account."""
    _, request, _ = purse.sent(10_000)
    purse.told("paid", key=request)
    purse.db.execute("update withdrawals set created_at = created_at - interval '5 weeks'")
    assert purse.told("returned", key=request) == "ok"
    assert purse.balance() == (10_000, 0)
    assert purse.owner.rows(
        "select amount_minor, kind, memo from ledger_statement order by posted_at desc limit 1"
    ) == [(10_000, "payments.return_withdrawal", "Withdrawal came back to stripe: so it says")]
    assert purse.asked(10_000, account=purse.account("paypal")) == "ok"
    assert purse.findings() == []


def test_the_picture_is_the_machine(purse, pytestconfig):
    page = (pytestconfig.rootpath / "docs" / "architecture.md").read_text()
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", page.split("stateDiagram-v2")[1], re.M))
    assert drawn == LEGAL
    assert set(purse.db.execute("select * from withdrawal_transitions").fetchall()) == LEGAL


@pytest.mark.parametrize("first", ALL)
def test_only_legal_steps(purse, first):
    path = {
        "requested": [], "reserved": ["reserved"], "sending": ["reserved", "sending"],
        "unknown": ["reserved", "sending", "unknown"], "sent": ["reserved", "sending", "sent"],
        "paid": ["reserved", "sending", "paid"], "failed": ["reserved", "sending", "failed"],
        "returned": ["reserved", "sending", "paid", "returned"],
        "cancelled": ["reserved", "cancelled"],
    }[first]  # fmt: skip
    account = purse.one("select id from connected_accounts")
    held = purse.one(
        "select private.reserve('withdrawal:x', private.ledger_account("
        " 'available', 'EUR', owner_id => %s), 100)",
        purse.owner.id,
    )
    withdrawal = purse.one(
        "insert into withdrawals (owner_id, account_id, provider, amount_minor, currency,"
        " idempotency_key) values (%s, %s, 'stripe', 100, 'EUR', 'x') returning id",
        purse.owner.id, account,
    )  # fmt: skip
    step = (
        "update withdrawals set status = %s, reservation_id = case when %s then %s::uuid"
        " else reservation_id end where id = %s"
    )
    for status in path:
        purse.db.execute(step, [status, True, held, withdrawal])
    postgres = type(purse.owner)(purse.db, "owner of the schema", role="postgres")
    for status in ALL:
        expected = "ok" if status == first or (first, status) in LEGAL else None
        with purse.db.transaction(force_rollback=True):
            found = purse.outcome(
                postgres, step, status, first == "requested" != status, held, withdrawal
            )
        assert found == (expected or "payments.invalid_transition"), status


def test_its_terms_never_change(purse):
    withdrawal, *_ = purse.sent(4_000)
    postgres = type(purse.owner)(purse.db, "owner of the schema", role="postgres")
    for change in ("amount_minor = 1", "owner_id = gen_random_uuid()", "reference = 'x'"):
        query = f"update withdrawals set {change} where id = %s"
        assert purse.outcome(postgres, query, withdrawal) == "denied"
    assert purse.outcome(postgres, "delete from withdrawals where id = %s", withdrawal) == "denied"


def test_the_providers_fee_is_the_platforms_cost(purse):
    withdrawal, *_ = purse.sent(4_000)
    for _ in range(2):
        purse.worker.rows("select private.record_withdrawal_fee(%s, 25)", [withdrawal])
    assert purse.one("select fee_minor from withdrawals where id = %s", withdrawal) == 25
    assert (
        purse.one("select private.account_balance(id) from ledger_accounts where kind = 'costs'")
        == -25
    )
    assert purse.balance() == (10_000, 4_000)


def test_what_was_lost_is_queued_again_and_what_is_long_on_its_way_asked_after(purse):
    waiting = purse.request(1_000)
    under_way, *_ = purse.sent(1_000)
    purse.worker.rows("select private.tend_withdrawals()")
    assert purse.jobs("payments.check_withdrawal", under_way) == 0
    purse.db.execute("update withdrawals set look_at = now()")
    assert purse.worker.rows("select private.tend_withdrawals()") == [(2,)]
    assert purse.jobs("payments.send_withdrawal", waiting) == 2
    assert purse.jobs("payments.check_withdrawal", under_way) == 1
    assert purse.worker.rows("select private.tend_withdrawals()") == [(0,)]


def test_findings_name_what_is_wrong(purse):
    """An empty answer means well, not blind."""
    withdrawal = purse.request(1_000)
    purse.db.execute("set local session_replication_role = replica")
    purse.db.execute("update ledger_reservations set status = 'voided', closed_at = now()")
    assert ("withdrawal without its reserve", f"withdrawal {withdrawal}, reserved") in (
        purse.findings()
    )
    purse.db.execute("update ledger_reservations set status = 'pending', closed_at = null")
    purse.db.execute("update withdrawals set status = 'paid'")
    told = {finding for finding, _ in purse.findings()}
    assert told == {
        "reserve without an open withdrawal", "withdrawal differs from the ledger",
        "sent without a stored request", "events do not lead to the state",
    }  # fmt: skip


def test_stuck_ones_are_found(purse):
    withdrawal = purse.request(1_000)
    purse.question(purse.claim(withdrawal))
    assert purse.findings() == []
    purse.db.execute("set local session_replication_role = replica")
    purse.db.execute("update withdrawal_events set created_at = now() - interval '25 hours'")
    assert purse.findings() == [("withdrawal stuck", f"withdrawal {withdrawal}, unknown")]
