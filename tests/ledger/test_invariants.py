"""Whatever sequence of moves and reservations: sums are zero, nobody is below zero, it verifies."""

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.fixtures.people import error_code
from tests.ledger.conftest import Books

AMOUNTS = st.integers(1, 10**12)
PERSON = st.integers(0, 3)


def _machine(database):
    class Ledger(RuleBasedStateMachine):
        """A model beside the real one: what each person must hold, and hold back."""

        def __init__(self):
            super().__init__()
            self.db = psycopg.connect(database)
            self.books = Books(self.db)
            self.accounts = [
                self.books.person(currency=currency) for currency in ("EUR", "EUR", "JPY", "JPY")
            ]
            self.held = [0] * 4
            self.reserved: list[int] = [0] * 4
            self.pending: list[tuple[str, int, int]] = []
            self.keys = 0
            self.posted: list[tuple[str, dict[int, int], int]] = []

        def teardown(self):
            self.db.rollback()
            self.db.close()

        def attempt(self, query, *arguments):
            """The answer, or the code of the refusal; a refusal changes nothing."""
            try:
                with self.db.transaction():
                    return self.books.one(query, *arguments)
            except psycopg.Error as error:
                return error_code(error)

        def post(self, lines, key=None):
            self.keys += 1
            key = key or f"key:{self.keys}"
            answer = self.attempt(
                "select private.post_transaction(%s, 'test.move', %s, %s)",
                key, list(lines), list(lines.values()),
            )  # fmt: skip
            if isinstance(answer, int):
                self.posted.append((key, lines, answer))
            return answer

        @rule(choice=st.integers(0), is_other=st.booleans())
        def repeat(self, choice, is_other):
            """Also when the money has long gone on: what was posted stays posted, once."""
            if not self.posted:
                return
            key, lines, known = self.posted[choice % len(self.posted)]
            if is_other:
                doubled = {account: 2 * amount for account, amount in lines.items()}
                assert self.post(doubled, key) == "ledger.key_reused"
            else:
                assert self.post(lines, key) == known

        @rule(person=PERSON, amount=AMOUNTS)
        def fund(self, person, amount):
            clearing = self.books.clearing("EUR" if person < 2 else "JPY")
            assert isinstance(self.post({clearing: -amount, self.accounts[person]: amount}), int)
            self.held[person] += amount

        @rule(giver=PERSON, amount=AMOUNTS)
        def give(self, giver, amount):
            taker = giver ^ 1
            answer = self.post({self.accounts[giver]: -amount, self.accounts[taker]: amount})
            if self.held[giver] - self.reserved[giver] >= amount:
                assert isinstance(answer, int)
                self.held[giver] -= amount
                self.held[taker] += amount
            else:
                assert answer == "ledger.insufficient_funds"

        @rule(person=PERSON, amount=AMOUNTS)
        def across_currencies(self, person, amount):
            lines = {self.accounts[person]: -amount, self.accounts[3 - person]: amount}
            assert self.post(lines) in {"23000", "ledger.insufficient_funds"}

        @rule(person=PERSON, amount=AMOUNTS)
        def reserve(self, person, amount):
            self.keys += 1
            answer = self.attempt(
                "select private.reserve(%s, %s, %s)::text",
                f"key:{self.keys}", self.accounts[person], amount,
            )  # fmt: skip
            if self.held[person] - self.reserved[person] >= amount:
                self.pending.append((answer, person, amount))
                self.reserved[person] += amount
            else:
                assert answer == "ledger.insufficient_funds"

        @rule(choice=st.integers(0), posts=st.booleans())
        def end_reservation(self, choice, posts):
            if not self.pending:
                return
            reservation, person, amount = self.pending.pop(choice % len(self.pending))
            self.reserved[person] -= amount
            if posts:
                self.keys += 1
                self.attempt(
                    "select private.post_reservation(%s, %s, 'test.post', %s)",
                    reservation, f"key:{self.keys}", self.accounts[person ^ 1],
                )  # fmt: skip
                self.held[person] -= amount
                self.held[person ^ 1] += amount
            else:
                self.attempt("select private.close_reservation(%s, 'voided')", reservation)

        @rule()
        def fold(self):
            self.attempt("select private.fold_balances()")

        @rule()
        def seal(self):
            self.attempt("select private.seal_ledger()")

        @invariant()
        def balances_are_the_models(self):
            found = self.db.execute(
                "select posted_minor, reserved_minor from ledger_accounts where id = any(%s)"
                " order by id",
                [self.accounts],
            ).fetchall()
            assert found == list(zip(self.held, self.reserved, strict=True))

        @invariant()
        def it_verifies(self):
            assert self.books.findings() == []
            assert self.books.broken_statements() == []
            assert set(self.books.trial_balance().values()) <= {0}

    return Ledger


def test_invariants(own_database):
    run_state_machine_as_test(
        _machine(own_database),
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
