"""The live view over a real database: a snapshot, then changes, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, cast

import asyncpg
import pytest

from domain.access import Role, everywhere
from infra.balances import Balances
from infra.cache import Cache
from infra.clock import SystemClock
from infra.database import close_database, open_database
from infra.hub import SLOTS_LIMIT, SLOW_SECONDS, Hub
from infra.outage import Outage
from services.catalogue_cache import CatalogueCache
from services.changes import stock_changed
from services.levels import StockFilter, StockLevel
from services.runtime import Runtime
from services.whereabouts import Whereabouts
from tests.infra.fakes import level
from tests.integration.shop import CELLS, Servers, commit, furnish, servers

CALLER = everywhere("screen", Role.STOREFRONT)
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("home")) as started:
        yield started


class Shop:
    """Commits as an owner would, and tells the hub as the bus would."""

    def __init__(self, parts: Servers, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.hub = Hub(Balances())
        self.cache = Cache.connect(parts.settings.redis_url)
        self.rt = Runtime(
            settings=parts.settings,
            clock=SystemClock(),
            stock=cast(Any, None),
            cache=self.cache,
            hub=self.hub,
            catalogue=CatalogueCache(),
            whereabouts=Whereabouts(),
        )

    async def change(self, cell: int, seq: int, available: int = 0, is_told: bool = True) -> None:
        await commit(self.connection, level(cell, seq, available))
        if is_told:
            self.hub.offer(level(cell, seq, available))

    def waiting(self) -> bool:
        return any(subscriber.slots for subscriber in self.hub.everyone)

    def watch(self, **wanted: Any) -> "Watch":
        return Watch(stock_changed(self.rt, CALLER, StockFilter(**wanted)))


class Watch:
    def __init__(self, levels: AsyncGenerator[StockLevel, None]) -> None:
        self.levels = levels

    async def next(self) -> tuple[str, int]:
        """Code of the SKU, and seq."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            seen = await anext(self.levels)
        return seen.sku.code, seen.seq

    async def take(self, number: int) -> list[tuple[str, int]]:
        return [await self.next() for _ in range(number)]

    async def aclose(self) -> None:
        await self.levels.aclose()


@pytest.fixture
async def shop(parts: Servers) -> AsyncIterator[Shop]:
    connection = await furnish(parts.settings)
    await open_database(parts.settings.database_url)
    opened = Shop(parts, connection)
    yield opened
    await opened.cache.close()
    await close_database()
    await connection.close()


async def test_a_watcher_gets_the_levels_as_they_are_and_then_each_change(shop: Shop) -> None:
    await shop.change(2, 5, is_told=False)
    async with aclosing(shop.watch(skus=("S1", "S2"))) as watch:
        assert await watch.take(2) == [("S1", 0), ("S2", 5)]
        await shop.change(3, 1)
        await shop.change(1, 1)
        assert await watch.next() == ("S1", 1)
        assert not shop.waiting()


async def test_all_that_is_shown_is_that_of_the_cell(shop: Shop) -> None:
    await shop.change(2, 1, available=7)
    async with aclosing(shop.watch(skus=("S2",))) as watch:
        seen = await anext(watch.levels)
    assert (seen.sku.name, seen.warehouse.name, seen.available) == ("Thing 2", "West", 7)


async def test_what_changes_while_the_snapshot_is_sent_comes_once_and_newest(shop: Shop) -> None:
    async with aclosing(shop.watch()) as watch:
        assert await watch.next() == ("S1", 0)
        for seq in (1, 2):
            await shop.change(1, seq)
            await shop.change(5, seq)
        rest = await watch.take(CELLS)
        assert sorted(rest) == sorted(
            [("S1", 2), ("S5", 2), *((f"S{n}", 0) for n in range(2, CELLS + 1) if n != 5)]
        )


async def test_news_older_than_the_snapshot_are_not_told(shop: Shop) -> None:
    await shop.change(1, 8, is_told=False)
    async with aclosing(shop.watch(skus=("S1",))) as watch:
        assert await watch.next() == ("S1", 8)
        shop.hub.offer(level(1, 7))
        shop.hub.offer(level(1, 8))
        await shop.change(1, 9)
        assert await watch.next() == ("S1", 9)


async def test_categories_and_regions_are_looked_up(shop: Shop) -> None:
    async with (
        aclosing(shop.watch(categories=("even",), regions=("EU",))) as even,
        aclosing(shop.watch(regions=("US",))) as elsewhere,
    ):
        assert await even.take(CELLS // 2) == [(f"S{n}", 0) for n in range(2, CELLS + 1, 2)]
        nothing = asyncio.create_task(elsewhere.next())
        for cell in (1, 2):
            await shop.change(cell, 1)
        assert await even.next() == ("S2", 1)
        assert not nothing.done()
        nothing.cancel()
        await asyncio.gather(nothing, return_exceptions=True)


async def test_a_cell_is_shown_once_more_when_it_rises_above_the_mark(shop: Shop) -> None:
    for cell in range(1, CELLS + 1):
        await shop.change(cell, 1, available=100, is_told=False)
    await shop.change(4, 2, available=3, is_told=False)
    async with aclosing(shop.watch(available_at_most=5)) as watch:
        assert await watch.next() == ("S4", 2)
        await shop.change(6, 2, available=90)
        await shop.change(4, 3, available=50)
        await shop.change(4, 4, available=60)
        assert await watch.next() == ("S4", 4)
        await shop.change(4, 5, available=70)
        await shop.change(6, 3, available=5)
        assert await watch.next() == ("S6", 3)


async def test_a_watcher_that_fell_behind_reads_all_again(shop: Shop) -> None:
    async with aclosing(shop.watch()) as watch:
        await watch.take(CELLS)
        await shop.change(7, 1, is_told=False)
        for cell in range(CELLS + 1, CELLS + SLOTS_LIMIT + 2):
            shop.hub.offer(level(cell, 1))
        again = await watch.take(CELLS)
    assert ("S7", 1) in again


async def test_a_watcher_that_is_too_slow_is_told_so(shop: Shop) -> None:
    async with aclosing(shop.watch(skus=("S1",))) as watch:
        await watch.next()
        await shop.change(1, 1)
        shop.hub.close_slow(asyncio.get_running_loop().time() + SLOW_SECONDS + 1)
        with pytest.raises(Outage):
            await watch.next()
    assert not shop.hub.everyone


async def test_nothing_is_left_of_a_watcher_that_went_away(shop: Shop) -> None:
    async with aclosing(shop.watch(skus=("S1",))) as between, aclosing(shop.watch()) as waiting:
        await between.next()
        await waiting.take(CELLS)
        task = asyncio.create_task(waiting.next())
        await asyncio.sleep(0)
        assert len(shop.hub.everyone) == 2
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not shop.hub.everyone


async def test_two_thousand_watchers_of_a_cell_all_see_its_newest_level(shop: Shop) -> None:
    watches = [shop.watch(skus=("S1",)) for _ in range(2_000)]
    assert set(await asyncio.gather(*(watch.next() for watch in watches))) == {("S1", 0)}
    for seq in (1, 2, 3):
        shop.hub.offer(level(1, seq))
    assert set(await asyncio.gather(*(watch.next() for watch in watches))) == {("S1", 3)}
    for watch in watches:
        await watch.aclose()
    assert not shop.hub.everyone
