"""What a process remembers of the catalogue, so that no order has to ask the database for it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from infra.models import Sku, Warehouse
from services.checks import is_storable

TTL_SECONDS = 2.0
"""A change made through another process is seen after this time at the latest."""
REMEMBERED_LIMIT = 50_000
"""SKUs (or warehouses) remembered; the oldest are dropped."""
SKU_COLUMNS = ("id", "code", "name", "category", "barcode", "last_price_cents", "is_active")
WAREHOUSE_COLUMNS = ("id", "code", "name", "region", "priority", "is_active")


@dataclass(frozen=True, slots=True)
class SkuInfo:
    id: int
    code: str
    name: str
    category: str | None
    barcode: str | None
    last_price_cents: int | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class WarehouseInfo:
    """Lower `priority` is asked first when an order is routed."""

    id: int
    code: str
    name: str
    region: str
    priority: int
    is_active: bool


class Coded(Protocol):
    @property
    def code(self) -> str: ...


T = TypeVar("T", bound=Coded)


class Remembered(Generic[T]):
    """Rows by code, each for TTL_SECONDS. What does not exist is not remembered."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[float, T]] = {}

    def split(self, codes: Iterable[str]) -> tuple[dict[str, T], list[str]]:
        """The rows that are known, and the codes to ask for."""
        now = asyncio.get_running_loop().time()
        found: dict[str, T] = {}
        missing: list[str] = []
        for code in codes:
            until, row = self.rows.get(code, (0.0, None))
            if row is not None and until > now:
                found[code] = row
            elif is_storable(code):
                missing.append(code)
        return found, missing

    def keep(self, rows: Sequence[T]) -> dict[str, T]:
        until = asyncio.get_running_loop().time() + TTL_SECONDS
        for row in rows:
            self.rows.pop(row.code, None)
            self.rows[row.code] = (until, row)
        for code in list(self.rows)[: max(0, len(self.rows) - REMEMBERED_LIMIT)]:
            del self.rows[code]
        return {row.code: row for row in rows}


class CatalogueCache:
    def __init__(self) -> None:
        self.remembered_skus: Remembered[SkuInfo] = Remembered()
        self.remembered_warehouses: Remembered[WarehouseInfo] = Remembered()

    async def sku(self, code: str) -> SkuInfo | None:
        return (await self.skus([code])).get(code)

    async def warehouse(self, code: str) -> WarehouseInfo | None:
        return (await self.warehouses([code])).get(code)

    async def skus(self, codes: Iterable[str]) -> dict[str, SkuInfo]:
        """Those of the codes that exist, in one statement at most."""
        found, missing = self.remembered_skus.split(codes)
        if missing:
            rows = await Sku.filter(code__in=missing).values_list(*SKU_COLUMNS)
            found |= self.remembered_skus.keep([SkuInfo(*row) for row in rows])
        return found

    async def warehouses(self, codes: Iterable[str]) -> dict[str, WarehouseInfo]:
        """Those of the codes that exist, in one statement at most."""
        found, missing = self.remembered_warehouses.split(codes)
        if missing:
            rows = await Warehouse.filter(code__in=missing).values_list(*WAREHOUSE_COLUMNS)
            found |= self.remembered_warehouses.keep([WarehouseInfo(*row) for row in rows])
        return found

    def forget(self, skus: Iterable[str] = (), warehouses: Iterable[str] = ()) -> None:
        for code in skus:
            self.remembered_skus.rows.pop(code, None)
        for code in warehouses:
            self.remembered_warehouses.rows.pop(code, None)
