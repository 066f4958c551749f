"""What a process remembers of the catalogue, against a PostgreSQL that others change too."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tortoise.connection import get_connection

from services.catalogue_cache import CatalogueCache
from tests.integration.furnished import furnished, postgres
from tests.integration.test_relay import until


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("catalogue")
    with postgres(home) as address:
        yield address


@pytest.fixture
async def catalogue(url: str) -> AsyncIterator[CatalogueCache]:
    async with furnished(url):
        yield CatalogueCache()


async def run(statement: str) -> None:
    await get_connection("default").execute_query(statement)


async def test_a_change_by_somebody_else_is_seen_without_asking_for_each_row(
    catalogue: CatalogueCache,
) -> None:
    before = await catalogue.skus(["S001", "S002"])
    assert {row.name for row in before.values()} == {"Thing 1", "Thing 2"}
    await run("UPDATE sku SET name = 'Renamed', is_active = false WHERE code = 'S001'")

    async def renamed() -> bool:
        row = await catalogue.sku("S001")
        return row is not None and row.name == "Renamed" and not row.is_active

    await until(renamed)
    assert set(catalogue.remembered_skus.rows) == {"S001", "S002"}


async def test_a_warehouse_that_is_new_is_found_at_once(catalogue: CatalogueCache) -> None:
    assert await catalogue.warehouse("NEW") is None
    await run(
        "INSERT INTO warehouse (code, name, region, priority, is_active)"
        " VALUES ('NEW', 'New', 'EU', 1, true)"
    )
    row = await catalogue.warehouse("NEW")
    assert row is not None
    assert row.region == "EU"


async def test_readers_who_come_together_share_one_look(catalogue: CatalogueCache) -> None:
    await catalogue.sku("S001")
    catalogue.fresh_until = 0.0
    looks = [asyncio.create_task(catalogue.sku("S001")) for _ in range(20)]
    await asyncio.sleep(0)
    assert catalogue.refreshing is not None
    assert all(await asyncio.gather(*looks))
    assert catalogue.refreshing is None
