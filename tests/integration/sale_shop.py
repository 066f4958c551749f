"""A shop for flash sales: a real ledger and real tables, owners in the test's process, and a clock
that is told. TEA and CUP have 100 units each in EAST and in WEST."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from actors.store import PostgresStore
from domain.commands import CellKey
from domain.flash_sales import pool_of
from infra.database import close_database, connection, migrate, open_database
from infra.embedded.places import prepare
from infra.embedded.postgres import Postgres
from services.catalogue_cache import CatalogueCache
from services.flash_sale_rows import Allotment
from services.flash_sale_work import Content
from services.flash_sales import CreateFlashSale
from services.stock import ReceiveStock, receive
from tests.actors.world import NOON, FakeClock
from tests.services.world import ADMIN, OWNERS, Shop, open_shop, rid

FULL = 100
TEA, TEA_WEST = CellKey("TEA", "EAST"), CellKey("TEA", "WEST")
CUP, CUP_WEST = CellKey("CUP", "EAST"), CellKey("CUP", "WEST")
SALE = rid(77)
HOUR = timedelta(hours=1)
EMPTY = """TRUNCATE entry, hold, outcome, outbox, cell, sku, warehouse, flash_sale, flash_sale_cell,
  flash_sale_refusal RESTART IDENTITY CASCADE"""
GOODS = """INSERT INTO sku (code, name, is_active)
  VALUES ('TEA', 'Tea', true), ('CUP', 'Cup', true), ('OLD', 'Old', false)"""
PLACES = """INSERT INTO warehouse (code, name, region, priority, is_active)
  VALUES ('EAST', 'East', 'ASIA', 1, true), ('WEST', 'West', 'EU', 2, true)"""
UNITS = """SELECT c.available, coalesce((c.pools->>$3)::int, 0) FROM cell c
  JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
  WHERE s.code = $1 AND w.code = $2"""


@contextmanager
def database(home: Path) -> Iterator[str]:
    server = Postgres(prepare(home))
    try:
        yield server.start()
    finally:
        server.stop()


@asynccontextmanager
async def sale_shop(url: str) -> AsyncIterator[Shop]:
    await migrate(url)
    await open_database(url)
    for statement in (EMPTY, GOODS, PLACES):
        await connection().execute_query(statement)
    stores = [PostgresStore() for _ in range(OWNERS)]
    try:
        async with open_shop(stores, FakeClock(), CatalogueCache()) as shop:
            for cell in (TEA, TEA_WEST, CUP, CUP_WEST):
                await receive(shop.rt, ADMIN, ReceiveStock(shop.clock.new_id(), *cell, FULL))
            yield shop
    finally:
        for store in stores:
            await store.close()
        await close_database()


async def units(cell: CellKey, sale: UUID = SALE) -> tuple[int, int]:
    """Units of the open pool, and of the sale's."""
    found = (await connection().execute_query(UNITS, [*cell, pool_of(sale)]))[1]
    available, pooled = tuple(found[0])
    return available, pooled


def content(**more: Any) -> Content:
    """Opens an hour from noon, for an hour: 10 TEA in EAST and 20 in WEST, 2 per customer."""
    told: dict[str, Any] = {
        "name": "Tea time",
        "opens_at": NOON + HOUR,
        "closes_at": NOON + 2 * HOUR,
        "limit_per_customer": 2,
        "ttl_seconds": 60,
        "waiting_room": False,
        "admitted_per_second": 50,
        "allotments": (Allotment(*TEA, 10), Allotment(*TEA_WEST, 20)),
    }
    return Content(**{**told, **more})


def sale(id: UUID = SALE, **more: Any) -> CreateFlashSale:
    return CreateFlashSale(id, content(**more))
