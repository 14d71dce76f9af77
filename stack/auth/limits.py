"""Rate limits: so many requests per address and five minutes, so many mails per hour."""

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stack.auth.errors import too_many_requests
from stack.auth.settings import RateLimits

_ADDRESSES = 10_000
_CODES = 50
_WINDOW_SECONDS = 300.0
_HOUR_SECONDS = 3600.0


class Bucket:
    """A token bucket per key: `limit` at once, refilled evenly over `window` seconds."""

    def __init__(self, limit: int | None, window: float) -> None:
        self._limit, self._window = limit, window
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def has_room(self, key: str) -> bool:
        """Whether one more is allowed now, without counting it."""
        return self._limit is None or self._tokens(key, self._limit, time.monotonic()) >= 1

    def takes(self, key: str) -> bool:
        """Whether one more is allowed now; if so it is counted."""
        if self._limit is None:
            return True
        now = time.monotonic()
        left = self._tokens(key, self._limit, now)
        is_allowed = left >= 1
        self._left[key] = (left - 1 if is_allowed else left, now)
        self._left.move_to_end(key)
        if len(self._left) > _ADDRESSES:
            self._left.popitem(last=False)
        return is_allowed

    def _tokens(self, key: str, limit: int, now: float) -> float:
        left, at = self._left.get(key, (float(limit), now))
        return min(float(limit), left + (now - at) * limit / self._window)


class Limits:
    """The buckets of `[auth.rate_limit]`. A name without a setting is unlimited."""

    def __init__(self, rates: RateLimits) -> None:
        self._requests = {
            name: Bucket(limit, _HOUR_SECONDS if name == "anonymous_users" else _WINDOW_SECONDS)
            for name, limit in (
                ("anonymous_users", rates.anonymous_users),
                ("token_refresh", rates.token_refresh),
                ("sign_in_sign_ups", rates.sign_in_sign_ups),
                ("token_verifications", rates.token_verifications),
                ("web3", rates.web3),
            )
        }
        self._strangers: OrderedDict[tuple[str, str], float] = OrderedDict()
        # a six-digit code is guessed in a million tries: whatever is configured, none gets that far
        self._codes = Bucket(_CODES, _WINDOW_SECONDS)
        self._mails = Bucket(rates.email_sent, _HOUR_SECONDS)

    def check(self, name: str, ip: str, account: str = "") -> None:
        """Count a request from `ip`. `account` is the address, token or code that it names.

        From the same machine everyone comes with the same IP, people and test suites alike; there
        the account counts. Errors: 429 over_request_rate_limit.
        """
        key = f"{ip} {account}" if account and _is_loopback(ip) else ip
        if not self._requests[name].takes(key):
            raise too_many_requests("over_request_rate_limit", "Request rate limit reached")

    def check_code(self, email: str) -> None:
        """Count a code that is tried for an address, known or not.

        Errors: 429 over_request_rate_limit after 50 in five minutes.
        """
        if not self._codes.takes(email):
            raise too_many_requests("over_request_rate_limit", "Request rate limit reached")

    def check_stranger(self, action: str, email: str, frequency: float) -> None:
        """Treat an address that is not registered like one that is: one mail per `frequency` s.

        Errors: 429 over_email_send_rate_limit.
        """
        now = time.monotonic()
        left = self._strangers.get((action, email), now - frequency) + frequency - now
        if left > 0:
            raise too_many_requests("over_email_send_rate_limit", too_soon(left))
        self._strangers[action, email] = now
        self._strangers.move_to_end((action, email))
        if len(self._strangers) > _ADDRESSES:
            self._strangers.popitem(last=False)

    def check_mail(self) -> None:
        """Errors: 429 over_email_send_rate_limit."""
        if not self._mails.takes(""):
            raise too_many_requests("over_email_send_rate_limit", "email rate limit exceeded")


def _is_loopback(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False


def too_soon(left: float) -> str:
    """How GoTrue words that a mail was sent `left` seconds too early."""
    return f"For security purposes, you can only request this after {int(left)} seconds."


@asynccontextmanager
async def at_least(seconds: float) -> AsyncIterator[None]:
    """Take this long at least, so that the time taken tells nothing of what was found."""
    began = time.monotonic()
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
