"""Every step that the table names is taken, every other is refused; each leaves its event."""

import itertools

import psycopg
import pytest

from tests.fixtures.people import error_code

# Source Impact, Escrow State Machine, word for word
SPECIFIED = {
    "pending_payment": ["payment_processing", "cancelled"],
    "payment_processing": ["locked", "failed"],
    "locked": ["work_in_progress"],
    "work_in_progress": ["work_submitted", "disputed", "refunding"],
    "work_submitted": ["under_review"],
    "under_review": ["approved", "rejected", "disputed"],
    "approved": ["releasing"],
    "releasing": ["released"],
    "released": [],
    "refunding": ["refunded"],
    "refunded": [],
    "disputed": ["releasing", "refunding"],
}
OURS = {
    "failed": ["payment_processing", "cancelled"],
    "locked": ["refunding"],
    "rejected": ["work_in_progress", "disputed"],
}
LEGAL = {(old, new) for steps in (SPECIFIED, OURS) for old, news in steps.items() for new in news}
STATES = sorted({*SPECIFIED, "failed", "rejected", "cancelled"})
PAID = {"locked", "work_in_progress", "work_submitted", "under_review", "approved", "rejected",
        "disputed", "releasing", "refunding"}  # fmt: skip


def test_the_table_is_the_specifications(db):
    rows = db.execute("select from_status, to_status from escrow_transitions").fetchall()
    assert set(rows) == LEGAL


@pytest.mark.parametrize(("old", "new"), list(itertools.product(STATES, STATES)))
def test_a_pair_is_legal_or_refused(guild, old, new):
    escrow = guild.into(old)
    # money kept in step with the state, so that only the machine decides
    remaining = 11_000 if new in PAID else 0
    funded = new in PAID | {"released", "refunded"}
    try:
        guild.db.execute(
            "update escrows set status = %(new)s::text, remaining_minor = %(remaining)s::bigint,"
            " refunded_minor = case when %(new)s::text = 'refunded' then 11000 else 0 end,"
            " released_minor = case when %(new)s::text = 'released' then 11000 else 0 end,"
            " funded_at = case when %(funded)s::boolean then now() end,"
            " provider = case when %(funded)s::boolean then 'stripe' end,"
            " payment_reference = case when %(funded)s::boolean then 'x' end,"
            " closed_at = case when %(closed)s::boolean then now() end where id = %(escrow)s",
            {
                "new": new, "remaining": remaining, "funded": funded, "escrow": escrow,
                "closed": new in ("cancelled", "released", "refunded"),
            },
        )  # fmt: skip
        outcome = "taken"
    except psycopg.Error as error:
        outcome = error_code(error)
    assert outcome == ("taken" if (old, new) in LEGAL else "escrow.invalid_transition")


STEPS = {
    # call: whose step it is, what it needs besides, from where it leads to where
    "cancel_escrow": ("both", (), {"pending_payment": "cancelled", "failed": "cancelled"}),
    "start_work": (
        "creator", (), {"locked": "work_in_progress", "rejected": "work_in_progress"},
    ),
    "submit_work": ("creator", ("Here.",), {"work_in_progress": "work_submitted"}),
    "start_review": ("sponsor", (), {"work_submitted": "under_review"}),
    "approve_escrow": ("sponsor", (), {"under_review": "released"}),
    "reject_work": ("sponsor", ("Too dark.",), {"under_review": "rejected"}),
    "dispute_escrow": (
        "both", ("Look.",),
        dict.fromkeys(("work_in_progress", "under_review", "rejected", "disputed"), "disputed"),
    ),
    "refund_escrow": (
        "creator", ("Sorry.",), {"locked": "refunded", "work_in_progress": "refunded"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("call", STEPS)
@pytest.mark.parametrize("state", STATES)
def test_a_door_opens_from_its_states_only(guild, call, state):
    whose, arguments, leads = STEPS[call]
    escrow = guild.into(state)
    people = {"sponsor": guild.sponsor, "creator": guild.creator}
    for name in ("sponsor", "creator"):
        if whose not in ("both", name):
            refusal = guild.act(people[name], call, escrow, *arguments)
            if call != "refund_escrow":
                assert refusal == "escrow.wrong_party"
                assert guild.status(escrow) == state
    if call == "refund_escrow" and state == "locked":
        assert guild.status(escrow) == "refunded", "before work begins the sponsor may, too"
        return
    name = "creator" if whose == "both" else whose
    outcome = guild.act(people[name], call, escrow, *arguments)
    assert outcome == leads.get(state, "escrow.invalid_transition")
    assert guild.status(escrow) == leads.get(state, state)


@pytest.mark.parametrize("outcome", ["release", "refund", "split"])
@pytest.mark.parametrize("state", STATES)
def test_operators_decide_disputes_only(guild, state, outcome):
    escrow = guild.into(state)
    part = 4_000 if outcome == "split" else None
    answer = guild.act(guild.moderator, "resolve_dispute", escrow, outcome, "Seen.", part)
    ends = "refunded" if outcome == "refund" else "released"
    assert answer == (ends if state == "disputed" else "escrow.invalid_transition")


def test_each_step_leaves_who_from_to_and_why(guild):
    (escrow,) = guild.open()
    guild.fund(escrow)
    guild.act(guild.creator, "start_work", escrow)
    guild.act(guild.creator, "submit_work", escrow, "https://example.com/film")
    guild.act(guild.sponsor, "start_review", escrow)
    guild.act(guild.sponsor, "reject_work", escrow, "Too dark.")
    guild.act(guild.sponsor, "dispute_escrow", escrow, "No film.")
    guild.act(guild.creator, "dispute_escrow", escrow, "There is one.")
    guild.act(guild.moderator, "resolve_dispute", escrow, "release", "There is.")
    sponsor, creator, moderator = guild.sponsor.id, guild.creator.id, guild.moderator.id
    assert guild.db.execute(
        "select actor_id, from_status, to_status, reason from escrow_events"
        " where escrow_id = %s order by id",
        [escrow],
    ).fetchall() == [
        (sponsor, None, "pending_payment", None),
        (None, "pending_payment", "payment_processing", None),
        (None, "payment_processing", "locked", None),
        (creator, "locked", "work_in_progress", None),
        (creator, "work_in_progress", "work_submitted", "https://example.com/film"),
        (sponsor, "work_submitted", "under_review", None),
        (sponsor, "under_review", "rejected", "Too dark."),
        (sponsor, "rejected", "disputed", "No film."),
        (creator, "disputed", "disputed", "There is one."),
        (moderator, "disputed", "releasing", "There is."),
        (moderator, "releasing", "released", "There is."),
    ]


@pytest.mark.parametrize("change", [
    "update escrow_events set reason = 'x'",
    "delete from escrow_events",
    "truncate escrow_events",
    "delete from escrows",
    "update escrows set total_minor = 12000, price_minor = 11000",
    "update escrows set sponsor_id = creator_id",
    "update escrow_agreements set fee_bps = 0",
])  # fmt: skip
def test_history_and_terms_never_change(guild, change):
    guild.into("disputed")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        guild.db.execute(change)


def test_money_and_state_cannot_part(guild):
    escrow = guild.into("locked")
    with pytest.raises(psycopg.errors.CheckViolation, match="escrows_"):
        guild.db.execute("update escrows set remaining_minor = 0 where id = %s", [escrow])
