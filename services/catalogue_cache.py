"""What a process remembers of the catalogue, so that no order has to ask the database for it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from tortoise.queryset import QuerySet

from infra.database import connection
from infra.models import CODE_LENGTH, Sku, Warehouse
from services.checks import is_storable

REFRESH_SECONDS = 1.0
"""A change made through another process is seen after this time, if anybody asks."""
OVERLAP = timedelta(seconds=15)
"""Longer than an upsert may take from the time it notes to its commit."""
CHANGES_LIMIT = 10_000
"""Changed rows read at once; if there are more, all is forgotten instead."""
REMEMBERED_LIMIT = 50_000
"""SKUs (or warehouses) remembered; more are forgotten all at once."""
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
    """Rows by code. What does not exist is not remembered."""

    def __init__(self) -> None:
        self.rows: dict[str, T] = {}

    def split(
        self, codes: Iterable[str], sees: Callable[[T], bool] | None
    ) -> tuple[dict[str, T], list[str]]:
        """The rows that are known, and the codes to ask for."""
        found: dict[str, T] = {}
        missing: list[str] = []
        for code in codes:
            row = self.rows.get(code)
            if row is not None and (sees is None or sees(row)):
                found[code] = row
            elif is_storable(code, CODE_LENGTH):
                missing.append(code)
        return found, missing

    def keep(self, rows: Sequence[T]) -> dict[str, T]:
        if len(self.rows) + len(rows) > REMEMBERED_LIMIT:
            self.rows.clear()
        kept = {row.code: row for row in rows}
        self.rows |= kept
        return kept

    def renew(self, rows: Sequence[T]) -> None:
        """Rows that have changed; the ones nobody asked for are not remembered for that."""
        self.rows.update({row.code: row for row in rows if row.code in self.rows})


def seen(rows: dict[str, T], sees: Callable[[T], bool] | None) -> dict[str, T]:
    return rows if sees is None else {code: row for code, row in rows.items() if sees(row)}


SeesSku = Callable[[SkuInfo], bool]
SeesWarehouse = Callable[[WarehouseInfo], bool]


class CatalogueCache:
    """Rows stay until they change: now and then, what has changed lately is read anew. A row that
    must not be seen costs the same question as one that does not exist."""

    def __init__(self) -> None:
        self.remembered_skus: Remembered[SkuInfo] = Remembered()
        self.remembered_warehouses: Remembered[WarehouseInfo] = Remembered()
        self.read_until: datetime | None = None
        self.fresh_until = 0.0
        self.refreshing: asyncio.Task[None] | None = None

    async def sku(self, code: str, sees: SeesSku | None = None) -> SkuInfo | None:
        return (await self.skus([code], sees)).get(code)

    async def warehouse(self, code: str, sees: SeesWarehouse | None = None) -> WarehouseInfo | None:
        return (await self.warehouses([code], sees)).get(code)

    async def skus(self, codes: Iterable[str], sees: SeesSku | None = None) -> dict[str, SkuInfo]:
        """Those of the codes that exist, and that `sees` is true of; None: all."""
        await self.refresh()
        found, missing = self.remembered_skus.split(codes, sees)
        if missing:
            rows = await Sku.filter(code__in=missing).values_list(*SKU_COLUMNS)
            found |= seen(self.remembered_skus.keep([SkuInfo(*row) for row in rows]), sees)
        return found

    async def warehouses(
        self, codes: Iterable[str], sees: SeesWarehouse | None = None
    ) -> dict[str, WarehouseInfo]:
        """Those of the codes that exist, and that `sees` is true of; None: all."""
        await self.refresh()
        found, missing = self.remembered_warehouses.split(codes, sees)
        if missing:
            rows = await Warehouse.filter(code__in=missing).values_list(*WAREHOUSE_COLUMNS)
            kept = self.remembered_warehouses.keep([WarehouseInfo(*row) for row in rows])
            found |= seen(kept, sees)
        return found

    async def refresh(self) -> None:
        """Whoever comes first when it is time reads the changes; the others wait for it."""
        now = asyncio.get_running_loop().time()
        if now < self.fresh_until:
            return
        if self.refreshing is None:
            self.refreshing = asyncio.create_task(self.read_changes(now))
        await asyncio.shield(self.refreshing)

    async def read_changes(self, now: float) -> None:
        try:
            until = await database_time() - OVERLAP
            if self.read_until is not None:
                await self.renew(self.read_until)
            self.read_until = until
            self.fresh_until = now + REFRESH_SECONDS
        finally:
            self.refreshing = None

    async def renew(self, since: datetime) -> None:
        skus = await changed(Sku.filter(changed_at__gt=since), SKU_COLUMNS)
        warehouses = await changed(Warehouse.filter(changed_at__gt=since), WAREHOUSE_COLUMNS)
        if skus is None or warehouses is None:
            self.remembered_skus.rows.clear()
            self.remembered_warehouses.rows.clear()
        else:
            self.remembered_skus.renew([SkuInfo(*row) for row in skus])
            self.remembered_warehouses.renew([WarehouseInfo(*row) for row in warehouses])

    def forget(self, skus: Iterable[str] = (), warehouses: Iterable[str] = ()) -> None:
        for code in skus:
            self.remembered_skus.rows.pop(code, None)
        for code in warehouses:
            self.remembered_warehouses.rows.pop(code, None)


async def changed(query: QuerySet[Any], columns: Sequence[str]) -> list[Any] | None:
    """None: so many that it is better to forget all."""
    rows = await query.limit(CHANGES_LIMIT + 1).values_list(*columns)
    return rows if len(rows) <= CHANGES_LIMIT else None


async def database_time() -> datetime:
    rows = (await connection().execute_query("SELECT now()", []))[1]
    time: datetime = next(iter(rows[0]))
    return time
