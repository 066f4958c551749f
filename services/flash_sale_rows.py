"""Flash sales as they are stored, and what a process remembers of them, so that no reservation has
to ask the database for its sale."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain.commands import CellKey
from domain.flash_sales import SaleState
from infra.models import FlashSale as SaleRow
from infra.models import FlashSaleCell

FRESH_SECONDS = 0.4
"""Afterwards a sale is read again, while those who ask go on with what is known."""
STALE_SECONDS = 0.9
"""Afterwards those who ask wait for it."""
REMEMBERED_LIMIT = 1_000
"""Sales remembered per process; more are forgotten all at once."""
COLUMNS = (
    "id",
    "name",
    "opens_at",
    "closes_at",
    "limit_per_customer",
    "ttl_seconds",
    "waiting_room",
    "admitted_per_second",
    "state",
    "revision",
    "seat",
    "created_by",
    "created_at",
    "opened_at",
    "closed_at",
    "finished_at",
)


class Allotment(NamedTuple):
    sku: str
    warehouse: str
    quantity: int


@dataclass(frozen=True, slots=True)
class FlashSale:
    """`allotments` are as agreed last; `revision` counts how often that was."""

    id: UUID
    name: str
    opens_at: datetime
    closes_at: datetime
    limit_per_customer: int | None
    ttl_seconds: int
    waiting_room: bool
    admitted_per_second: int
    state: SaleState
    revision: int
    seat: str | None
    created_by: str
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    finished_at: datetime | None
    allotments: Mapping[CellKey, int]

    @property
    def cells(self) -> tuple[CellKey, ...]:
        return tuple(self.allotments)

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.sku for cell in self.allotments))

    @property
    def lines(self) -> list[Allotment]:
        return [Allotment(*cell, units) for cell, units in self.allotments.items()]

    @property
    def allotted(self) -> int:
        return sum(self.allotments.values())


async def stored_sales(ids: Sequence[UUID]) -> dict[UUID, FlashSale]:
    """Those that exist, their cells by SKU and warehouse; two statements."""
    rows = await SaleRow.filter(id__in=list(ids)).values_list(*COLUMNS)
    cells = await FlashSaleCell.filter(sale_id__in=[row[0] for row in rows]).values_list(
        "sale_id", "sku", "warehouse", "units"
    )
    allotments: dict[UUID, dict[CellKey, int]] = {row[0]: {} for row in rows}
    for sale_id, sku, warehouse, units in sorted(cells, key=lambda row: row[1:3]):
        allotments[sale_id][CellKey(sku, warehouse)] = units
    return {row[0]: sale_from(row, allotments[row[0]]) for row in rows}


def sale_from(row: Sequence[Any], allotments: Mapping[CellKey, int]) -> FlashSale:
    """From a row of COLUMNS."""
    named = dict(zip(COLUMNS, row, strict=True))
    return FlashSale(**{**named, "state": SaleState(named["state"])}, allotments=allotments)


async def stored_sale(sale_id: UUID) -> FlashSale | None:
    return (await stored_sales([sale_id])).get(sale_id)


class SaleCache:
    """A change made through another process is seen within STALE_SECONDS. That there is no such
    sale is remembered too."""

    def __init__(self) -> None:
        self.known: dict[UUID, tuple[FlashSale | None, float]] = {}
        self.reading: dict[UUID, asyncio.Task[FlashSale | None]] = {}
        self.refused: dict[tuple[UUID, str], int] = {}
        self.readers: dict[UUID, Any] = {}  # those of services/flash_sale_progress.py

    async def get(self, sale_id: UUID) -> FlashSale | None:
        sale, read_at = self.known.get(sale_id, (None, float("-inf")))
        age = asyncio.get_running_loop().time() - read_at
        if age < FRESH_SECONDS:
            return sale
        task = self.reading.get(sale_id)
        if task is None:
            task = self.reading[sale_id] = asyncio.create_task(self.read(sale_id))
            task.add_done_callback(looked_at)
        return sale if age < STALE_SECONDS else await asyncio.shield(task)

    async def read(self, sale_id: UUID) -> FlashSale | None:
        now = asyncio.get_running_loop().time()
        try:
            sale = await self.stored(sale_id)
            if len(self.known) >= REMEMBERED_LIMIT and sale_id not in self.known:
                self.known.clear()
            self.known[sale_id] = (sale, now)
            return sale
        finally:
            del self.reading[sale_id]

    async def stored(self, sale_id: UUID) -> FlashSale | None:
        return await stored_sale(sale_id)

    def forget(self, sale_id: UUID) -> None:
        self.known.pop(sale_id, None)

    def count_refusal(self, sale_id: UUID, code: str) -> None:
        """Kept here until the keeper of this process writes it down. Only sales that exist count:
        anybody can make up an id."""
        if self.known.get(sale_id, (None, 0.0))[0] is None:
            return
        self.refused[sale_id, code] = self.refused.get((sale_id, code), 0) + 1

    def take_refused(self) -> dict[tuple[UUID, str], int]:
        taken, self.refused = self.refused, {}
        return taken

    def put_back(self, counts: Iterable[tuple[tuple[UUID, str], int]]) -> None:
        for key, times in counts:
            self.refused[key] = self.refused.get(key, 0) + times


def looked_at(task: "asyncio.Task[FlashSale | None]") -> None:
    """Whoever waits is told of a failure; if nobody does, the next who asks reads again."""
    if not task.cancelled():
        task.exception()
