"""Many at once on one balance and one withdrawal: exactly one effect, whoever wins."""

import threading
from collections import Counter

import psycopg
import pytest

from tests.fixtures.people import Person, appoint, error_code, sign_up
from tests.payments.purses import CHANGE, REQUEST, Purse

CLIENTS = 64


class Crowd:
    """A purse that commits, and as many connections as are wanted."""

    def __init__(self, url):
        self.url, self.open = url, []
        self.purse = Purse(self.connect())

    def connect(self):
        self.open.append(psycopg.connect(self.url, autocommit=True))
        return self.open[-1]

    def call(self, person, query, *arguments):
        """A call on a connection of its own, to be run in a thread."""
        other = Person(self.connect(), person.name, person.role, person.id)
        return lambda: other.rows(query, arguments)

    def together(self, works):
        """Run these at once; what each returned, or was refused with."""
        barrier = threading.Barrier(len(works))
        results = [None] * len(works)

        def run(number):
            barrier.wait()
            try:
                results[number] = works[number]()
            except psycopg.Error as error:
                results[number] = error_code(error)

        threads = [threading.Thread(target=run, args=[number]) for number in range(len(works))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


@pytest.fixture
def crowd(own_database):
    made = Crowd(own_database)
    yield made
    for connection in made.open:
        connection.close()


def _refusals(results):
    return Counter(result for result in results if isinstance(result, str))


def test_exactly_the_balance_leaves(crowd):
    purse = crowd.purse
    purse.fund(10_000)
    accounts = [purse.account(), purse.account("paypal")]
    results = crowd.together(
        [
            crowd.call(purse.owner, REQUEST, 1_000, "EUR", accounts[number % 2], None)
            for number in range(CLIENTS)
        ]
    )
    assert _refusals(results) == {"ledger.insufficient_funds": CLIENTS - 10}
    assert purse.balance() == (10_000, 10_000)
    assert purse.one("select count(*) from withdrawals") == 10
    assert purse.findings() == []


def test_the_daily_limit_holds(crowd):
    purse = crowd.purse
    purse.fund(100_000_000)
    purse.account()
    results = crowd.together(
        [crowd.call(purse.owner, REQUEST, 400_000, "EUR", None, None) for _ in range(16)]
    )
    assert _refusals(results) == {"payments.limit_exceeded": 14}
    assert purse.balance() == (100_000_000, 800_000)


def test_one_key_is_one_withdrawal(crowd):
    purse = crowd.purse
    purse.fund(10_000)
    purse.account()
    results = crowd.together(
        [crowd.call(purse.owner, REQUEST, 1_000, "EUR", None, "one") for _ in range(CLIENTS)]
    )
    assert len({str(result) for result in results}) == 1
    assert purse.balance() == (10_000, 1_000)


def test_workers_claim_it_once(crowd):
    """One may send; every other knows that it may have been sent, under the same key."""
    purse = crowd.purse
    purse.fund(10_000)
    purse.account()
    withdrawal = purse.request(1_000)
    claim = "select request_id, is_repeat from private.claim_withdrawal(%s)"
    results = crowd.together([crowd.call(purse.worker, claim, withdrawal) for _ in range(CLIENTS)])
    rows = [row for result in results for row in result]
    assert len({request for request, _ in rows}) == 1
    assert Counter(is_repeat for _, is_repeat in rows) == {False: 1, True: CLIENTS - 1}
    assert purse.one(
        "select count(*) from private.provider_requests where subject_id = %s", withdrawal
    ) == 1  # fmt: skip
    assert purse.steps(withdrawal).count("sending") == 1


def test_calling_off_or_sending_one_wins(crowd):
    purse = crowd.purse
    purse.fund(64_000)
    purse.account()
    for _ in range(8):
        withdrawal = purse.request(1_000)
        works = [
            crowd.call(purse.owner, "select cancel_withdrawal(%s)", withdrawal),
            crowd.call(
                purse.worker, "select request_id from private.claim_withdrawal(%s)", withdrawal
            ),
        ]
        cancelled, claimed = crowd.together(works)
        assert (cancelled == "payments.invalid_transition") == bool(claimed)
        assert purse.status(withdrawal) == ("sending" if claimed else "cancelled")
    assert purse.findings() == []


def test_every_word_of_the_provider_at_once(crowd):
    """In any order, any number of times, with the worker's own doubts in between."""
    purse = crowd.purse
    purse.fund(10_000)
    purse.account()
    for words, ends in (
        (["sent", "paid"], {"paid"}),
        (["sent", "paid", "returned"], {"returned"}),
        (["sent", "failed"], {"failed"}),
        (["sent", "paid", "failed"], {"failed", "returned"}),
    ):
        withdrawal = purse.request(1_000)
        request = purse.claim(withdrawal)
        reference = f"tr_{withdrawal}"
        works = [
            crowd.call(purse.worker, CHANGE, "stripe", reference, request, word, "x")
            for word in words * 6
        ] + [
            crowd.call(purse.worker, "select private.question_withdrawal(%s, 'x')", request)
            for _ in range(4)
        ]
        assert _refusals(crowd.together(works)) == {}
        assert purse.status(withdrawal) in ends
        assert purse.findings() == []
    assert purse.balance() == (9_000, 0)


def test_two_operators_at_once_confirm_once(crowd):
    purse = crowd.purse
    purse.fund(10_000)
    first = purse.operator()
    others = [purse.operator("admin") for _ in range(16)]
    ((approval,),) = first.rows(
        "select id from propose_adjustment(%s, -500, 'EUR', 'fees', 'x')", [purse.owner.id]
    )
    results = crowd.together(
        [crowd.call(other, "select confirm_approval(%s)", approval) for other in others]
    )
    assert _refusals(results) == {"ops.approval_closed": 15}
    assert purse.balance() == (9_500, 0)


def test_schedules_are_shared_by_workers(crowd):
    db = crowd.connect()
    purses = []
    for _ in range(8):
        purse = Purse(db)
        purse.fund(5_000)
        purse.account()
        purse.owner.rows("select set_withdrawal_schedule('EUR', 'weekly')")
        purses.append(purse)
    db.execute("update withdrawal_schedules set next_at = now()")

    def work():
        mine = crowd.connect()
        for owner, currency in mine.execute(
            "select * from private.take_due_schedules()"
        ).fetchall():
            mine.execute("select private.request_scheduled(%s, %s)", [owner, currency])
        return []

    assert _refusals(crowd.together([work] * 6)) == {}
    for _ in range(2):
        work()
    assert db.execute("select count(*), sum(amount_minor)::bigint from withdrawals").fetchone() == (
        8,
        40_000,
    )
    assert purses[0].findings() == []


def test_everything_at_once_deadlocks_never(crowd):
    """Requests, cancellations, claims, words, closing and default accounts, write-offs."""
    purse = crowd.purse
    purse.fund(100_000)
    accounts = [purse.account(), purse.account()]
    operators = [appoint(purse.db, sign_up(purse.db, "op"), "moderator") for _ in range(2)]
    requests = []
    for _ in range(12):
        withdrawal = purse.request(1_000, account=accounts[0])
        requests.append((withdrawal, purse.claim(withdrawal)))
    waiting = [purse.request(1_000, account=accounts[1]) for _ in range(8)]
    works = [crowd.call(purse.owner, REQUEST, 500, "EUR", one, None) for one in accounts * 6]
    works += [
        crowd.call(purse.worker, CHANGE, "stripe", f"tr_{withdrawal}", request, word, "x")
        for withdrawal, request in requests
        for word in ("paid", "returned")
    ]
    works += [
        crowd.call(purse.worker, "select private.question_withdrawal(%s, 'x')", request)
        for _, request in requests
    ]
    works += [
        crowd.call(purse.worker, "select private.claim_withdrawal(%s)", one) for one in waiting
    ]
    works += [crowd.call(purse.owner, "select cancel_withdrawal(%s)", one) for one in waiting]
    works += [crowd.call(purse.owner, "select set_default_account(%s)", one) for one in accounts]
    works += [
        crowd.call(purse.owner, "select close_connected_account(%s)", one) for one in accounts
    ]
    works += [crowd.call(purse.worker, "select private.tend_withdrawals()") for _ in range(2)]
    works += [
        crowd.call(
            one,
            "select propose_adjustment(%s, -100, 'EUR', 'fees', 'x')",
            purse.owner.id,
        )
        for one in operators
    ]
    refusals = _refusals(crowd.together(works))
    assert set(refusals) <= {"payments.invalid_transition", "payments.account_in_use"}
    assert purse.findings() == []
