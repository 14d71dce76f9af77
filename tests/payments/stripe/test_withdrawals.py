"""A withdrawal is a transfer and a payout: whatever breaks, it is paid once or comes back."""

import uuid

import pytest

from sandbox.core import CALL_FAULTS
from workers.core.money import Money
from workers.payments.base import (
    Destination,
    OutcomeUnknown,
    ProviderDeclined,
    ProviderUnavailable,
    WithdrawalChanged,
    WithdrawalStranded,
)

PAYOUTS = "POST /stripe/v1/payouts"
REVERSALS = "/reversals"


def _sums(shop, ask):
    """On our balance, on the person's account."""
    return shop.balance(), shop.balance(ask["to"].account)


async def test_the_whole_way(shop, gateway, world):
    ask = await shop.withdrawal()
    sent = await gateway.send(**ask)
    (transfer,), (payout,) = world.all("transfer"), world.all("payout")
    assert sent == WithdrawalChanged(transfer["id"], "sent", ask["key"])
    assert transfer["transfer_group"] == transfer["metadata"]["key"] == str(ask["key"])
    assert payout["metadata"] == {"key": str(ask["key"]), "transfer": transfer["id"]}
    assert payout["automatic"] is False  # Stripe itself pays nothing out of these accounts
    assert _sums(shop, ask) == ({"EUR": 500}, {})
    assert shop.facts(WithdrawalChanged) == [sent]
    shop.control(f"payouts/{payout['id']}/in_transit")
    assert await gateway.find_sent(**ask) == sent
    shop.control(f"payouts/{payout['id']}/paid")
    paid = WithdrawalChanged(transfer["id"], "paid", ask["key"])
    assert await gateway.find_sent(**ask) == paid
    assert shop.facts(WithdrawalChanged) == [sent, sent, paid]


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_what_broke_between_transfer_and_payout_is_finished(
    shop, gateway, sandbox, at_fault, fault
):
    """Also a 429 of the payout is doubt: the transfer was made."""
    ask = await shop.withdrawal()
    sandbox.fail("stripe", fault, PAYOUTS)
    with pytest.raises(OutcomeUnknown) as doubt:
        await at_fault(fault).send(**ask)
    assert not isinstance(doubt.value, ProviderUnavailable)
    assert shop.balance() == {"EUR": 500}
    found = await gateway.find_sent(**ask)
    assert (found.status, found.key) == ("sent", ask["key"])
    assert await gateway.find_sent(**ask) == await gateway.send(**ask) == found
    assert _sums(shop, ask) == ({"EUR": 500}, {})


async def test_a_transfer_whose_worker_died_is_finished_days_later(shop, gateway, world, sandbox):
    """Stripe has forgotten both keys by then: what its lists do not show was not made."""
    ask = await shop.withdrawal()
    sandbox.fail("stripe", "500_before", PAYOUTS)
    with pytest.raises(OutcomeUnknown):
        await gateway.send(**ask)
    world.answers.clear()
    assert (await gateway.find_sent(**ask)).status == "sent"
    world.answers.clear()
    assert (await gateway.find_sent(**ask)).status == "sent"
    assert len(world.all("payout")) == 1


@pytest.mark.parametrize("word", ["decline", "no_bank_account", "insufficient_balance"])
async def test_a_payout_that_is_refused_brings_the_transfer_back(shop, gateway, sandbox, word):
    ask = await shop.withdrawal()
    sandbox.fail("stripe", word, PAYOUTS)
    with pytest.raises(ProviderDeclined):
        await gateway.send(**ask)
    assert _sums(shop, ask) == ({"EUR": 1000}, {})
    (transfer,) = sandbox.worlds["stripe"].all("transfer")
    failed = WithdrawalChanged(transfer["id"], "failed", ask["key"], "the transfer was reversed")
    assert await gateway.find_sent(**ask) == failed
    assert shop.facts(WithdrawalChanged) == [failed]


async def test_an_account_that_may_not_be_paid_out_brings_it_back(shop, gateway, world):
    ask = await shop.withdrawal()
    world.objects[ask["to"].account]["payouts_enabled"] = False
    with pytest.raises(ProviderDeclined) as no:
        await gateway.send(**ask)
    assert no.value.details == {"code": "payouts_not_allowed"}
    assert _sums(shop, ask) == ({"EUR": 1000}, {})


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_a_reversal_in_doubt_is_done_once(shop, gateway, sandbox, world, at_fault, fault):
    ask = await shop.withdrawal()
    sandbox.fail("stripe", "no_bank_account", PAYOUTS, times=None)
    sandbox.fail("stripe", fault, REVERSALS)
    with pytest.raises(OutcomeUnknown):
        await at_fault(fault).send(**ask)
    while True:
        try:
            found = await gateway.find_sent(**ask)
        except ProviderDeclined:
            continue
        break
    assert found.status == "failed"
    assert _sums(shop, ask) == ({"EUR": 1000}, {})
    assert len(world.all("transfer_reversal")) == 1


@pytest.mark.parametrize(
    "steps", [["failed"], ["in_transit", "failed"], ["paid", "failed"], ["canceled"]]
)
async def test_what_the_bank_refused_is_fetched_back(shop, gateway, steps):
    ask = await shop.withdrawal()
    sent = await gateway.send(**ask)
    for step in steps:
        shop.control(f"transfers/{sent.reference}/payout/{step}")
    assert _sums(shop, ask) == ({"EUR": 500}, {"EUR": 500})
    (stranded,) = shop.facts(WithdrawalStranded)
    assert (stranded.reference, stranded.key) == (sent.reference, ask["key"])
    for _ in range(2):
        back = await gateway.recall(key=stranded.key, reference=stranded.reference)
        assert (back.reference, back.status, back.key) == (sent.reference, "failed", ask["key"])
    assert _sums(shop, ask) == ({"EUR": 1000}, {})
    assert shop.facts(WithdrawalChanged)[-1].status == "failed"
    assert (await gateway.find_sent(**ask)).status == "failed"


async def test_asking_after_it_fetches_it_back_as_well(shop, gateway):
    """When the event got lost."""
    ask = await shop.withdrawal()
    sent = await gateway.send(**ask)
    shop.control(f"transfers/{sent.reference}/payout/failed")
    found = await gateway.find_sent(**ask)
    assert (found.status, found.reason) == ("failed", "The bank account has been closed.")
    assert _sums(shop, ask) == ({"EUR": 1000}, {})


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_fetching_back_in_doubt_is_done_once(shop, gateway, sandbox, at_fault, fault):
    ask = await shop.withdrawal()
    sent = await gateway.send(**ask)
    shop.control(f"transfers/{sent.reference}/payout/failed")
    sandbox.fail("stripe", fault, REVERSALS)
    with pytest.raises(OutcomeUnknown):
        await at_fault(fault).recall(key=ask["key"], reference=sent.reference)
    await gateway.recall(key=ask["key"], reference=sent.reference)
    assert _sums(shop, ask) == ({"EUR": 1000}, {})


async def test_what_cannot_be_fetched_back_is_no_failure_yet(shop, gateway, sandbox):
    """The account has less than was sent: the money is neither with the bank nor with us."""
    ask = await shop.withdrawal()
    sent = await gateway.send(**ask)
    shop.control(f"transfers/{sent.reference}/payout/failed")
    sandbox.fail("stripe", "insufficient_balance", REVERSALS)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown) as doubt:
            await gateway.find_sent(**ask)
        assert "could not be reversed" in doubt.value.message
    # the key has heard a no, and hears it again until Stripe forgets it
    with pytest.raises(OutcomeUnknown):
        await gateway.recall(key=ask["key"], reference=sent.reference)
    sandbox.worlds["stripe"].answers.clear()
    assert (await gateway.recall(key=ask["key"], reference=sent.reference)).status == "failed"


async def test_somebody_reverses_by_hand(shop, gateway):
    ask = await shop.withdrawal()
    sent = await gateway.send(**ask)
    shop.control(f"transfers/{sent.reference}/payout/failed")
    shop.control(f"transfers/{sent.reference}/reverse", amount=200)
    assert [fact.status for fact in shop.facts(WithdrawalChanged)] == ["sent"]
    found = await gateway.find_sent(**ask)  # the rest
    assert found.status == "failed"
    assert _sums(shop, ask) == ({"EUR": 1000}, {})
    assert [fact.status for fact in shop.facts(WithdrawalChanged)] == ["sent", "failed"]


async def test_an_account_that_proved_nothing_gets_nothing(shop, gateway):
    shop.control("fund", amount=1000)
    account = await gateway.open_account(key=uuid.uuid4(), person={"country": "DE"})
    with pytest.raises(ProviderDeclined) as no:
        await gateway.send(key=uuid.uuid4(), to=Destination(account), amount=Money(500, "EUR"))
    assert no.value.details == {"code": "insufficient_capabilities_for_transfer"}
    assert shop.balance() == {"EUR": 1000}


async def test_an_account_that_is_not_ours_any_more_brings_it_back(shop, gateway, sandbox):
    """Its owner took our access away between the transfer and the payout."""
    ask = await shop.withdrawal()
    sandbox.fail("stripe", "access_revoked", PAYOUTS)
    with pytest.raises(ProviderDeclined) as no:
        await gateway.send(**ask)
    assert no.value.details == {"code": "account_invalid"}
    assert _sums(shop, ask) == ({"EUR": 1000}, {})


async def test_another_destination_under_the_key_is_doubt(shop, gateway):
    ask = await shop.withdrawal()
    await gateway.send(**ask)
    other = ask | {"to": Destination("acct_of_somebody_else")}
    for call in (gateway.send, gateway.find_sent):
        with pytest.raises(OutcomeUnknown):
            await call(**other)
    with pytest.raises(OutcomeUnknown):
        await gateway.find_sent(**(ask | {"amount": Money(501, "EUR")}))


async def test_whole_forint_only(shop, gateway, world):
    ask = await shop.withdrawal(minor=150_50, currency="HUF", funds=200_00)
    made = len(world.all("transfer"))
    with pytest.raises(ProviderDeclined):
        await gateway.send(**ask)
    assert len(world.all("transfer")) == made == 0
    sent = await gateway.send(**(ask | {"amount": Money(150_00, "HUF")}))
    assert sent.status == "sent"
