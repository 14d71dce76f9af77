"""Many postings at once are as good as one after another: same checks, same keys, same balances."""

import threading
from itertools import pairwise

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.people import error_code

MANY = "select private.post_transactions(%s, %s, %s, %s, %s, %s, %s)"


def post(books, *postings):
    """Postings of a key and its lines, at once; their ids or the code of the refusal."""
    lines = [
        (place, account, amount)
        for place, (_, given) in enumerate(postings, 1)
        for account, amount in given
    ]
    try:
        with books.db.transaction():
            return books.one(
                MANY,
                [key for key, _ in postings], ["test.move_money"] * len(postings),
                [None] * len(postings), [""] * len(postings),
                [place for place, _, _ in lines], [account for _, account, _ in lines],
                [amount for _, _, amount in lines],
            )  # fmt: skip
    except psycopg.Error as error:
        return error_code(error)


def test_all_move_in_the_order_given(books):
    ada, ben, cy = books.person(100), books.person(), books.person()
    first, second, third = post(
        books,
        ("a", [(ada, -100), (ben, 100)]),
        ("b", [(ben, -70), (cy, 70)]),
        ("c", [(cy, -1), (ben, 1)]),
    )
    assert first < second < third
    assert [books.balance(account) for account in (ada, ben, cy)] == [0, 31, 69]
    assert books.db.execute(
        "select amount_minor, balance_minor from ledger_statement where account_id = %s"
        " order by posted_at",
        [ben],
    ).fetchall() == [(100, 100), (-70, 30), (1, 31)]
    assert books.findings() == []


def test_what_is_not_there_yet_cannot_be_spent(books):
    ada, ben, cy = books.person(100), books.person(), books.person()
    backwards = (("b", [(ben, -70), (cy, 70)]), ("a", [(ada, -100), (ben, 100)]))
    assert post(books, *backwards) == "ledger.insufficient_funds"
    assert [books.balance(account) for account in (ada, ben, cy)] == [100, 0, 0]
    assert books.one("select count(*) from ledger_transactions where kind = 'test.move_money'") == 1


def test_what_is_reserved_cannot_be_spent(books):
    ada, ben = books.person(100), books.person()
    books.one("select private.reserve('r', %s, 60)", ada)
    lines = [(ada, -41), (ben, 41)]
    assert post(books, ("a", lines)) == "ledger.insufficient_funds"
    assert post(books, ("a", [(ada, -20), (ben, 20)]), ("b", [(ada, -21), (ben, 21)])) == (
        "ledger.insufficient_funds"
    )
    assert post(books, ("a", [(ada, -40), (ben, 40)]))


def test_folded_accounts_take_no_lock_and_add_up(books):
    ada, fees = books.person(100), books.account("fees")
    post(books, *[(f"k{n}", [(ada, -n), (fees, n)]) for n in range(1, 6)])
    assert (books.balance(ada), books.balance(fees)) == (85, 15)
    books.one("select private.fold_balances()")
    assert books.balance(fees) == 15
    assert books.findings() == []


@pytest.mark.parametrize("broken", [
    [],
    [(0, -5)],
    [(0, -5), (1, 4)],
    [(0, -5), (0, 5)],
    [(0, -5), (1, 5), (1, 0)],
    [(0, None), (1, 5)],
    [(0, -5), (None, 5)],
])  # fmt: skip
def test_each_posting_must_balance_by_itself(books, broken):
    accounts = [books.person(100), books.person(100)]
    lines = [(place if place is None else accounts[place], amount) for place, amount in broken]
    good = ("good", [(accounts[0], -1), (accounts[1], 1)])
    assert post(books, good, ("bad", lines)) == "ledger.invalid_posting"
    assert [books.balance(account) for account in accounts] == [100, 100]


def test_amounts_stay_in_range(books):
    ada, ben = books.person(100), books.person()
    for amount in (10**15 + 1, 2**62):
        lines = [(ben, amount), (ada, -amount)]
        assert post(books, ("x", lines)) == "ledger.invalid_amount"


def test_no_line_without_posting_and_no_key_twice(books):
    ada, ben = books.person(100), books.person()
    lines = [(ada, -5), (ben, 5)]
    assert post(books, ("a", lines), ("a", lines)) == "ledger.invalid_posting"
    for places in ([1, 1, 2, 2], [1, 1, 0, 0], [1, 1, None, None]):
        with pytest.raises(psycopg.Error) as refused, books.db.transaction():
            books.one(MANY, ["a"], ["a.b"], [None], [""], places, [ada, ben] * 2, [-5, 5] * 2)
        assert error_code(refused.value) == "ledger.invalid_posting"
    assert post(books) == []


def test_currencies_never_mix(books):
    euros, dollars = books.person(100), books.person(currency="USD")
    assert post(books, ("x", [(euros, -5), (dollars, 5)])) == "23000"


def test_unknown_accounts_are_refused(books):
    assert post(books, ("x", [(books.person(100), -5), (10**12, 5)])) == "23503"


def test_a_repeat_moves_nothing_whoever_posted_first(books):
    ada, ben = books.person(100), books.person()
    one = books.move("a", {ada: -40, ben: 40})
    again, new = post(books, ("a", [(ada, -40), (ben, 40)]), ("b", [(ada, -1), (ben, 1)]))
    assert (again, books.balance(ben)) == (one, 41)
    assert post(books, ("b", [(ada, -1), (ben, 1)])) == [new]
    assert books.move("b", {ada: -1, ben: 1}) == new
    assert books.balance(ben) == 41
    other = ("b", [(ada, -2), (ben, 2)])
    assert post(books, ("c", [(ada, -1), (ben, 1)]), other) == "ledger.key_reused"
    assert books.balance(ben) == 41
    assert books.findings() == []


def test_a_debt_that_was_set_off_is_not_owed_anew(books):
    ada, ben = books.person(), books.person(1000)
    books.db.execute("update ledger_accounts set floor_minor = -100 where id = %s", [ada])
    books.move("owe", {ada: -100, ben: 100})
    off, anew = ("off", [(ben, -60), (ada, 60)]), ("anew", [(ada, -1), (ben, 1)])
    assert post(books, off, anew) == "ledger.insufficient_funds"
    assert post(books, off)
    assert books.one("select floor_minor from ledger_accounts where id = %s", ada) == -40


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moves=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 60)), max_size=12
    ),
    floors=st.lists(st.integers(-50, 0), min_size=2, max_size=2),
)
def test_as_one_after_another(books, moves, floors):
    """Any postings, over accounts with money, with debts, and everybody's."""
    with books.db.transaction(force_rollback=True):
        pictures = []
        for way in ("single", "many"):
            accounts = [books.person(100), books.person(40), books.person(), books.account("fees")]
            for account, floor in zip(accounts[1:], floors, strict=False):
                books.db.execute(
                    "update ledger_accounts set floor_minor = %s where id = %s", [floor, account]
                )
            before = books.balance(accounts[3])
            postings = [
                (f"{way}:{number}", [(accounts[giver], -amount), (accounts[taker], amount)])
                for number, (giver, taker, amount) in enumerate(moves)
                if giver != taker
            ]
            if way == "single":
                refusal = None
                try:
                    with books.db.transaction():
                        for key, lines in postings:
                            books.move(key, dict(lines))
                except psycopg.Error as error:
                    refusal = error_code(error)
            else:
                ids = post(books, *postings)
                refusal = ids if isinstance(ids, str) else None
                assert refusal or ids == sorted(ids)
            pictures.append((
                refusal,
                [books.balance(account) for account in accounts[:3]],
                books.balance(accounts[3]) - before,
                [
                    books.one("select floor_minor from ledger_accounts where id = %s", account)
                    for account in accounts
                ],
                [
                    books.db.execute(
                        "select amount_minor, balance_minor from ledger_entries"
                        " where account_id = %s order by posted_at, transaction_id",
                        [account],
                    ).fetchall()
                    for account in accounts[:3]
                ],
            ))  # fmt: skip
        assert pictures[0] == pictures[1]
        assert books.findings() == []


def test_batches_over_the_same_accounts_wait_for_each_other(open_books):
    """Crosswise in order: every batch goes through, none deadlocks, keys are kept once."""
    books = open_books()
    accounts = [books.person(10_000) for _ in range(6)]
    results = []

    def work(name, order):
        mine = open_books()
        for turn in range(10):
            results.append(
                post(mine, *[
                    (f"{name}:{turn}:{place}", [(giver, -1), (taker, 1)])
                    for place, (giver, taker) in enumerate(pairwise(order))
                ])
            )  # fmt: skip

    # three of them know the same facts
    names = ["one", "two", "three", "same", "same", "same"]
    threads = [
        threading.Thread(target=work, args=[name, accounts[:: -1 if name == "two" else 1]])
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result for result in results if isinstance(result, str)] == []
    assert len(results) == 60
    kept = "select count(*) from ledger_transactions where kind = 'test.move_money'"
    assert books.one(kept) == 6 + 4 * 10 * 5
    assert books.trial_balance() == {"EUR": 0}
    assert books.findings() == []
