"""Whatever happens to a deal's money, in whatever order: it is kept, and nobody gets it twice.

Fund, submit, approve, dispute, refund, release, withdraw, return, charge back, by hand and in
doubt, with amounts of 1 to 10^12 minor units in three currencies. A model beside the ledger counts
only what crosses the border: what providers got and gave.
"""

import uuid

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.escrow.conftest import Guild
from tests.fixtures.people import error_code
from tests.payments.purses import Purse

CURRENCIES = ("EUR", "JPY", "KWD")
CHOICE = st.integers(0, 7)
AMOUNTS = st.integers(1, 10**12)
PROVIDER_WORDS = st.sampled_from(["sent", "paid", "failed", "returned"])


def _machine(database):
    class Money(RuleBasedStateMachine):
        """A sponsor, a creator, two agents; everything that can happen to what is between them."""

        def __init__(self):
            super().__init__()
            self.db = psycopg.connect(database)
            self.db.execute("update plan_features set allowed = null")
            self.db.execute(
                "update private.withdrawal_limits set minimum_minor = 1, multiple_minor = 1,"
                " maximum_minor = 1e15, daily_minor = 1e15, monthly_minor = 1e15,"
                " approval_minor = 1e15"
            )
            self.guild = Guild(self.db)
            self.guild.agent(self.guild.sponsor)
            self.guild.agent(self.guild.creator)
            self.purse = Purse(self.db, self.guild.creator)
            self.purse.account()
            self.escrows: list[object] = []
            self.withdrawals: list[tuple[object, object, str]] = []
            # what Stripe holds for us, by currency: in less out
            self.outside = dict.fromkeys(CURRENCIES, 0)
            self.cases = 0
            # payment disputes that were lost
            self.lost: list[tuple[str, str, int, str]] = []

        def teardown(self):
            self.db.rollback()
            self.db.close()

        def told(self, query, *arguments):
            """`ok`, or the code of a refusal, which has changed nothing."""
            try:
                with self.db.transaction():
                    self.db.execute(query, arguments)
            except psycopg.Error as error:
                return error_code(error)
            return "ok"

        def rows(self, query, *arguments):
            return self.db.execute(query, arguments).fetchall()

        def act(self, person, call, choice, *arguments):
            if self.escrows:
                escrow = self.escrows[choice % len(self.escrows)]
                self.guild.act(getattr(self.guild, person), call, escrow, *arguments)

        # --- the deal ---------------------------------------------------------------------------

        @rule(price=AMOUNTS, currency=st.sampled_from(CURRENCIES))
        def open(self, price, currency):
            if len(self.escrows) < 4:
                self.escrows += self.guild.open(price, currency=currency)

        @rule(choice=CHOICE, extra=st.sampled_from([0, 0, 0, 1, -1, 10**6]))
        def pay(self, choice, extra):
            """In full mostly; sometimes too much, too little, or once more."""
            if not self.escrows:
                return
            escrow = self.escrows[choice % len(self.escrows)]
            ((total, currency),) = self.rows(
                "select total_minor, currency from escrows where id = %s", escrow
            )
            found = self.rows("select id from orders where escrow_id = %s", escrow)
            if not found:
                if self.told_as_sponsor("select order_escrow(%s)", escrow) != "ok":
                    return
                found = self.rows("select id from orders where escrow_id = %s", escrow)
            amount = max(1, total + extra)
            told = self.told(
                "select private.record_payment(%s, 'stripe', %s, %s, %s)",
                found[0][0], f"pi_{uuid.uuid4().hex}", amount, currency,
            )  # fmt: skip
            assert told == "ok"
            self.outside[currency] += amount

        def told_as_sponsor(self, query, *arguments):
            try:
                with self.db.transaction():
                    self.guild.sponsor.rows(query, arguments)
            except psycopg.Error as error:
                return error_code(error)
            return "ok"

        @rule(choice=CHOICE)
        def deliver(self, choice):
            self.act("creator", "start_work", choice)
            self.act("creator", "submit_work", choice, "x")
            self.act("sponsor", "start_review", choice)

        @rule(choice=CHOICE)
        def approve(self, choice):
            self.act("sponsor", "approve_escrow", choice)

        @rule(choice=CHOICE)
        def reject(self, choice):
            self.act("sponsor", "reject_work", choice, "x")

        @rule(choice=CHOICE, person=st.sampled_from(["sponsor", "creator"]))
        def dispute(self, choice, person):
            self.act(person, "dispute_escrow", choice, "x")

        @rule(choice=CHOICE, end=st.sampled_from(["release", "refund"]))
        def resolve(self, choice, end):
            self.act("moderator", "resolve_dispute", choice, end, "x", None)

        @rule(choice=CHOICE, amount=AMOUNTS)
        def split(self, choice, amount):
            self.act("moderator", "resolve_dispute", choice, "split", "x", amount)

        @rule(choice=CHOICE, amount=st.none() | AMOUNTS)
        def refund(self, choice, amount):
            self.act("creator", "refund_escrow", choice, "x", amount)

        @rule(choice=CHOICE)
        def cancel(self, choice):
            self.act("sponsor", "cancel_escrow", choice)

        # --- what providers say -----------------------------------------------------------------

        @rule(choice=CHOICE, end=st.sampled_from(["succeeded", "failed", "declined", "unknown"]))
        def refund_ends(self, choice, end):
            waiting = self.rows(
                "select refund.id, payment.reference, refund.amount_minor, refund.currency::text,"
                " refund.status from refunds as refund"
                " join payments as payment on payment.id = refund.payment_id"
                " where refund.reservation_id is not null"
                # ids are drawn by chance: in an order that a replay meets again
                " order by payment.receipt_number, refund.amount_minor, refund.status"
            )
            if not waiting:
                return
            refund, payment, amount, currency, was = waiting[choice % len(waiting)]
            claimed = self.rows("select request_id from private.claim_refund(%s)", refund)
            if end in ("declined", "unknown"):
                if claimed:
                    verb = "decline" if end == "declined" else "question"
                    assert (
                        self.told(f"select private.{verb}_refund(%s, 'x')", claimed[0][0]) == "ok"
                    )
                return
            if not claimed and was == "failed":
                return
            told = self.told(
                "select private.change_refund('stripe', %s, %s, %s, %s, %s, %s, 'x')",
                f"re_{refund}", payment, end, amount, currency, claimed[0][0] if claimed else None,
            )  # fmt: skip
            assert told == "ok"
            if end == "succeeded" and was not in ("succeeded", "failed"):
                self.outside[currency] -= amount
            elif end == "failed" and was == "succeeded":
                self.outside[currency] += amount

        @rule(choice=CHOICE, part=st.integers(1, 100))
        def refund_by_hand(self, choice, part):
            self._taken(choice, part, "refund")

        @rule(choice=CHOICE, part=st.integers(1, 100))
        def bank_takes_back(self, choice, part):
            self._taken(choice, part, "dispute")

        def _taken(self, choice, part, kind):
            """The provider gives a payer back a part of what is left of their payment."""
            payments = self.rows(
                "select id, reference, currency::text, amount_minor - charged_back_minor"
                " - coalesce((select sum(amount_minor) from refunds where payment_id = payments.id"
                "   and status = 'succeeded' and reservation_id is not null), 0)::bigint"
                " from payments order by receipt_number"
            )
            if not payments:
                return
            _, reference, currency, left = payments[choice % len(payments)]
            amount = left * part // 100
            if amount <= 0:
                return
            self.cases += 1
            if kind == "refund":
                query = (
                    "select private.change_refund('stripe', %s, %s, 'succeeded', %s, %s, null, 'x')"
                )
                # an echo that fits a refund of ours under way would be taken for it
                if self.rows(
                    "select from refunds where amount_minor = %s and reference is null"
                    " and status in ('sending', 'unknown')",
                    amount,
                ):
                    return
            else:
                query = (
                    "select private.change_payment_dispute("
                    "'stripe', %s, %s, 'lost', %s, %s, 'x', null)"
                )
            for _ in range(2):  # and once more
                assert self.told(query, f"case_{self.cases}", reference, amount, currency) == "ok"
            self.outside[currency] -= amount
            if kind == "dispute":
                self.lost.append((f"case_{self.cases}", reference, amount, currency))

        @rule(choice=CHOICE)
        def bank_gives_back(self, choice):
            """A case that was lost is won on appeal; what is told again later changes nothing."""
            if not self.lost:
                return
            case, reference, amount, currency = self.lost.pop(choice % len(self.lost))
            for status in ("won", "won", "lost", "open"):
                told = self.told(
                    "select private.change_payment_dispute("
                    "'stripe', %s, %s, %s, %s, %s, 'x', null)",
                    case, reference, status, amount, currency,
                )  # fmt: skip
                assert told == "ok"
            self.outside[currency] += amount

        @rule(choice=CHOICE, is_open=st.booleans())
        def bank_asks(self, choice, is_open):
            payments = self.rows(
                "select reference, currency::text from payments order by receipt_number"
            )
            if payments:
                reference, currency = payments[choice % len(payments)]
                told = self.told(
                    "select private.change_payment_dispute('stripe', %s, %s, %s, 1, %s, 'x', null)",
                    f"ask_{reference}", reference, "open" if is_open else "won", currency,
                )  # fmt: skip
                assert told == "ok"

        # --- money out --------------------------------------------------------------------------

        @rule(amount=AMOUNTS, currency=st.sampled_from(CURRENCIES), takes_all=st.booleans())
        def withdraw(self, amount, currency, takes_all):
            posted, reserved = self.purse.balance(currency)
            if takes_all:
                amount = posted - reserved
            if amount <= 0:
                return
            told = self.purse.asked(amount, currency, None, uuid.uuid4().hex)
            assert "." in told or told == "ok", told
            if told == "ok":
                assert posted - reserved >= amount
                ((withdrawal,),) = self.rows(
                    "select id from withdrawals where status = 'reserved' and amount_minor = %s"
                    " order by created_at desc, id limit 1",
                    amount,
                )
                key = self.purse.claim(withdrawal)
                if key is not None:
                    self.withdrawals.append((withdrawal, key, f"tr_{uuid.uuid4().hex}"))

        @rule(choice=CHOICE, word=PROVIDER_WORDS)
        def withdrawal_told(self, choice, word):
            if not self.withdrawals:
                return
            withdrawal, key, reference = self.withdrawals[choice % len(self.withdrawals)]
            before = self.purse.status(withdrawal)
            assert self.purse.told(word, reference, key) == "ok"
            after = self.purse.status(withdrawal)
            ((amount, currency),) = self.rows(
                "select amount_minor, currency::text from withdrawals where id = %s", withdrawal
            )
            if after == "paid" and before != "paid":
                self.outside[currency] -= amount
            elif after == "returned" and before == "paid":
                self.outside[currency] += amount

        # --- what holds -------------------------------------------------------------------------

        @invariant()
        def all_money_is_accounted_for(self):
            for check in ("verify_ledger", "check_everything"):
                found = self.rows(f"select finding, subject from private.{check}()")
                assert found == [], (check, found)

        @invariant()
        def providers_hold_what_the_ledger_says(self):
            for currency in CURRENCIES:
                ((held,),) = self.rows(
                    "select coalesce(-sum(private.account_balance(id)), 0)::bigint"
                    " from ledger_accounts where kind = 'clearing' and currency = %s",
                    currency,
                )
                assert held == self.outside[currency], currency

        @invariant()
        def only_debts_are_below_zero(self):
            assert (
                self.rows(
                    "select id from ledger_accounts where not is_folded and posted_minor < 0"
                    " and posted_minor < floor_minor"
                )
                == []
            )

    return Money


@pytest.mark.timeout(400)
def test_money_in_any_order(own_database):
    run_state_machine_as_test(
        _machine(own_database),
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
