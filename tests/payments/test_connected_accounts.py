"""Accounts at providers: opened once, known masked, theirs alone, and told of by the provider."""

import psycopg
import pytest

from tests.fixtures.people import sign_up
from tests.payments.purses import Purse

START = "select account_id, request_id, is_repeat from private.start_account(%s, %s, %s)"
TELL = "select private.change_connected_account('stripe', %s, %s, %s)"


@pytest.fixture
def fresh(db):
    return Purse(db)


def _start(purse, provider="stripe", country="DE", label="to me"):
    return purse.owner.rows(START, [provider, country, label])[0]


def _open(purse, request, reference="acct_1"):
    return purse.worker.rows("select private.account_opened(%s, %s)", [request, reference])[0][0]


def _mine(purse):
    return purse.owner.rows(
        "select status, reference, is_default from connected_accounts order by created_at, id"
    )


def test_it_is_stored_before_the_provider_is_asked(fresh):
    account, request, is_repeat = _start(fresh)
    assert not is_repeat
    assert _mine(fresh) == [("pending", None, False)]
    assert fresh.one(
        "select action, subject_id, body from private.provider_requests where id = %s", request
    )
    # a client that asks again goes on with the same key
    assert _start(fresh) == (account, request, True)
    assert _open(fresh, request) is True
    assert _open(fresh, request) is True
    assert _mine(fresh) == [("pending", "acct_1", True)]
    # and now another one is another one
    assert _start(fresh)[0] != account


def test_a_key_never_travels_with_another_body(fresh):
    _start(fresh)
    for country, label in (("AT", "to me"), ("DE", "to her")):
        assert fresh.outcome(fresh.owner, START, "stripe", country, label) == (
            "payments.account_opening"
        )
    assert _start(fresh, "paypal")


def test_what_the_provider_refused_may_be_tried_again(fresh):
    _, request, _ = _start(fresh)
    fresh.worker.rows("select private.decline_account(%s, 'No such country.')", [request])
    assert _mine(fresh) == [("closed", None, False)]
    assert _open(fresh, request) is False
    assert _start(fresh, label="another")[1] != request


def test_what_it_did_not_answer_is_given_up_after_an_hour(fresh):
    """No money is in it; the person opens another."""
    account, request, _ = _start(fresh)
    fresh.worker.rows("select private.question_account(%s, 'timed out')", [request])
    fresh.db.execute("update private.provider_requests set look_at = now()")
    fresh.worker.rows("select private.reconcile_requests()")
    assert fresh.jobs("payments.open_account", account) == 1
    abandon = "select private.abandon_account(%s)"
    assert fresh.worker.rows(abandon, [account]) == [(False,)]
    fresh.db.execute("update private.provider_requests set created_at = now() - interval '61 min'")
    assert fresh.worker.rows(abandon, [account]) == [(True,)]
    assert _mine(fresh) == [("closed", None, False)]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        (("stripe", "Germany", "x"), "payments.invalid_country"),
        (("stripe", None, "x"), "payments.invalid_country"),
        (("coinbase", "DE", "x"), "payments.provider_not_available"),
        (("nobody", "DE", "x"), "payments.provider_not_available"),
        # a label that could be a number is refused by the table itself
        (("stripe", "DE", "DE89370400440532013000"), "23514"),
    ],
)
def test_what_cannot_be_opened(fresh, values, refusal):
    assert fresh.outcome(fresh.owner, START, *values) == refusal


def test_ten_are_the_most(fresh):
    for number in range(10):
        _open(fresh, _start(fresh)[1], f"acct_{number}")
    assert fresh.outcome(fresh.owner, START, "stripe", "DE", "x") == "payments.too_many_accounts"
    account = fresh.one("select id from connected_accounts limit 1")
    fresh.owner.rows("select close_connected_account(%s)", [account])
    assert _start(fresh)


def test_one_account_is_one_persons(fresh, db):
    _open(fresh, _start(fresh)[1])
    other = Purse(db)
    assert _open(other, _start(other)[1]) is False
    assert _mine(other) == [("closed", None, False)]
    # once closed it may be opened again: its hold begins anew
    account = fresh.one("select id from connected_accounts where owner_id = %s", fresh.owner.id)
    fresh.owner.rows("select close_connected_account(%s)", [account])
    assert _open(fresh, _start(fresh)[1]) is True


def test_an_address_is_kept_from_nobody(fresh, db):
    """It proves nothing: who was faster does not shut its owner out, nor learns of them."""
    other = Purse(db, sign_up(db, "other", "creator"))
    for purse in (fresh, other):
        _, request, _ = _start(purse, "paypal")
        assert _open(purse, request, "tea@example.com") is True
        fresh.worker.rows(
            "select private.change_connected_account('paypal', 'tea@example.com', 'active', '{}')"
        )
        assert _mine(purse) == [("active", "tea@example.com", True)]
        db.execute("update connected_accounts set created_at = created_at - interval '1 minute'")
    _, request, _ = _start(fresh, "paypal")
    assert _open(fresh, request, "Tea@example.com") is False, "one's own is there already"


def test_what_the_provider_says(fresh):
    account, request, _ = _start(fresh)
    assert fresh.outcome(fresh.worker, TELL, "acct_1", "active", []) == (
        "payments.account_not_found"
    )
    _open(fresh, request)
    for status, requirements in (("needs_information", ["individual.dob"]), ("active", [])):
        for _ in range(2):
            assert fresh.outcome(fresh.worker, TELL, "acct_1", status, requirements) == "ok"
        assert fresh.owner.rows("select status, requirements from connected_accounts") == [
            (status, requirements)
        ]
    # events come in any order: each change asks the provider how it is now
    assert fresh.jobs("payments.check_account", account) == 2
    assert fresh.worker.rows("select * from private.claim_account_check(%s)", [account]) == [
        ("stripe", "acct_1")
    ]


def test_closed_stays_closed(fresh):
    _open(fresh, _start(fresh)[1])
    fresh.outcome(fresh.worker, TELL, "acct_1", "closed", [])
    assert fresh.outcome(fresh.worker, TELL, "acct_1", "active", []) == "ok"
    assert _mine(fresh) == [("closed", "acct_1", False)]


def test_the_default_is_one(fresh):
    first, second = fresh.account(), fresh.account()
    choose = "select set_default_account(%s)"
    for account in (second, second, first):
        assert fresh.outcome(fresh.owner, choose, account) == "ok"
        assert fresh.db.execute(
            "select id from connected_accounts where is_default"
        ).fetchall() == [(account,)]
    assert fresh.outcome(Purse(fresh.db).owner, choose, first) == "payments.account_not_found"
    fresh.owner.rows("select close_connected_account(%s)", [first])
    assert fresh.outcome(fresh.owner, choose, first) == "payments.account_not_found"


def test_no_account_is_closed_under_a_withdrawal(purse):
    account = purse.one("select id from connected_accounts")
    withdrawal = purse.request(1_000)
    close = "select close_connected_account(%s)"
    assert purse.outcome(purse.owner, close, account) == "payments.account_in_use"
    purse.owner.rows("select cancel_withdrawal(%s)", [withdrawal])
    for _ in range(2):
        assert purse.outcome(purse.owner, close, account) == "ok"
    assert purse.outcome(Purse(purse.db).owner, close, account) == "payments.account_not_found"


@pytest.mark.parametrize(
    "change", ["owner_id = gen_random_uuid()", "reference = 'acct_x'", "provider = 'paypal'"]
)
def test_it_leads_nowhere_else(purse, change):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), purse.db.transaction():
        purse.db.execute(f"update connected_accounts set {change}")


def test_its_owner_hears_of_it(fresh):
    account, request, _ = _start(fresh)
    _open(fresh, request)
    fresh.worker.rows(TELL, ["acct_1", "active", []])
    events = fresh.db.execute(
        "select event from realtime.messages where topic = %s order by inserted_at",
        [f"user:{fresh.owner.id}"],
    ).fetchall()
    assert {event for (event,) in events} == {"account_pending", "account_active"}
    assert account
