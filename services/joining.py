"""Places in a sale's queue, given to everybody who asks at once in one step of Redis.

Redis gives, PostgreSQL remembers: a place is answered when the highest one given is stored under
the epoch it was given in. So a Redis that lost the queue never gives a place a second time.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from infra.admissions import Admissions, Mark
from infra.cache import CacheDown
from infra.database import LOST
from infra.outage import Outage
from infra.waiting_room import Asked, Queues

BATCH = 500
"""Joiners in one step: Redis does nothing else meanwhile."""
WAITING_LIMIT = 20_000
"""Joiners that wait for a step in this process."""
ATTEMPTS = 8
"""Steps of one batch; each but the last found that the queue had to be seeded."""

log = logging.getLogger(__name__)


class Joining:
    """One sale's. `until` is the end of the sale as it was last told."""

    def __init__(self, sale_id: UUID, store: Admissions, queues: Queues) -> None:
        self.sale_id = sale_id
        self.store = store
        self.queues = queues
        self.waiting: deque[tuple[Asked, asyncio.Future[int]]] = deque()
        self.pumping: asyncio.Task[None] | None = None
        self.stored = Mark(0, 0)

    async def place(self, asked: Asked, until: datetime) -> int:
        """0: the queue is full. Raises Outage; asking again then gives the same place."""
        if len(self.waiting) >= WAITING_LIMIT:
            raise Outage(f"{WAITING_LIMIT} buyers wait to join", "BUSY")
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.waiting.append((asked, future))
        if self.pumping is None or self.pumping.done():
            self.pumping = asyncio.create_task(self.pump(until))
        return await future

    async def pump(self, until: datetime) -> None:
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(BATCH, len(self.waiting)))]
            try:
                places = await self.places([asked for asked, _ in batch], until)
            except (CacheDown, *LOST) as error:
                fail(batch, Outage(f"the waiting room cannot be joined now: {error}"))
            except Outage as outage:
                fail(batch, outage)
            except Exception as error:  # tidy: allow broad-except: each who waits is told
                log.exception("joining %s failed", self.sale_id)
                fail(batch, error)
            else:
                answer(batch, places)

    async def places(self, asked: Sequence[Asked], until: datetime) -> list[int]:
        for _ in range(ATTEMPTS):
            given = await self.queues.join(self.sale_id, asked, until)
            if given is None:
                await self.begin(until)
                continue
            highest = max(given.places)
            if given.epoch == self.stored.epoch and highest <= self.stored.highest_place:
                return given.places
            if await self.store.raise_highest(self.sale_id, given.epoch, highest):
                self.stored = Mark(given.epoch, highest)
                return given.places
            if (await self.queues.epoch(self.sale_id) or 0) <= given.epoch:
                await self.begin(until)
        raise Outage("the waiting room is being put in order: ask again")

    async def begin(self, until: datetime) -> None:
        """The queue is unknown to Redis, or of an epoch that is over: it goes on above what was
        answered. Each epoch is seeded once, by who began it: a second seed of the same, late to a
        Redis that has forgotten again, would give places anew."""
        mark = await self.store.begin(self.sale_id)
        await self.queues.seed(self.sale_id, mark.epoch, mark.highest_place, until)


def answer(batch: Sequence[tuple[Asked, asyncio.Future[int]]], places: Sequence[int]) -> None:
    for (_, future), place in zip(batch, places, strict=True):
        if not future.done():
            future.set_result(place)


def fail(batch: Sequence[tuple[Asked, asyncio.Future[int]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
