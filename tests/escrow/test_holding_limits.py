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


@pytest.mark.parametrize(
    ("country", "held", "before"), [(None, 90, 14), ("US", 730, 30), ("TH", 10, 3)]
)
def test_both_are_warned_once_when_it_matters(guild, country, held, before):
    """14 days before the end; 30 of two years, three of ten days: as their own limit says."""
    guild.db.execute(
        "update profile_private set country = %s where user_id = %s", [country, guild.sponsor.id]
    )
    guild.into("locked")

    def pass_days(days):
        guild.db.execute(
            "update escrows set hold_until = hold_until - %(gone)s * interval '1 day',"
            " hold_warn_at = hold_warn_at - %(gone)s * interval '1 day'",
            {"gone": days},
        )

    assert guild.one("select private.warn_of_holds()") == 0
    pass_days(held - before - 0.01)
    assert guild.one("select private.warn_of_holds()") == 0
    pass_days(0.01)
    left = "select extract(epoch from hold_until - now()) / 86400 from escrows"
    assert guild.one(left) == before
    assert guild.one("select private.warn_of_holds()") == 1
    assert guild.one("select private.warn_of_holds()") == 0
    assert guild.one("select count(*) from realtime.messages where event = 'escrow_hold_ends'") == 2


@pytest.mark.parametrize(
    ("status", "review_days_ago", "end"),
    [
        ("locked", None, "refunded"),
        ("work_in_progress", None, "refunded"),
        ("rejected", 0, "refunded"),
        ("rejected", -1, "disputed"),
        ("work_submitted", 0, "released"),
        ("work_submitted", -1, "disputed"),
        ("under_review", 0, "released"),
        ("under_review", -1, "disputed"),
        ("disputed", None, "disputed"),
    ],
)
def test_the_rule_at_the_end(guild, status, review_days_ago, end):
    escrow = guild.into(status)
    if review_days_ago is not None:
        guild.db.execute(
            "update escrows set review_due_at = now() + make_interval(days => %s)",
            [-review_days_ago],
        )
        with guild.db.transaction():
            guild.db.execute("set local session_replication_role = replica")
            guild.db.execute(
                "update escrow_events set created_at = now() - make_interval(days => 7 + %s)"
                " where to_status = 'rejected'",
                [review_days_ago],
            )
            guild.db.execute("set local session_replication_role = origin")
    assert guild.one("select private.end_next_hold()") is None
    guild.db.execute("update escrows set hold_until = now()")
    assert (guild.one("select private.end_next_hold()") == escrow) == (status != "disputed")
    assert guild.status(escrow) == end
    assert guild.one("select private.end_next_hold()") is None
    assert guild.findings() == []


def test_nothing_is_won_in_the_last_second(guild):
    """Handed in, or rejected, just before the money must go: the operators decide."""
    escrow = guild.open(10_000, review_days=30)[0]
    guild.fund(escrow)
    guild.act(guild.creator, "start_work", escrow)
    guild.db.execute("update escrows set hold_until = now() + interval '1 second'")
    assert guild.act(guild.creator, "submit_work", escrow, "lol") == "work_submitted"
    guild.db.execute("update escrows set hold_until = now()")
    guild.one("select private.end_next_hold()")
    assert (guild.status(escrow), guild.held(guild.creator)) == ("disputed", 0)

    other = guild.open(10_000)[0]
    guild.deliver(other)
    assert guild.act(guild.sponsor, "reject_work", other, "no") == "rejected"
    assert guild.act(guild.creator, "start_work", other) == "work_in_progress"
    guild.db.execute("update escrows set hold_until = now() where id = %s", [other])
    guild.one("select private.end_next_hold()")
    assert (guild.status(other), guild.held(guild.sponsor)) == ("disputed", 0)
    assert guild.findings() == []


def test_only_a_rejection_is_one(guild):
    """Rejected 60 days ago; a unit given back the day before the end makes no dispute of it."""
    escrow = guild.into("rejected")
    with guild.db.transaction():
        guild.db.execute("set local session_replication_role = replica")
        guild.db.execute("update escrow_events set created_at = created_at - interval '60 days'")
        guild.db.execute("set local session_replication_role = origin")
    guild.creator.rows("select refund_escrow(%s, 'x', 1)", [escrow])
    guild.db.execute("update escrows set hold_until = now()")
    guild.one("select private.end_next_hold()")
    assert guild.status(escrow) == "refunded"


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
    # it is tried again tomorrow, and the provider's limit is no later for that
    limit = "select hold_until = now() - interval '2 days' from escrows where id = %s"
    assert guild.one(limit, one) is True
    guild.db.execute("drop trigger t99_break on escrows")
    assert guild.one("select private.end_next_hold()") is None
    guild.db.execute("update private.escrow_failures set failed_at = now() - interval '1 day'")
    assert guild.one("select private.end_next_hold()") == one
