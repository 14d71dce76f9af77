"""A person with money and somewhere to send it, and all that happens to what they take out."""

import uuid

import psycopg

from tests.fixtures.people import Person, appoint, error_code, sign_up

REQUEST = "select id from request_withdrawal(%s, %s, %s, %s)"
CHANGE = "select private.change_withdrawal(%s, %s, %s, %s, %s)"


def new_order(db, payer, amount=500):
    """An order that pays into one's own balance."""
    return db.execute(
        "insert into orders (payer_id, amount_minor, currency, purpose)"
        " values (%s, %s, 'EUR', 'x') returning id",
        [payer, amount],
    ).fetchone()[0]


class Purse:
    """One owner on one connection, as clients and workers act on them."""

    def __init__(self, db, owner=None):
        self.db = db
        self.owner = owner or sign_up(db, "owner", "creator")
        self.worker = Person(db, "worker", role="guildhall_worker")

    def one(self, query, *arguments):
        row = self.db.execute(query, arguments).fetchone()
        return row[0] if row else None

    def operator(self, role="moderator"):
        return appoint(self.db, sign_up(self.db, role), role)

    def fund(self, amount, currency="EUR", provider="stripe"):
        """Money in the balance that came by a provider."""
        self.one(
            "select private.post_transaction(%s, 'test.fund', array["
            "  private.ledger_account('clearing', %s, provider => %s),"
            "  private.ledger_account('available', %s, owner_id => %s)"
            "], array[%s::bigint, %s::bigint])",
            uuid.uuid4().hex, currency, provider, currency, self.owner.id, -amount, amount,
        )  # fmt: skip

    def account(self, provider="stripe", status="active", reference=None, *, rested=True):
        """A connected account; rested: the hold after its making is over."""
        reference = reference or f"acct_{uuid.uuid4().hex}"
        ((account, request),) = self.owner.rows(
            "select account_id, request_id from private.start_account(%s, 'DE', 'to me')",
            [provider],
        )
        self.worker.rows("select private.account_opened(%s, %s)", [request, reference])
        self.worker.rows(
            "select private.change_connected_account(%s, %s, %s, '{}')",
            [provider, reference, status],
        )
        if rested:
            self.rest(account)
        return account

    def rest(self, account):
        self.db.execute(
            "update connected_accounts set changed_at = now() - interval '30 days' where id = %s",
            [account],
        )

    def request(self, amount, currency="EUR", account=None, key=None):
        return self.owner.rows(REQUEST, [amount, currency, account, key])[0][0]

    def outcome(self, person, query, *arguments):
        """`ok`, or the code of its refusal, which changes nothing."""
        try:
            with self.db.transaction():
                person.rows(query, arguments)
        except psycopg.errors.InsufficientPrivilege:
            return "denied"
        except psycopg.Error as error:
            return error_code(error)
        return "ok"

    def asked(self, amount, currency="EUR", account=None, key=None):
        return self.outcome(self.owner, REQUEST, amount, currency, account, key)

    def claim(self, withdrawal):
        """The request, as a worker takes it up; None: nothing to do."""
        rows = self.worker.rows("select * from private.claim_withdrawal(%s)", [withdrawal])
        return rows[0][0] if rows else None

    def question(self, request):
        self.worker.rows("select private.question_withdrawal(%s, 'timed out')", [request])

    def decline(self, request):
        self.worker.rows("select private.decline_withdrawal(%s, 'no such account')", [request])

    def told(self, status, reference="tr_1", key=None, provider="stripe"):
        """What the database answers a provider's word."""
        return self.outcome(self.worker, CHANGE, provider, reference, key, status, "so it says")

    def sent(self, amount, reference=None):
        """A withdrawal on its way, with its request and the provider's id."""
        withdrawal = self.request(amount)
        request = self.claim(withdrawal)
        reference = reference or f"tr_{uuid.uuid4().hex}"
        assert self.told("sent", reference, request) == "ok"
        return withdrawal, request, reference

    def status(self, withdrawal):
        return self.one("select status from withdrawals where id = %s", withdrawal)

    def steps(self, withdrawal):
        return [
            row[0]
            for row in self.db.execute(
                "select to_status from withdrawal_events where withdrawal_id = %s order by id",
                [withdrawal],
            )
        ]

    def balance(self, currency="EUR"):
        """Posted and reserved."""
        return self.db.execute(
            "select posted_minor, reserved_minor from ledger_accounts"
            " where owner_id = %s and currency = %s",
            [self.owner.id, currency],
        ).fetchone() or (0, 0)

    def explain(self, currency="EUR"):
        """Part, amount and reason of each row."""
        return self.owner.rows(
            "select part, amount_minor, reason from explain_balance(%s)", [currency]
        )

    def jobs(self, task, subject):
        return self.one(
            "select count(*) from procrastinate.procrastinate_jobs"
            " where task_name = %s and args ->> 'subject_id' = %s",
            task, str(subject),
        )  # fmt: skip

    def both(self, proposal, *arguments):
        """Two operators, one after the other; the proposal's id."""
        ((approval,),) = self.operator().rows(f"select id from {proposal}", arguments)
        self.operator("admin").rows("select confirm_approval(%s)", [approval])
        return approval

    def findings(self):
        return self.db.execute(
            "select * from private.check_withdrawals()"
            " union all select * from private.verify_ledger()"
        ).fetchall()
