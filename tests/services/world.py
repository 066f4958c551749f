"""A shop whose owners work in this process: use cases, client and wire are real, the rest is told.

HERE, THERE and FAR lie with three different owners, NEXT_TO_HERE with the first of them. A process
can be told to die at any step of its talk with the owners.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast
from uuid import UUID

from actors.client import Ask, StockClient
from actors.directory import owner_of
from actors.drain import Owner
from actors.store import Store
from domain.access import Role, everywhere
from domain.commands import CellKey
from domain.routing import Want
from domain.trail import Record
from infra.settings import Settings
from services.catalogue_cache import (
    CatalogueCache,
    SeesSku,
    SeesWarehouse,
    SkuInfo,
    WarehouseInfo,
    seen,
)
from services.reservations import Reservation, ReserveStock
from services.runtime import Runtime
from services.whereabouts import Whereabouts
from tests.actors.world import INBOX_LIMIT, FakeClock, answered, settled
from tests.infra.fake_trail import memory_trail

T = TypeVar("T")
OWNERS = 3
WAREHOUSES = (
    WarehouseInfo(1, "BERLIN", "Berlin", "EU", 100, True),
    WarehouseInfo(2, "PARIS", "Paris", "EU", 100, True),
    WarehouseInfo(3, "ROME", "Rome", "SOUTH", 100, True),
    WarehouseInfo(4, "CLOSED", "Closed", "EU", 1, False),
)
SKUS = tuple(
    SkuInfo(number, code, code.title(), None, None, None, code != "GONE")
    for number, code in enumerate(("TEA", "CUP", "POT", "JAR", "GONE"), 1)
)
ADMIN = everywhere("ann", Role.ADMIN)
OPERATOR = everywhere("otto", Role.OPERATIONS)
STOREFRONT = everywhere("web", Role.STOREFRONT)
OTHER_STOREFRONT = everywhere("app", Role.STOREFRONT)


def cells_of(owner: int) -> list[CellKey]:
    """Cells of active SKUs and warehouses that lie with that owner."""
    keys = [CellKey(s.code, w.code) for s in SKUS for w in WAREHOUSES if s.is_active & w.is_active]
    return [key for key in keys if owner_of(key, OWNERS) == owner]


HERE, THERE, FAR = (cells_of(owner)[0] for owner in range(OWNERS))
NEXT_TO_HERE = cells_of(0)[1]


class FakeCatalogue(CatalogueCache):
    """Knows what it was given, and asks nobody else."""

    def __init__(self) -> None:
        super().__init__()
        rows: list[SkuInfo | WarehouseInfo] = [*SKUS, *WAREHOUSES]
        self.by_code: dict[str, Any] = {row.code: row for row in rows}

    async def skus(self, codes: Iterable[str], sees: SeesSku | None = None) -> dict[str, SkuInfo]:
        known = (self.by_code.get(code) for code in codes)
        return seen({row.code: row for row in known if isinstance(row, SkuInfo)}, sees)

    async def warehouses(
        self, codes: Iterable[str], sees: SeesWarehouse | None = None
    ) -> dict[str, WarehouseInfo]:
        known = (self.by_code.get(code) for code in codes)
        return seen({row.code: row for row in known if isinstance(row, WarehouseInfo)}, sees)


class Process:
    """A process that has a stock client. `steps` is how many steps of talk it lives: each call to
    an owner has two, before it is sent and after it is answered. None: it lives."""

    def __init__(self, steps: int | None) -> None:
        self.steps = steps
        self.died = asyncio.Event()
        self.raised = asyncio.Event()

    async def step(self) -> None:
        if self.steps is None:
            return
        if self.steps == 0:
            self.died.set()
            await self.raised.wait()
            return
        self.steps -= 1

    def go_on(self) -> None:
        """It had only been standing still."""
        self.steps = None
        self.raised.set()


class OwnerChannel:
    """Calls an owner in this process, over the wire's encoding."""

    def __init__(self, shop: "Shop", index: int, process: Process) -> None:
        self.shop = shop
        self.index = index
        self.process = process

    async def call(self, frame: bytes) -> bytes:
        await self.process.step()
        answer = await answered(self.shop.owners[self.index], frame)
        await self.process.step()
        return answer

    def close(self) -> None:
        """Holds nothing."""


class Shop:
    """`owners` may be exchanged: a new one remembers nothing. `rt` is a process that lives."""

    def __init__(
        self, owners: Sequence[Owner], clock: FakeClock, catalogue: CatalogueCache
    ) -> None:
        self.owners = list(owners)
        self.clock = clock
        self.catalogue = catalogue
        self.records: list[Record] = []
        self.trail = memory_trail(self.records)
        self.rt = self.runtime(Process(None))

    def runtime(self, process: Process) -> Runtime:
        channels = [OwnerChannel(self, index, process) for index in range(len(self.owners))]
        nobody = cast(Any, None)
        return Runtime(
            settings=Settings.load({}),
            clock=self.clock,
            stock=StockClient(channels, Ask(nobody, nobody, nobody)),
            cache=nobody,
            hub=nobody,
            catalogue=self.catalogue,
            whereabouts=Whereabouts(),
            trail=self.trail,
        )

    async def dying(self, steps: int, work: Callable[[Runtime], Awaitable[object]]) -> bool:
        """Does the work in a process that dies after so many steps; whether it did die."""
        process = Process(steps)
        rt = self.runtime(process)
        task = asyncio.ensure_future(work(rt))
        death = asyncio.ensure_future(process.died.wait())
        await asyncio.wait({task, death}, return_when=asyncio.FIRST_COMPLETED)
        pumps = [carrier for lane in rt.stock.lanes for carrier in lane.carriers]
        for each in (task, death, *pumps):
            each.cancel()
        await asyncio.gather(task, death, *pumps, return_exceptions=True)
        for owner in self.owners:
            await settled(owner)
        self.clock.tick(milliseconds=1)
        return process.died.is_set()

    async def tick(self, **passed: float) -> None:
        """Time passes, and the owners keep their deadlines."""
        self.clock.tick(**passed)
        for owner in self.owners:
            owner.end(owner.host.due(self.clock.now()))
            await settled(owner)


@asynccontextmanager
async def open_shop(
    stores: Sequence[Store], clock: FakeClock, catalogue: CatalogueCache
) -> AsyncIterator[Shop]:
    owners = [Owner(store, clock, INBOX_LIMIT) for store in stores]
    work = [asyncio.create_task(owner.run()) for owner in owners]
    try:
        yield Shop(owners, clock, catalogue)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


def rid(number: int) -> UUID:
    return UUID(int=number)


def want(cell: CellKey, quantity: int) -> Want:
    return Want(*cell, quantity)


def anywhere(sku: str, quantity: int) -> Want:
    return Want(sku, None, quantity)


def order(number: int, *lines: Want, ttl_seconds: int = 600, **more: Any) -> ReserveStock:
    return ReserveStock(rid(number), lines, ttl_seconds, **more)


def reservation(answer: object) -> Reservation:
    assert isinstance(answer, Reservation), answer
    return answer


def placed(answer: object) -> dict[CellKey, int]:
    lines = reservation(answer).lines
    return {CellKey(line.sku, line.warehouse): line.quantity for line in lines}
