"""A wallet signs in by signing a message; every other message, key and moment is refused."""

import base64
import hashlib
import secrets
import threading
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from stack.auth.web3.wallet_keys import off_chain_message
from tests.conftest import RunningStack
from tests.stack.auth.visits import Auth

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Wallet:
    """An Ed25519 key and its base58 address."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public_key = self._key.public_key().public_bytes_raw()
        number, self.address = int.from_bytes(self.public_key, "big"), ""
        while number:
            number, digit = divmod(number, 58)
            self.address = ALPHABET[digit] + self.address
        leading_zeros = 32 - len(self.public_key.lstrip(b"\0"))
        self.address = "1" * leading_zeros + self.address

    def sign(self, text: str | bytes) -> str:
        raw = text if isinstance(text, bytes) else text.encode()
        return base64.urlsafe_b64encode(self._key.sign(raw)).rstrip(b"=").decode()


def moment(minutes: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def message(address: str, **changes: str) -> str:
    """A message as supabase-js writes it; `changes` by field, in lower case."""
    domain = changes.pop("domain", "app.example.com")
    fields = {
        "Version": "1",
        "URI": "https://app.example.com/sign-in",
        "Issued At": moment(),
        "Nonce": secrets.token_hex(8),
    }
    fields |= {name.replace("_", " ").title(): value for name, value in changes.items()}
    fields["URI"] = fields.pop("Uri", fields["URI"])
    lines = [f"{domain} wants you to sign in with your Solana account:", address, "", "Hello", ""]
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in fields.items() if value)])


@pytest.fixture
def auth(stack: RunningStack) -> Auth:
    return Auth(stack)


@pytest.fixture
def wallet() -> Wallet:
    return Wallet()


def sign_in(auth: Auth, text: str, signature: str, chain: str = "solana") -> httpx.Response:
    body = {"chain": chain, "message": text, "signature": signature}
    return auth.call("POST", "/token?grant_type=web3", body)


def test_new_wallet_is_a_new_user(auth, wallet):
    text = message(wallet.address, **{"chain_id": ""}) + "\nChain ID: solana:devnet"
    answer = sign_in(auth, text, wallet.sign(text))
    assert answer.status_code == 200, answer.text
    user = answer.json()["user"]
    assert (user["email"], user["is_anonymous"]) == ("", False)
    assert user["app_metadata"] == {"provider": "web3", "providers": ["web3"]}
    [identity] = user["identities"]
    assert identity["id"] == f"web3:solana:{wallet.address}"
    assert identity["identity_data"] == {
        "sub": f"web3:solana:{wallet.address}",
        "email_verified": False,
        "phone_verified": False,
        "custom_claims": {
            "address": wallet.address,
            "chain": "solana",
            "network": "solana:devnet",
            "domain": "app.example.com",
            "statement": "Hello",
        },
    }
    again = message(wallet.address)
    assert sign_in(auth, again, wallet.sign(again)).json()["user"]["id"] == user["id"]


def test_amr_names_it(auth, wallet):
    import jwt

    text = message(wallet.address)
    token = sign_in(auth, text, wallet.sign(text)).json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert [row["method"] for row in claims["amr"]] == ["web3"]


def test_padded_signature_and_ledger_form(auth, wallet):
    text = message(wallet.address)
    assert sign_in(auth, text, wallet.sign(text) + "==").status_code == 200
    text = message(wallet.address)
    framed = off_chain_message("app.example.com", wallet.public_key, text.encode())
    assert sign_in(auth, text, wallet.sign(framed)).status_code == 200


def test_localhost_needs_no_https(auth, wallet):
    text = message(wallet.address, domain="localhost:9999", uri="http://localhost:9999/x")
    assert sign_in(auth, text, wallet.sign(text)).status_code == 200


def test_used_once(auth, wallet):
    text = message(wallet.address)
    signature = wallet.sign(text)
    assert sign_in(auth, text, signature).status_code == 200
    again = sign_in(auth, text, signature)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert sign_in(auth, text, signature + "==").status_code == 400


def test_used_once_in_parallel(auth, wallet):
    text = message(wallet.address)
    signature = wallet.sign(text)
    answers: list[int] = []

    def enter() -> None:
        answers.append(sign_in(Auth(auth.stack), text, signature).status_code)

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 400, 400, 400]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"uri": "http://app.example.com/"}, "does not use HTTPS"),
        ({"uri": "https://other.example.org/"}, "not allowed on this server"),
        ({"domain": "evil.example.org"}, "Domain that does not match"),
        ({"uri": "https://app.example.com:444/"}, "not allowed on this server"),
        ({"issued_at": -11}, "issued too long ago"),
        ({"issued_at": 11}, "issued too far in the future"),
        ({"not_before": 5}, "becomes valid in the future"),
        ({"issued_at": -5, "expiration_time": -1}, "is expired"),
    ],
)
def test_signed_but_refused(auth, wallet, changes, why):
    """Numbers are minutes from now."""
    fields = {
        name: value if isinstance(value, str) else moment(value) for name, value in changes.items()
    }
    text = message(wallet.address, **fields)
    answer = sign_in(auth, text, wallet.sign(text))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert why in answer.json()["error_description"]


def test_signature_of_another(auth, wallet):
    text = message(wallet.address)
    for signature in (Wallet().sign(text), wallet.sign(text + " ")):
        answer = sign_in(auth, text, signature)
        assert answer.json() == {
            "error": "invalid_grant",
            "error_description": "Signature does not match address in message",
        }


def forged_for_small_order() -> str:
    """R = rB and S = r: where the key is the identity it adds nothing, whatever the message.

    For keys of order four it does so for one message in four.
    """
    key = Ed25519PrivateKey.generate()
    scalar = bytearray(hashlib.sha512(key.private_bytes_raw()).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(scalar, "little") % order
    signature = key.public_key().public_bytes_raw() + s.to_bytes(32, "little")
    return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "address",
    [
        "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM",
        "11111111111111111111111111111111",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    ],
)
def test_nobodys_address(auth, address):
    for _ in range(12):
        answer = sign_in(auth, message(address), forged_for_small_order())
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_the_forgery_is_real():
    """OpenSSL by itself takes it: the refusal above is ours."""
    signature = base64.urlsafe_b64decode(forged_for_small_order() + "==")
    identity = Ed25519PublicKey.from_public_bytes(b"\x01" + bytes(31))
    identity.verify(signature, b"any message")


@pytest.mark.parametrize("address", ["0OIl" * 9, "1" * 44, "2" * 32, "z" * 44, "ä" * 40])
def test_no_address_at_all_is_a_bad_request(auth, wallet, address):
    text = message(address)
    answer = sign_in(auth, text, wallet.sign(text))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")
    assert answer.json()["msg"].startswith("siws: wallet address")


@pytest.mark.parametrize(
    ("text", "signature", "why"),
    [
        ("short", "A" * 86, "message is too short"),
        ("x" * 20481, "A" * 86, "message must not exceed 20KB"),
        ("x" * 100, "A" * 85, "64 bytes"),
        ("x" * 100, "!" * 86, "base64"),
        ("x" * 100, "A" * 88, "base64"),
        ("x" * 100, "A" * 86, "siws: message"),
    ],
)
def test_bad_requests(auth, text, signature, why):
    answer = sign_in(auth, text, signature)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")
    assert why in answer.json()["msg"]


@pytest.mark.parametrize("chain", ["ethereum", "", "bitcoin"])
def test_other_chains(auth, wallet, chain):
    text = message(wallet.address)
    answer = sign_in(auth, text, wallet.sign(text), chain)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "web3_unsupported_chain")


def test_fields_of_wrong_types(auth):
    for body in ({"chain": ["solana"]}, {"chain": "solana", "message": 5}, {}):
        answer = auth.call("POST", "/token?grant_type=web3", body)
        assert answer.status_code in (400, 422)


def test_banned_wallet(auth, wallet):
    text = message(wallet.address)
    user = sign_in(auth, text, wallet.sign(text)).json()["user"]
    auth.admin("PUT", f"/users/{user['id']}", {"ban_duration": "1h"})
    text = message(wallet.address)
    answer = sign_in(auth, text, wallet.sign(text))
    assert (answer.status_code, answer.json()["error_code"]) == (403, "user_banned")
    # nothing happened, so the same signature may try again
    auth.admin("PUT", f"/users/{user['id']}", {"ban_duration": "none"})
    assert sign_in(auth, text, wallet.sign(text)).status_code == 200


def test_audit_log_tells_the_address(auth, wallet):
    text = message(wallet.address)
    sign_in(auth, text, wallet.sign(text))
    with psycopg.connect(auth.stack.database_url) as db:
        found = db.execute(
            "select payload -> 'traits' ->> 'domain' from auth.audit_log_entries"
            " where payload -> 'traits' ->> 'address' = %s",
            [wallet.address],
        ).fetchall()
    assert found == [("app.example.com",)]
