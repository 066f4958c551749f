"""How often somebody does something within a minute, counted in Redis for all processes by the
library limits (sliding windows).

A Redis that is lost or late counts nothing: rates spare the house work, they keep nobody out who
must stay out. What must (guesses at passwords and codes) is counted in PostgreSQL.
"""

import asyncio
import logging
from math import ceil

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from infra.cache import READ_SECONDS, REST_SECONDS, Cache
from infra.clock import Clock

LOG = logging.getLogger("onhand.rates")
PREFIX = "rate"
MINUTE_SECONDS = 60


class Rates:
    """Without a storage nothing is counted."""

    def __init__(
        self,
        storage: Storage | None = None,
        clock: Clock | None = None,
        patience_seconds: float = READ_SECONDS,
    ) -> None:
        self.limiter = SlidingWindowCounterRateLimiter(storage) if storage else None
        self.clock = clock
        self.patience_seconds = patience_seconds
        self.rests_until = 0.0

    @classmethod
    def beside(cls, cache: Cache, clock: Clock, patience_seconds: float = READ_SECONDS) -> "Rates":
        """In the same Redis as the read model, over its connections."""
        pool = cache.redis.connection_pool
        storage = RedisStorage(
            "async+redis://",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=pool,  # type: ignore[arg-type]
        )
        return cls(storage, clock, patience_seconds)

    async def wait_seconds(self, act: str, who: str, per_minute: int, times: int = 1) -> int:
        """0: it is counted, and may be done. Else how long to wait; then it is not counted."""
        now = asyncio.get_running_loop().time()
        if self.limiter is None or now < self.rests_until:
            return 0
        item = RateLimitItemPerMinute(per_minute)
        try:
            async with asyncio.timeout(self.patience_seconds):
                if await self.limiter.hit(item, act, who, cost=min(times, per_minute)):
                    return 0
                stats = await self.limiter.get_window_stats(item, act, who)
        except (StorageError, TimeoutError) as error:
            self.rests_until = now + REST_SECONDS
            LOG.warning("rates are not counted: %r", error)
            return 0
        assert self.clock is not None
        left = ceil(stats.reset_time - self.clock.now().timestamp())
        return min(max(left, 1), MINUTE_SECONDS)
