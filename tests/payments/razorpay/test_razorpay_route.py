"""Route: a payment's parts go to linked accounts, are held, released, and taken back once."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.payments.razorpay.shop import BANK
from workers.core.money import Money
from workers.payments.base import AccountChanged, OutcomeUnknown, ProviderDeclined

OWNER = {"name": "Asha Rao", "email": "asha@example.com", "kyc": {"pan": "AVOPB1111K"}}


def _business(**changes):
    return {
        "email": "shop@example.com",
        "phone": "9000090000",
        "legal_business_name": "Acme Corp",
        "business_type": "partnership",
        "contact_name": "Asha Rao",
        "profile": {
            "category": "healthcare",
            "subcategory": "clinic",
            "addresses": {
                "registered": {
                    "street1": "507, Koramangala 1st block",
                    "street2": "MG Road",
                    "city": "Bengaluru",
                    "state": "KARNATAKA",
                    "postal_code": "560034",
                    "country": "IN",
                }
            },
        },
        "legal_info": {"pan": "AAACL1234C"},
        **changes,
    }


def _inr(minor):
    return Money(minor, "INR")


async def _linked(shop, key=None, **changes):
    return await shop.gateway.route.create_linked_account(
        key=key or uuid.uuid4(), business=_business(**changes), owner=OWNER, bank=BANK
    )


async def _account(shop):
    """A linked account that may be paid."""
    linked = await _linked(shop)
    shop.does("advance")
    return linked.account


async def test_an_account_is_reviewed_and_activated(shop):
    linked = await _linked(shop)
    assert linked.state == AccountChanged(linked.account, "pending")
    shop.does(f"accounts/{linked.account}/needs_clarification", field_reference="kyc.pan")
    now = await shop.gateway.route.look_up(linked.account, linked.product)
    assert now == AccountChanged(linked.account, "needs_information", ("kyc.pan",))
    shop.does(f"accounts/{linked.account}/activated")
    now = await shop.gateway.route.look_up(linked.account, linked.product)
    assert now == AccountChanged(linked.account, "active")
    assert [fact.status for fact in await shop.facts(AccountChanged)] == [
        "pending", "needs_information", "active",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "call", ["POST /razorpay/v2/accounts", "/stakeholders", "/products", "PATCH "]
)
async def test_onboarding_goes_on_where_it_broke(shop, call):
    key = uuid.uuid4()
    shop.sandbox.fail("razorpay", "500_after", call)
    with pytest.raises(OutcomeUnknown):
        await _linked(shop, key)
    shop.sandbox.recover("razorpay")
    linked = await _linked(shop, key)
    assert (await _linked(shop, key)).account == linked.account
    for kind in ("account", "stakeholder", "product"):
        assert len(shop.world.all(kind)) == 1


async def test_another_members_address_opens_nothing(shop):
    await _linked(shop)
    with pytest.raises(ProviderDeclined, match="already exists"):
        await _linked(shop)


@pytest.mark.parametrize(
    "changes", [{"phone": "1"}, {"legal_info": {"pan": "AAAPL1234C"}}, {"business_type": None}]
)
async def test_a_business_that_is_wrong_is_declined(shop, changes):
    with pytest.raises(ProviderDeclined):
        await _linked(shop, **changes)


async def test_a_part_is_held_until_it_is_released(shop):
    account, payment = await _account(shop), await shop.paid()
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    route = shop.gateway.route
    made = await route.transfer_payment(
        key=uuid.uuid4(), payment=payment, account=account, amount=_inr(40_000), held_until=until
    )
    assert (made.status, made.is_held, made.held_until) == ("pending", True, until)
    now = await route.look_up_transfer(made.reference)
    assert (now.status, now.is_held) == ("processed", True)
    for _ in range(2):
        released = await route.release_hold(made.reference)
        assert (released.is_held, released.held_until) == (False, None)
    shop.does(f"transfers/{made.reference}/settle")
    with pytest.raises(ProviderDeclined):
        await route.release_hold(made.reference)
    assert shop.balance() == 10_000


@pytest.mark.parametrize("fault", ["500_before", "500_after", "drop_before", "drop_after"])
async def test_a_transfer_in_doubt_is_made_once(shop, fault):
    ask = {
        "key": uuid.uuid4(), "payment": await shop.paid(), "account": await _account(shop),
        "amount": _inr(40_000),
    }  # fmt: skip
    route = shop.gateway.route
    shop.sandbox.fail("razorpay", fault, "POST /razorpay/v1/payments")
    with pytest.raises(OutcomeUnknown):
        await route.transfer_payment(**ask)
    looked_for = {name: ask[name] for name in ("key", "payment", "amount")}
    found = await route.find_transfer(**looked_for)
    assert (found is not None) == fault.endswith("_after")
    made = await route.transfer_payment(**ask)
    assert await route.transfer_payment(**ask) == await route.find_transfer(**looked_for)
    assert found is None or found.reference == made.reference
    assert len(shop.world.all("transfer")) == 1
    assert shop.balance() == 10_000


async def test_not_more_than_was_paid_is_given_away(shop):
    account, payment = await _account(shop), await shop.paid()
    route = shop.gateway.route
    await route.transfer_payment(
        key=uuid.uuid4(), payment=payment, account=account, amount=_inr(40_000)
    )
    with pytest.raises(ProviderDeclined, match="greater than the captured"):
        await route.transfer_payment(
            key=uuid.uuid4(), payment=payment, account=account, amount=_inr(10_001)
        )
    await shop.gateway.refund(key=uuid.uuid4(), payment=payment, amount=_inr(100))
    with pytest.raises(ProviderDeclined):  # a refund has begun
        await route.transfer_payment(
            key=uuid.uuid4(), payment=payment, account=account, amount=_inr(100)
        )


async def test_nothing_goes_to_an_account_under_review(shop):
    linked, payment = await _linked(shop), await shop.paid()
    with pytest.raises(ProviderDeclined):
        await shop.gateway.route.transfer_payment(
            key=uuid.uuid4(), payment=payment, account=linked.account, amount=_inr(500)
        )


async def test_a_transfer_that_fails_says_why(shop):
    account, payment = await _account(shop), await shop.paid()
    shop.sandbox.fail("razorpay", "transfer_fails")
    made = await shop.gateway.route.transfer_payment(
        key=uuid.uuid4(), payment=payment, account=account, amount=_inr(500)
    )
    now = await shop.gateway.route.look_up_transfer(made.reference)
    assert now.status == "failed"
    assert "balance" in now.reason
    assert shop.balance() == 50_000


async def _transferred(shop):
    account, payment = await _account(shop), await shop.paid()
    made = await shop.gateway.route.transfer_payment(
        key=uuid.uuid4(), payment=payment, account=account, amount=_inr(40_000)
    )
    return made.reference


async def test_it_is_taken_back_in_parts_and_not_a_unit_more(shop):
    transfer, route = await _transferred(shop), shop.gateway.route
    for amount, before in [(10_000, 0), (30_000, 10_000)]:
        await route.reverse_transfer(
            key=uuid.uuid4(), transfer=transfer, amount=_inr(amount), reversed_before=_inr(before)
        )
    now = await route.look_up_transfer(transfer)
    assert (now.status, now.reversed_minor) == ("reversed", 40_000)
    with pytest.raises(ProviderDeclined):
        await route.reverse_transfer(
            key=uuid.uuid4(), transfer=transfer, amount=_inr(100), reversed_before=_inr(40_000)
        )
    assert shop.balance() == 50_000


async def test_a_reversal_in_doubt_is_made_once(shop):
    transfer, route = await _transferred(shop), shop.gateway.route
    ask = {
        "key": uuid.uuid4(), "transfer": transfer, "amount": _inr(10_000),
        "reversed_before": _inr(0),
    }  # fmt: skip
    shop.sandbox.fail("razorpay", "500_after", "POST /razorpay/v1/transfers")
    with pytest.raises(OutcomeUnknown):
        await route.reverse_transfer(**ask)
    first = await route.reverse_transfer(**ask)
    assert await route.reverse_transfer(**ask) == first
    assert (await route.look_up_transfer(transfer)).reversed_minor == 10_000


async def test_a_reversal_whose_notes_were_lost_is_not_made_again(shop):
    transfer, route = await _transferred(shop), shop.gateway.route
    ask = {
        "key": uuid.uuid4(), "transfer": transfer, "amount": _inr(10_000),
        "reversed_before": _inr(0),
    }  # fmt: skip
    shop.sandbox.fail("razorpay", "notes_lost")
    await route.reverse_transfer(**ask)
    with pytest.raises(OutcomeUnknown):
        await route.reverse_transfer(**ask)
    assert (await route.look_up_transfer(transfer)).reversed_minor == 10_000


async def test_what_lies_in_their_bank_is_not_taken_back(shop):
    transfer, route = await _transferred(shop), shop.gateway.route
    await route.release_hold(transfer)
    shop.does(f"transfers/{transfer}/settle")
    with pytest.raises(ProviderDeclined):
        await route.reverse_transfer(
            key=uuid.uuid4(), transfer=transfer, amount=_inr(500), reversed_before=_inr(0)
        )


async def test_an_answer_in_another_currency_is_doubt(shop):
    account, payment = await _account(shop), await shop.paid()
    ask = {"key": uuid.uuid4(), "payment": payment, "account": account, "amount": _inr(500)}
    shop.sandbox.fail("razorpay", "wrong_currency", "POST /razorpay/v1/payments")
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.route.transfer_payment(**ask)
    made = await shop.gateway.route.transfer_payment(**ask)
    ask = {"key": uuid.uuid4(), "transfer": made.reference, "amount": _inr(500)}
    shop.sandbox.fail("razorpay", "wrong_currency", "POST /razorpay/v1/transfers")
    with pytest.raises(OutcomeUnknown):
        await shop.gateway.route.reverse_transfer(**ask, reversed_before=_inr(0))
