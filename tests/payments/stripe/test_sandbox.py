"""Stripe's own client finds in the sandbox what it finds there: rules, errors, lists, events."""

import pytest
import stripe

NUMBER = {"amount": 1100, "currency": "eur"}


@pytest.fixture
def client(sandbox):
    """The official SDK, synchronous, as other projects use it."""
    return stripe.StripeClient(
        "sk_test_sandbox",
        base_addresses={"api": f"{sandbox.url}/stripe"},
        http_client=stripe.HTTPXClient(allow_sync_methods=True),
    ).v1


@pytest.fixture
def paid(client):
    return client.payment_intents.create(
        NUMBER | {"payment_method": "pm_card_visa", "confirm": True}
    )


@pytest.fixture
def account(client, shop):
    made = client.accounts.create(
        {
            "country": "DE",
            "capabilities": {"transfers": {"requested": True}},
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        }
    )
    shop.control(f"accounts/{made.id}/verified")
    shop.control("fund", amount=10_000)
    return made.id


def _refused(call, *arguments):
    with pytest.raises(stripe.StripeError) as refused:
        call(*arguments)
    error = refused.value
    # the SDK hands the code on for some kinds of error only
    code = error.code or getattr(error.error, "code", None)
    return type(error).__name__, error.http_status, code


def test_a_card_pays_and_its_charge_has_a_line_on_the_balance(client, paid):
    assert (paid.status, paid.amount_received) == ("succeeded", 1100)
    full = client.payment_intents.retrieve(
        paid.id, {"expand": ["latest_charge.balance_transaction"]}
    )
    assert isinstance(full.latest_charge, stripe.Charge)
    assert full.latest_charge.balance_transaction.net == 1100
    (available,) = client.balance.retrieve().available
    assert (available.amount, available.currency) == (1100, "eur")


REFUSALS = [
    ("a needed one is missing", {"currency": "eur"}, "parameter_missing"),
    ("nothing", NUMBER | {"amount": 0}, "parameter_invalid_integer"),
    ("below zero", NUMBER | {"amount": -5}, "parameter_invalid_integer"),
    ("a fraction", NUMBER | {"amount": 11.5}, "parameter_invalid_integer"),
    ("no number", NUMBER | {"amount": "all"}, "parameter_invalid_integer"),
    ("too little", NUMBER | {"amount": 49}, "amount_too_small"),
    ("too much", NUMBER | {"amount": 10**13}, "amount_too_large"),
    ("upper case", NUMBER | {"currency": "EUR"}, None),
    ("kronur with a rest", {"amount": 150, "currency": "isk"}, None),
    ("nobody's", NUMBER | {"customer": "cus_1"}, "resource_missing"),
    ("a parameter of tomorrow", NUMBER | {"colour": "blue"}, "parameter_unknown"),
    ("without a card", NUMBER | {"confirm": True}, "payment_intent_unexpected_state"),
]


@pytest.mark.parametrize(
    ("asked", "code"), [row[1:] for row in REFUSALS], ids=[r[0] for r in REFUSALS]
)
def test_what_stripe_refuses(client, asked, code):
    kind, status, told = _refused(client.payment_intents.create, asked)
    assert (kind, told) == ("InvalidRequestError", code)
    assert status in (400, 404)


def test_a_declined_card_carries_its_intent(client):
    with pytest.raises(stripe.CardError) as refused:
        client.payment_intents.create(
            NUMBER | {"payment_method": "pm_card_chargeDeclined", "confirm": True}
        )
    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    assert refused.value.error.payment_intent.status == "requires_payment_method"


def test_keys(client, sandbox):
    key = {"idempotency_key": "a-key"}
    first = client.payment_intents.create(NUMBER, key)
    again = client.payment_intents.create(NUMBER, key)
    assert again.id == first.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert client.payment_intents.create(NUMBER).id != first.id
    changed = NUMBER | {"amount": 1200}
    refused = ("IdempotencyError", 400, None)
    assert _refused(client.payment_intents.create, changed, key) == refused
    assert _refused(client.customers.create, {}, key) == refused
    # what was refused before any work began leaves the key free
    free = {"idempotency_key": "another-key"}
    _refused(client.payment_intents.create, {"amount": 0}, free)
    assert client.payment_intents.create(NUMBER, free).amount == 1100
    sandbox.fail("stripe", "in_flight")
    busy = ("APIError", 409, "idempotency_key_in_use")
    assert _refused(client.payment_intents.create, NUMBER) == busy


def test_a_kept_error_is_said_again(client, sandbox):
    key = {"idempotency_key": "a-key"}
    sandbox.fail("stripe", "500_kept_before")
    for _ in range(2):
        assert _refused(client.customers.create, {}, key) == ("APIError", 500, None)
    assert len(list(client.customers.list())) == 0


def test_who_shows_no_key_gets_nothing(sandbox):
    stranger = stripe.StripeClient(
        "sk_test_of_somebody_else",
        base_addresses={"api": f"{sandbox.url}/stripe"},
        http_client=stripe.HTTPXClient(allow_sync_methods=True),
    ).v1
    for call in (stranger.payment_intents.list, stranger.balance.retrieve):
        assert _refused(call)[:2] == ("AuthenticationError", 401)
    assert _refused(stranger.customers.create, {})[:2] == ("AuthenticationError", 401)


def test_pages_newest_first(client):
    made = [client.customers.create({"name": f"c{n}"}).id for n in range(23)]
    first = client.customers.list({"limit": 10})
    assert ([one.id for one in first], first.has_more) == (made[:-11:-1], True)
    assert [one.id for one in first.auto_paging_iter()] == made[::-1]
    before = client.customers.list({"ending_before": made[20]})
    assert [one.id for one in before] == made[:20:-1]
    assert len(client.customers.list().data) == 10
    assert _refused(client.customers.list, {"limit": 101})[0] == "InvalidRequestError"
    assert list(client.customers.list({"created": {"lt": 1}})) == []
    assert len(list(client.customers.list({"created": {"gt": 1}, "limit": 100}))) == 23


def test_the_states_of_an_intent(client):
    intent = client.payment_intents.create(NUMBER | {"capture_method": "manual"})
    assert _refused(client.payment_intents.capture, intent.id)[2] == (
        "payment_intent_unexpected_state"
    )
    card = {"payment_method": "pm_card_visa"}
    held = client.payment_intents.confirm(intent.id, card)
    assert (held.status, held.amount_capturable) == ("requires_capture", 1100)
    too_much = {"amount_to_capture": 1101}
    assert _refused(client.payment_intents.capture, intent.id, too_much)[2] == "amount_too_large"
    taken = client.payment_intents.capture(intent.id, {"amount_to_capture": 1000})
    assert (taken.status, taken.amount_received) == ("succeeded", 1000)
    for call in (client.payment_intents.cancel, client.payment_intents.capture):
        assert _refused(call, intent.id)[2] == "payment_intent_unexpected_state"
    other = client.payment_intents.create(NUMBER)
    gone = client.payment_intents.cancel(other.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    assert _refused(client.payment_intents.confirm, other.id, card)[2] == (
        "payment_intent_unexpected_state"
    )


def test_refunds_end_where_the_charge_does(client, paid):
    half = client.refunds.create({"payment_intent": paid.id, "amount": 600})
    assert half.charge == paid.latest_charge
    over = {"charge": paid.latest_charge, "amount": 501}
    assert _refused(client.refunds.create, over)[0] == "InvalidRequestError"
    assert client.refunds.create({"payment_intent": paid.id}).amount == 500
    more = {"payment_intent": paid.id}
    assert _refused(client.refunds.create, more)[2] == "charge_already_refunded"
    assert _refused(client.refunds.create, {})[2] == "parameter_missing"
    assert client.charges.retrieve(paid.latest_charge).refunded is True
    unpaid = client.payment_intents.create(NUMBER)
    assert _refused(client.refunds.create, {"payment_intent": unpaid.id})[2] == (
        "payment_intent_unexpected_state"
    )


def test_a_dispute_is_answered_once_and_closed_once(client, shop, paid):
    shop.control(f"payment_intents/{paid.id}/dispute")
    (dispute,) = client.disputes.list()
    assert (dispute.status, shop.balance()) == ("needs_response", {})
    evidence = {"evidence": {"product_description": "Tea"}, "submit": True}
    assert client.disputes.update(dispute.id, evidence).status == "under_review"
    assert _refused(client.disputes.update, dispute.id, evidence)[0] == "InvalidRequestError"
    assert client.disputes.close(dispute.id).status == "lost"
    assert _refused(client.disputes.close, dispute.id)[0] == "InvalidRequestError"
    assert shop.balance() == {}


def test_an_inquiry_takes_nothing(client, shop, paid):
    shop.control(f"payment_intents/{paid.id}/dispute", is_inquiry=True)
    (dispute,) = client.disputes.list()
    assert (dispute.status, shop.balance()) == ("warning_needs_response", {"EUR": 1100})
    shop.control(f"disputes/{dispute.id}/win")
    assert client.disputes.retrieve(dispute.id).status == "warning_closed"
    assert shop.balance() == {"EUR": 1100}


def test_transfers_and_their_reversals(client, shop, account):
    asked = {"amount": 4000, "currency": "eur", "destination": account}
    over = asked | {"amount": 10_001}
    assert _refused(client.transfers.create, over)[2] == "balance_insufficient"
    assert _refused(client.transfers.create, asked | {"currency": "usd"})[2] == (
        "balance_insufficient"
    )
    transfer = client.transfers.create(asked | {"transfer_group": "g"})
    assert [one.id for one in client.transfers.list({"transfer_group": "g"})] == [transfer.id]
    assert (shop.balance(), shop.balance(account)) == ({"EUR": 6000}, {"EUR": 4000})
    back = client.transfers.reversals.create(transfer.id, {"amount": 1500})
    assert back.amount == 1500
    now = client.transfers.retrieve(transfer.id)
    assert (now.amount_reversed, now.reversed, len(now.reversals.data)) == (1500, False, 1)
    too_much = {"amount": 2501}
    assert _refused(client.transfers.reversals.create, transfer.id, too_much)[1] == 400
    client.transfers.reversals.create(transfer.id)
    assert client.transfers.retrieve(transfer.id).reversed is True
    assert _refused(client.transfers.reversals.create, transfer.id)[1] == 400
    assert (shop.balance(), shop.balance(account)) == ({"EUR": 10_000}, {})


def test_payouts_are_the_accounts_own(client, shop, account):
    there = {"stripe_account": account}
    client.transfers.create({"amount": 4000, "currency": "eur", "destination": account})
    asked = {"amount": 3000, "currency": "eur"}
    payout = client.payouts.create(asked, there)
    assert (payout.status, shop.balance(account)) == ("pending", {"EUR": 1000})
    assert _refused(client.payouts.create, asked, there)[2] == "balance_insufficient"
    assert _refused(client.payouts.retrieve, payout.id)[2] == "resource_missing"
    assert client.payouts.cancel(payout.id, {}, there).status == "canceled"
    assert shop.balance(account) == {"EUR": 4000}
    assert _refused(client.payouts.cancel, payout.id, {}, there)[1] == 400
    stranger = {"stripe_account": "acct_of_nobody"}
    assert _refused(client.payouts.list, {}, stranger) == (
        "PermissionError",
        403,
        "account_invalid",
    )


def test_money_that_reached_an_account_with_a_schedule_leaves_it(client, shop, account):
    other = client.accounts.create(
        {"country": "DE", "capabilities": {"transfers": {"requested": True}}}
    )
    shop.control(f"accounts/{other.id}/verified")
    client.transfers.create({"amount": 4000, "currency": "eur", "destination": other.id})
    (payout,) = client.payouts.list({}, {"stripe_account": other.id})
    assert (payout.automatic, shop.balance(other.id)) == (True, {})


def test_links_for_people(client, account):
    urls = {"return_url": "https://a.example", "refresh_url": "https://b.example"}
    asked = {"account": account, "type": "account_update"} | urls
    assert _refused(client.account_links.create, asked)[1] == 400
    link = client.account_links.create(asked | {"type": "account_onboarding"})
    assert link.expires_at - link.created == 300
    assert client.accounts.login_links.create(account).url.endswith(account)


def test_events_show_the_object_as_it_was_then(sandbox, paid, shop):
    told = sandbox.bodies("stripe")
    kinds = [one["type"] for one in told]
    assert kinds == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    states = [one["data"]["object"]["status"] for one in told]
    assert states == ["requires_payment_method", "succeeded", "succeeded"]
    assert len({one["id"] for one in told}) == 3
    for event, sent in zip(told, sandbox.events("stripe"), strict=True):
        read = stripe.Webhook.construct_event(
            sent.body, sent.headers["stripe-signature"], "whsec_of_the_local_sandbox"
        )
        assert (read.id, read.type) == (event["id"], event["type"])


def test_the_page_of_a_session_that_is_over(client, sandbox):
    session = client.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example/thanks?s={CHECKOUT_SESSION_ID}",
            "line_items": [
                {
                    "quantity": 2,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 600,
                        "product_data": {"name": "Tea"},
                    },
                }
            ],
        }
    )
    assert (session.amount_total, session.payment_intent) == (1200, None)
    with sandbox.client() as page:
        gone = page.post(f"{session.url}/pay")
        assert gone.headers["location"] == f"https://shop.example/thanks?s={session.id}"
        assert page.post(f"{session.url}/pay").status_code == 400
        assert "complete" in page.get(session.url).text
    assert _refused(client.checkout.sessions.expire, session.id)[1] == 400
    for wrong in ({"mode": "gift"}, {"mode": "payment"}, {"mode": "payment", "success_url": "x"}):
        assert _refused(client.checkout.sessions.create, wrong)[1] == 400
