"""Remembers signatures that were used, for as long as their message could be sent again."""

import hashlib
import heapq

from stack.core.config import Config


class UsedSignatures:
    """In memory: a restart forgets, which opens no window longer than a message's validity.

    Not for threads: the check and the note are one step of the event loop.
    """

    def __init__(self, *, is_enabled: bool) -> None:
        self.is_enabled = is_enabled
        self._used: set[bytes] = set()
        self._by_expiry: list[tuple[float, bytes]] = []

    @classmethod
    def read(cls, config: Config) -> "UsedSignatures":
        """Whether wallets may sign in says `[auth.web3.solana] enabled`."""
        solana = config.section("auth", "web3", "solana")
        return cls(is_enabled=bool(solana.get("enabled", False)))

    def use(self, signature: bytes, *, until: float, now: float) -> bool:
        """Note a use; False if it is the second. `until` and `now` are seconds of one clock."""
        while self._by_expiry and self._by_expiry[0][0] < now:
            self._used.discard(heapq.heappop(self._by_expiry)[1])
        key = hashlib.sha256(signature).digest()
        if key in self._used:
            return False
        self._used.add(key)
        heapq.heappush(self._by_expiry, (until, key))
        return True

    def release(self, signature: bytes) -> None:
        """Take a use back: the sign-in it was for did not happen."""
        self._used.discard(hashlib.sha256(signature).digest())
