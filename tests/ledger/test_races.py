"""Many at once: one effect per key, no money made or lost, no deadlock."""

import random
import threading

import psycopg

from tests.fixtures.people import error_code


def _together(count, work):
    """Run `work(number)` in threads that start at once; what each returned or raised."""
    barrier = threading.Barrier(count)
    results = [None] * count

    def run(number):
        barrier.wait()
        try:
            results[number] = work(number)
        except psycopg.Error as error:
            results[number] = error_code(error)

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_key_at_once_moves_once(open_books):
    books = open_books()
    ada, ben = books.person(1000), books.person()
    many = [open_books() for _ in range(16)]
    ids = _together(16, lambda number: many[number].move("one", {ada: -10, ben: 10}))
    assert len(set(ids)) == 1
    assert books.balance(ben) == 10


def test_one_balance_is_spent_once(open_books):
    books = open_books()
    ada, ben = books.person(100), books.person()
    many = [open_books() for _ in range(16)]
    outcomes = _together(
        16, lambda number: many[number].move(f"spend:{number}", {ada: -30, ben: 30})
    )
    assert outcomes.count("ledger.insufficient_funds") == 13
    assert (books.balance(ada), books.balance(ben)) == (10, 90)


def test_one_reservation_ends_once(open_books):
    books = open_books()
    ada, ben = books.person(100), books.person()
    held = books.one("select private.reserve('r', %s, 70)", ada)
    many = [open_books() for _ in range(12)]
    ends = [
        ("select (private.close_reservation(%s, 'voided')).status", held),
        ("select (private.close_reservation(%s, 'expired')).status", held),
        ("select private.post_reservation(%s, 'p', 'test.post', %s)", held, ben),
    ]
    outcomes = _together(12, lambda number: many[number].one(*ends[number % 3]))
    assert outcomes.count("ledger.reservation_closed") == 8
    assert books.balance(ada) + books.balance(ben) == 100
    assert books.findings() == []


def test_random_moves_in_every_direction_deadlock_never(open_books):
    books = open_books()
    accounts = [books.person(10_000) for _ in range(4)] + [books.clearing()]
    many = [open_books() for _ in range(8)]

    def storm(number):
        chance = random.Random(number)
        for step in range(60):
            taker, giver, third = chance.sample(accounts, 3)
            amount = chance.randint(1, 50)
            lines = {taker: 2 * amount, giver: -amount, third: -amount}
            shuffled = dict(chance.sample(list(lines.items()), 3))
            try:
                many[number].move(f"{number}:{step}", shuffled)
            except psycopg.Error as error:
                refusals.add(error_code(error))
        return "done"

    refusals = set()
    assert _together(8, storm) == ["done"] * 8
    assert refusals <= {"ledger.insufficient_funds"}
    assert books.trial_balance() == {"EUR": 0}
    books.db.execute("select private.fold_balances()")
    assert sum(map(books.balance, accounts)) == 0
    assert books.findings() == []


def test_folding_in_a_storm_loses_nothing(open_books):
    books, folder = open_books(), open_books()
    ada = books.person(0)
    clearing = books.clearing()
    many = [open_books() for _ in range(4)]
    done = threading.Event()
    seen = []

    def fold():
        while not done.is_set():
            folder.db.execute("select private.fold_balances()")
            seen.append(folder.balance(clearing))

    folding = threading.Thread(target=fold)
    folding.start()
    _together(
        4,
        lambda number: [
            many[number].move(f"{number}:{step}", {clearing: -1, ada: 1}) for step in range(100)
        ],
    )
    done.set()
    folding.join()
    assert seen == sorted(seen, reverse=True), "a balance ran backwards"
    assert books.balance(clearing) == -400
    assert books.findings() == []
