"""Price to the creator, fee to the agents: nothing lost, nobody paid on a deal of their own.

The figures are the specification's (Source Impact, Commission Distribution Algorithm): "Extract
10% from total", `amount * (0.10 / 1.10)`; "Same agent gets 100%"; "Split 50/50"; "Platform keeps
commission".
"""

import uuid
from fractions import Fraction

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

SPONSOR, CREATOR, ONE, OTHER = (uuid.UUID(int=number) for number in range(1, 5))
NAMES = [None, SPONSOR, CREATOR, ONE, OTHER]


def expected(total, sponsor_agent, creator_agent):
    """By the specification's words, in fractions, then cut down to whole units."""
    fee = int(Fraction(total) * (Fraction(1, 10) / Fraction(11, 10)))
    paid = {CREATOR: total - fee}
    agents = [
        agent for agent in (sponsor_agent, creator_agent) if agent not in (None, SPONSOR, CREATOR)
    ]
    if not agents:
        paid[None] = fee
    elif len(set(agents)) == 1:
        paid[agents[0]] = fee
    else:
        paid[agents[1]] = int(Fraction(fee, 2))
        paid[agents[0]] = fee - paid[agents[1]]
    return {who: amount for who, amount in paid.items() if amount}


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 10**12), st.sampled_from(NAMES), st.sampled_from(NAMES))
@example(1, ONE, OTHER)
@example(10, ONE, OTHER)
@example(11, ONE, OTHER)
@example(10**12, None, None)
def test_the_split_is_the_formulas(db, total, sponsor_agent, creator_agent):
    rows = db.execute(
        "select recipient_id, amount_minor from private.split_release(%s, 1000, %s, %s, %s, %s)",
        [total, SPONSOR, CREATOR, sponsor_agent, creator_agent],
    ).fetchall()
    assert len(rows) == len(dict(rows)), "each is paid in one line"
    assert sum(amount for _, amount in rows) == total
    assert dict(rows) == expected(total, sponsor_agent, creator_agent)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(price=st.integers(1, 10**12))
def test_the_fee_on_a_price_is_the_fee_of_its_total(guild, price):
    (escrow,) = guild.open(price)
    total, fee = guild.db.execute(
        "select total_minor, fee_minor from escrows where id = %s", [escrow]
    ).fetchone()
    assert total == price + fee
    assert fee == price // 10 == total * 1000 // 11000


def _release(guild, price=10_110):
    escrow = guild.deliver(guild.open(price)[0])
    assert guild.act(guild.sponsor, "approve_escrow", escrow) == "released"
    assert guild.findings() == []
    return guild.one(
        "select memo from ledger_transactions where subject_id = %s and kind = 'escrow.release'",
        escrow,
    )


def test_without_agents_the_platform_keeps_the_commission(guild):
    memo = _release(guild)
    assert (guild.held(guild.creator), guild.held()) == (10_110, 1_011)
    assert memo == (
        f"10110 EUR price to the creator {guild.creator.id};"
        " 1011 EUR whole fee to the platform, no agent"
    )


def test_the_same_agent_gets_all(guild):
    agent = guild.agent(guild.sponsor, guild.creator)
    memo = _release(guild)
    assert (guild.held(agent), guild.held()) == (1_011, 0)
    assert "whole fee to the agent of both" in memo


def test_two_agents_share_and_the_odd_unit_is_the_sponsors_agents(guild):
    one, other = guild.agent(guild.sponsor), guild.agent(guild.creator)
    memo = _release(guild)
    assert (guild.held(one), guild.held(other), guild.held()) == (506, 505, 0)
    assert f"506 EUR half the fee, and an odd unit, to the sponsor's agent {one.id}" in memo


def test_one_agent_gets_all(guild):
    agent = guild.agent(guild.creator)
    _release(guild)
    assert (guild.held(agent), guild.held()) == (1_011, 0)


def test_nobody_is_agent_on_a_deal_of_their_own(guild):
    guild.sponsor.rows("select choose_role('agent')")
    guild.refer(guild.sponsor, guild.creator)
    _release(guild)
    assert (guild.held(guild.sponsor), guild.held()) == (0, 1_011)


def test_an_agent_who_is_a_party_leaves_all_to_the_other(guild):
    agent = guild.agent(guild.sponsor)
    guild.sponsor.rows("select choose_role('agent')")
    guild.refer(guild.sponsor, guild.creator)
    _release(guild)
    assert (guild.held(agent), guild.held(guild.sponsor)) == (1_011, 0)


def test_a_claim_made_later_changes_no_deal_under_way(guild):
    escrow = guild.deliver(guild.open()[0])
    late = guild.agent(guild.creator)
    guild.act(guild.sponsor, "approve_escrow", escrow)
    assert (guild.held(late), guild.held()) == (0, 1_000)


def test_an_agent_who_left_takes_nothing(guild):
    agent = guild.agent(guild.creator)
    escrow = guild.deliver(guild.open()[0])
    agent.rows("select delete_account()")
    guild.act(guild.sponsor, "approve_escrow", escrow)
    assert (guild.held(agent), guild.held()) == (0, 1_000)
