"""The worker carries what the database decides: asks once, looks up in doubt, never sends blindly.

A provider of the test's own plays what providers answer: the real ones are played by the sandbox.
"""

import asyncio
import uuid
from types import SimpleNamespace

import psycopg
import pytest
from pydantic import SecretStr

from tests.payments.purses import Purse
from workers.core.db import make_pool
from workers.core.errors import NotConfigured
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments import withdrawals
from workers.payments.base import (
    AccountChanged,
    OutcomeUnknown,
    ProviderDeclined,
    ProviderUnavailable,
    WithdrawalChanged,
)


class Gateway:
    """A provider that remembers what reached it, and answers as it is told to."""

    def __init__(self):
        self.sent, self.asked, self.looked_up = {}, [], 0
        self.answer, self.status = None, "sent"
        self.account = AccountChanged("acct_1", "active")

    async def send(self, *, key, to, amount):
        self.asked.append((key, to.account, amount))
        answer, self.answer = self.answer, None
        if isinstance(answer, ProviderDeclined | ProviderUnavailable | NotConfigured):
            raise answer
        self.sent.setdefault(key, f"tr_{uuid.uuid4().hex}")
        if answer is not None:  # it acted, and the answer was lost
            raise answer
        return WithdrawalChanged(self.sent[key], self.status, key)

    async def find_sent(self, *, key, to, amount, since):
        assert since.tzinfo is not None
        self.looked_up += 1
        if isinstance(self.answer, Exception):
            answer, self.answer = self.answer, None
            raise answer
        if key in self.sent:
            return WithdrawalChanged(self.sent[key], self.status, key)
        return None

    async def look_up_account(self, account):
        if isinstance(self.account, Exception):
            raise self.account
        return self.account


class Works:
    """A purse that commits, and its worker's tasks."""

    def __init__(self, url):
        self.url, self.gateway = url, Gateway()
        self.db = psycopg.connect(url, autocommit=True)
        self.purse = Purse(self.db)
        self.purse.fund(10_000)
        self.account = self.purse.account(reference="acct_1")

    def run(self, task, subject=None):
        async def go():
            known = Settings(_env_file=None, database_url=SecretStr(self.url))
            async with make_pool(known) as pool:
                context = SimpleNamespace(
                    additional_context={"pool": pool, "providers": {"stripe": self.gateway}}
                )
                await task(context, str(subject) if subject else 0)

        asyncio.run(go())

    def send(self, withdrawal):
        self.run(withdrawals.send_withdrawal, withdrawal)
        return self.purse.status(withdrawal)


@pytest.fixture
def works(own_database):
    made = Works(own_database)
    yield made
    made.db.close()


@pytest.mark.parametrize("age", ["0 minutes", "25 hours"])
def test_after_a_restore_to_before_it_was_sent_it_is_not_sent_again(works, age):
    """The key is what it was: the provider acts once under it, or has forgotten it and is asked."""
    withdrawal = works.purse.request(4_000)
    assert works.send(withdrawal) == "sent"
    reference = works.purse.one("select reference from withdrawals")
    with works.db.transaction():
        works.db.execute("set local session_replication_role = replica")
        works.db.execute("delete from private.provider_requests")
        works.db.execute("delete from withdrawal_events where to_status in ('sending', 'sent')")
        works.db.execute(
            "update withdrawals set status = 'reserved', reference = null,"
            " created_at = created_at - %s::interval",
            [age],
        )
    assert works.send(withdrawal) == "sent"
    assert works.purse.one("select reference from withdrawals") == reference
    assert len(works.gateway.sent) == 1
    assert works.gateway.looked_up == (age != "0 minutes")
    assert len({key for key, *_ in works.gateway.asked}) == 1


def test_it_is_sent_once(works):
    withdrawal = works.purse.request(4_000)
    for _ in range(3):
        assert works.send(withdrawal) == "sent"
    ((key, account, amount),) = works.gateway.asked
    assert (account, amount) == ("acct_1", Money(4_000, "EUR"))
    assert works.purse.one("select status from private.provider_requests where id = %s", key) == (
        "succeeded"
    )
    assert works.purse.findings() == []


def test_paid_at_once(works):
    works.gateway.status = "paid"
    withdrawal = works.purse.request(4_000)
    assert works.send(withdrawal) == "paid"
    assert works.purse.balance() == (6_000, 0)


def test_a_final_no(works):
    works.gateway.answer = ProviderDeclined("No such bank.")
    withdrawal = works.purse.request(4_000)
    assert works.send(withdrawal) == "failed"
    assert works.purse.balance() == (10_000, 0)
    assert works.send(withdrawal) == "failed"
    assert len(works.gateway.asked) == 1
    assert works.purse.owner.rows("select note from withdrawals") == [("No such bank.",)]


def test_the_answer_was_lost(works):
    """It is found by its key, and not sent again."""
    works.gateway.answer = OutcomeUnknown("timed out")
    withdrawal = works.purse.request(4_000)
    assert works.send(withdrawal) == "unknown"
    works.gateway.status = "paid"
    assert works.send(withdrawal) == "paid"
    assert len(works.gateway.asked) == 1
    assert works.gateway.looked_up == 1
    assert works.purse.balance() == (6_000, 0)


@pytest.mark.parametrize("error", [ProviderUnavailable("throttled"), NotConfigured("no key")])
def test_it_did_not_get_through(works, error):
    """The same key is sent, as long as the provider knows it again."""
    works.gateway.answer = error
    withdrawal = works.purse.request(4_000)
    assert works.send(withdrawal) == "unknown"
    assert works.send(withdrawal) == "sent"
    assert len({key for key, *_ in works.gateway.asked}) == 1
    assert len(works.gateway.sent) == 1


def test_an_expired_key_is_never_sent_again(works):
    """Stripe knows a key for 24 hours: what it does not find later stays in doubt."""
    works.gateway.answer = ProviderUnavailable("throttled")
    withdrawal = works.purse.request(4_000)
    works.send(withdrawal)
    works.db.execute("update private.provider_requests set created_at = now() - interval '1 day'")
    for _ in range(2):
        assert works.send(withdrawal) == "unknown"
    assert len(works.gateway.asked) == 1
    assert works.purse.balance() == (10_000, 4_000)


def test_the_looking_up_fails_too(works):
    works.gateway.answer = OutcomeUnknown("timed out")
    withdrawal = works.purse.request(4_000)
    works.send(withdrawal)
    works.gateway.answer = OutcomeUnknown("timed out again")
    assert works.send(withdrawal) == "unknown"
    assert works.send(withdrawal) == "sent"
    assert len(works.gateway.sent) == 1


def test_a_worker_died_after_it_had_sent(works):
    """Claimed and sent, nothing booked: the next one looks first."""
    withdrawal = works.purse.request(4_000)
    key = works.purse.claim(withdrawal)
    works.gateway.sent[key] = "tr_lost"
    assert works.send(withdrawal) == "sent"
    assert works.gateway.asked == []
    assert works.purse.one("select reference from withdrawals") == "tr_lost"


def test_a_webhook_was_faster(works):
    """It speaks of what is being sent: our own answer changes nothing any more."""
    withdrawal = works.purse.request(4_000)

    async def send(**asked):
        assert works.purse.told("paid", "tr_1", asked["key"]) == "ok"
        return WithdrawalChanged("tr_1", "sent", asked["key"])

    works.gateway.send = send
    assert works.send(withdrawal) == "paid"
    assert works.purse.findings() == []


def test_what_is_long_on_its_way_is_asked_after(works):
    withdrawal = works.purse.request(4_000)
    works.send(withdrawal)
    for status, expected in (("sent", "sent"), ("paid", "paid")):
        works.gateway.status = status
        works.run(withdrawals.check_withdrawal, withdrawal)
        assert works.purse.status(withdrawal) == expected
    works.run(withdrawals.check_withdrawal, withdrawal)
    assert works.gateway.looked_up == 2


@pytest.mark.parametrize("answer", [OutcomeUnknown("timed out"), None])
def test_no_answer_proves_nothing(works, answer):
    withdrawal = works.purse.request(4_000)
    works.send(withdrawal)
    works.gateway.answer = answer
    works.gateway.sent.clear()
    works.run(withdrawals.check_withdrawal, withdrawal)
    assert works.purse.status(withdrawal) == "sent"
    assert works.purse.balance() == (10_000, 4_000)


def test_time_is_told_by_the_worker(works):
    withdrawal = works.purse.request(4_000)
    works.db.execute("update withdrawals set look_at = now()")
    works.run(withdrawals.tend_withdrawals)
    assert works.purse.jobs("payments.send_withdrawal", withdrawal) == 2


def test_every_schedule_is_served(works):
    others = []
    for _ in range(3):
        others.append(Purse(works.db))
        others[-1].fund(2_000)
    others[0].account()
    others[1].account()
    for purse in [works.purse, *others]:
        purse.owner.rows("select set_withdrawal_schedule('EUR', 'monthly')")
    works.db.execute("update withdrawal_schedules set next_at = now()")
    works.run(withdrawals.request_scheduled)
    amounts = works.db.execute("select amount_minor from withdrawals order by 1").fetchall()
    assert amounts == [(2_000,), (2_000,), (10_000,)]
    assert others[2].owner.rows("select note from withdrawal_schedules") == [("no_account",)]
    works.run(withdrawals.request_scheduled)
    assert works.purse.one("select count(*) from withdrawals") == 3


def test_an_account_is_read_again(works):
    works.gateway.account = AccountChanged("acct_1", "restricted", ["rejected.fraud"])
    works.run(withdrawals.check_account, works.account)
    assert works.purse.owner.rows("select status, requirements from connected_accounts") == [
        ("restricted", ["rejected.fraud"])
    ]
    works.gateway.account = OutcomeUnknown("timed out")
    works.run(withdrawals.check_account, works.account)
    works.run(withdrawals.check_account, uuid.uuid4())
    assert works.purse.one("select status from connected_accounts") == "restricted"


HELD = "waits: account_hold"


@pytest.mark.parametrize(
    "told",
    [
        AccountChanged("acct_1", "active", label="Another Bank •••• 6789"),
        AccountChanged("acct_1", "active", label="Bank •••• 6789", fingerprint="b"),
    ],
)
def test_whoever_is_faster_than_the_event_waits_too(works, told):
    """The bank behind the account was changed just now: its owner or a thief withdraws at once."""
    works.gateway.account = AccountChanged(
        "acct_1", "active", label="Bank •••• 6789", fingerprint="a"
    )
    works.run(withdrawals.check_account, works.account)
    works.purse.rest(works.account)
    assert works.send(works.purse.request(1_000)) == "sent"
    withdrawal = works.purse.request(4_000)
    works.gateway.account = told
    assert works.send(withdrawal) == "reserved"
    assert works.purse.one("select note from withdrawals where id = %s", withdrawal) == HELD
    assert len(works.gateway.asked) == 1
    works.purse.rest(works.account)
    assert works.send(withdrawal) == "sent"


def test_while_the_account_cannot_be_read_nothing_is_sent(works):
    works.gateway.account = ProviderUnavailable("no connection")
    withdrawal = works.purse.request(4_000)
    assert works.send(withdrawal) == "reserved"
    assert works.gateway.asked == []
    works.gateway.account = AccountChanged("acct_1", "active")
    assert works.send(withdrawal) == "sent"


def test_an_account_that_nobody_answered_for_is_given_up(works):
    ((account, request),) = works.purse.owner.rows(
        "select account_id, request_id from private.start_account('stripe', 'DE', 'x')"
    )
    works.run(withdrawals.open_account, account)
    query = "select status from connected_accounts where id = %s"
    assert works.purse.one(query, account) == "pending"
    works.db.execute(
        "update private.provider_requests set created_at = now() - interval '2 hours'"
        " where id = %s",
        [request],
    )
    works.run(withdrawals.open_account, account)
    assert works.purse.one(query, account) == "closed"
