"""Funding, refunds, splits, time: nothing moves on bad input, and money always adds up."""

import json

import psycopg
import pytest

from tests.fixtures.people import error_code, sign_up, suspend


def _code(guild, query, *arguments):
    try:
        with guild.db.transaction():
            return guild.one(query, *arguments)
    except psycopg.Error as error:
        return error_code(error)


FUND = "select (private.fund_escrow(%s, 'stripe', %s, %s, %s)).status"


@pytest.mark.parametrize(("amount", "currency", "code"), [
    (10_999, "EUR", "escrow.payment_too_small"),
    (0, "EUR", "escrow.payment_too_small"),
    (-11_000, "EUR", "escrow.payment_too_small"),
    (None, "EUR", "escrow.payment_too_small"),
    (11_001, "EUR", "escrow.payment_too_large"),
    (9 * 10**18, "EUR", "escrow.payment_too_large"),
    (11_000, "USD", "escrow.wrong_currency"),
    (11_000, None, "escrow.wrong_currency"),
])  # fmt: skip
def test_another_payment_than_agreed_is_refused(guild, amount, currency, code):
    (escrow,) = guild.open()
    assert _code(guild, FUND, escrow, "pi_1", amount, currency) == code
    assert guild.status(escrow) == "pending_payment"
    assert guild.one("select count(*) from ledger_transactions") == 0


def test_a_replayed_payment_funds_once_whatever_came_after(guild):
    (escrow,) = guild.open()
    assert guild.fund(escrow, "pi_1") == "locked"
    assert guild.fund(escrow, "pi_1") == "locked"
    guild.act(guild.creator, "start_work", escrow)
    assert guild.fund(escrow, "pi_1") == "work_in_progress"
    assert _code(guild, FUND, escrow, "pi_1", 1, "EUR") == "escrow.payment_too_small"
    assert _code(guild, FUND, escrow, "pi_2", 11_000, "EUR") == "escrow.already_funded"
    assert guild.one("select count(*) from ledger_transactions") == 1
    assert guild.findings() == []


def test_one_payment_funds_one_escrow(guild):
    one, other = guild.open(10_000, 10_000)
    guild.fund(one, "pi_1")
    assert _code(guild, FUND, other, "pi_1", 11_000, "EUR") == "escrow.payment_reused"


def test_a_payment_after_cancellation_is_refused(guild):
    (escrow,) = guild.open()
    guild.act(guild.creator, "cancel_escrow", escrow, "No time.")
    assert _code(guild, FUND, escrow, "pi_1", 11_000, "EUR") == "escrow.not_payable"


def test_a_failed_payment_may_be_tried_again(guild):
    (escrow,) = guild.open()
    guild.one("select private.start_escrow_payment(%s)", escrow)
    assert guild.act(guild.sponsor, "cancel_escrow", escrow) == "escrow.invalid_transition"
    guild.one("select private.fail_escrow_payment(%s, 'declined')", escrow)
    assert guild.fund(escrow) == "locked"


def test_a_foreign_id_is_nobodys(guild):
    nothing = "00000000-0000-0000-0000-000000000001"
    assert _code(guild, FUND, nothing, "pi_1", 1, "EUR") == "escrow.not_found"
    assert guild.act(guild.sponsor, "approve_escrow", nothing) == "escrow.not_found"
    assert (
        guild.act(guild.moderator, "resolve_dispute", nothing, "refund", "x") == "escrow.not_found"
    )
    assert _code(guild, "select private.start_escrow_payment(%s)", nothing) == "escrow.not_found"
    assert _code(guild, "select private.fail_escrow_payment(%s, '')", nothing) == "escrow.not_found"


@pytest.mark.parametrize(("price", "code"), [
    (0, "escrow.invalid_amount"), (-1, "escrow.invalid_amount"), (1.5, "escrow.invalid_amount"),
    (10**14 + 1, "escrow.invalid_amount"), (10**40, "escrow.invalid_amount"),
    ("100", "escrow.invalid_amount"), (None, "escrow.invalid_amount"),
    (1e-200, "escrow.invalid_amount"), (10**14, None), (1, None),
])  # fmt: skip
def test_prices_are_whole_and_in_range(guild, price, code):
    milestones = json.dumps([{"title": "x", "price_minor": price}])
    outcome = guild.sponsor.outcome(
        "select open_escrow(%s, 'x', 'EUR', %s)", [guild.creator.id, milestones]
    )
    assert outcome == (code or "row")


@pytest.mark.parametrize(("terms", "code"), [
    ({"milestones": "[]"}, "escrow.invalid_milestones"),
    ({"milestones": "{}"}, "escrow.invalid_milestones"),
    ({"milestones": "null"}, "escrow.invalid_milestones"),
    ({"milestones": None}, "escrow.invalid_milestones"),
    ({"milestones": "[1]"}, "escrow.invalid_milestones"),
    ({"milestones": '[{"price_minor": 1}]'}, "escrow.invalid_milestones"),
    ({"milestones": '[{"title": " ", "price_minor": 1}]'}, "escrow.invalid_milestones"),
    ({"milestones": '[{"title": "x", "price_minor": 1, "due_at": "soon"}]'},
     "escrow.invalid_milestones"),
    ({"milestones": json.dumps([{"title": "x", "price_minor": 1}] * 51)},
     "escrow.invalid_milestones"),
    ({"currency": "eur"}, "escrow.invalid_currency"),
    ({"currency": None}, "escrow.invalid_currency"),
    ({"title": ""}, "escrow.invalid_terms"),
    ({"title": "x" * 201}, "escrow.invalid_terms"),
    ({"review_days": 0}, "escrow.invalid_terms"),
    ({"review_days": 31}, "escrow.invalid_terms"),
    ({"revision_limit": -1}, "escrow.invalid_terms"),
    ({"pay_within_days": 91}, "escrow.invalid_terms"),
    ({"creator_id": "00000000-0000-0000-0000-000000000001"}, "escrow.creator_not_found"),
    ({"creator_id": None}, "escrow.creator_not_found"),
    ({}, "row"),
])  # fmt: skip
def test_terms_are_checked(guild, terms, code):
    known = {
        "creator_id": guild.creator.id, "title": "x", "currency": "EUR",
        "milestones": '[{"title": "x", "price_minor": 1, "due_at": "2027-01-01"}]',
        "review_days": 7, "revision_limit": 2, "pay_within_days": 14,
    } | terms  # fmt: skip
    call = ", ".join(f"{name} => %s" for name in known)
    assert guild.sponsor.outcome(f"select open_escrow({call})", list(known.values())) == code


def test_who_may_be_a_party(guild):
    call = "select open_escrow(%s, 'x', 'EUR', '[{\"title\": \"x\", \"price_minor\": 1}]')"
    assert guild.sponsor.outcome(call, [guild.sponsor.id]) == "escrow.same_party"
    assert guild.creator.outcome(call, [guild.sponsor.id]) == "escrow.sponsor_required"
    assert guild.sponsor.outcome(call, [guild.moderator.id]) == "escrow.creator_not_found"
    suspend(guild.db, guild.creator)
    assert guild.sponsor.outcome(call, [guild.creator.id]) == "escrow.creator_not_found"


def test_the_suspended_take_no_step_but_are_paid(guild):
    escrow = guild.deliver(guild.open()[0])
    suspend(guild.db, guild.creator)
    assert guild.act(guild.creator, "dispute_escrow", escrow, "x") == "identity.not_active"
    assert guild.act(guild.sponsor, "approve_escrow", escrow) == "released"
    assert guild.held(guild.creator) == 10_000


def test_strangers_and_agents_take_no_step(guild):
    agent = guild.agent(guild.creator)
    escrow = guild.deliver(guild.open()[0])
    assert agent.outcome("select from escrows where id = %s", [escrow]) == "row"
    for person in (agent, sign_up(guild.db, "stranger", "sponsor"), guild.moderator):
        assert guild.act(person, "approve_escrow", escrow) == "escrow.not_found"
        assert guild.act(person, "refund_escrow", escrow, "x") == "escrow.not_found"


def test_an_operator_has_no_say_on_a_deal_of_their_own(guild):
    guild.moderator.rows("select choose_role('agent')")
    guild.refer(guild.moderator, guild.sponsor)
    escrow = guild.into("disputed")
    assert (
        guild.act(guild.moderator, "resolve_dispute", escrow, "release", "x")
        == "escrow.wrong_party"
    )


def test_a_part_refund_shrinks_price_and_fee(guild):
    (escrow,) = guild.open(10_000)
    guild.fund(escrow)
    guild.act(guild.creator, "start_work", escrow)
    assert (
        guild.act(guild.creator, "refund_escrow", escrow, "Shorter.", 1_100) == "work_in_progress"
    )
    assert guild.findings() == []
    assert guild.held(guild.sponsor) == 1_100
    guild.act(guild.creator, "submit_work", escrow, "x")
    guild.act(guild.sponsor, "start_review", escrow)
    guild.act(guild.sponsor, "approve_escrow", escrow)
    assert (guild.held(guild.creator), guild.held()) == (9_000, 900)
    assert guild.findings() == []


@pytest.mark.parametrize(("amount", "code"), [
    (0, "escrow.invalid_amount"), (-5, "escrow.invalid_amount"),
    (11_001, "escrow.amount_exceeded"), (9 * 10**18, "escrow.amount_exceeded"),
])  # fmt: skip
def test_no_refund_but_of_what_is_there(guild, amount, code):
    escrow = guild.into("locked")
    assert guild.act(guild.creator, "refund_escrow", escrow, "x", amount) == code


@pytest.mark.parametrize("amount", [1, 10_999])
def test_who_pays_takes_the_whole_back_or_nothing(guild, amount):
    """Else the creator would begin to work for what was agreed, and get one cent."""
    escrow = guild.into("locked")
    assert guild.act(guild.sponsor, "refund_escrow", escrow, "x", amount) == "escrow.wrong_party"
    assert guild.act(guild.creator, "refund_escrow", escrow, "x", 1) == "locked"
    assert guild.act(guild.sponsor, "refund_escrow", escrow, "x", 10_999) == "refunded"


def test_once_work_began_only_the_creator_gives_back(guild):
    escrow = guild.into("work_in_progress")
    assert guild.act(guild.sponsor, "refund_escrow", escrow, "x") == "escrow.wrong_party"
    assert guild.act(guild.creator, "refund_escrow", escrow, "x") == "refunded"


def test_a_split_pays_both_and_is_audited(guild):
    agent = guild.agent(guild.sponsor)
    escrow = guild.into("disputed")
    call = ("resolve_dispute", escrow, "split", "Half done.", 5_500)
    assert guild.act(guild.moderator, *call) == "released"
    assert [guild.held(who) for who in (guild.sponsor, guild.creator, agent)] == [5_500, 5_000, 500]
    action, actor, details = guild.db.execute(
        "select action, actor_id, details from audit_log where subject_id = %s", [str(escrow)]
    ).fetchone()
    assert (action, actor) == ("escrow.resolve_dispute", guild.moderator.id)
    assert details["reason"] == "Half done."
    assert details["refund_minor"] == 5_500
    assert guild.findings() == []


@pytest.mark.parametrize(("outcome", "part", "code"), [
    ("keep", None, "escrow.invalid_outcome"), (None, None, "escrow.invalid_outcome"),
    ("release", 5, "escrow.invalid_outcome"), ("split", None, "escrow.invalid_amount"),
    ("split", 0, "escrow.invalid_amount"), ("split", -1, "escrow.invalid_amount"),
    ("split", 11_000, "escrow.amount_exceeded"), ("split", 10**18, "escrow.amount_exceeded"),
])  # fmt: skip
def test_no_other_end_of_a_dispute(guild, outcome, part, code):
    escrow = guild.into("disputed")
    assert guild.act(guild.moderator, "resolve_dispute", escrow, outcome, "x", part) == code
    assert guild.status(escrow) == "disputed"
    assert guild.one("select count(*) from audit_log") == 0


@pytest.mark.parametrize("text", [None, "", "  ", "x" * 5001])
def test_words_are_needed(guild, text):
    escrow = guild.into("work_in_progress")
    for person, call in (
        (guild.creator, "submit_work"), (guild.creator, "dispute_escrow"),
        (guild.creator, "refund_escrow"),
    ):  # fmt: skip
        assert guild.act(person, call, escrow, text) == "escrow.invalid_text"
    assert guild.status(escrow) == "work_in_progress"


def test_revisions_end(guild):
    (escrow,) = guild.open(revision_limit=1)
    guild.deliver(escrow)
    assert guild.act(guild.sponsor, "reject_work", escrow, "Darker.") == "rejected"
    guild.act(guild.creator, "start_work", escrow)
    guild.act(guild.creator, "submit_work", escrow, "Darker.")
    guild.act(guild.sponsor, "start_review", escrow)
    assert (
        guild.act(guild.sponsor, "reject_work", escrow, "Brighter.")
        == "escrow.revision_limit_reached"
    )


@pytest.mark.parametrize("state", ["work_submitted", "under_review"])
def test_work_that_is_not_answered_is_released(guild, state):
    escrow = guild.into("work_in_progress")
    guild.act(guild.creator, "submit_work", escrow, "x")
    if state == "under_review":
        guild.act(guild.sponsor, "start_review", escrow)
    left = guild.one("select review_due_at - now() from escrows where id = %s", escrow)
    assert left.days == 7
    assert guild.one("select private.approve_next_overdue()") is None
    guild.db.execute("update escrows set review_due_at = now() - interval '1 s'")
    assert guild.one("select private.approve_next_overdue()") == escrow
    assert guild.one("select private.approve_next_overdue()") is None
    assert (guild.status(escrow), guild.held(guild.creator)) == ("released", 10_000)
    assert guild.findings() == []


def test_what_is_not_paid_in_time_is_cancelled_part_by_part(guild):
    one, other = guild.open(10_000, 20_000)
    assert guild.one("select private.cancel_next_unpaid()") is None
    guild.db.execute("update escrows set created_at = now() - interval '15 days'")
    guild.fund(one)
    assert guild.one("select private.cancel_next_unpaid()") is None, "the first is under way"
    guild.act(guild.sponsor, "refund_escrow", one, "x")
    assert guild.one("select private.cancel_next_unpaid()") is None, "its time begins now"
    guild.db.execute(
        "update escrows set closed_at = now() - interval '15 days' where id = %s", [one]
    )
    assert guild.one("select private.cancel_next_unpaid()") == other
    assert guild.status(other) == "cancelled"


def test_nobody_leaves_an_open_escrow(guild):
    (escrow,) = guild.open()
    for person in (guild.sponsor, guild.creator):
        assert person.outcome("select delete_account()") == "escrow.still_open"
    guild.act(guild.sponsor, "cancel_escrow", escrow)
    assert guild.sponsor.outcome("select delete_account()") == "row"


def test_both_parties_hear_of_each_step(guild):
    guild.into("locked")
    heard = guild.db.execute(
        "select topic, event from realtime.messages where event like 'escrow%%' order by topic"
    ).fetchall()
    for person in (guild.sponsor, guild.creator):
        assert sorted(event for topic, event in heard if topic == f"user:{person.id}") == [
            "escrow_locked", "escrow_payment_processing", "escrow_pending_payment",
        ]  # fmt: skip


def test_the_check_finds_what_is_wrong(guild):
    escrow = guild.into("locked")
    guild.db.execute(
        "update escrows set remaining_minor = 10000, refunded_minor = 1000 where id = %s", [escrow]
    )
    assert guild.findings() == [("escrow differs from its ledger account", f"escrow {escrow}")]
