"""A database per test, copied from one that is migrated once, and a shop of three owners on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count
from urllib.parse import urlsplit

import asyncpg
import pytest

from actors.store import PostgresStore
from infra.database import OWNER_SETTINGS, close_database, migrate, open_database
from infra.embedded.places import prepare
from infra.embedded.postgres import Postgres
from infra.models import Sku, Warehouse
from services.catalogue_cache import CatalogueCache
from tests.actors.world import FakeClock
from tests.integration.services.books import Books
from tests.services.world import OWNERS, SKUS, WAREHOUSES, Shop, open_shop

POOL_SIZE = 12
NUMBERS = count(1)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the migrated database that tests copy."""
    server = Postgres(prepare(tmp_path_factory.mktemp("services") / "home"))
    try:
        url = server.start()
        asyncio.run(migrate(url))
        yield url
    finally:
        server.stop()


def named(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


@pytest.fixture
async def database(template: str) -> AsyncIterator[str]:
    """The URL of an empty database; this process's pool is open on it."""
    name = f"test_{next(NUMBERS)}"
    connection = await asyncpg.connect(named(template, "postgres"))
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE onhand")
    url = named(template, name)
    await open_database(url, POOL_SIZE, OWNER_SETTINGS)
    try:
        yield url
    finally:
        await close_database()
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    for sku in SKUS:
        await Sku.create(code=sku.code, name=sku.name, is_active=sku.is_active)
    for row in WAREHOUSES:
        await Warehouse.create(
            code=row.code,
            name=row.name,
            region=row.region,
            priority=row.priority,
            is_active=row.is_active,
        )
    stores = [PostgresStore() for _ in range(OWNERS)]
    async with open_shop(stores, FakeClock(), CatalogueCache()) as opened:
        yield opened
    for store in stores:
        await store.close()


@pytest.fixture
async def books(database: str) -> AsyncIterator[Books]:
    connection = await asyncpg.connect(database)
    yield Books(connection)
    await connection.close()
