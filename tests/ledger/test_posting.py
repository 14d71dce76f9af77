"""A posting balances, happens once, and never takes what is not there."""

import psycopg
import pytest

from tests.fixtures.people import error_code


def refused(books, call, *arguments):
    with pytest.raises(psycopg.Error) as caught, books.db.transaction():
        call(*arguments)
    return error_code(caught.value)


def test_money_moves_whole(books):
    ada, ben = books.person(1000), books.person()
    books.move("gift", {ada: -400, ben: 400}, memo="a gift")
    assert (books.balance(ada), books.balance(ben)) == (600, 400)
    assert books.balance(books.clearing()) == -1000
    assert books.trial_balance() == {"EUR": 0}
    assert books.findings() == []


@pytest.mark.parametrize(
    "lines",
    [
        {},
        {0: 5},
        {0: -5, 1: 4},
        {0: -5, 1: 5, 2: 1},
        {0: 0, 1: 0},
        {0: None, 1: 5},
    ],
)
def test_lines_must_balance(books, lines):
    accounts = [books.person(100), books.person(100), books.person(100)]
    posting = {accounts[index]: amount for index, amount in lines.items()}
    assert refused(books, books.move, "x", posting) == "ledger.invalid_posting"


def test_one_line_per_account(books):
    ada, ben = books.person(100), books.person()
    with pytest.raises(psycopg.Error) as caught:
        books.one(
            "select private.post_transaction('x', 'a.b', %s, %s)", [ada, ada, ben], [-5, -5, 10]
        )
    assert error_code(caught.value) == "ledger.invalid_posting"


def test_currencies_never_mix(books):
    euros, dollars = books.person(100), books.person(currency="USD")
    assert refused(books, books.move, "x", {euros: -5, dollars: 5}) == "23000"


def test_unknown_accounts_are_refused(books):
    assert refused(books, books.move, "x", {books.person(100): -5, 10**12: 5}) == "23503"


@pytest.mark.parametrize("amount", [101, 10**12, 2**62])
def test_nobody_goes_below_zero(books, amount):
    ada, ben = books.person(100), books.person()
    assert refused(books, books.move, "x", {ada: -amount, ben: amount}) == (
        "ledger.insufficient_funds"
    )
    assert (books.balance(ada), books.balance(ben)) == (100, 0)
    books.move("all", {ada: -100, ben: 100})
    assert books.balance(ada) == 0


def test_the_same_key_moves_once(books):
    ada, ben = books.person(100), books.person()
    first = books.move("gift", {ada: -40, ben: 40})
    assert books.move("gift", {ada: -40, ben: 40}) == first
    assert books.balance(ben) == 40


@pytest.mark.parametrize("lines", [{0: -41, 1: 41}, {1: -40, 0: 40}])
def test_the_same_key_with_other_input_is_refused(books, lines):
    accounts = [books.person(100), books.person(100)]
    books.move("gift", {accounts[0]: -40, accounts[1]: 40})
    other = {accounts[index]: amount for index, amount in lines.items()}
    assert refused(books, books.move, "gift", other) == "ledger.key_reused"


def test_money_may_be_owed_back_down_to_a_floor(books):
    ada, ben = books.person(100), books.person()
    books.db.execute("update ledger_accounts set floor_minor = -50 where id = %s", [ada])
    books.move("back", {ada: -150, ben: 150})
    assert books.balance(ada) == -50
    assert refused(books, books.move, "more", {ada: -1, ben: 1}) == "ledger.insufficient_funds"
    books.move("earned", {ben: -60, ada: 60})
    assert books.balance(ada) == 10


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_transactions"])
@pytest.mark.parametrize(
    "change", ["update {} set posted_at = now()", "delete from {}", "truncate {} cascade"]
)
def test_the_past_is_refused_to_everyone(books, table, change):
    books.person(100)
    assert refused(books, books.db.execute, change.format(table)) == "42501"


def test_unbalanced_entries_cannot_be_written_past_the_function(books):
    ada = books.person(100)
    (transaction,) = books.db.execute(
        "insert into ledger_transactions (kind, idempotency_key, input_hash, posted_at)"
        " values ('a.b', 'forged', '', now()) returning id"
    ).fetchone()
    forged = (
        "insert into ledger_entries (transaction_id, account_id, amount_minor, posted_at)"
        " values (%s, %s, 5, now())"
    )
    assert refused(books, books.db.execute, forged, [transaction, ada]) == "23000"


def test_people_see_their_own_and_operators_all(books, cast):
    creator, stranger = cast["creator"], cast["stranger"]
    account = books.account(owner_id=creator.id)
    books.move("fund", {books.clearing(): -500, account: 500}, memo="for tea")
    seen = [("for tea", 500, 500)]
    statement = (
        "select memo, amount_minor, balance_minor from ledger_statement where account_id = %s"
    )
    assert creator.rows(statement, [account]) == seen
    assert stranger.rows(statement, [account]) == []
    assert cast["moderator"].rows(statement, [account]) == seen
    assert creator.rows("select available_minor from ledger_balances") == [(500,)]
    at = "select get_balance_at(%s, %s)"
    assert creator.rows(at, [account, "infinity"]) == [(500,)]
    assert creator.rows(at, [account, "2020-01-01"]) == [(0,)]
    assert stranger.outcome(at, [account, "infinity"]) == "ledger.account_not_found"


def test_a_balance_at_a_time_is_what_it_was(books):
    ada, ben = books.person(100), books.person()
    moments = []
    for step in range(5):
        books.move(f"step:{step}", {ada: -10, ben: 10})
        moments.append(books.one("select max(posted_at) from ledger_transactions"))
    for step, moment in enumerate(moments):
        assert books.one("select private.balance_at(%s, %s)", ada, moment) == 90 - 10 * step
    clearing = books.clearing()
    assert books.one("select private.balance_at(%s, %s)", clearing, moments[0]) == -100


@pytest.mark.parametrize("left", [100, -100])
def test_nobody_leaves_money_or_a_debt_behind(books, cast, left):
    stranger = cast["stranger"]
    account = books.account(owner_id=stranger.id)
    books.db.execute("update ledger_accounts set floor_minor = -100 where id = %s", [account])
    books.move("in", {books.clearing(): -left, account: left})
    assert stranger.outcome("select delete_account()") == "ledger.balance_left"
    books.move("out", {account: -left, books.clearing(): left})
    assert stranger.outcome("select delete_account()") == "row"
