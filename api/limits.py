"""Rate limits: a bucket per caller, as deep as the tier's burst, refilled at its hourly rate."""

import logging
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from api.callers import Caller
from workers.core.db import one, transaction
from workers.core.settings import Settings

_logger = logging.getLogger("guildhall.api.limits")
_MOST_BUCKETS = 100_000
_TIER_SECONDS = 30.0
_REDIS_SECONDS = 1.0
_REDIS_CONNECTIONS = 16
_REDIS_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A tier's bucket; None: no limit."""

    tier: str
    requests_per_hour: int | None
    burst: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a bucket said. Times in whole seconds; `retry_after` is 0 when the request may pass."""

    limit: Limit
    remaining: int
    reset: int
    retry_after: int

    @property
    def headers(self) -> dict[str, str]:
        """Limit and remaining requests at this moment, seconds until the bucket is full."""
        known = self.limit
        headers = {
            "RateLimit-Limit": str(known.burst),
            "RateLimit-Policy": f"{known.requests_per_hour};w=3600;burst={known.burst}",
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }
        return headers | ({"Retry-After": str(self.retry_after)} if self.retry_after else {})


class Buckets(Protocol):
    async def spend(self, key: str, step_us: int, depth_us: int) -> tuple[bool, int]:
        """Take one request, which fills `step_us` of a bucket of `depth_us` microseconds.

        Answers whether there was room, and how much of it is filled now.
        """

    async def aclose(self) -> None: ...


class MemoryBuckets:
    """Buckets of one process. A full store forgets those that are full again, then the oldest."""

    def __init__(self, most: int = _MOST_BUCKETS) -> None:
        self._most = most
        self._due: OrderedDict[str, int] = OrderedDict()

    async def spend(self, key: str, step_us: int, depth_us: int) -> tuple[bool, int]:
        now = time.monotonic_ns() // 1000
        filled = max(self._due.get(key, now) - now, 0)
        if filled + step_us > depth_us:
            return False, filled
        self._due[key] = now + filled + step_us
        self._due.move_to_end(key)
        if len(self._due) > self._most:
            self._forget(now)
        return True, filled + step_us

    async def aclose(self) -> None:
        self._due.clear()

    def _forget(self, now: int) -> None:
        for key in [key for key, due in self._due.items() if due <= now]:
            del self._due[key]
        while len(self._due) > self._most * 9 // 10:
            self._due.popitem(last=False)


class RedisBuckets:
    """Buckets that all processes share, by Redis' own clock; while it fails, each counts alone."""

    # numbers are written out: Lua would round microseconds to 14 digits
    _SPEND = """
        local clock = redis.call('time')
        local now = clock[1] * 1000000 + clock[2]
        local step, depth = tonumber(ARGV[1]), tonumber(ARGV[2])
        local filled = math.max(tonumber(redis.call('get', KEYS[1]) or now) - now, 0)
        if filled + step > depth then
            return {0, filled}
        end
        filled = filled + step
        redis.call('set', KEYS[1], string.format('%.0f', now + filled),
            'px', math.ceil(filled / 1000))
        return {1, filled}
    """

    def __init__(self, url: str) -> None:
        self._client: Any = redis.Redis.from_pool(
            redis.BlockingConnectionPool.from_url(
                url,
                max_connections=_REDIS_CONNECTIONS,
                timeout=_REDIS_SECONDS,
                socket_timeout=_REDIS_SECONDS,
                socket_connect_timeout=_REDIS_SECONDS,
                retry=Retry(NoBackoff(), 0),  # a second try might count twice
            )
        )
        self._script = self._client.register_script(self._SPEND)
        self._alone = MemoryBuckets()
        self._paused_until = 0.0

    async def spend(self, key: str, step_us: int, depth_us: int) -> tuple[bool, int]:
        if time.monotonic() >= self._paused_until:
            try:
                passed, filled = await self._script(
                    keys=[f"guildhall:rate:{key}"], args=[step_us, depth_us]
                )
            except (RedisError, OSError) as error:
                self._paused_until = time.monotonic() + _REDIS_PAUSE_SECONDS
                _logger.warning("Redis fails, each process counts alone: %s", type(error).__name__)
            else:
                return bool(passed), int(filled)
        return await self._alone.spend(key, step_us, depth_us)

    async def aclose(self) -> None:
        await self._client.aclose()


class RateLimits:
    """Knows each caller's tier, asked of the database at most every 30 seconds, and its bucket."""

    def __init__(self, known: Settings) -> None:
        self._buckets: Buckets = (
            RedisBuckets(known.redis_url.get_secret_value()) if known.redis_url else MemoryBuckets()
        )
        self._tiers: OrderedDict[str, tuple[float, Limit]] = OrderedDict()

    async def spend(self, caller: Caller) -> Verdict | None:
        """Count one request; None when the tier has no limit."""
        limit = await self._limit(caller)
        if limit.requests_per_hour is None or limit.burst is None:
            return None
        step = 3_600_000_000 // limit.requests_per_hour
        passed, filled = await self._buckets.spend(caller.key, step, step * limit.burst)
        room = step * limit.burst - filled
        return Verdict(
            limit=limit,
            remaining=room // step,
            reset=math.ceil(filled / 1_000_000),
            retry_after=0 if passed else max(1, math.ceil((step - room) / 1_000_000)),
        )

    async def aclose(self) -> None:
        await self._buckets.aclose()

    async def _limit(self, caller: Caller) -> Limit:
        who = caller.key if caller.user_id else "anonymous"
        now = time.monotonic()
        known = self._tiers.get(who)
        if known is not None and known[0] > now:
            return known[1]
        async with transaction(caller.pool, caller.role, caller.claims) as db:
            limit = await one(db, Limit, "select * from private.rate_limit()", [])
        if limit is None:  # the row was taken away: nobody meant everything to be open
            limit = Limit("anonymous", 100, 10)
        self._tiers[who] = (now + _TIER_SECONDS, limit)
        if len(self._tiers) > _MOST_BUCKETS:
            self._tiers.popitem(last=False)
        return limit
