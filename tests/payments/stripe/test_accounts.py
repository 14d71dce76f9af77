"""People prove who they are at Stripe, and how that stands is read from there."""

import uuid

import pytest

from workers.payments.base import AccountChanged, OutcomeUnknown, ProviderDeclined

PERSON = {"country": "DE", "email": "creator@example.com", "legal_name": "Chidi", "details": {}}
LINK = {"return_url": "https://shop.example/done", "refresh_url": "https://shop.example/again"}


async def test_an_account_is_opened_once_and_pays_nothing_out_by_itself(gateway, world):
    key = uuid.uuid4()
    opened = {await gateway.open_account(key=key, person=PERSON) for _ in range(3)}
    (account,) = world.all("account")
    assert opened == {account["id"]}
    assert account["settings"]["payouts"]["schedule"]["interval"] == "manual"
    assert account["controller"]["stripe_dashboard"]["type"] == "express"
    assert account["controller"]["losses"]["payments"] == "application"
    assert account["capabilities"] == {"transfers": "inactive"}


async def test_a_person_proves_who_they_are(gateway, shop, sandbox, world):
    account = await gateway.open_account(key=uuid.uuid4(), person=PERSON)
    told = await gateway.look_up_account(account)
    assert told.status == "needs_information"
    assert "tos_acceptance.date" in told.requirements
    link = await gateway.onboarding_link(account, **LINK)
    with sandbox.client() as client:
        assert client.get(link).status_code == 200
        done = client.post(link)
        assert (done.status_code, done.headers["location"]) == (303, LINK["return_url"])
        # it works once: who comes back to it is sent for a new one
        again = client.get(link)
        assert (again.status_code, again.headers["location"]) == (303, LINK["refresh_url"])
    (bank,) = world.all("account")[0]["external_accounts"]["data"]
    label = f"STRIPE TEST BANK •••• {bank['last4']}"
    known = await gateway.look_up_account(account)
    assert known == AccountChanged(account, "active", [], label, known.fingerprint)
    assert len(known.fingerprint) == 64
    assert shop.facts(AccountChanged)[-1] == known


async def test_another_bank_is_told(gateway, shop):
    account = await gateway.open_account(key=uuid.uuid4(), person=PERSON)
    assert (await gateway.look_up_account(account)).label == ""
    shop.control(f"accounts/{account}/verified")
    before = await gateway.look_up_account(account)
    shop.control(f"accounts/{account}/other_bank")
    after = shop.facts(AccountChanged)[-1]
    assert after == await gateway.look_up_account(account)
    # the digits may be the same by chance, or by choice
    assert after.fingerprint != before.fingerprint
    assert after.label.startswith("STRIPE TEST BANK •••• ")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("verified", "active"),
        ("needs_information", "needs_information"),
        ("pending", "pending"),
        ("restricted", "restricted"),
        ("rejected", "closed"),
    ],
)
async def test_how_it_stands(gateway, shop, state, status):
    account = await gateway.open_account(key=uuid.uuid4(), person=PERSON)
    shop.control(f"accounts/{account}/{state}")
    assert (await gateway.look_up_account(account)).status == status
    assert shop.facts(AccountChanged)[-1].status in (status, "restricted")
    assert status in {fact.status for fact in shop.facts(AccountChanged)}


async def test_who_takes_our_access_away_has_closed_it(gateway, shop):
    account = await gateway.open_account(key=uuid.uuid4(), person=PERSON)
    shop.control(f"accounts/{account}/closed")
    assert shop.facts(AccountChanged)[-1] == AccountChanged(account, "closed")


async def test_a_country_that_stripe_does_not_know(gateway):
    with pytest.raises(ProviderDeclined) as no:
        await gateway.open_account(key=uuid.uuid4(), person={"country": "Atlantis"})
    assert no.value.details == {"code": "country_unsupported"}


async def test_an_account_that_is_not_there(gateway):
    with pytest.raises(ProviderDeclined):
        await gateway.onboarding_link("acct_of_nobody", **LINK)
    with pytest.raises(OutcomeUnknown):
        await gateway.look_up_account("acct_of_nobody")
