"""Passwords: their rules, and bcrypt off the event loop."""

import asyncio
import re
import secrets
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from stack.auth.errors import WeakPassword, invalid
from stack.auth.settings import AuthSettings

MAX_BYTES = 72  # bcrypt reads no further
COST = 10
COST_RANGE = (4, 14)  # of imported hashes; each step doubles the time
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
# a hash of nothing known: unknown addresses are compared with it, so that they take as long
_NOBODY = b"$2b$10$" + b"C6UzMDM.H6dfI/f/IKcEeO7ZBzWqEnv3Yj0v8Fy3hF1CXNn7V3p2y"


class Passwords:
    """Hashes and compares, `threads` at a time: each takes some 50 ms of a core."""

    def __init__(self, settings: AuthSettings, *, threads: int = 2) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bcrypt")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def check_strength(self, password: str) -> None:
        """Errors: 400 above 72 bytes; WeakPassword, 422. Source: supabase/auth, password.go."""
        if len(password.encode()) > MAX_BYTES:
            raise invalid(f"Password cannot be longer than {MAX_BYTES} characters")
        messages, reasons = [], []
        least = self._settings.minimum_password_length
        if len(password) < least:
            reasons.append("length")
            messages.append(f"Password should be at least {least} characters.")
        required = self._settings.password_characters
        if any(not set(characters) & set(password) for characters in required):
            reasons.append("characters")
            wanted = ", ".join(required)
            messages.append(f"Password should contain at least one character of each: {wanted}.")
        if reasons:
            raise WeakPassword(" ".join(messages), reasons)

    async def hash(self, password: str) -> str:
        """A bcrypt hash of cost 10, in the `$2a$` form that GoTrue writes."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _hash, password)

    async def matches(self, password: str, encrypted: str | None) -> bool:
        """Compare, in the same time whether or not there is a hash to compare with."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, _matches, password, encrypted
        )


def random_password() -> str:
    """For an invited user, until they set their own."""
    return secrets.token_urlsafe(48)


def _hash(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST, b"2a")).decode()


def is_bcrypt_hash(text: str) -> bool:
    """Whether an imported password hash can be compared with, within a second or two."""
    found = _BCRYPT.fullmatch(text)
    return found is not None and COST_RANGE[0] <= int(found[1]) <= COST_RANGE[1]


def _matches(password: str, encrypted: str | None) -> bool:
    known = (encrypted or "").encode()
    try:
        does_match = bcrypt.checkpw(password.encode()[:MAX_BYTES], known or _NOBODY)
    except ValueError:  # a hash of another kind, from a dump
        bcrypt.checkpw(password.encode()[:MAX_BYTES], _NOBODY)
        return False
    return does_match and bool(known)
