"""What is reserved is held back until it is posted, voided or expires, each of it once."""

import psycopg
import pytest

from tests.fixtures.people import error_code


def reserve(books, account, amount, key="r", expires_at=None):
    return books.one(
        "select private.reserve(%s, %s, %s, expires_at => %s)", key, account, amount, expires_at
    )


def close(books, reservation, status):
    return books.one("select (private.close_reservation(%s, %s)).status", reservation, status)


def available(books, account):
    return books.one("select available_minor from ledger_balances where account_id = %s", account)


def refused(books, call, *arguments):
    with pytest.raises(psycopg.Error) as caught, books.db.transaction():
        call(*arguments)
    return error_code(caught.value)


def test_reserved_money_is_not_there_to_be_spent(books):
    ada, ben = books.person(100), books.person()
    reserve(books, ada, 70)
    assert (books.balance(ada), available(books, ada)) == (100, 30)
    assert refused(books, books.move, "x", {ada: -31, ben: 31}) == "ledger.insufficient_funds"
    assert refused(books, reserve, books, ada, 31, "r2") == "ledger.insufficient_funds"
    books.move("y", {ada: -30, ben: 30})
    assert available(books, ada) == 0
    assert books.findings() == []


@pytest.mark.parametrize("status", ["voided", "expired"])
def test_given_back_once(books, status):
    ada = books.person(100)
    held = reserve(books, ada, 70)
    for _ in range(2):
        assert close(books, held, status) == status
        assert available(books, ada) == 100
    assert refused(books, close, books, held, "posted") == "ledger.reservation_closed"


def test_posted_once(books):
    ada, ben = books.person(100), books.person()
    held = reserve(books, ada, 70)
    post = ("select private.post_reservation(%s, 'p', 'test.post', %s)", held, ben)
    first = books.one(*post)
    assert books.one(*post) == first
    assert (books.balance(ada), available(books, ada), books.balance(ben)) == (30, 30, 70)
    assert refused(books, close, books, held, "voided") == "ledger.reservation_closed"
    assert books.findings() == []


@pytest.mark.parametrize("closed_as", ["posted", "voided", "expired"])
def test_what_is_closed_is_not_posted_under_another_key(books, closed_as):
    ada, ben = books.person(100), books.person()
    held = reserve(books, ada, 40)
    post = "select private.post_reservation(%s, %s, 'test.post', %s)"
    if closed_as == "posted":
        books.one(post, held, "first", ben)
    else:
        close(books, held, closed_as)
    before = books.balance(ada)
    assert refused(books, books.one, post, held, "second", ben) == "ledger.reservation_closed"
    assert (books.balance(ada), available(books, ada)) == (before, before)


def test_posting_under_a_key_of_something_else_moves_nothing(books):
    ada, ben = books.person(100), books.person()
    held = reserve(books, ada, 40)
    books.move("gift", {ada: -1, ben: 1})
    post = "select private.post_reservation(%s, 'gift', 'test.post', %s)"
    assert refused(books, books.one, post, held, ben) == "ledger.key_reused"
    assert (books.balance(ada), available(books, ada)) == (99, 59)


def test_the_same_key_reserves_once(books):
    ada = books.person(100)
    assert reserve(books, ada, 40) == reserve(books, ada, 40)
    assert available(books, ada) == 60
    assert refused(books, reserve, books, ada, 41) == "ledger.key_reused"


@pytest.mark.parametrize("amount", [0, -1, None])
def test_amounts(books, amount):
    assert refused(books, reserve, books, books.person(100), amount) == "ledger.invalid_amount"


def test_expiry_gives_back_what_is_due(books):
    ada = books.person(100)
    reserve(books, ada, 10, "past", "2020-01-01")
    reserve(books, ada, 20, "future", "2999-01-01")
    reserve(books, ada, 30, "never")
    assert books.one("select private.expire_reservations()") == 1
    assert available(books, ada) == 50
    assert books.one("select private.expire_reservations()") == 0


def test_what_may_be_owed_cannot_be_reserved(books):
    ada = books.person(100)
    books.db.execute("update ledger_accounts set floor_minor = -50 where id = %s", [ada])
    assert refused(books, reserve, books, ada, 101) == "ledger.insufficient_funds"
