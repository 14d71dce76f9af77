"""What providers report and the ledger does not agree on is listed; ordinary days list nothing."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr

from tests.fixtures.sandboxing import serve_sandbox
from workers.core.db import make_pool
from workers.core.errors import NotConfigured
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments.base import Movement, OutcomeUnknown
from workers.payments.reconcile import catch_up, list_differences, reconcile_day
from workers.payments.registry import PROVIDERS, open_providers

LISTED = "select kind, reference, difference from private.find_differences()"


@pytest.fixture
def report(till):
    """A line of Stripe's report, from two hours ago."""

    def write(kind, reference, amount, *, fee=0, currency="EUR", key=None, line=None):
        till.worker.rows(
            "select private.import_movement("
            "'stripe', %s, %s, %s, %s, %s, now() - interval '2 hours', %s, %s)",
            [kind, reference, amount, currency, fee, key, line],
        )

    return write


def _read(till, day="(now() at time zone 'UTC')::date"):
    till.db.execute(f"select private.finish_day('stripe', {day}, 1)")
    till.db.execute("update private.reconciled_days set reconciled_at = now() + interval '2 hours'")


def _differences(till):
    return till.db.execute(LISTED).fetchall()


def test_an_ordinary_day(till, report):
    payment = till.pay(till.order(500), 700, reference="pi_1")
    ((refund, *_),) = till.refunds()
    ((request, *_),) = till.claim(refund)
    till.refund(payment, "pending", 200, "re_1", request)
    report("payment", "pi_1", 700)
    report("refund", "re_1", -200)  # under way with us: no difference yet
    assert _differences(till) == []
    till.refund(payment, "succeeded", 200, "re_1", request)
    _read(till)
    assert _differences(till) == []


@pytest.mark.parametrize("minor", [699, 701, -700])
def test_an_amount_that_differs(till, report, minor):
    till.pay(till.order(700), 700, reference="pi_1")
    report("payment", "pi_1", minor)
    assert _differences(till) == [("payment", "pi_1", "the amounts differ")]


def test_a_payment_whose_event_was_lost(till, report):
    report("payment", "pi_lost", 700)
    assert _differences(till) == [("payment", "pi_lost", "the ledger does not know it")]


def test_what_the_provider_does_not_report(till):
    till.pay(till.order(700), 700, reference="pi_1")
    assert _differences(till) == []  # its report was not read
    _read(till)
    assert _differences(till) == [("payment", "pi_1", "the provider does not report it")]


def test_a_settlement_currency_is_no_difference(till, report):
    till.pay(till.order(700, "USD"), 700, "USD", reference="pi_1")
    report("payment", "pi_1", 640, currency="EUR")
    assert _differences(till) == []


def test_a_report_that_names_withdrawals_otherwise(till, purse, report):
    """PayPal's report has transaction ids; our key tells which payout it was."""
    purse.fund(5_000)
    purse.account()
    _, key, _ = purse.sent(1_000, "BATCH-1")
    assert purse.told("paid", "BATCH-1", key) == "ok"
    report("withdrawal", "TXN-1", -1_000, key=key)
    assert _differences(till) == []


def test_fees_are_booked_once(till, report):
    till.pay(till.order(700), 700, reference="pi_1")
    for _ in range(3):
        report("payment", "pi_1", 700, fee=35)
    assert till.held("costs") == -35
    assert till.held("clearing") == -665


@pytest.mark.parametrize("order", [(5, -5), (-5, 5), (-5, -5, 5, 5)])
def test_a_fee_that_is_given_back_is_booked_too(till, purse, report, order):
    """Razorpay brings back what it kept of a payout that it reverses: a line each, in any order."""
    purse.fund(5_000)
    purse.account()
    purse.sent(1_000, "pout_1")
    for fee in order:
        report("withdrawal", "pout_1", -1_000 if fee > 0 else 1_000, fee=fee)
    assert till.held("costs") == 0
    assert till.one("select fee_minor from withdrawals") == 5
    kinds = "select count(*) from ledger_transactions where kind = 'payments.book_fee'"
    assert till.one(kinds) == 2


async def test_a_line_that_is_refused_does_not_hold_up_the_others(own_database):
    class Reports:
        async def movements(self, start, end):
            for kind, reference in (("payment", "pi_1"), ("nothing", "x"), ("payment", "pi_2")):
                yield Movement(kind, reference, Money(100, "EUR"), 0, start)

    known = Settings(_env_file=None, database_url=SecretStr(own_database))
    day = date(2026, 11, 1)
    async with make_pool(known) as pool:
        read = await reconcile_day(pool, {"stripe": Reports(), "paypal": Reports()}, day)
    assert read == {"stripe": 2, "paypal": 2}


def test_only_what_was_touched_since_is_compared_but_all_of_it(till, purse, report):
    """A withdrawal that went long ago and came back today has two lines: both count."""
    purse.fund(5_000)
    purse.account()
    _, key, reference = purse.sent(1_000)
    report("withdrawal", reference, -1_000)
    till.db.execute("update private.provider_movements set moved_at = now() - interval '60 days'")
    for word in ("paid", "returned"):
        assert purse.told(word, reference, key) == "ok"
    report("withdrawal", reference, 1_000, line="txn_back")
    report("payment", "pi_lost", 700)
    till.db.execute(
        "update private.provider_movements set moved_at = now() - interval '50 days'"
        " where reference = 'pi_lost'"
    )
    since = "select reference from private.find_differences(now() - interval '45 days')"
    assert till.db.execute(since).fetchall() == []
    assert _differences(till) == [("payment", "pi_lost", "the ledger does not know it")]
    assert till.db.execute("select * from private.check_invariants()").fetchall() == []
    day = "((now() - interval '1 day') at time zone 'UTC')::date"
    assert till.one(f"select private.close_day({day})") == 1
    assert till.one("select findings -> 0 ->> 0 from private.ledger_days") == (
        "provider and ledger differ"
    )


def test_it_reads_ranges_of_indexes(till):
    """Of a year's payments, those of the last hours: no table is read from end to end."""
    till.db.execute(
        "insert into orders (payer_id, amount_minor, currency, purpose) values (%s, 1, 'EUR', 'x')",
        [till.payer.id],
    )
    till.db.execute(
        "insert into payments (order_id, payer_id, provider, reference, amount_minor, currency,"
        "  applied_minor, created_at)"
        " select id, payer_id, 'stripe', 'pi_' || n, 1, 'EUR', 0, now() - n * interval '30 minutes'"
        " from orders, generate_series(1, 17520) as n"
    )
    till.db.execute(
        "insert into private.provider_movements select 'stripe', 'payment', 'txn_' || reference,"
        " reference, 'EUR', 1, 0, created_at from payments"
    )
    till.db.execute("analyze payments; analyze private.provider_movements")
    counters = (
        "select pg_stat_get_xact_tuples_returned('public.payments'::regclass),"
        " pg_stat_get_xact_tuples_returned('private.provider_movements'::regclass)"
    )
    before = till.db.execute(counters).fetchone()
    till.db.execute("set local enable_seqscan = off")  # so few rows are as soon read whole
    since = "select * from private.find_differences(now() - interval '6 hours')"
    assert till.db.execute(since).fetchall() == []
    assert till.db.execute(counters).fetchone() == before


def test_a_fee_that_the_report_told_first_refuses_no_payment(till, report):
    """The event tells another fee: the money is booked, and the fee that was told first stays."""
    order = till.order(1_000)
    report("payment", "pi_1", 1_000, fee=29)
    assert (
        till.told("select private.record_payment(%s, 'stripe', 'pi_1', 1000, 'EUR', 30)", order)
        == "ok"
    )
    assert (till.held("costs"), till.held("available", till.payer)) == (-29, 1_000)


def test_two_lines_of_one_second_are_two(till, purse):
    """Sent, refused at once and reversed: nothing moved in the end."""
    purse.fund(5_000)
    purse.decline(purse.claim(purse.request(1_000)))
    line = (
        "select private.import_movement('stripe', 'withdrawal', 'tr_1', %s, 'EUR', 0,"
        " date_trunc('second', now() - interval '2 hours'), null, %s)"
    )
    for _ in range(2):
        for number, amount in enumerate((-1_000, 1_000)):
            till.worker.rows(line, [amount, f"txn_{number}"])
    assert _differences(till) == []
    till.worker.rows(line, [-1_000, "txn_2"])
    assert [row[:2] for row in _differences(till)] == [("withdrawal", "tr_1")]


def test_the_fee_of_a_withdrawal_in_doubt_is_booked_once(purse):
    """PayPal's report has it by an id of its own and by our key, before we know its batch."""
    purse.fund(5_000, provider="paypal")
    account = purse.account("paypal", reference="a@example.com")
    withdrawal = purse.request(1_000, account=account)
    key = purse.claim(withdrawal)
    purse.question(key)
    line = (
        "select private.import_movement('paypal', 'withdrawal', 'TXN-1', -1000, 'EUR', 25,"
        " now() - interval '2 hours', %s, 'TXN-1')"
    )
    purse.worker.rows(line, [key])
    assert purse.told("paid", "BATCH-1", key, "paypal") == "ok"
    purse.worker.rows(line, [key])
    costs = "select private.account_balance(id) from ledger_accounts where kind = 'costs'"
    assert purse.one(costs) == -25
    assert purse.one("select fee_minor from withdrawals where id = %s", withdrawal) == 25
    assert purse.one("select string_agg(reference, ' ') from private.provider_movements") == (
        "BATCH-1"
    )
    assert purse.one("select count(*) from private.find_differences()") == 0


UNREAD = "select subject from private.check_invariants() where finding like 'a report%%'"
NOT_READ = "select provider, day from private.find_unread_reports()"


def _days_ago(days):
    return datetime.now(UTC).date() - timedelta(days=days)


def test_a_report_that_nobody_read_is_found(till):
    """A payment of 20 days ago, and its day's report was never read, or before it was over."""
    figure = "select value from private.figures() where name = 'guildhall_unread_reports'"
    till.pay(till.order(700), 700)
    till.db.execute("update payments set created_at = now() - interval '2 days'")
    assert till.one(UNREAD) is till.one(figure) is None
    till.db.execute("update payments set created_at = now() - interval '20 days'")
    assert till.one(UNREAD) == f"stripe for {_days_ago(20)}"
    assert till.one(figure) == 1
    finish = "select private.finish_day('stripe', (now() at time zone 'UTC')::date - 20, 1)"
    till.db.execute(finish)
    till.db.execute("update private.reconciled_days set reconciled_at = day + time '23:59'")
    assert till.one(UNREAD) == f"stripe for {_days_ago(20)}"
    till.db.execute(finish)
    assert till.one(UNREAD) is till.one(figure) is None


def test_an_unread_report_stays_in_sight_until_it_is_read(till):
    till.pay(till.order(700), 700)
    till.db.execute("update payments set created_at = now() - interval '20 days'")
    assert till.one("select private.watch_invariants()") == 1
    till.db.execute("update payments set created_at = created_at - interval '30 days'")
    assert till.one(UNREAD) is None
    till.db.execute("update private.findings set first_seen_at = now() - interval '30 days'")
    assert till.one(UNREAD) == f"stripe for {_days_ago(50)}"


def test_who_has_no_report_has_none_unread(till):
    till.pay(till.order(700), 700, provider="coinbase")
    till.db.execute("update payments set created_at = now() - interval '20 days'")
    assert till.db.execute(NOT_READ).fetchall() == []
    known = dict(till.db.execute("select provider, tells_movements from private.providers"))
    assert known == {name: hasattr(kind, "movements") for name, kind in PROVIDERS.items()}


async def test_days_that_were_missed_are_caught_up_oldest_first(own_database):
    """Thirty days without a worker: eight at a time beside the last two, and a day that fails."""
    asked = []

    class Reports:
        async def movements(self, start, end):
            asked.append((datetime.now(UTC).date() - start.date()).days)
            if asked[-1] == 29:
                raise OutcomeUnknown("not now")
            for _ in ():
                yield

    class Missing:
        async def movements(self, start, end):
            raise NotConfigured("no credentials")
            yield

    known = Settings(_env_file=None, database_url=SecretStr(own_database))
    async with make_pool(known) as pool:
        runs = []
        for _ in range(5):
            await catch_up(pool, {"paypal": Missing(), "stripe": Reports()})
            runs.append(asked[:])
            asked.clear()
    assert runs[0] == [*range(30, 22, -1), 2, 1]
    assert runs[1] == [29, *range(22, 15, -1), 2, 1]
    assert runs[4] == [29, 2, 1]


@pytest.mark.parametrize(("days", "found"), [(31, []), (33, [("withdrawal", -1_000, 0)])])
def test_a_withdrawal_that_left_and_whose_last_event_is_lost(till, purse, report, days, found):
    """PayPal keeps for 30 days what nobody claims; after that its report is believed."""
    _, _, reference = purse.sent(1_000)
    report("withdrawal", reference, -1_000)
    till.db.execute("update withdrawals set created_at = now() - make_interval(days => %s)", [days])
    listed = "select kind, provider_minor, ledger_minor from private.find_differences()"
    assert till.db.execute(listed).fetchall() == found


def test_other_movements_are_not_ours(till, report):
    report("other", f"txn_{uuid.uuid4().hex}", -10_000)
    assert _differences(till) == []


async def test_the_providers_own_reports(own_database):
    """The sandbox's reports, read over HTTP, of a day with a payment that nobody told us."""
    with serve_sandbox(stripe_fee_bps=290) as sandbox:
        known = sandbox.settings(own_database)
        with sandbox.client() as client:
            intent = client.post(
                "/stripe/v1/payment_intents",
                headers={"authorization": "Bearer sk_test_sandbox"},
                data={"amount": "10000", "currency": "eur"},
            ).json()
        sandbox.control("stripe", f"payment_intents/{intent['id']}/pay")
        today = datetime.now(UTC).date()
        async with make_pool(known) as pool, open_providers(known) as providers:
            read = await reconcile_day(pool, providers, today)
            assert read["stripe"] == 1
            assert (await reconcile_day(pool, providers, today - timedelta(days=3)))["stripe"] == 0
            async with pool.connection() as db:
                await db.execute(
                    "update private.provider_movements set moved_at = now() - interval '2 hours'"
                )
    (found,) = list_differences(own_database)
    assert (found.provider, found.kind, found.reference, found.provider_minor) == (
        "stripe", "payment", intent["id"], 10_000,
    )  # fmt: skip
