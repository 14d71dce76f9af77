"""Escrows between people, in any state."""

import json
import uuid

import psycopg
import pytest

from tests.fixtures.people import Person, appoint, error_code, sign_up


class Guild:
    """Parties, agents and an operator on one connection, and what they do to escrows."""

    def __init__(self, db):
        self.db = db
        self.sponsor = sign_up(db, "sponsor", "sponsor")
        self.creator = sign_up(db, "creator", "creator")
        self.moderator = appoint(db, sign_up(db, "moderator"), "moderator")
        self.payments = 0
        # how many may be open at a time is billing's business
        db.execute("update plan_features set allowed = null")

    def one(self, query, *arguments):
        row = self.db.execute(query, arguments).fetchone()
        return row[0] if row else None

    def agent(self, *referred):
        """A new agent who brought these people."""
        agent = sign_up(self.db, "agent", "agent")
        self.refer(agent, *referred)
        return agent

    def refer(self, agent, *referred):
        code = agent.rows("select get_referral_code()")[0][0]
        for person in referred:
            person.rows("select claim_referral(%s)", [code])

    def open(self, *prices, currency="EUR", **terms):
        """Open an agreement; the ids of its escrows, in order."""
        milestones = [
            {"title": f"Part {number}", "price_minor": price}
            for number, price in enumerate(prices or (10_000,), 1)
        ]
        names = "".join(f", {name} => %s" for name in terms)
        rows = self.sponsor.rows(
            f"select id from open_escrow(%s, 'A film', %s, %s{names})",
            [self.creator.id, currency, json.dumps(milestones), *terms.values()],
        )
        return [row[0] for row in rows]

    def fund(self, escrow, reference=None, amount=None, currency=None):
        """A payment of its order, as a provider tells it; what is given is told to the escrow."""
        self.payments += 1
        total, own = self.db.execute(
            "select total_minor, currency from escrows where id = %s", [escrow]
        ).fetchone()
        told = [
            reference or f"pi_{uuid.uuid4().hex}", total if amount is None else amount,
            currency or own,
        ]  # fmt: skip
        if (amount, currency) != (None, None):
            return self.one(
                "select (private.fund_escrow(%s, 'stripe', %s, %s, %s)).status", escrow, *told
            )
        order = (
            self.one("select id from orders where escrow_id = %s", escrow)
            or self.sponsor.rows("select id from order_escrow(%s)", [escrow])[0][0]
        )
        self.one("select private.record_payment(%s, 'stripe', %s, %s, %s)", order, *told)
        return self.status(escrow)

    def act(self, person: Person, call, escrow, *arguments):
        """The status after a step, or the code of its refusal, which changes nothing."""
        holes = "".join(", %s" for _ in arguments)
        try:
            with self.db.transaction():
                return person.rows(f"select status from {call}(%s{holes})", [escrow, *arguments])[
                    0
                ][0]
        except psycopg.errors.InsufficientPrivilege:
            return "denied"
        except psycopg.Error as error:
            return error_code(error)

    def deliver(self, escrow):
        """From pending payment to under review."""
        self.fund(escrow)
        self.act(self.creator, "start_work", escrow)
        self.act(self.creator, "submit_work", escrow, "Here it is.")
        assert self.act(self.sponsor, "start_review", escrow) == "under_review"
        return escrow

    def into(self, status, escrow=None):
        """An escrow in this state, by legal steps alone."""
        escrow = escrow or self.open()[0]
        paths = {
            "pending_payment": "",
            "payment_processing": "payment_processing",
            "failed": "payment_processing failed",
            "cancelled": "cancelled",
            "locked": "fund",
            "work_in_progress": "fund work_in_progress",
            "work_submitted": "fund work_in_progress work_submitted",
            "under_review": "fund work_in_progress work_submitted under_review",
            "approved": "fund work_in_progress work_submitted under_review approved",
            "rejected": "fund work_in_progress work_submitted under_review rejected",
            "disputed": "fund work_in_progress disputed",
            "releasing": "fund work_in_progress disputed releasing",
            "refunding": "fund refunding",
            "released": "fund work_in_progress disputed divide:0",
            "refunded": "fund divide:11000",
        }
        for step in paths[status].split():
            if step == "fund":
                self.fund(escrow)
            elif step.startswith("divide:"):
                self.one("select private.divide_escrow(%s, %s, 'x')", escrow, int(step[7:]))
            else:
                self.one("select private.move_escrow(%s, %s)", escrow, step)
        assert self.status(escrow) == status
        return escrow

    def status(self, escrow):
        return self.one("select status from escrows where id = %s", escrow)

    def held(self, person=None, currency="EUR"):
        """What a person has in the ledger, reserved or not; None: the platform's fees."""
        return (
            self.one(
                "select private.account_balance(id) from ledger_accounts"
                " where owner_id is not distinct from %s and kind = %s and currency = %s",
                person and person.id, "available" if person else "fees", currency,
            )
            or 0
        )  # fmt: skip

    def findings(self):
        return self.db.execute(
            "select * from private.check_escrows() union all select * from private.verify_ledger()"
        ).fetchall()


@pytest.fixture
def guild(db):
    return Guild(db)
