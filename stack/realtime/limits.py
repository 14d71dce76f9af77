"""Counting: a mean rate for the whole service, an allowance for one client."""

import time
from collections.abc import Callable

_TICKS, _TICK_SECONDS = 12, 5.0


class Rate:
    """Events per second as a mean over the last minute, in twelve ticks of five seconds."""

    def __init__(self, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._ticks = [0] * _TICKS
        self._tick = int(clock() / _TICK_SECONDS)

    def add(self, count: int = 1) -> None:
        self._turn()
        self._ticks[self._tick % _TICKS] += count

    @property
    def per_second(self) -> float:
        self._turn()
        return sum(self._ticks) / (_TICKS * _TICK_SECONDS)

    def is_exceeded(self, more: int = 0) -> bool:
        """Whether the rate, with `more` events now, is above its limit."""
        self._turn()
        return (sum(self._ticks) + more) / (_TICKS * _TICK_SECONDS) > self._limit

    def _turn(self) -> None:
        now = int(self._clock() / _TICK_SECONDS)
        for tick in range(max(self._tick + 1, now - _TICKS + 1), now + 1):
            self._ticks[tick % _TICKS] = 0
        self._tick = now


class Allowance:
    """So many calls per window; the window starts with its first call."""

    __slots__ = ("_calls", "_clock", "_limit", "_resets_at", "_seconds")

    def __init__(
        self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._seconds, self._clock = limit, seconds, clock
        self._calls, self._resets_at = 0, 0.0

    def take(self) -> bool:
        """Use one call up; False when none is left."""
        now = self._clock()
        if now > self._resets_at:
            self._calls, self._resets_at = 0, now + self._seconds
        if self._calls >= self._limit:
            return False
        self._calls += 1
        return True
