"""A shop whose reads come from a real PostgreSQL with a full catalogue; its owner is in memory."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from infra.balances import Balances
from infra.database import close_database, migrate, open_database
from infra.embedded.places import prepare
from infra.embedded.postgres import Postgres
from services.catalogue_cache import CatalogueCache
from tests.api.shop import Shop, open_shop
from tests.infra.fakes import NOON

SKUS = 120
WAREHOUSES = ("EAST", "WEST")
FILL = """
INSERT INTO sku (code, name, category, is_active)
  SELECT 'S' || to_char(n, 'FM000'), 'Thing ' || n,
    CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END, true
  FROM generate_series(1, $1) n
"""
PLACES = """
INSERT INTO warehouse (code, name, region, priority, is_active)
  SELECT code, initcap(code), CASE code WHEN 'EAST' THEN 'ASIA' ELSE 'EU' END, 1, true
  FROM unnest($1::text[]) code
"""
CELLS = """
INSERT INTO cell (sku_id, warehouse_id, version, seq, floor, available, reserved, quarantined,
  damaged, as_of)
SELECT s.id, w.id, 3, 3, 0, s.id, 0, 0, 0, $1 FROM sku s, warehouse w ORDER BY s.id, w.id
"""
ENTRIES = """
INSERT INTO entry (cell_id, seq, movement, quantity, request_id, caller, at)
SELECT 1, n, 1, n, gen_random_uuid(), 'ann', $1 FROM generate_series(1, 3) n
"""
EMPTY = "TRUNCATE entry, cell, sku, warehouse RESTART IDENTITY CASCADE"


@contextmanager
def postgres(home: Path) -> Iterator[str]:
    server = Postgres(prepare(home))
    try:
        yield server.start()
    finally:
        server.stop()


@asynccontextmanager
async def furnished(url: str) -> AsyncIterator[Shop]:
    await migrate(url)
    connection = await asyncpg.connect(url)
    await connection.execute(EMPTY)
    await connection.execute(FILL, SKUS)
    await connection.execute(PLACES, WAREHOUSES)
    await connection.execute(CELLS, NOON)
    await connection.execute(ENTRIES, NOON)
    await connection.close()
    await open_database(url)
    try:
        yield open_shop(CatalogueCache(), Balances())
    finally:
        await close_database()
