"""A wallet's sign-in message is read as supabase/auth reads it, and its signature strictly."""

import contextlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from stack.auth.web3.replay import UsedSignatures
from stack.auth.web3.siws import MalformedMessage, parse
from stack.auth.web3.wallet_keys import (
    NotAnAddress,
    decode_address,
    is_signed,
    is_wallet,
    off_chain_message,
)

ADDRESS = "7Z6vpXQq6BzCe6t7wZpQTL6cRFZx3uW7wQ1TTbEt3GhB"
MESSAGE = f"""example.com wants you to sign in with your Solana account:
{ADDRESS}

I accept the terms.

URI: https://example.com/
Version: 1
Chain ID: solana:mainnet
Nonce: abcdefgh
Issued At: 2026-01-01T10:00:00.123Z
Expiration Time: 2026-01-01T10:10:00+00:00
Not Before: 2026-01-01T09:59:00Z
Resources:
- https://example.com/terms"""

# the curve's identity and the zero key (System Program)
SMALL_ORDER = [
    "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM",
    "11111111111111111111111111111111",
]
# a point of order eight, and the identity written in a way that is not canonical
ODD_KEYS = [
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
PROGRAMS = [
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "Vote111111111111111111111111111111111111111",
    "SysvarC1ock11111111111111111111111111111111",
]


def test_reads_every_field():
    message = parse(MESSAGE)
    assert (message.domain, message.address) == ("example.com", ADDRESS)
    assert message.statement == "I accept the terms."
    assert message.uri.geturl() == "https://example.com/"
    assert message.chain_id == "solana:mainnet"
    assert message.issued_at == datetime(2026, 1, 1, 10, 0, 0, 123000, UTC)
    assert message.expires_at == datetime(2026, 1, 1, 10, 10, tzinfo=UTC)
    assert message.not_before == datetime(2026, 1, 1, 9, 59, tzinfo=UTC)


def test_statement_may_be_left_out():
    assert parse(MESSAGE.replace("I accept the terms.\n\n", "")).statement == ""


def test_last_of_a_repeated_field_holds():
    assert parse(MESSAGE + "\nURI: https://b.example/").uri.hostname == "b.example"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("example.com wants", "127.0.0.1 wants", "domain"),
        ("example.com wants", "https://example.com wants", "domain"),
        ("example.com wants", "intranet wants", "domain"),
        (" wants you to sign in with your Solana account:", "", "first line"),
        (ADDRESS, "short", "address"),
        (ADDRESS + "\n\n", ADDRESS + "\nI\n", "third line"),
        ("I accept the terms.", "One.\nTwo.", "unparsable"),
        ("Version: 1", "Version: 2", "Version"),
        ("Version: 1\n", "", "Version"),
        ("URI: https://example.com/\n", "", "URI"),
        ("URI: https://example.com/", "URI: example", "URI"),
        ("URI: https://example.com/", "URI: https://example.com@evil.example/", "URI"),
        ("URI: https://example.com/", "URI: https://evil.example\\@example.com/", "URI"),
        ("solana:mainnet", "mainnet", "Chain ID"),
        ("2026-01-01T10:00:00.123Z", "2026-01-01 10:00:00Z", "Issued At"),
        ("2026-01-01T10:00:00.123Z", "2026-02-31T10:00:00Z", "Issued At"),
        ("2026-01-01T10:00:00.123Z", "2026-01-01T10:00:00", "Issued At"),
        ("2026-01-01T10:00:00.123Z", "2026-01-01T11:00:00Z", "Issued At is after"),
        ("2026-01-01T09:59:00Z", "2026-01-01T10:11:00Z", "Not Before is after"),
        ("- https://example.com/terms", "- terms", "Resource at position 0"),
        ("Resources:", "Resources", "unparsable"),
        ("\n", "\r\n", ""),
    ],
)
def test_refuses(old, new, what):
    with pytest.raises(MalformedMessage, match=f"^siws: .*{what}"):
        parse(MESSAGE.replace(old, new))


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text):
    with pytest.raises(MalformedMessage):
        parse(text)


@given(st.text(alphabet="0OIl123456789ABCdef", max_size=60))
def test_any_address_is_32_bytes_or_refused(text):
    with contextlib.suppress(NotAnAddress):
        assert len(decode_address(text)) == 32


def test_known_address():
    # the ATA program's id, as the chain's explorers show its bytes
    decoded = decode_address("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
    assert decoded.hex().startswith("8c97258f4e2489f1bb3d1029148e0d83")


@pytest.mark.parametrize("address", [*SMALL_ORDER, *PROGRAMS])
def test_nobodys_key_is_no_wallet(address):
    assert not is_wallet(address, decode_address(address))


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_key_is_no_wallet(key):
    assert not is_wallet(ADDRESS, bytes.fromhex(key))
    assert not is_wallet(ADDRESS, bytes.fromhex(key[:-2] + f"{int(key[-2:], 16) | 128:02x}"))


def test_small_order_key_signs_nothing():
    # what OpenSSL and Go accept for any message: R is the identity, S is zero
    key = decode_address(SMALL_ORDER[0])
    assert not is_signed(key, key + bytes(32), b"any message")


def test_signature_with_a_larger_scalar_is_refused():
    private = Ed25519PrivateKey.generate()
    signature = private.sign(b"message")
    key = private.public_key().public_bytes_raw()
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(signature[32:], "little") + order
    assert is_signed(key, signature, b"message")
    assert not is_signed(key, signature[:32] + scalar.to_bytes(32, "little"), b"message")
    assert not is_signed(key, signature[:-1], b"message")
    assert not is_signed(key, signature, b"massage")


def test_off_chain_header():
    framed = off_chain_message("example.com", b"k" * 32, b"text")
    assert len(framed) == 85 + 4
    assert framed[:17] == b"\xffsolana offchain\x00"
    assert framed[17:49] == b"example.com" + bytes(21)
    assert framed[49:51] == b"\x00\x01"
    assert framed[83:] == b"\x04\x00text"


def test_signature_is_used_once_until_it_expires():
    used = UsedSignatures(is_enabled=True)
    assert used.use(b"s", until=20, now=10)
    assert not used.use(b"s", until=20, now=19)
    assert used.use(b"other", until=20, now=19)
    assert used.use(b"s", until=40, now=21)
    used.release(b"s")
    assert used.use(b"s", until=40, now=22)
