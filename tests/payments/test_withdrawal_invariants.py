"""Whatever happens to withdrawals, in whatever order: what is reserved is what is under way, money
is neither made nor lost, and nobody is paid twice.
"""

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.payments.purses import Purse

CURRENCIES = ("EUR", "JPY")
# limits begin at 500,000, two operators at 300,000
AMOUNTS = st.integers(100, 350_000) | st.integers(100, 2_000_000)
CHOICE = st.integers(0, 7)
REFUSALS = {
    "ok", "ledger.insufficient_funds", "payments.limit_exceeded", "payments.invalid_transition",
    "payments.withdrawal_mismatch", "payments.no_approval_needed", "payments.balance_owed",
    "payments.account_not_found",
}  # fmt: skip
FATES = {
    "paid": ["sent", "paid"], "failed": ["sent", "failed"],
    "returned": ["sent", "paid", "returned"],
}  # fmt: skip
OPEN = {"reserved", "sending", "unknown", "sent"}


def _machine(database):
    class Withdrawals(RuleBasedStateMachine):
        """One owner, a provider that does as it likes, two operators, and time."""

        def __init__(self):
            super().__init__()
            self.db = psycopg.connect(database)
            self.purse = Purse(self.db)
            self.purse.account()
            self.operators = [self.purse.operator(), self.purse.operator("admin")]
            self.funded = dict.fromkeys(CURRENCIES, 0)
            for currency in CURRENCIES:
                self.fund(1_000_000, currency)
            self.withdrawals: list[tuple[object, str, int]] = []
            self.keys: dict[object, object] = {}
            # what the provider did, whoever is told of it
            self.truth: dict[object, str] = {}

        def teardown(self):
            self.db.rollback()
            self.db.close()

        def pick(self, choice):
            return self.withdrawals[choice % len(self.withdrawals)][0]

        def status(self, withdrawal):
            return self.purse.status(withdrawal)

        @rule(amount=AMOUNTS, currency=st.sampled_from(CURRENCIES))
        def fund(self, amount, currency):
            self.purse.fund(amount, currency)
            self.funded[currency] += amount

        @rule(amount=AMOUNTS, currency=st.sampled_from(CURRENCIES), key=st.none() | CHOICE)
        def request(self, amount, currency, key):
            key = None if key is None else f"{key}:{amount}:{currency}"
            if len(self.withdrawals) < 8:
                outcome = self.purse.asked(amount, currency, key=key)
                assert outcome in REFUSALS, outcome
                # in the order in which they were made: a run must be repeatable
                self.withdrawals += [
                    row
                    for row in self.db.execute(
                        "select id, currency, amount_minor from withdrawals"
                    ).fetchall()
                    if row not in self.withdrawals
                ]

        @precondition(lambda self: self.withdrawals)
        @rule(choice=CHOICE)
        def cancel(self, choice):
            outcome = self.purse.outcome(
                self.purse.owner, "select cancel_withdrawal(%s)", self.pick(choice)
            )
            assert outcome in REFUSALS, outcome

        @precondition(lambda self: self.withdrawals)
        @rule(choice=CHOICE)
        def approve(self, choice):
            self._decide("propose_withdrawal_approval(%s, 'x')", self.pick(choice))

        def _decide(self, proposal, *arguments):
            first, second = self.operators
            outcome = self.purse.outcome(first, f"select {proposal}", *arguments)
            assert outcome in REFUSALS, outcome
            if outcome == "ok":
                approval = self.purse.one(
                    "select id from operator_approvals where status = 'proposed'"
                )
                assert self.purse.outcome(second, "select confirm_approval(%s)", approval) == "ok"

        @precondition(lambda self: self.withdrawals)
        @rule(choice=CHOICE, does=st.sampled_from(["sends", "pays", "declines", "hangs", "dies"]))
        def send(self, choice, does):
            """A worker claims it and the provider acts, or not; a repeat finds what it did."""
            withdrawal = self.pick(choice)
            request = self.purse.claim(withdrawal)
            if request is None:
                return
            assert self.keys.setdefault(withdrawal, request) == request, "a second key"
            if does == "declines" and withdrawal not in self.truth:
                self.purse.decline(request)
            elif does in ("hangs", "dies"):
                # it got through, and nobody heard of it
                if choice % 2:
                    self.truth.setdefault(withdrawal, "sent")
                if does == "hangs":
                    self.purse.question(request)
            else:
                self.truth.setdefault(withdrawal, "sent")
                if does == "pays" and self.truth[withdrawal] == "sent":
                    self.truth[withdrawal] = "paid"
                self._tell(withdrawal, self.truth[withdrawal])

        @precondition(lambda self: self.truth)
        @rule(
            choice=CHOICE,
            to=st.sampled_from(["paid", "failed", "returned"]),
            is_told=st.booleans(),
        )
        def provider_moves(self, choice, to, is_told):
            withdrawal = list(self.truth)[choice % len(self.truth)]
            was = self.truth[withdrawal]
            if (was, to) in {("sent", "paid"), ("sent", "failed"), ("paid", "returned")} or (
                was == "paid" and to == "failed"
            ):
                # what fails after it was paid came back
                self.truth[withdrawal] = "returned" if was == "paid" else to
                if is_told:
                    self._tell(withdrawal, to)
                    self._is_true(withdrawal)

        @precondition(lambda self: "sent" in self.truth.values())
        @rule(choice=CHOICE, fate=st.sampled_from(sorted(FATES)), data=st.data())
        def all_events_come_at_once(self, choice, fate, data):
            """All that is told of a withdrawal to its end, in any order, some of it twice."""
            sent = [one for one, truth in self.truth.items() if truth == "sent"]
            withdrawal = sent[choice % len(sent)]
            self.truth[withdrawal] = fate
            for word in data.draw(st.permutations(FATES[fate] + FATES[fate][:1])):
                self._tell(withdrawal, word)
            self._is_true(withdrawal)

        @precondition(lambda self: self.truth)
        @rule(choice=CHOICE, word=st.sampled_from(["sent", "paid"]), by_key=st.booleans())
        def an_old_event_comes(self, choice, word, by_key):
            """Old or new, double or not: all that once was true."""
            withdrawal = list(self.truth)[choice % len(self.truth)]
            was = {
                "sent": ["sent"], "paid": ["sent", "paid"], "failed": ["sent", "failed"],
                "returned": ["sent", "paid", "returned"],
            }[self.truth[withdrawal]]  # fmt: skip
            if word in was:
                self._tell(withdrawal, word, by_key=by_key)

        @precondition(lambda self: self.truth)
        @rule(choice=CHOICE)
        def reconcile(self, choice):
            """The truth comes out at last."""
            withdrawal = list(self.truth)[choice % len(self.truth)]
            self._tell(withdrawal, self.truth[withdrawal])
            self._is_true(withdrawal)

        def _is_true(self, withdrawal):
            assert self.status(withdrawal) in {
                "sent": ["sent"], "paid": ["paid"], "failed": ["failed"],
                # its return was told first as a failure: the money is where it belongs
                "returned": ["returned", "failed"],
            }[self.truth[withdrawal]]  # fmt: skip

        def _tell(self, withdrawal, word, *, by_key=True):
            reference, key = f"tr_{withdrawal}", self.keys[withdrawal]
            outcome = self.purse.told(word, reference, key if by_key else None)
            if not by_key and outcome == "payments.withdrawal_not_found":
                return
            assert outcome == "ok", outcome

        @invariant()
        def reserved_is_what_is_under_way(self):
            for currency in CURRENCIES:
                under_way = sum(
                    amount
                    for withdrawal, its, amount in self.withdrawals
                    if its == currency and self.status(withdrawal) in OPEN
                )
                assert self.purse.balance(currency)[1] == under_way

        @invariant()
        def money_is_kept(self):
            assert self.purse.findings() == []
            for currency in CURRENCIES:
                paid = sum(
                    amount
                    for withdrawal, its, amount in self.withdrawals
                    if its == currency and self.status(withdrawal) == "paid"
                )
                assert self.purse.balance(currency)[0] == self.funded[currency] - paid

        @invariant()
        def nobody_is_paid_twice(self):
            """What the provider has sent and not given back is never free to be taken out again."""
            for currency in CURRENCIES:
                gone = sum(
                    amount
                    for withdrawal, its, amount in self.withdrawals
                    if its == currency and self.truth.get(withdrawal) in ("sent", "paid")
                )
                posted, reserved = self.purse.balance(currency)
                assert posted - reserved <= self.funded[currency] - gone

        @invariant()
        def every_unit_is_explained(self):
            for currency in CURRENCIES:
                parts = sum(amount for _, amount, _ in self.purse.explain(currency))
                assert parts == self.purse.balance(currency)[0]

    return Withdrawals


@pytest.mark.timeout(600)
def test_invariants(own_database):
    run_state_machine_as_test(
        _machine(own_database),
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
