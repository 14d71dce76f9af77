"""Razorpay's own client finds in the sandbox what it expects of Razorpay."""

import hashlib
import uuid

import pytest
import razorpay
from razorpay.errors import BadRequestError, GatewayError

from tests.fixtures.sandboxing import serve_sandbox
from tests.payments.razorpay.shop import BANK

TIMEOUT = (3, 20)  # it has none of its own


@pytest.fixture
def played():
    with serve_sandbox() as served:
        yield served


@pytest.fixture
def client(played):
    known = played.known
    return razorpay.Client(
        auth=(known.razorpay_key_id, known.razorpay_key_secret.get_secret_value()),
        base_url=f"{played.url}/razorpay",
    )


@pytest.fixture
def paid(played, client):
    """A payment that was captured."""
    order = client.order.create(
        {"amount": 50_000, "currency": "INR", "receipt": "receipt#1"}, timeout=TIMEOUT
    )
    return played.control("razorpay", f"orders/{order['id']}/pay")


def test_an_order_from_beginning_to_end(played, client):
    order = client.order.create(
        {"amount": 50_000, "currency": "INR", "receipt": "r1", "notes": {"a": "b"}},
        timeout=TIMEOUT,
    )
    assert (order["entity"], order["status"], order["amount_due"]) == ("order", "created", 50_000)
    assert client.order.all({"receipt": "r1"})["items"] == [order]
    assert client.order.all({"receipt": "r2"})["count"] == 0
    payment = played.control("razorpay", f"orders/{order['id']}/authorize")
    assert client.order.fetch(order["id"])["status"] == "attempted"
    captured = client.payment.capture(payment["id"], 50_000, {"currency": "INR"})
    assert (captured["status"], captured["captured"]) == ("captured", True)
    assert client.order.fetch(order["id"])["status"] == "paid"
    assert client.order.payments(order["id"])["items"] == [captured]
    assert client.payment.fetch(payment["id"]) == captured
    assert client.payment.all()["count"] == 1


def test_a_capture_as_the_pages_show_it_is_refused(played, client):
    """Their sample passes a dict where the client wants the amount: it sends the dict as it."""
    order = client.order.create({"amount": 50_000, "currency": "INR"})
    payment = played.control("razorpay", f"orders/{order['id']}/authorize")
    with pytest.raises(BadRequestError, match="currency field is required"):
        client.payment.capture(payment["id"], {"amount": 50_000, "currency": "INR"})
    with pytest.raises(BadRequestError, match="equal to the amount authorized"):
        client.payment.capture(payment["id"], 40_000, {"currency": "INR"})


def test_refunds(client, paid):
    key = {"X-Refund-Idempotency": str(uuid.uuid4())}
    first = client.payment.refund(paid["id"], {"amount": 500}, headers=key)
    again = client.payment.refund(paid["id"], {"amount": 500}, headers=key)
    assert first["id"] == again["id"]
    assert (first["status"], again["status"]) == ("pending", "processed")
    with pytest.raises(BadRequestError, match="Different request"):
        client.payment.refund(paid["id"], {"amount": 600}, headers=key)
    with pytest.raises(BadRequestError, match="at least 10"):
        client.payment.refund(paid["id"], {}, headers={"X-Refund-Idempotency": "short"})
    with pytest.raises(BadRequestError, match="alphanumeric"):
        client.payment.refund(paid["id"], {}, headers={"X-Refund-Idempotency": "with spaces in"})
    rest = client.payment.refund(paid["id"], {})
    assert rest["amount"] == 49_500
    with pytest.raises(BadRequestError, match="fully refunded"):
        client.payment.refund(paid["id"], {})
    assert client.refund.fetch(rest["id"])["status"] == "processed"
    assert client.payment.fetch_multiple_refund(paid["id"])["count"] == 2
    assert client.payment.fetch(paid["id"])["refund_status"] == "full"


def test_disputes(played, client, paid):
    dispute = played.control("razorpay", f"payments/{paid['id']}/dispute")
    assert client.dispute.fetch(dispute["id"])["status"] == "open"
    assert client.dispute.accept(dispute["id"])["amount_deducted"] == 50_000
    with pytest.raises(BadRequestError):
        client.dispute.accept(dispute["id"])
    assert client.dispute.all()["count"] == 1


def test_route(played, client, paid):
    account = client.account.create(
        {
            "email": "shop@example.com", "phone": "9000090000", "type": "route",
            "legal_business_name": "Acme Corp", "business_type": "partnership",
            "contact_name": "Asha Rao", "profile": {"category": "healthcare"},
        }
    )  # fmt: skip
    assert account["status"] == "created"
    client.stakeholder.create(account["id"], {"name": "Asha Rao", "email": "asha@example.com"})
    product = client.product.requestProductConfiguration(
        account["id"], {"product_name": "route", "tnc_accepted": True}
    )
    assert len(product["requirements"]) == 3
    settlements = {
        "account_number": BANK["account_number"],
        "ifsc_code": BANK["ifsc"],
        "beneficiary_name": BANK["name"],
    }
    product = client.product.edit(
        account["id"], product["id"], {"settlements": settlements, "tnc_accepted": True}
    )
    assert (product["activation_status"], product["requirements"]) == ("under_review", [])
    played.control("razorpay", "advance")
    fetched = client.product.fetch(account["id"], product["id"])
    assert fetched["activation_status"] == "activated"
    part = {"account": account["id"], "amount": 20_000, "currency": "INR", "on_hold": True}
    made = client.payment.transfer(paid["id"], {"transfers": [part]})
    (transfer,) = made["items"]
    assert (transfer["status"], transfer["on_hold"]) == ("pending", True)
    assert client.transfer.fetch(transfer["id"])["status"] == "processed"
    assert client.transfer.edit(transfer["id"], {"on_hold": False})["on_hold"] is False
    reversal = client.transfer.reverse(transfer["id"], {"amount": 5000})
    assert client.transfer.reversals(transfer["id"])["items"] == [reversal]
    assert client.transfer.all({"payment_id": paid["id"]})["items"][0]["amount_reversed"] == 5000


def test_payouts_by_paths_that_it_has_no_methods_for(played, client):
    played.control("razorpay", "fund", amount=500)
    contact = client.post("/v1/contacts", {"name": "Asha Rao", "type": "vendor"})
    wanted = {"contact_id": contact["id"], "account_type": "bank_account", "bank_account": BANK}
    account = client.fund_account.create(wanted)
    assert client.fund_account.create(wanted) == account
    payout = client.post(
        "/v1/payouts",
        {
            "account_number": played.known.razorpay_account_number,
            "fund_account_id": account["id"], "amount": 500, "currency": "INR", "mode": "IMPS",
            "purpose": "payout", "reference_id": "mine",
        },
        headers={"X-Payout-Idempotency": str(uuid.uuid4())},
    )  # fmt: skip
    assert payout["status"] == "processing"
    found = client.get(
        "/v1/payouts",
        {"account_number": played.known.razorpay_account_number, "reference_id": "mine"},
    )
    assert found["items"] == [payout]


def test_wrong_keys_and_what_is_not_there(played, client):
    stranger = razorpay.Client(auth=("rzp_test_x", "y"), base_url=f"{played.url}/razorpay")
    with pytest.raises(BadRequestError, match="Authentication failed"):
        stranger.order.all()
    with pytest.raises(BadRequestError, match="does not exist"):
        client.payment.fetch("pay_nobody")
    with pytest.raises(BadRequestError, match="not required"):
        client.order.create({"amount": 500, "currency": "INR", "colour": "red"})
    with pytest.raises(BadRequestError, match=r"at least INR 1\.00"):
        client.order.create({"amount": 99, "currency": "INR"})
    with pytest.raises(BadRequestError, match="greater than 100"):
        client.payment.all({"count": 101})
    played.fail("razorpay", "gateway_error", "/orders")
    with pytest.raises(GatewayError):
        client.order.create({"amount": 500, "currency": "INR"})


def test_a_webhook_of_a_later_secret_does_not_fit(played, client, paid):
    event = played.events("razorpay")[0]
    signature = event.headers["X-Razorpay-Signature"]
    with pytest.raises(razorpay.errors.SignatureVerificationError):
        client.utility.verify_webhook_signature(event.body.decode(), signature, "another")
    assert len(signature) == hashlib.sha256().digest_size * 2
