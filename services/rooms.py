"""The waiting rooms as one process knows them: read once for all who wait, joined in batches.

Per sale one reading every TICK_SECONDS serves every ticket that is watched or asked for here, and
one batch of joiners is under way, carrying everybody who came meanwhile.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.flash_sales import SaleState
from domain.waiting_room import Room, admission_of
from infra.admissions import Admissions, SaleRow
from infra.cache import Cache, CacheDown
from infra.clock import Clock
from infra.database import LOST
from infra.outage import Outage
from infra.waiting_room import Queues
from services.joining import Joining

TICK_SECONDS = 0.4
FRESH_SECONDS = 0.2
"""A reading that is younger serves whoever asks."""
WATCHERS_LIMIT = 10_000
"""Tickets that are watched in this process."""
ROOMS_LIMIT = 1_000
"""Rooms that are remembered here; those that are watched always are."""
OVER = (SaleState.CLOSED, SaleState.FINISHED, SaleState.CANCELLED)

log = logging.getLogger(__name__)


class Now(NamedTuple):
    """A room as it was read. `epoch` above 1: Redis has lost the queue before."""

    sale: SaleRow
    room: Room
    epoch: int


class Pace(NamedTuple):
    tick_seconds: float = TICK_SECONDS
    fresh_seconds: float = FRESH_SECONDS


class Watch:
    """One sale's room: the last reading, and who waits for the next."""

    def __init__(self, sale_id: UUID, store: Admissions, queues: Queues, pace: Pace) -> None:
        self.pace = pace
        self.sale_id = sale_id
        self.store = store
        self.queues = queues
        self.joining = Joining(sale_id, store, queues)
        self.watchers: dict[object, tuple[str, int]] = {}
        self.now: Now | None = None
        self.read_at = float("-inf")
        self.reading = asyncio.Lock()
        self.ticking: asyncio.Task[None] | None = None
        self.told = asyncio.Event()

    async def current(self, clock: Clock) -> Now | None:
        """None: there is no such sale. Whoever asks while it is read waits for that reading."""
        async with self.reading:
            loop = asyncio.get_running_loop()
            if loop.time() - self.read_at > self.pace.fresh_seconds:
                self.now = await self.read(clock.now())
                self.read_at = loop.time()
            return self.now

    async def read(self, now: datetime) -> Now | None:
        sale = await self.store.sale(self.sale_id)
        if sale is None:
            return None
        admission = admission_of(sale.ttl_seconds)
        since = now - admission
        known = self.now.room.admissions if self.now else ()
        held = [one for one in known if one.at > since]
        after = held[-1].upto if held else 0
        fresh = await self.store.admissions(self.sale_id, after, since)
        room = Room(
            sale.opens_at,
            sale.closes_at,
            sale.state in OVER,
            sale.admitted_per_second,
            admission,
            bool(sale.is_sold_out),
            sale.admitted_upto or 0,
            (*held, *fresh),
        )
        return Now(sale, room, sale.epoch or 0)

    async def tick(self, clock: Clock) -> None:
        """While somebody watches."""
        epoch = self.now.epoch if self.now else 0
        while self.watchers:
            await asyncio.sleep(self.pace.tick_seconds)
            try:
                now = await self.current(clock)
                if now is not None and now.epoch != epoch:
                    await self.restore(dict(self.watchers.values()))
                    epoch = now.epoch
            except (CacheDown, Outage, *LOST) as error:
                log.warning("the waiting room %s stands still: %r", self.sale_id, error)
            self.told.set()
            self.told = asyncio.Event()

    def is_busy(self) -> bool:
        return bool(self.watchers or self.joining.waiting)

    async def restore(self, places: Mapping[str, int]) -> None:
        """For a Redis that forgot: their tickets are proof of their places."""
        await self.queues.put(self.sale_id, places)
        await self.store.name(self.sale_id, places)


class Rooms:
    """Built with the process; opens nothing before somebody joins."""

    def __init__(
        self,
        store: Admissions | None = None,
        queues: Queues | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.store = store or Admissions()
        self.queues = queues
        self.pace = pace or Pace()
        self.by_sale: OrderedDict[UUID, Watch] = OrderedDict()
        self.watched = 0

    def of(self, sale_id: UUID, cache: Cache) -> Watch:
        if self.queues is None:
            self.queues = Queues(cache)
        watch = self.by_sale.get(sale_id)
        if watch is None:
            watch = self.by_sale[sale_id] = Watch(sale_id, self.store, self.queues, self.pace)
            self.forget_oldest()
        self.by_sale.move_to_end(sale_id)
        return watch

    def forget_oldest(self) -> None:
        if len(self.by_sale) <= ROOMS_LIMIT:
            return
        idle = (sale for sale, watch in self.by_sale.items() if not watch.is_busy())
        if (oldest := next(idle, None)) is not None:
            del self.by_sale[oldest]

    @contextmanager
    def watching(self, watch: Watch, customer: str, place: int, clock: Clock) -> Iterator[None]:
        if self.watched >= WATCHERS_LIMIT:
            raise Outage(f"{WATCHERS_LIMIT} tickets are watched in this process", "BUSY")
        key = object()
        watch.watchers[key] = (customer, place)
        self.watched += 1
        if watch.ticking is None or watch.ticking.done():
            watch.ticking = asyncio.create_task(watch.tick(clock))
        try:
            yield
        finally:
            self.watched -= 1
            del watch.watchers[key]
