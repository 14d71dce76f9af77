"""Many at once: one effect per key, no money made or lost, no deadlock."""

import itertools
import random
import threading

import psycopg
import pytest

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


def test_64_at_one_balance_take_what_is_there_and_no_more(open_books):
    """Half of them spend, half of them reserve; 1000 is 33 times 30 and a rest of 10."""
    books = open_books()
    ada, ben = books.person(1000), books.person()
    many = [open_books() for _ in range(64)]

    def take(number):
        if number % 2:
            return many[number].one("select private.reserve(%s, %s, 30)", f"hold:{number}", ada)
        return many[number].move(f"spend:{number}", {ada: -30, ben: 30})

    outcomes = _together(64, take)
    assert outcomes.count("ledger.insufficient_funds") == 64 - 33
    spent = sum(isinstance(outcome, int) for outcome in outcomes)
    assert books.balance(ben) == 30 * spent
    assert books.db.execute(
        "select posted_minor, available_minor from ledger_balances where account_id = %s", [ada]
    ).fetchone() == (1000 - 30 * spent, 10)
    assert books.findings() == []


def test_64_with_one_key_post_once(open_books):
    """Also where no account is locked: both are everybody's."""
    books = open_books()
    clearing, fees = books.clearing(), books.account("fees")
    many = [open_books() for _ in range(64)]
    ids = _together(64, lambda number: many[number].move("one", {clearing: -10, fees: 10}))
    assert len(set(ids)) == 1
    assert (books.balance(clearing), books.balance(fees)) == (-10, 10)


def test_one_key_reserves_once(open_books):
    books = open_books()
    ada = books.person(100)
    many = [open_books() for _ in range(16)]
    reserve = "select private.reserve('r', %s, %s)"
    outcomes = _together(16, lambda number: many[number].one(reserve, ada, 10 + number % 2))
    assert outcomes.count("ledger.key_reused") == 8
    (held,) = {outcome for outcome in outcomes if outcome != "ledger.key_reused"}
    assert books.db.execute("select id, amount_minor from ledger_reservations").fetchall() == [
        (held, books.one("select reserved_minor from ledger_accounts where id = %s", ada))
    ]


def test_one_reservation_is_posted_under_one_of_many_keys(open_books):
    books = open_books()
    ada, ben = books.person(100), books.person()
    held = books.one("select private.reserve('r', %s, 40)", ada)
    many = [open_books() for _ in range(16)]
    post = "select private.post_reservation(%s, %s, 'test.post', %s)"
    outcomes = _together(16, lambda number: many[number].one(post, held, f"p:{number}", ben))
    assert outcomes.count("ledger.reservation_closed") == 15
    assert (books.balance(ada), books.balance(ben)) == (60, 40)


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
    assert books.findings() == books.broken_statements() == []


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


class Storm:
    """One connection doing one kind of thing to accounts that the other one is at as well."""

    def __init__(self, books, name, accounts):
        self.books, self.name = books, name
        self.accounts, self.clearing = accounts, books.clearing()
        self.chance = random.Random(name)
        self.held = []

    def post(self, step):
        giver, taker, third = self.chance.sample([*self.accounts, self.clearing], 3)
        self.books.move(f"{self.name}:{step}", {third: -1, taker: 2, giver: -1})

    def reserve(self, step):
        account = self.chance.choice(self.accounts)
        held = self.books.one(
            "select private.reserve(%s, %s, 1, expires_at => now())", f"{self.name}:{step}", account
        )
        self.held.append(held)
        return held

    def close(self, step):
        held = self._pending() or self.reserve(step)
        self.books.one("select (private.close_reservation(%s, 'voided')).status", held)

    def post_reservation(self, step):
        held = self._pending() or self.reserve(step)
        to = self.chance.choice([*self.accounts, self.clearing])
        self.books.one(
            "select private.post_reservation(%s, %s, 'test.post', %s)",
            held, f"{self.name}:{step}:posted", to,
        )  # fmt: skip

    def expire(self, step):
        self.reserve(step)
        self.books.one("select private.expire_reservations()")

    def fold(self, _):
        self.books.one("select private.fold_balances()")

    def seal(self, _):
        self.books.one("select private.seal_ledger()")

    def open_account(self, step):
        account = self.books.account("escrow", subject_id=f"{step:032x}")
        self.books.move(f"{self.name}:{step}", {self.accounts[0]: -1, account: 1})

    def read(self, _):
        """In one snapshot nothing is ever missing: what stands on all accounts sums to zero."""
        total = "select sum(private.account_balance(id)) from ledger_accounts"
        assert self.books.one(total) == 0

    def _pending(self):
        return self.books.one(
            "select id from ledger_reservations where status = 'pending' and account_id = any(%s)"
            " order by random() limit 1",
            self.accounts,
        )


OPERATIONS = (
    "post", "reserve", "close", "post_reservation", "expire", "fold", "seal", "open_account",
    "read",
)  # fmt: skip
# what one may lose to the other: money, or a reservation that the other was faster to end; a
# reservation posted to its own account is no posting
LOST = {
    "ledger.insufficient_funds", "ledger.reservation_closed", "ledger.invalid_posting",
}  # fmt: skip


def test_every_pair_of_operations_goes_together(open_books):
    """No deadlock, no lost update: whatever meets whatever on the same accounts."""
    books = open_books()
    accounts = [books.person(1000) for _ in range(3)]
    couple = [open_books(), open_books()]
    for pair in itertools.combinations_with_replacement(OPERATIONS, 2):
        storms = [
            Storm(couple[number], f"{'+'.join(pair)}:{number}", accounts) for number in range(2)
        ]

        def run(number, pair=pair, storms=storms):
            lost = set()
            for step in range(12):
                try:
                    getattr(storms[number], pair[number])(step)
                except psycopg.Error as error:
                    lost.add(error_code(error))
            return lost

        outcomes = _together(2, run)
        assert all(isinstance(lost, set) and lost <= LOST for lost in outcomes), (pair, outcomes)
    assert books.trial_balance() == {"EUR": 0}
    assert books.findings() == books.broken_statements() == []


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_a_stricter_isolation_loses_nothing_either(open_books, isolation):
    """It may have to be asked again, as always there; it never moves by what it saw before."""
    books = open_books()
    ada, ben = books.person(100), books.person()
    many = [open_books() for _ in range(8)]
    for one in many:
        one.db.execute(f"set default_transaction_isolation = '{isolation}'")
    outcomes = _together(8, lambda number: many[number].move(f"s:{number}", {ada: -30, ben: 30}))
    moved = sum(isinstance(outcome, int) for outcome in outcomes)
    assert set(outcomes) - {"40001", "ledger.insufficient_funds"} == {
        outcome for outcome in outcomes if isinstance(outcome, int)
    }
    assert 1 <= moved <= 3
    assert (books.balance(ada), books.balance(ben)) == (100 - 30 * moved, 30 * moved)
    assert books.findings() == []
