"""How flash sales go, live, for the office: per sale one reading of the books serves all who watch
it here, at most four times a second."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from domain.access import Caller
from domain.flash_sales import SaleState
from infra.clock import Clock
from services.changes import patiently
from services.flash_sale_figures import (
    LATELY,
    NOTHING,
    RefusedFor,
    figures_of,
    refusals_of,
)
from services.flash_sale_rows import stored_sale
from services.pages import BadPage
from services.runtime import Runtime

PAUSE_SECONDS = 0.25
SHARE = 4
"""A reading that takes long is followed by a pause this many times as long."""
OVER = (SaleState.FINISHED, SaleState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Progress:
    """Units; `refused` are requests, by code, since the sale began."""

    sale_id: UUID
    state: SaleState
    allotted: int
    held: int
    sold: int
    left: int
    refused: tuple[RefusedFor, ...]
    accepted_per_second: float
    as_of: datetime


class Reader:
    """Reads one sale again and again; `told` is set, and made anew, when something is new."""

    def __init__(self, sale_id: UUID, clock: Clock) -> None:
        self.sale_id = sale_id
        self.clock = clock
        self.newest: Progress | None = None
        self.is_gone = False
        self.told = asyncio.Event()
        self.watchers = 0
        self.readings = 0
        self.task = asyncio.create_task(self.run())

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            self.show(await patiently(partial(read, self.sale_id, self.clock)))
            self.readings += 1
            await asyncio.sleep(max(PAUSE_SECONDS, SHARE * (clock() - began)))

    def show(self, progress: Progress | None) -> None:
        newest = self.newest
        self.is_gone = progress is None
        if progress and newest and progress == replace(newest, as_of=progress.as_of):
            return
        self.newest = progress
        self.told.set()
        self.told = asyncio.Event()


async def flash_sale_progress(
    rt: Runtime, caller: Caller, sale_id: UUID
) -> AsyncGenerator[Progress, None]:
    """As it is now, then whenever something has changed, until the sale is over. A slow watcher is
    given the newest only."""
    readers = rt.sales.readers
    reader: Reader | None = readers.get(sale_id)
    if reader is None:
        reader = readers[sale_id] = Reader(sale_id, rt.clock)
    reader.watchers += 1
    seen: Progress | None = None
    try:
        while seen is None or seen.state not in OVER or seen.left:
            told = reader.told
            if reader.is_gone:
                raise BadPage("saleId", "is not the id of a flash sale")
            if reader.newest is seen:
                await told.wait()
            else:
                seen = reader.newest
                assert seen is not None, "only a sale that is gone has nothing to show"
                yield seen
    finally:
        reader.watchers -= 1
        if not reader.watchers:
            del readers[sale_id]
            reader.task.cancel()


async def read(sale_id: UUID, clock: Clock) -> Progress | None:
    sale = await stored_sale(sale_id)
    if sale is None:
        return None
    figures = (await figures_of([sale_id], clock.now())).get(sale_id, NOTHING)
    return Progress(
        sale_id,
        sale.state,
        figures.allotted,
        figures.held,
        figures.sold,
        figures.left,
        await refusals_of(sale_id),
        figures.lately / LATELY.total_seconds(),
        clock.now(),
    )
