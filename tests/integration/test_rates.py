"""Rates in a real Redis: counted for all processes at once, and not at all while it is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra.cache import READ_SECONDS, Cache
from infra.clock import SystemClock
from infra.embedded.places import prepare
from infra.embedded.redis import Redis
from infra.rates import Rates

AT_ONCE = 40
CALLS = 100
PATIENCE_SECONDS = 60.0
"""Of a test: how long a slow machine may take to count."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(prepare(tmp_path / "home"))
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[Rates]:
    cache = Cache.connect(url)
    try:
        yield Rates.beside(cache, SystemClock(), PATIENCE_SECONDS)
    finally:
        await cache.close()


async def test_two_processes_count_together_and_exactly(redis: Redis) -> None:
    url = redis.start()
    async with counting(url) as one, counting(url) as other:
        asked = [each.wait_seconds("act", "ann", 10) for each in (one, other) * AT_ONCE]
        waits = await asyncio.gather(*asked)
        assert waits.count(0) == 10
        assert all(1 <= seconds <= 60 for seconds in waits if seconds)
        assert await one.wait_seconds("act", "bob", 10) == 0
        assert await one.wait_seconds("other", "ann", 10) == 0


async def test_more_at_once_than_a_minute_allows_wait_like_all_others(redis: Redis) -> None:
    async with counting(redis.start()) as rates:
        assert await rates.wait_seconds("act", "ann", 10, times=1_000) == 0
        assert await rates.wait_seconds("act", "ann", 10) > 0


async def test_while_redis_is_away_nobody_waits_and_nobody_is_kept_out(redis: Redis) -> None:
    async with counting(redis.start()) as rates:
        assert await rates.wait_seconds("act", "ann", 1) == 0
        assert await rates.wait_seconds("act", "ann", 1) > 0
        redis.stop()
        async with asyncio.timeout(READ_SECONDS * CALLS / 2):
            for _ in range(CALLS):
                assert await rates.wait_seconds("act", "ann", 1) == 0
        redis.start()
        rates.rests_until = 0.0
        counted = [await rates.wait_seconds("act", "eve", 1) for _ in range(2)]
        assert counted[0] == 0
        assert counted[1] > 0
