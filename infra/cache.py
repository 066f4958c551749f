"""The Redis read model: the newest level of every cell, for reads that need not be exact.

It only ever goes forward: a level is written where its seq is newer. Whoever reads treats CacheDown
and a missing level alike and asks the database; nothing that promises stock depends on this file.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from struct import Struct
from typing import Any, NamedTuple

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as NotAnswered

from infra.levels import CellLevel, decode_level, encode_level

READ_SECONDS = 0.25
WRITE_SECONDS = 2.0
REST_SECONDS = 0.5
"""After a lost connection everybody is told CacheDown for so long without trying again."""
CONNECTIONS = 16
CHUNK = 500
"""Levels in one call: Redis does nothing else meanwhile (1.5 ms)."""
PAGE = 1_000
REPORT_SECONDS = 15
"""A report of the relay that is older than this is not shown: the relay is gone."""

PREFIX = "level:1:"
"""The 1 is the format of the value; it changes with CellLevel."""
FILLED = "levels:filled"
REPORT = "relay:report"
SEQ = Struct(">Q")
PUT = """
for i = 1, #KEYS do
  local held = redis.call('GETRANGE', KEYS[i], 0, 7)
  if held == '' or struct.unpack('>I8', held) < struct.unpack('>I8', ARGV[i]) then
    redis.call('SET', KEYS[i], ARGV[i])
  end
end
"""
"""The seqs are compared as numbers (exact below 2^53): Lua compares strings by the locale."""


class CacheDown(Exception):
    """Redis cannot say, or did not in time."""


class RelayReport(NamedTuple):
    """What the relay last said of itself; counts since its start, the age in seconds."""

    oldest_seconds: float
    rows: int
    levels: int
    published: int
    refills: int
    failures: int


class Filling(NamedTuple):
    """Why the read model must be filled: this server and database have not been together yet."""

    mark: str
    is_foreign: bool


ENCODER = msgspec.msgpack.Encoder()
REPORT_DECODER = msgspec.msgpack.Decoder(RelayReport)


def level_key(sku: str, warehouse: str) -> str:
    """The length keeps apart what a separator inside a code would not."""
    return f"{PREFIX}{len(warehouse)}:{warehouse}:{sku}"


class Cache:
    """One pool of connections. Every call ends in time, or in CacheDown."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.put_script = redis.register_script(PUT)
        self.rests_until = 0.0

    @classmethod
    def connect(cls, url: str) -> "Cache":
        """Opens nothing yet: connections are made when they are needed, again and again."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=WRITE_SECONDS,
            socket_timeout=WRITE_SECONDS,
            socket_connect_timeout=WRITE_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        return cls(Redis.from_pool(pool))

    async def close(self) -> None:
        await self.redis.aclose()

    async def put_levels(self, levels: Sequence[CellLevel]) -> None:
        """Writes each level whose seq is newer than what is there, in any order, repeatedly."""
        for start in range(0, len(levels), CHUNK):
            chunk = levels[start : start + CHUNK]
            keys = [level_key(level.sku, level.warehouse) for level in chunk]
            values = [SEQ.pack(level.seq) + encode_level(level) for level in chunk]
            await self.answer(WRITE_SECONDS, self.put_script, keys, values)

    async def level(self, sku: str, warehouse: str) -> CellLevel | None:
        return level_of(await self.answer(READ_SECONDS, self.redis.get, level_key(sku, warehouse)))

    async def levels(self, keys: Sequence[tuple[str, str]]) -> list[CellLevel | None]:
        """The levels of (sku, warehouse), in order."""
        found: list[CellLevel | None] = []
        for start in range(0, len(keys), PAGE):
            names = [level_key(*key) for key in keys[start : start + PAGE]]
            values = await self.answer(READ_SECONDS, self.redis.mget, names)
            found += [level_of(value) for value in values]
        return found

    async def scan_levels(self) -> AsyncIterator[list[CellLevel]]:
        """All levels, page by page; one that is there throughout comes at least once."""
        async for names in self.scan_names():
            values = await self.answer(WRITE_SECONDS, self.redis.mget, names)
            yield [level for value in values if (level := level_of(value)) is not None]

    async def filling_due(self, database: str) -> Filling | None:
        """None if this server, since its start, has been filled from this database."""
        info = await self.answer(WRITE_SECONDS, self.redis.info, "server")
        mark = f"{info['run_id']} {database}"
        held = await self.answer(WRITE_SECONDS, self.redis.get, FILLED)
        if held == mark.encode():
            return None
        is_foreign = bool(held) and not held.endswith(f" {database}".encode())
        return Filling(mark, is_foreign)

    async def mark_filled(self, mark: str) -> None:
        """An empty mark makes a filling due."""
        await self.answer(WRITE_SECONDS, self.redis.set, FILLED, mark)

    async def put_report(self, report: RelayReport) -> None:
        payload = ENCODER.encode(report)
        await self.answer(WRITE_SECONDS, self.redis.set, REPORT, payload, REPORT_SECONDS)

    async def report(self) -> RelayReport | None:
        """None: no relay has been at work lately."""
        payload = await self.answer(READ_SECONDS, self.redis.get, REPORT)
        return None if payload is None else REPORT_DECODER.decode(payload)

    async def ping(self) -> None:
        await self.answer(WRITE_SECONDS, self.redis.ping)

    async def clear(self) -> None:
        """Forgets every level, here and there in small bites; the relay then fills it again."""
        await self.answer(WRITE_SECONDS, self.redis.delete, FILLED)
        async for names in self.scan_names():
            await self.answer(WRITE_SECONDS, self.redis.unlink, *names)

    async def scan_names(self) -> AsyncIterator[list[bytes]]:
        cursor = -1
        while cursor:
            cursor, names = await self.answer(
                WRITE_SECONDS, self.redis.scan, max(cursor, 0), f"{PREFIX}*", PAGE
            )
            if names:
                yield names

    async def answer(self, seconds: float, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """What Redis answers to one call, or CacheDown."""
        loop = asyncio.get_running_loop()
        if loop.time() < self.rests_until:
            raise CacheDown("Redis was lost a moment ago")
        try:
            async with asyncio.timeout(seconds):
                return await call(*args)
        except (NotConnected, NotAnswered, OSError) as error:
            self.rests_until = loop.time() + REST_SECONDS
            raise CacheDown(f"Redis cannot be reached: {error}") from error
        except RedisError as error:
            raise CacheDown(f"Redis refused: {error}") from error


def level_of(value: bytes | None) -> CellLevel | None:
    return None if value is None else decode_level(value[SEQ.size :])
