"""Withdrawals by RazorpayX: to whom, by which way, and what the bank says afterwards."""

import uuid

import httpx
import pytest

from tests.payments.razorpay.shop import BANK
from workers.core.errors import NotConfigured
from workers.core.money import Money
from workers.payments.base import (
    AccountChanged,
    Destination,
    OutcomeUnknown,
    ProviderDeclined,
    ProviderUnavailable,
    WithdrawalChanged,
)
from workers.payments.razorpay import Razorpay, choose_mode

LAKH = 1_00_000_00  # in paise


def _inr(minor):
    return Money(minor, "INR")


MODES = [
    # account        paise           wanted   mode; None: declined
    ("bank_account", 100,            None,    "IMPS"),
    ("bank_account", 5 * LAKH,       None,    "IMPS"),
    ("bank_account", 5 * LAKH + 1,   None,    "RTGS"),
    ("bank_account", 10**12,         None,    "RTGS"),
    ("bank_account", 100,            "NEFT",  "NEFT"),
    ("bank_account", 10**12,         "NEFT",  "NEFT"),
    ("bank_account", 2 * LAKH,       "RTGS",  "RTGS"),
    ("bank_account", 2 * LAKH - 1,   "RTGS",  None),
    ("bank_account", 5 * LAKH + 1,   "IMPS",  None),
    ("bank_account", 500,            "UPI",   None),
    ("bank_account", 500,            "card",  None),
    ("bank_account", 99,             None,    None),
    ("bank_account", 0,              None,    None),
    ("vpa",          100,            None,    "UPI"),
    ("vpa",          LAKH,           None,    "UPI"),
    ("vpa",          LAKH + 1,       None,    None),
    ("card",         500,            None,    None),
    ("wallet",       500,            None,    None),
]  # fmt: skip


@pytest.mark.parametrize(("account", "paise", "wanted", "mode"), MODES)
def test_which_way_money_travels(account, paise, wanted, mode):
    if mode is None:
        with pytest.raises(ProviderDeclined):
            choose_mode(account, _inr(paise), wanted)
    else:
        assert choose_mode(account, _inr(paise), wanted) == mode


def test_only_rupees_travel():
    with pytest.raises(ProviderDeclined):
        choose_mode("bank_account", Money(500, "USD"))


@pytest.mark.parametrize(
    ("details", "paise", "mode"),
    [({"bank": BANK}, 500, "IMPS"), ({"bank": BANK}, 6 * LAKH, "RTGS"),
     ({"vpa": "asha@okbank"}, 500, "UPI"), (BANK, 500, "IMPS")],
)  # fmt: skip
async def test_a_payout_goes_to_its_account(shop, details, paise, mode):
    shop.does("fund", amount=paise)
    account, key = await shop.account(**details), uuid.uuid4()
    sent = await shop.gateway.send(key=key, to=Destination(account), amount=_inr(paise))
    assert (sent.status, sent.key) == ("sent", key)
    payout = shop.world.objects[sent.reference]
    assert (payout["mode"], payout["fund_account_id"]) == (mode, account)
    assert payout["reference_id"] == str(key)
    assert payout["narration"] == f"Withdrawal {key.hex[:8]}"
    assert shop.balance() == 0


async def test_what_we_know_of_the_account_spares_a_call(shop):
    shop.does("fund", amount=500)
    to = Destination(await shop.account(), {"account_type": "bank_account", "mode": "NEFT"})
    calls = shop.world.calls
    sent = await shop.gateway.send(key=uuid.uuid4(), to=to, amount=_inr(500))
    assert shop.world.calls == calls + 1
    assert shop.world.objects[sent.reference]["mode"] == "NEFT"


async def test_an_account_that_cannot_be_looked_at_is_surely_not_paid(shop):
    shop.does("fund", amount=500)
    ask = {"key": uuid.uuid4(), "to": Destination(await shop.account()), "amount": _inr(500)}
    shop.sandbox.fail("razorpay", "500_before", "GET /razorpay/v1/fund_accounts")
    with pytest.raises(ProviderUnavailable):
        await shop.gateway.send(**ask)
    assert shop.world.all("payout") == []
    assert (await shop.gateway.send(**ask)).status == "sent"


async def test_upi_does_not_carry_more_than_a_lakh(shop):
    shop.does("fund", amount=2 * LAKH)
    to = Destination(await shop.account(vpa="asha@okbank"))
    with pytest.raises(ProviderDeclined):
        await shop.gateway.send(key=uuid.uuid4(), to=to, amount=_inr(LAKH + 1))
    assert shop.world.all("payout") == []


@pytest.mark.parametrize("account", ["acc_12345678901234", "somebody@example.com", ""])
async def test_only_fund_accounts_are_paid(shop, account):
    with pytest.raises(ProviderDeclined):
        await shop.gateway.send(key=uuid.uuid4(), to=Destination(account), amount=_inr(500))
    assert shop.world.calls == 0


async def _sent(shop):
    shop.does("fund", amount=1000)
    ask = {"key": uuid.uuid4(), "to": Destination(await shop.account()), "amount": _inr(500)}
    return ask, await shop.gateway.send(**ask)


@pytest.mark.parametrize(
    ("steps", "statuses", "left"),
    [
        (["processed"], ["sent", "paid"], 500),
        (["processed", "reversed"], ["sent", "paid", "returned"], 1000),
        (["reversed"], ["sent", "returned"], 1000),
        (["failed"], ["sent", "failed"], 1000),
        (["failed", "reversed"], ["sent", "failed", "returned"], 1000),
        (["reversed", "failed"], ["sent", "returned", "failed"], 1000),
    ],
)
async def test_the_banks_word(shop, steps, statuses, left):
    ask, sent = await _sent(shop)
    for step in steps:
        shop.does(f"payouts/{sent.reference}/{step}", reason="Account closed")
    told = await shop.facts(WithdrawalChanged)
    assert [fact.status for fact in told] == statuses
    assert {(fact.reference, fact.key) for fact in told} == {(sent.reference, ask["key"])}
    assert told[-1].reason == "Account closed"
    assert (await shop.gateway.find_sent(**ask)).status == statuses[-1]
    assert shop.balance() == left


async def test_the_same_key_tells_how_it_stands_now(shop):
    ask, sent = await _sent(shop)
    shop.does(f"payouts/{sent.reference}/processed")
    again = await shop.gateway.send(**ask)
    assert (again.reference, again.status) == (sent.reference, "paid")
    assert shop.balance() == 500


async def test_the_same_key_with_another_amount_is_doubt(shop):
    ask, _ = await _sent(shop)
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.send(**(ask | {"amount": _inr(400)}))
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.find_sent(**(ask | {"amount": _inr(400)}))
    assert shop.balance() == 500


async def test_what_is_not_covered_is_declined_and_not_queued(shop):
    to = Destination(await shop.account())
    key = uuid.uuid4()
    with pytest.raises(ProviderDeclined, match="balance"):
        await shop.gateway.send(key=key, to=to, amount=_inr(500))
    assert await shop.gateway.find_sent(key=key, to=to, amount=_inr(500)) is None


async def test_an_account_that_was_switched_off_is_not_paid(shop):
    shop.does("fund", amount=500)
    account = await shop.account()
    assert await shop.gateway.look_up_account(account) == AccountChanged(account, "active")
    shop.world.objects[account]["active"] = False
    assert await shop.gateway.look_up_account(account) == AccountChanged(account, "closed")
    with pytest.raises(ProviderDeclined):
        await shop.gateway.send(key=uuid.uuid4(), to=Destination(account), amount=_inr(500))
    assert shop.balance() == 500


async def test_without_an_account_number_nothing_is_sent(sandbox):
    gateway = Razorpay(sandbox.settings(razorpay_account_number=None))
    ask = {"key": uuid.uuid4(), "to": Destination("fa_1"), "amount": _inr(500)}
    with pytest.raises(NotConfigured):
        await gateway.send(**ask)
    with pytest.raises(NotConfigured):
        await gateway.find_sent(**ask)
    await gateway.aclose()


# --- opening accounts -----------------------------------------------------------------------------


async def test_asked_again_it_is_the_same_account(shop):
    key = uuid.uuid4()
    person = {"legal_name": "José Nuñez", "email": None, "details": {"bank": BANK}}
    shop.sandbox.fail("razorpay", "500_after", "fund_accounts")
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.open_account(key=key, person=person)
    first = await shop.gateway.open_account(key=key, person=person)
    assert await shop.gateway.open_account(key=key, person=person) == first
    (contact,) = shop.world.all("contact")
    assert (contact["name"], contact["reference_id"]) == ("Jose Nunez", str(key))
    assert len(shop.world.all("fund_account")) == 1


@pytest.mark.parametrize(
    "person",
    [
        {"legal_name": "Asha Rao"},
        {"legal_name": "Asha Rao", "details": {}},
        {"legal_name": "Asha Rao", "details": {"bank": "HDFC"}},
        {"legal_name": "Asha Rao", "details": {"bank": {"ifsc": "HDFC0000053"}}},
        {"legal_name": "Asha Rao", "details": {"bank": BANK | {"ifsc": "HDFC1"}}},
        {"legal_name": "Asha Rao", "details": {"bank": BANK | {"account_number": "12 34"}}},
        {"legal_name": "Asha Rao", "details": {"vpa": "asha"}},
        {"legal_name": "Asha Rao", "country": "DE", "details": {"bank": BANK}},
        {"legal_name": "Al", "details": {"bank": BANK}},
        {"legal_name": "आशा राव", "details": {"bank": BANK}},
        {"legal_name": None, "details": {"vpa": "asha@okbank"}},
    ],
)
async def test_nobody_is_opened_an_account_that_cannot_be_paid(shop, person):
    with pytest.raises(ProviderDeclined):
        await shop.gateway.open_account(key=uuid.uuid4(), person=person)
    assert shop.world.all("fund_account") == []


async def test_there_is_no_page_to_send_people_to(shop):
    with pytest.raises(ProviderDeclined):
        await shop.gateway.onboarding_link(
            "fa_1", return_url="https://shop.example", refresh_url="https://shop.example"
        )


async def test_a_penny_drop_tells_whether_an_account_is_real(shop):
    account = await shop.account()
    shop.does(f"fund_accounts/{account}/validate", account_status="invalid")
    shop.does(f"fund_accounts/{account}/validate")
    assert [fact.status for fact in await shop.facts(AccountChanged)] == ["restricted", "active"]


# --- the sandbox is as strict as RazorpayX --------------------------------------------------------


def _ask(shop, account, key="53cda91c-8f81-4e77-bbb9-7388f4ac6bf4", **changes):
    known = shop.sandbox.known
    body = {
        "account_number": known.razorpay_account_number, "fund_account_id": account,
        "amount": 500, "currency": "INR", "mode": "IMPS", "purpose": "payout",
    } | changes  # fmt: skip
    return httpx.post(
        f"{shop.sandbox.url}/razorpay/v1/payouts",
        json={name: value for name, value in body.items() if value is not None},
        headers={"X-Payout-Idempotency": key} if key else {},
        auth=(known.razorpay_key_id, known.razorpay_key_secret.get_secret_value()),
        trust_env=False,
    )


async def test_a_payout_without_a_key_is_refused(shop):
    shop.does("fund", amount=500)
    answer = _ask(shop, await shop.account(), key=None)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "X-Payout-Idempotency"
    assert _ask(shop, "fa_x", key="x" * 37).json()["error"]["field"] == "X-Payout-Idempotency"


@pytest.mark.parametrize(
    "changes",
    [
        {"account_number": "1"}, {"account_number": None}, {"fund_account_id": "fa_nobody"},
        {"amount": 99}, {"amount": "500"}, {"amount": None}, {"currency": "USD"},
        {"mode": "imps"}, {"mode": "UPI"}, {"mode": "RTGS"}, {"mode": None},
        {"purpose": "bribe"}, {"narration": "no_underscores"}, {"narration": "x" * 31},
        {"reference_id": "x" * 41}, {"notes": {str(n): "x" for n in range(16)}},
        {"colour": "red"},
    ],
)  # fmt: skip
async def test_a_payout_that_is_wrong_is_refused(shop, changes):
    shop.does("fund", amount=1000)
    account = await shop.account()
    answer = _ask(shop, account, **changes)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST_ERROR")
    assert shop.balance() == 1000


async def test_a_queued_payout_waits_for_money_or_is_cancelled(shop):
    account = await shop.account()
    first = _ask(shop, account, "key-1", queue_if_low_balance=True).json()
    second = _ask(shop, account, "key-2", queue_if_low_balance=True).json()
    assert [first["status"], first["status_details"]["reason"]] == ["queued", "low_balance"]
    known = shop.sandbox.known
    cancelled = httpx.post(
        f"{shop.sandbox.url}/razorpay/v1/payouts/{second['id']}/cancel",
        auth=(known.razorpay_key_id, known.razorpay_key_secret.get_secret_value()),
        trust_env=False,
    )
    assert cancelled.json()["status"] == "cancelled"
    assert shop.does("advance")["payouts"] == 0
    shop.does("fund", amount=500)
    assert shop.does("advance")["payouts"] == 1
    told = [(fact.reference, fact.status) for fact in await shop.facts(WithdrawalChanged)]
    assert told == [
        (first["id"], "sent"), (second["id"], "sent"), (second["id"], "failed"),
        (first["id"], "sent"), (first["id"], "paid"),
    ]  # fmt: skip
    assert shop.balance() == 0
