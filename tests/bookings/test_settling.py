"""A completed booking settles after 24 hours, by its rating's band and its own policy version."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# rating: host, platform and penalty of 10,000, as the first policy says
FIRST_POLICY = {
    None: ("satisfied", 9_000, 1_000, 0), 5: ("satisfied", 9_000, 1_000, 0),
    4: ("satisfied", 9_000, 1_000, 0), 3: ("mixed", 8_100, 1_900, 900),
    2: ("unsatisfied", 6_300, 3_700, 2_700), 1: ("unsatisfied", 6_300, 3_700, 2_700),
}  # fmt: skip


@pytest.mark.parametrize("rating", FIRST_POLICY)
def test_the_band_of_the_rating_decides(house, rating):
    band, host, platform, penalty = FIRST_POLICY[rating]
    booking = house.completed(rating)
    assert house.settle(booking) == ["released"]
    assert (house.held(house.host), house.held(), house.held(house.guest)) == (host, platform, 0)
    assert house.row(
        booking, "policy_version, band, rating, host_minor, penalty_minor, released_minor"
    ) == (1, band, rating, host, penalty, 10_000)
    assert house.findings() == []


def test_the_host_can_read_why(house):
    booking = house.completed(2)
    house.settle(booking)
    assert house.host.rows("select kind, memo, amount_minor from ledger_statement") == [
        (
            "bookings.settle",
            "6300 EUR to the host: 9000 of 10000 of 10000, by settlement policy 1,"
            " band unsatisfied (rated 2); less a penalty of 3000 of 10000, 2700 to the platform;"
            " 1000 to the platform (settled)",
            6_300,
        )
    ]
    assert house.guest.rows("select kind from ledger_statement") == []


def test_not_before_24_hours_after_completion(house):
    booking = house.completed()
    hold = house.one("select settles_at - completed_at from bookings where id = %s", booking)
    assert hold.total_seconds() == 24 * 3600
    house.pass_time(24 - 1 / 60, booking)
    assert house.one("select private.settle_due_bookings()") == 0
    assert house.status(booking) == "completed"
    house.pass_time(1 / 60, booking)
    assert house.one("select private.settle_due_bookings()") == 1
    assert house.one("select private.settle_due_bookings()") == 0
    assert house.status(booking) == "released"


def test_the_penalty_goes_where_the_policy_says(house):
    house.policy((1, 2, 8_000, 5_000, "guest"), (3, 5, 8_000, 0))
    booking = house.completed(1)
    assert house.settle(booking) == ["released"]
    assert (house.held(house.host), house.held()) == (4_000, 2_000)
    assert house.held(house.guest) == house.going_back(house.guest) == 4_000
    assert house.row(booking, "refunded_minor, released_minor, host_minor, penalty_minor") == (
        4_000, 6_000, 4_000, 4_000,
    )  # fmt: skip
    assert house.findings() == []


def test_what_unrated_counts_as_is_the_policys(house):
    house.policy((1, 3, 5_000, 0), (4, 5, 9_000, 0), unrated_rating=3)
    house.settle(house.completed())
    assert house.held(house.host) == 5_000


def test_a_booking_keeps_the_version_it_was_made_under(house):
    old = house.completed(5)
    assert house.policy((1, 5, 1_000, 0), hold_hours=48) == 2
    new = house.completed(5)
    assert house.settle(old, new) == ["released", "completed"]
    assert house.held(house.host) == 9_000
    house.pass_time(24, new)
    assert house.settle(new) == ["released"]
    assert house.held(house.host) == 10_000
    assert [house.row(each, "policy_version, band") for each in (old, new)] == [
        (1, "satisfied"), (2, "band_a"),
    ]  # fmt: skip


@pytest.mark.parametrize("change", [
    "update settlement_policies set hold_hours = 1",
    "delete from settlement_policies where version = 1",
    "update settlement_bands set penalty_bps = 0",
    "delete from settlement_bands",
])  # fmt: skip
def test_a_version_never_changes(house, change):
    assert house.attempt(change) == "42501"


def test_no_band_is_added_to_an_old_version(house):
    add = "insert into settlement_bands values (1, 'more', {}, 5, 9000, 0)"
    assert house.attempt(add.format(5)) in ("23P01", "bookings.invalid_policy")
    house.db.execute("insert into settlement_policies (version) values (2)")
    assert house.attempt(add.replace("(1,", "(2,").format(2)) == "bookings.invalid_policy"


WHOLE = (1, 5, 9_000, 0)


@pytest.mark.parametrize(("bands", "terms"), [
    ([], {}),
    ([(1, 4, 9_000, 0)], {}),
    ([(2, 5, 9_000, 0)], {}),
    ([(1, 3, 9_000, 0), (3, 5, 9_000, 0)], {}),
    ([(1, 2, 9_000, 0), (4, 5, 9_000, 0)], {}),
    ([(0, 5, 9_000, 0)], {}),
    ([(1, 6, 9_000, 0)], {}),
    ([(1, 5, 10_001, 0)], {}),
    ([(1, 5, -1, 0)], {}),
    ([(1, 5, 9_000, 10_001)], {}),
    ([(1, 5, 0.5, 0)], {}),
    ([(1, 5, "much", 0)], {}),
    ([(1, 5, 9_000, None)], {}),
    ([(1, 5, 9_000, 0, "charity")], {}),
    ([WHOLE], {"hold_hours": 0}),
    ([WHOLE], {"hold_hours": None}),
    ([WHOLE], {"objection_hours": 200}),
    ([WHOLE], {"no_show_minutes": -1}),
    ([WHOLE], {"pay_within_minutes": 1}),
    ([WHOLE], {"book_ahead_days": 0}),
    ([WHOLE], {"unrated_rating": 6}),
])  # fmt: skip
def test_policies_are_checked(house, bands, terms):
    with pytest.raises(Exception, match=r"bookings\.invalid_policy"):
        house.policy(*bands, **terms)


@pytest.mark.parametrize("bands", ["{}", "null", "1", "[1]", '["x"]', '[{"name": "Bad Name"}]'])
def test_bands_are_a_list_of_bands(house, bands):
    call = "select add_settlement_policy(%s::jsonb)"
    assert house.admin.outcome(call, [bands]) == "bookings.invalid_policy"
    assert house.admin.outcome("select add_settlement_policy(null)") == "bookings.invalid_policy"


def test_only_admins_set_policies_and_it_is_audited(house):
    call = "select add_settlement_policy('[]')"
    for person in (house.host, house.guest, house.moderator):
        assert person.outcome(call) == "identity.operator_required"
    version = house.policy(WHOLE, hold_hours=36)
    action, actor, details = house.db.execute(
        "select action, actor_id, details from audit_log where subject_id = %s", [str(version)]
    ).fetchone()
    assert (action, actor) == ("bookings.add_settlement_policy", house.admin.id)
    assert details["hold_hours"] == 36
    assert details["bands"][0]["host_share_bps"] == 9_000


def test_admins_settle_by_hand_and_it_is_audited(house):
    booking = house.completed()
    house.pass_time(24, booking)
    assert house.moderator.outcome("select settle_bookings()") == "identity.operator_required"
    assert house.admin.rows("select settle_bookings()") == [(1,)]
    assert house.status(booking) == "released"
    assert house.one("select details from audit_log where action = 'bookings.settle_bookings'") == {
        "count": 1
    }


def test_a_batch_is_as_large_as_asked_and_oldest_first(house):
    bookings = [house.completed() for _ in range(5)]
    for age, booking in enumerate(bookings):
        house.pass_time(24 + age / 60, booking)
    taken = []
    while count := house.one("select private.settle_due_bookings(2)"):
        taken.append(count)
        if len(taken) == 1:
            assert [house.status(each) for each in bookings] == [
                "completed", "completed", "completed", "released", "released",
            ]  # fmt: skip
    assert taken == [2, 2, 1]
    assert house.held(house.host) == 45_000
    assert house.findings() == []


def test_one_host_and_currency_many_times_in_a_batch(house):
    """The statement tells each booking, in an order that adds up."""
    prices = (10_000, 1, 7, 999)
    bookings = [house.completed(price=price) for price in prices]
    bookings.append(house.completed(price=50, currency="JPY"))
    house.settle(*bookings)
    rows = house.host.rows(
        "select amount_minor, balance_minor from ledger_statement where currency = 'EUR'"
        " order by posted_at, transaction_id"
    )
    assert sorted(amount for amount, _ in rows) == [1, 7, 900, 9_000]
    balance = 0
    for amount, told in rows:
        balance += amount
        assert told == balance
    assert not house.db.execute(
        "select from ledger_entries group by account_id, posted_at having count(*) > 1"
    ).fetchall(), "a statement is paged by its time"
    assert house.held(house.host, "JPY") == 45
    assert house.findings() == []


def test_one_that_cannot_be_settled_holds_up_no_other(house):
    bookings = [house.completed() for _ in range(7)]
    broken = bookings[3]
    account = house.one("select id from ledger_accounts where subject_id = %s", broken)
    house.one(
        "select private.post_transaction('theft', 'test.take', array[%s,"
        " private.ledger_account('loss', 'EUR')], array[-1, 1])",
        account,
    )
    assert house.settle(*bookings) == [
        "completed" if booking == broken else "released" for booking in bookings
    ]
    assert house.held(house.host) == 54_000
    findings = dict(house.findings())
    assert set(findings) == {"booking differs from its ledger account", "could not be settled"}
    assert "ledger.insufficient_funds" in findings["could not be settled"]
    # mended, and tried again within the hour
    house.one(
        "select private.post_transaction('found', 'test.give', array[%s,"
        " private.ledger_account('loss', 'EUR')], array[1, -1])",
        account,
    )
    assert house.one("select private.retry_stuck_bookings()") == 0
    house.db.execute("update private.booking_failures set failed_at = now() - interval '1 hour'")
    assert house.one("select private.retry_stuck_bookings()") == 1
    assert house.one("select private.settle_due_bookings()") == 1
    assert house.status(broken) == "released"
    assert house.findings() == []


def test_settlement_reads_a_range_of_an_index(house):
    """However many bookings there are, only those that are due are looked at."""
    house.db.execute("alter table bookings disable trigger user")
    house.db.execute(
        "insert into bookings (offer_id, host_id, guest_id, title, currency, starts_at, ends_at,"
        " expires_at, completes_at, total_minor, remaining_minor, policy_version, status,"
        " settles_at, completed_at, provider, payment_reference, funded_at)"
        " select %s, %s, %s, 'x', 'EUR', now() - n * interval '2 h',"
        " now() - n * interval '2 h' + interval '1 h', now(), now(), 5, 5, 1, 'completed',"
        " now() + (n - 100) * interval '1 min', now(), 'razorpay', 'many_' || n, now()"
        " from generate_series(1, 20000) n",
        [house.offer(), house.host.id, house.guest.id],
    )
    house.db.execute("alter table bookings enable trigger user")
    house.db.execute("analyze bookings")
    (query,) = house.db.execute(
        "select substring(prosrc from 'from \\(\\s*(select booking\\.id.*?skip locked)')"
        " from pg_proc where proname = 'settle_due_bookings'"
    ).fetchone()
    ((plan,),) = house.db.execute(
        "explain (analyze, format json) " + query.replace("batch_size", "500")
    ).fetchall()
    nodes = []

    def walk(node):
        nodes.append(node)
        for child in node.get("Plans", ()):
            walk(child)

    walk(plan[0]["Plan"])
    scans = [node for node in nodes if "Scan" in node["Node Type"]]
    assert [node.get("Index Name") for node in scans] == ["bookings_settles_at_idx"]
    assert "settles_at <= now()" in scans[0]["Index Cond"]
    assert scans[0]["Actual Rows"] == 100
    assert not any(node["Node Type"] == "Sort" for node in nodes)


def _expected(total, refund, share_bps, penalty_bps, penalty_to):
    """Who gets what, told in words of its own: host, platform, guest."""
    rest = total - refund
    fee = (rest * (10_000 - share_bps)) // 10_000
    share = rest - fee
    penalty = share * penalty_bps // 10_000
    return (
        share - penalty,
        fee + (penalty if penalty_to == "platform" else 0),
        refund + (penalty if penalty_to == "guest" else 0),
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    total=st.integers(1, 10**12) | st.integers(1, 30),
    share_bps=st.integers(0, 10_000),
    penalty_bps=st.integers(0, 10_000),
    penalty_to=st.sampled_from(["platform", "guest"]),
    part=st.floats(0, 1),
    rating=st.none() | st.integers(1, 5),
)
def test_any_shares_add_up(house, total, share_bps, penalty_bps, penalty_to, part, rating):
    with house.db.transaction(force_rollback=True):
        house.policy((1, 5, share_bps, penalty_bps, penalty_to))
        refund = int(total * part)
        booking = house.completed(rating, price=total)
        house.act(house.guest, "dispute_booking", booking, "x")
        call = {0: ("release", None), total: ("refund", None)}.get(refund, ("split", refund))
        house.act(house.moderator, "resolve_booking_dispute", booking, call[0], "x", call[1])
        got = tuple(map(house.held, (house.host, None, house.guest)))
        assert got == _expected(total, refund, share_bps, penalty_bps, penalty_to)
        assert sum(got) == total
        assert house.going_back(house.guest) == got[2]
        assert house.findings() == []
