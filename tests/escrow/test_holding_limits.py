"""Money is held no longer than its provider allows: 90 days at Stripe, 10 in Thailand."""

import pytest

HELD = "select (hold_until - funded_at) = make_interval(days => %s) from escrows"


@pytest.mark.parametrize(("country", "days"), [(None, 90), ("DE", 90), ("US", 730), ("TH", 10)])
def test_limits_by_country(guild, country, days):
    guild.db.execute(
        "update profile_private set country = %s where user_id = %s", [country, guild.sponsor.id]
    )
    guild.into("locked")
    assert guild.one(HELD, days)


def test_both_are_warned_once_14_days_before(guild):
    guild.into("locked")
    assert guild.one("select private.warn_of_holds()") == 0
    guild.db.execute("update escrows set hold_until = now() + interval '13 days 23 hours'")
    assert guild.one("select private.warn_of_holds()") == 1
    assert guild.one("select private.warn_of_holds()") == 0
    assert guild.one("select count(*) from realtime.messages where event = 'escrow_hold_ends'") == 2


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("locked", "refunded"),
        ("work_in_progress", "refunded"),
        ("rejected", "refunded"),
        ("work_submitted", "released"),
        ("under_review", "released"),
        ("disputed", "disputed"),
    ],
)
def test_the_rule_at_the_end(guild, status, end):
    escrow = guild.into(status)
    assert guild.one("select private.end_next_hold()") is None
    guild.db.execute("update escrows set hold_until = now()")
    assert (guild.one("select private.end_next_hold()") == escrow) == (end != "disputed")
    assert guild.status(escrow) == end
    assert guild.one("select private.end_next_hold()") is None
    assert guild.findings() == []


def test_one_that_fails_does_not_stop_the_next(guild):
    one, other = guild.open(10_000, 10_000)
    for escrow in (one, other):
        guild.into("locked", escrow)
    guild.db.execute("update escrows set hold_until = now() - interval '1 day' * (3 - position)")
    guild.db.execute(
        "create function private.break_one() returns trigger language plpgsql as $$ begin"
        " if new.status = 'refunding' and new.position = 1 then raise 'broken'; end if;"
        " return new; end $$"
    )
    guild.db.execute(
        "create trigger t99_break before update on escrows for each row"
        " execute function private.break_one()"
    )
    assert [guild.one("select private.end_next_hold()") for _ in range(3)] == [one, other, None]
    assert (guild.status(one), guild.status(other)) == ("locked", "refunded")
