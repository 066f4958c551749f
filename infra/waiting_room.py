"""The queues of flash sales in Redis: which customer has which place.

Places are given here, one by one and dense, in one step of Redis; the database keeps the highest.
A queue carries an epoch and the run of the server it was made on: a Redis that lost or forgot part
of it is noticed, and its queue is seeded again under the next epoch before any place is given.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from infra.cache import CHUNK, READ_SECONDS, WRITE_SECONDS, Cache

PLACES_LIMIT = 1_000_000
"""Places of one queue."""
KEEP_SECONDS = 86_400
"""After the end of a sale its queue is kept for so long."""
RUN = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local meta = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'highest')
"""
JOIN = (
    RUN
    + """
if meta[1] ~= run then return {} end
local highest = tonumber(meta[3])
local found = {tonumber(meta[2])}
for i = 3, #ARGV, 2 do
  local place = redis.call('HGET', KEYS[2], ARGV[i])
  if (not place or place == ARGV[i + 1]) and highest < tonumber(ARGV[1]) then
    highest = highest + 1
    place = tostring(highest)
    redis.call('HSET', KEYS[2], ARGV[i], place)
    redis.call('HSET', KEYS[3], place, ARGV[i])
  elseif place == ARGV[i + 1] then
    place = nil
  end
  found[#found + 1] = tonumber(place or 0)
end
redis.call('HSET', KEYS[1], 'highest', highest)
for i = 1, 3 do redis.call('EXPIREAT', KEYS[i], ARGV[2]) end
return found
"""
)
SEED = (
    RUN
    + """
local epoch, highest = tonumber(ARGV[1]), tonumber(ARGV[2])
if meta[1] == run and tonumber(meta[2]) >= epoch then return end
highest = math.max(highest, tonumber(meta[3] or 0))
redis.call('HSET', KEYS[1], 'run', run, 'epoch', epoch, 'highest', highest)
redis.call('EXPIREAT', KEYS[1], ARGV[3])
"""
)
EPOCH = RUN + "return meta[1] == run and tonumber(meta[2]) or -1"
PUT = """
for i = 1, #ARGV, 2 do
  local place = redis.call('HGET', KEYS[1], ARGV[i])
  if not place then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
  redis.call('HSET', KEYS[2], ARGV[i + 1], ARGV[i])
end
"""


class Asked(NamedTuple):
    """A customer who wants a place, other than `lapsed` (0: whichever they have)."""

    customer: str
    lapsed: int = 0


class Given(NamedTuple):
    """Places in the order they were asked for; 0: the queue is full."""

    epoch: int
    places: list[int]


class Queues:
    """Every call ends in time, or in CacheDown."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.join_script = cache.redis.register_script(JOIN)
        self.seed_script = cache.redis.register_script(SEED)
        self.epoch_script = cache.redis.register_script(EPOCH)
        self.put_script = cache.redis.register_script(PUT)

    async def join(self, sale: UUID, asked: Sequence[Asked], until: datetime) -> Given | None:
        """None: this server does not know the queue; seed it."""
        given = [part for one in asked for part in one]
        argv = [PLACES_LIMIT, expiry(until), *given]
        found = await self.cache.answer(WRITE_SECONDS, self.join_script, keys(sale), argv)
        return Given(found[0], found[1:]) if found else None

    async def seed(self, sale: UUID, epoch: int, highest: int, until: datetime) -> None:
        """The queue goes on above `highest`, unless a later epoch has begun."""
        argv = [epoch, highest, expiry(until)]
        await self.cache.answer(WRITE_SECONDS, self.seed_script, keys(sale), argv)

    async def epoch(self, sale: UUID) -> int | None:
        """None: this server does not know the queue."""
        found = await self.cache.answer(READ_SECONDS, self.epoch_script, keys(sale), [])
        return None if found < 0 else int(found)

    async def put(self, sale: UUID, places: Mapping[str, int]) -> None:
        """Restores places that were given before; a customer's place that is known stays."""
        pairs = list(places.items())
        for start in range(0, len(pairs), CHUNK):
            argv = [part for pair in pairs[start : start + CHUNK] for part in pair]
            await self.cache.answer(WRITE_SECONDS, self.put_script, keys(sale)[1:], argv)

    async def customers(self, sale: UUID, places: range) -> list[str | None]:
        """Who has these places; None: not known here."""
        if not places:
            return []
        found = await self.cache.answer(
            WRITE_SECONDS, self.cache.redis.hmget, keys(sale)[2], [str(place) for place in places]
        )
        return [None if name is None else name.decode() for name in found]


def keys(sale: UUID) -> list[str]:
    """The braces keep them together in a Redis cluster."""
    return [f"queue:1:{{{sale}}}:{part}" for part in ("meta", "place", "customer")]


def expiry(until: datetime) -> int:
    return int(until.timestamp()) + KEEP_SECONDS
