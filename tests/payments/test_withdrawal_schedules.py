"""A schedule withdraws what may be withdrawn, once per week or month, and says why it did not."""

import pytest

from tests.payments.purses import Purse

SET = "select set_withdrawal_schedule(%s, %s, %s)"


@pytest.fixture
def scheduled(purse):
    def schedule(cadence="weekly", minimum=0, currency="EUR"):
        purse.owner.rows(SET, [currency, cadence, minimum])
        return purse

    return schedule


def _run(purse):
    """What the worker does: take those that are due, and request each."""
    made = []
    for owner, currency in purse.worker.rows("select * from private.take_due_schedules()"):
        made += purse.worker.rows("select private.request_scheduled(%s, %s)", [owner, currency])
    return [row[0] for row in made]


def _due(purse, days=0):
    purse.db.execute(
        "update withdrawal_schedules set next_at = now() - make_interval(days => %s)", [days]
    )


@pytest.mark.parametrize(
    ("cadence", "moment", "expected"),
    [
        ("weekly", "2026-11-28 12:00", "2026-11-30 06:00"),
        ("weekly", "2026-11-30 05:59", "2026-11-30 06:00"),
        ("weekly", "2026-11-30 06:00", "2026-12-07 06:00"),
        ("monthly", "2026-12-31 23:00", "2027-01-01 06:00"),
        ("monthly", "2027-01-01 06:00", "2027-02-01 06:00"),
        ("monthly", "2027-01-31 06:00", "2027-02-01 06:00"),
        ("manual", "2026-11-28 12:00", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_when(purse, cadence, moment, expected, zone):
    """Whatever the session's time zone."""
    purse.db.execute("select set_config('TimeZone', %s, true)", [zone])
    assert expected == purse.one(
        "select to_char(private.next_withdrawal_at(%s, %s::timestamp at time zone 'UTC')"
        " at time zone 'UTC', 'YYYY-MM-DD HH24:MI')",
        cadence, moment,
    )  # fmt: skip


def test_it_takes_what_may_be_withdrawn(scheduled):
    purse = scheduled()
    assert _run(purse) == []
    _due(purse)
    (withdrawal,) = _run(purse)
    assert purse.one("select amount_minor from withdrawals where id = %s", withdrawal) == 10_000
    assert purse.one("select next_at > now() and note is null from withdrawal_schedules")
    assert purse.jobs("payments.send_withdrawal", withdrawal) == 1
    assert purse.findings() == []


def test_once_per_period_however_often_it_runs(scheduled):
    purse = scheduled()
    _due(purse)
    (first,) = _run(purse)
    purse.fund(5_000)
    # the worker died before it had moved on: the same period is due again
    _due(purse)
    assert _run(purse) == [None]
    assert purse.one("select count(*) from withdrawals") == 1
    assert purse.one("select note is null and next_at > now() from withdrawal_schedules")
    assert _run(purse) == []
    purse.db.execute(
        "update withdrawal_schedules set next_at = private.next_withdrawal_at("
        "'weekly', now() - interval '14 days')"
    )
    (second,) = _run(purse)
    assert second not in (first, None)


@pytest.mark.parametrize(("minimum", "count"), [(10_000, 1), (10_001, 0)])
def test_less_than_the_minimum_waits_for_the_next_time(scheduled, minimum, count):
    purse = scheduled(minimum=minimum)
    _due(purse)
    assert len(_run(purse)) == count
    assert purse.one("select next_at > now() from withdrawal_schedules")


def test_no_more_than_the_limits_allow(scheduled):
    purse = scheduled()
    purse.fund(10_000_000)
    _due(purse)
    (withdrawal,) = _run(purse)
    assert purse.one("select amount_minor from withdrawals where id = %s", withdrawal) == 500_000
    assert purse.one("select needs_approval from withdrawals")


def test_why_not_stands_in_its_note(scheduled):
    purse = scheduled()
    purse.db.execute("update connected_accounts set status = 'needs_information'")
    _due(purse)
    assert _run(purse) == [None]
    assert purse.owner.rows("select note, next_at > now() from withdrawal_schedules") == [
        ("needs_kyc", True)
    ]


def test_who_has_nothing_is_put_off_in_one_go(scheduled):
    purse = scheduled(currency="USD")
    _due(purse)
    assert purse.worker.rows("select * from private.take_due_schedules()") == []
    assert purse.one("select note from withdrawal_schedules") == "less than the minimum"
    assert purse.one("select next_at > now() from withdrawal_schedules")


def test_manual_is_never_due(scheduled):
    purse = scheduled()
    purse = scheduled("manual")
    assert purse.one("select next_at from withdrawal_schedules") is None
    assert _run(purse) == []


def test_setting_it_again_does_not_put_off_what_is_due(scheduled):
    purse = scheduled()
    _due(purse)
    purse = scheduled(minimum=100)
    assert len(_run(purse)) == 1


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        (("eur", "weekly", 0), "payments.invalid_currency"),
        (("EUR", "daily", 0), "payments.invalid_schedule"),
        (("EUR", None, 0), "payments.invalid_schedule"),
        (("EUR", "weekly", -1), "payments.invalid_schedule"),
        (("EUR", "weekly", None), "payments.invalid_schedule"),
    ],
)
def test_what_is_no_schedule(purse, values, refusal):
    assert purse.outcome(purse.owner, SET, *values) == refusal


def test_it_goes_to_the_default_account(scheduled):
    purse = scheduled()
    other = purse.account("paypal")
    purse.owner.rows("select set_default_account(%s)", [other])
    _due(purse)
    (withdrawal,) = _run(purse)
    assert purse.one("select account_id from withdrawals where id = %s", withdrawal) == other


def test_who_is_deleted_has_none(db, purse):
    purse.owner.rows(SET, ["EUR", "weekly", 0])
    empty = Purse(db)
    empty.owner.rows(SET, ["EUR", "weekly", 0])
    empty.account("paypal", reference="me@example.com")
    empty.owner.rows("select delete_account()")
    assert db.execute("select owner_id from withdrawal_schedules").fetchall() == [(purse.owner.id,)]
    assert db.execute(
        "select status, reference, label from connected_accounts where owner_id = %s",
        [empty.owner.id],
    ).fetchall() == [("closed", None, "")]
