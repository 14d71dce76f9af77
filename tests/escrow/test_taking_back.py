"""Money that a bank takes back after release: all give in proportion, and no debt is unbounded."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.people import error_code

TAKE = "select (private.take_back(%s, %s, %s, 'chargeback')).taken_back_minor"


def _released(guild, price=10_110):
    escrow = guild.deliver(guild.open(price)[0])
    assert guild.act(guild.sponsor, "approve_escrow", escrow) == "released"
    return escrow


def _take(guild, escrow, reference, amount):
    try:
        with guild.db.transaction():
            return guild.one(TAKE, escrow, reference, amount)
    except psycopg.Error as error:
        return error_code(error)


def test_each_gives_in_proportion(guild):
    one, other = guild.agent(guild.sponsor), guild.agent(guild.creator)
    escrow = _released(guild, 10_000)
    assert _take(guild, escrow, "dp_1", 5_500) == 5_500
    assert [guild.held(who) for who in (guild.creator, one, other)] == [5_000, 250, 250]
    assert _take(guild, escrow, "dp_1", 5_500) == 5_500, "once only"
    assert _take(guild, escrow, "dp_1", 5_501) == "ledger.key_reused"
    assert _take(guild, escrow, "dp_2", 5_501) == "escrow.amount_exceeded"
    assert _take(guild, escrow, "dp_2", 5_500) == 11_000
    assert [guild.held(who) for who in (guild.creator, one, other)] == [0, 0, 0]
    assert guild.findings() == []


@pytest.mark.parametrize("amount", [0, -1, None])
def test_no_amount_no_effect(guild, amount):
    assert _take(guild, _released(guild), "dp_1", amount) == "escrow.invalid_amount"


@pytest.mark.parametrize("state", ["pending_payment", "locked", "disputed", "refunded"])
def test_what_was_not_released_is_not_taken(guild, state):
    assert _take(guild, guild.into(state), "dp_1", 1) == "escrow.amount_exceeded"


def test_after_a_withdrawal_the_debt_is_set_off_and_not_renewed(guild):
    escrow = _released(guild, 10_000)
    account = guild.one("select id from ledger_accounts where owner_id = %s", guild.creator.id)
    clearing = guild.one("select id from ledger_accounts where kind = 'clearing'")
    withdraw = "select private.post_transaction(%s, 'test.withdraw', array[%s, %s], array[%s, %s])"
    guild.one(withdraw, "w1", account, clearing, -10_000, 10_000)
    _take(guild, escrow, "dp_1", 11_000)
    assert guild.held(guild.creator) == -10_000
    assert guild.creator.rows("select posted_minor, available_minor from ledger_balances") == [
        (-10_000, -10_000)
    ]
    _released(guild, 12_000)
    assert guild.held(guild.creator) == 2_000
    with pytest.raises(psycopg.Error) as refused:
        guild.one(withdraw, "w2", account, clearing, -2_001, 2_001)
    assert error_code(refused.value) == "ledger.insufficient_funds"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(price=st.integers(1, 10**12), parts=st.lists(st.floats(0.001, 1), max_size=4))
def test_any_parts_add_up_and_nobody_gives_more_than_they_got(guild, price, parts):
    with guild.db.transaction(force_rollback=True):
        people = [guild.creator, guild.agent(guild.sponsor), guild.agent(guild.creator), None]
        escrow = _released(guild, price)
        total = left = sum(map(guild.held, people))
        for number, part in enumerate([*parts, 1.0]):
            amount = left if part == 1.0 else max(1, int(left * part))
            if amount <= left and left:
                assert _take(guild, escrow, f"dp_{number}", amount) == total - left + amount
                left -= amount
            assert sum(map(guild.held, people)) == left
            assert all(guild.held(person) >= 0 for person in people)
        assert left == 0
        assert guild.findings() == []
