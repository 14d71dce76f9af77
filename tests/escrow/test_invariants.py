"""Whatever people do, in whatever order: money is kept, and each sees theirs."""

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.escrow.conftest import Guild
from tests.fixtures.people import error_code

CURRENCIES = ("EUR", "JPY")
CHOICE = st.integers(0, 3)
AMOUNTS = st.integers(1, 10**12)
REFUSALS = {
    "escrow.invalid_transition", "escrow.wrong_party", "escrow.amount_exceeded",
    "escrow.revision_limit_reached", "escrow.already_funded", "escrow.not_payable",
}  # fmt: skip
FREE = {"pending_payment", "payment_processing", "failed", "cancelled", "released", "refunded"}


def _machine(database):
    class Escrows(RuleBasedStateMachine):
        """Four escrows in two currencies, two agents, and everything that can happen to them."""

        def __init__(self):
            super().__init__()
            self.db = psycopg.connect(database)
            self.guild = Guild(self.db)
            self.agents = [self.guild.agent(self.guild.sponsor)]
            self.agents.append(self.guild.agent(self.guild.creator))
            self.escrows: list[object] = []
            self.paid = dict.fromkeys(CURRENCIES, 0)

        def teardown(self):
            self.db.rollback()
            self.db.close()

        def do(self, person, call, choice, *arguments):
            if self.escrows:
                escrow = self.escrows[choice % len(self.escrows)]
                answer = self.guild.act(getattr(self.guild, person), call, escrow, *arguments)
                assert "." not in answer or answer in REFUSALS, answer

        @rule(price=AMOUNTS, currency=st.sampled_from(CURRENCIES))
        def open(self, price, currency):
            if len(self.escrows) < 4:
                self.escrows += self.guild.open(price, currency=currency)

        @rule(choice=CHOICE, repeats=st.booleans())
        def fund(self, choice, repeats):
            for _ in range(1 + repeats if self.escrows else 0):
                escrow = self.escrows[choice % len(self.escrows)]
                was_funded = self.guild.one(
                    "select funded_at is not null from escrows where id = %s", escrow
                )
                refusal = None
                try:
                    with self.db.transaction():
                        self.guild.fund(escrow, f"pi:{escrow}")
                except psycopg.Error as error:
                    refusal = error_code(error)
                assert refusal is None or refusal in REFUSALS
                if refusal:
                    continue
                if not was_funded:
                    total, currency = self.db.execute(
                        "select total_minor, currency from escrows where id = %s", [escrow]
                    ).fetchone()
                    self.paid[currency] += total

        @rule(choice=CHOICE)
        def deliver(self, choice):
            self.do("creator", "start_work", choice)
            self.do("creator", "submit_work", choice, "x")
            self.do("sponsor", "start_review", choice)

        @rule(choice=CHOICE)
        def start_work(self, choice):
            self.do("creator", "start_work", choice)

        @rule(choice=CHOICE)
        def submit(self, choice):
            self.do("creator", "submit_work", choice, "x")

        @rule(choice=CHOICE)
        def review(self, choice):
            self.do("sponsor", "start_review", choice)

        @rule(choice=CHOICE)
        def approve(self, choice):
            self.do("sponsor", "approve_escrow", choice)

        @rule(choice=CHOICE)
        def reject(self, choice):
            self.do("sponsor", "reject_work", choice, "x")

        @rule(choice=CHOICE, person=st.sampled_from(["sponsor", "creator"]))
        def dispute(self, choice, person):
            self.do(person, "dispute_escrow", choice, "x")

        @rule(choice=CHOICE, person=st.sampled_from(["sponsor", "creator"]))
        def cancel(self, choice, person):
            self.do(person, "cancel_escrow", choice)

        @rule(
            choice=CHOICE,
            amount=st.none() | AMOUNTS,
            person=st.sampled_from(["sponsor", "creator"]),
        )
        def refund(self, choice, amount, person):
            self.do(person, "refund_escrow", choice, "x", amount)

        @rule(
            choice=CHOICE,
            end=st.sampled_from([("release", None), ("refund", None)])
            | AMOUNTS.map(lambda amount: ("split", amount)),
        )
        def resolve(self, choice, end):
            self.do("moderator", "resolve_dispute", choice, end[0], "x", end[1])

        @rule()
        def time_passes(self):
            self.db.execute("update escrows set review_due_at = now() - interval '1 s'")
            self.guild.one("select private.approve_next_overdue()")

        @invariant()
        def money_is_kept(self):
            assert self.guild.findings() == []
            everyone = [self.guild.sponsor, self.guild.creator, *self.agents, None]
            for currency in CURRENCIES:
                held = self.guild.one(
                    "select coalesce(sum(remaining_minor), 0)::bigint from escrows"
                    " where currency = %s",
                    currency,
                )
                assert self.paid[currency] == held + sum(
                    self.guild.held(person, currency) for person in everyone
                )

        @invariant()
        def an_account_is_empty_exactly_when_it_is_over(self):
            for status, balance in self.db.execute(
                "select status, coalesce(posted_minor, 0) from escrows left join ledger_accounts"
                " on subject_id = escrows.id and kind = 'escrow'"
            ):
                assert (balance == 0) == (status in FREE), status

    return Escrows


def test_invariants(own_database):
    run_state_machine_as_test(
        _machine(own_database),
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
