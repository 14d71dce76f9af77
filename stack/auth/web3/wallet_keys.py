"""Solana addresses and their Ed25519 signatures, checked as strictly as a wallet's own library.

OpenSSL, like the verifier of supabase/auth, accepts public keys of small order, for which anybody
can make signatures: they are refused here, as are addresses that belong to programs.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {letter: value for value, letter in enumerate(_ALPHABET)}

_P = 2**255 - 19
# the y coordinates of the eight points whose order divides eight (RFC 8032's curve)
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _P - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7,
    }
)

# native programs and sysvars are padded with ones, which no real key ends in
_NATIVE_ENDING = "1" * 10
_PROGRAMS = frozenset(
    {
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
        "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
        "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
        "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo",
        "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s",
        "namesLPneVptA9Z5rqUDD9tMTWEJwofgaYwp8cawRkX",
        "SPoo1Ku8WFXoNDMHPsrGSTSG1Y47rzgn41SLUNakuHy",
    }
)


class NotAnAddress(ValueError):
    """The text is not base58 or not 32 bytes long."""


def decode_address(address: str) -> bytes:
    """The 32 bytes of a base58 address. Errors: NotAnAddress."""
    number = 0
    for letter in address:
        if letter not in _DIGITS:
            raise NotAnAddress(f"{letter!r} is no base58 digit")
        number = number * 58 + _DIGITS[letter]
    leading_zeros = len(address) - len(address.lstrip("1"))
    decoded = bytes(leading_zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(decoded) != 32:
        raise NotAnAddress(f"{len(decoded)} bytes instead of 32")
    return decoded


def is_wallet(address: str, public_key: bytes) -> bool:
    """False for keys nobody can own alone: of small order, not canonical, or a program's."""
    if address in _PROGRAMS or address.endswith(_NATIVE_ENDING):
        return False
    return _is_sound_point(public_key)


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the 64-byte `signature` over `message` is the key's, with no room for forgery."""
    if len(signature) != 64 or not _is_sound_point(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def off_chain_message(domain: str, public_key: bytes, message: bytes) -> bytes:
    """`message` behind the v0 off-chain header, as hardware wallets sign it.

    Layout (Solana, Off-Chain Message Signing, version 0): signing domain 16 bytes, version 1,
    application domain 32, format 1, signer count 1, signers 32 each, length 2 (little-endian).
    """
    application = domain.encode()[:32].ljust(32, b"\0")
    return b"".join(
        (
            b"\xffsolana offchain",
            b"\x00",
            application,
            b"\x00",
            b"\x01",
            public_key,
            len(message).to_bytes(2, "little"),
            message,
        )
    )


def _is_sound_point(encoded: bytes) -> bool:
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    return y < _P and y not in _SMALL_ORDER_Y
