"""The relay as a process, with real servers that go away: all arrives, per cell in order."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from infra.balances import Balances
from infra.bus import Bus
from infra.cache import Cache, CacheDown
from infra.database import close_database, open_database
from infra.hub import Hub, Interest
from infra.levels import CellLevel, encode_levels
from infra.outbox import LOOK_BACK_SECONDS, TAKE_LIMIT, PostgresOutbox, oldest_age
from tests.infra.fakes import level
from tests.integration.shop import CELLS, Servers, commit, furnish, relay_process, servers

PATIENCE_SECONDS = 30.0
AT_REST_SECONDS = 0.1
STARTS = count(0, 1_000_000)
"""Each test begins at other seqs: the bus still knows the messages of the one before."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("home")) as started:
        yield started


class Shop:
    """An owner's hand on the cells, and a follower that remembers what each cell said last."""

    def __init__(self, parts: Servers, connection: asyncpg.Connection, cache: Cache) -> None:
        self.parts = parts
        self.connection = connection
        self.cache = cache
        self.start = next(STARTS)
        self.seqs = dict.fromkeys(range(1, CELLS + 1), self.start)
        self.heard: dict[int, CellLevel] = {}

    def hear(self, item: CellLevel) -> None:
        assert item.seq > self.heard.get(item.cell_id, level(item.cell_id, 0)).seq
        self.heard[item.cell_id] = item

    async def change(self, *cells: int) -> None:
        for cell in cells:
            self.seqs[cell] += 1
        await commit(self.connection, *(self.now(cell) for cell in cells))

    def now(self, cell: int) -> CellLevel:
        return level(cell, self.seqs[cell], available=self.seqs[cell] * 10)

    def truth(self) -> dict[int, CellLevel]:
        return {cell: self.now(cell) for cell, seq in self.seqs.items() if seq > self.start}

    async def is_read(self) -> bool:
        keys = [(f"S{cell}", "W") for cell in self.truth()]
        with suppress(CacheDown):
            return await self.cache.levels(keys) == list(self.truth().values())
        return False

    async def is_heard(self) -> bool:
        return self.heard == self.truth()

    async def is_relayed(self) -> bool:
        return not await self.connection.fetchval("SELECT count(*) FROM outbox")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@pytest.fixture
async def shop(parts: Servers) -> AsyncIterator[Shop]:
    """The hub's end is open: one subscriber of everything, which hears into `heard`."""
    for server in (parts.nats, parts.redis, parts.postgres):
        if not server.is_alive():
            await asyncio.to_thread(server.start)
    connection = await furnish(parts.settings)
    await open_database(parts.settings.database_url)
    cache, bus = Cache.connect(parts.settings.redis_url), await Bus.connect(parts.settings.nats_url)
    await cache.clear()
    hub = Hub(Balances())
    shop = Shop(parts, connection, cache)
    tasks = [asyncio.create_task(hub.run(bus)), asyncio.create_task(listen(hub, shop))]
    await until(lambda: truly(bool(bus.feeds)))
    yield shop
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await bus.close()
    await cache.close()
    await close_database()
    await shop.connection.close()


async def truly(value: bool) -> bool:
    return value


async def listen(hub: Hub, shop: Shop) -> None:
    with hub.subscribed(Interest()) as subscriber:
        while True:
            change = await subscriber.next()
            assert change is not None
            shop.hear(change)


async def test_a_change_at_rest_is_heard_and_read_within_100_ms(shop: Shop, tmp_path: Path) -> None:
    took = []
    with relay_process(shop.parts.settings, tmp_path / "log"):
        await shop.change(1)
        await until(shop.is_heard)
        for _ in range(15):
            await shop.change(1)
            started = asyncio.get_running_loop().time()
            await until(shop.is_heard)
            took.append(asyncio.get_running_loop().time() - started)
        assert await shop.is_read()
        await until(shop.is_relayed)
    assert sorted(took)[len(took) // 2] < AT_REST_SECONDS


async def test_a_relay_that_is_killed_again_and_again_loses_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    for _ in range(3):
        with relay_process(shop.parts.settings, tmp_path / "log"):
            before = len(shop.heard)
            while len(shop.heard) <= before and len(shop.heard) < CELLS:
                await shop.change(*range(1, CELLS + 1, 2))
                await shop.change(*range(2, CELLS + 1, 2))
    with relay_process(shop.parts.settings, tmp_path / "log"):
        await until(shop.is_heard)
        await until(shop.is_read)
        await until(shop.is_relayed)


async def test_of_two_relays_one_works_and_the_other_takes_over(shop: Shop, tmp_path: Path) -> None:
    logs = [tmp_path / "first", tmp_path / "second"]
    with relay_process(shop.parts.settings, logs[0]) as first:
        await until(lambda: says(logs[0], "this is the relay"))
        with relay_process(replace(shop.parts.settings, log_level="debug"), logs[1]):
            await until(lambda: says(logs[1], "another relay is at work"))
            await shop.change(1, 2)
            await until(shop.is_heard)
            assert not await says(logs[1], "this is the relay")
            first.kill()
            await shop.change(1, 3)
            await until(shop.is_heard)
            assert await says(logs[1], "this is the relay")


async def says(log: Path, words: str) -> bool:
    return words in await asyncio.to_thread(log.read_text)


async def test_the_oldest_rows_are_taken_first_and_not_all_at_once(shop: Shop) -> None:
    for _ in range(TAKE_LIMIT + 1):
        await shop.change(1)
    outbox = PostgresOutbox(shop.connection)
    rows = await outbox.take()
    assert [row.id for row in rows] == list(range(1, TAKE_LIMIT + 1))
    assert rows[0].age >= rows[-1].age > 0
    await outbox.delete([row.id for row in rows])
    assert [row.id for row in await outbox.take()] == [TAKE_LIMIT + 1]
    assert 0 < await oldest_age(shop.connection) < rows[0].age


async def test_a_row_that_was_committed_late_is_not_passed_by(shop: Shop) -> None:
    outbox = PostgresOutbox(shop.connection)
    late = encode_levels([level(1, 1)])
    for _ in range(4):
        await shop.change(1, 2)
        rows = await outbox.take()
        await outbox.delete([row.id for row in rows])
        outbox.looked_back_at -= LOOK_BACK_SECONDS
    await outbox.take()
    assert outbox.floor > 1
    await shop.connection.execute("INSERT INTO outbox VALUES (1, $1, now())", late)
    assert await outbox.take() == []
    outbox.looked_back_at -= LOOK_BACK_SECONDS
    assert [row.id for row in await outbox.take()] == [1]


async def test_it_ends_cleanly_when_told_to(shop: Shop, tmp_path: Path) -> None:
    with relay_process(shop.parts.settings, tmp_path / "log") as process:
        await shop.change(1)
        await until(shop.is_relayed)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0


async def test_a_redis_that_was_started_again_is_filled_again(shop: Shop, tmp_path: Path) -> None:
    with relay_process(shop.parts.settings, tmp_path / "log"):
        await shop.change(*range(1, CELLS + 1))
        await until(lambda: fillings(shop, 1))
        await asyncio.to_thread(shop.parts.redis.stop)
        await shop.change(1, 2, 3)
        await asyncio.to_thread(shop.parts.redis.start)
        await until(shop.is_read)
        await until(shop.is_heard)
        await until(lambda: fillings(shop, 2))


async def fillings(shop: Shop, number: int) -> bool:
    with suppress(CacheDown):
        report = await shop.cache.report()
        return report is not None and report.refills == number
    return False


async def test_changes_wait_for_a_stopped_bus_and_then_come_in_order(
    shop: Shop, tmp_path: Path
) -> None:
    with relay_process(shop.parts.settings, tmp_path / "log"):
        await shop.change(*range(1, CELLS + 1))
        await until(shop.is_heard)
        await asyncio.to_thread(shop.parts.nats.stop)
        for _ in range(5):
            await shop.change(1, 2, 3)
        assert await oldest_age(shop.connection) > 0
        await asyncio.to_thread(shop.parts.nats.start)
        await until(shop.is_heard)
        await until(shop.is_relayed)


async def test_a_restart_of_the_database_is_waited_for(shop: Shop, tmp_path: Path) -> None:
    with relay_process(shop.parts.settings, tmp_path / "log"):
        await shop.change(1)
        await until(shop.is_heard)
        await shop.connection.close()
        await asyncio.to_thread(shop.parts.postgres.stop)
        await asyncio.to_thread(shop.parts.postgres.start)
        shop.connection = await asyncpg.connect(shop.parts.settings.database_url)
        await shop.change(1, 2)
        await until(shop.is_heard)
        await until(shop.is_read)
        await until(shop.is_relayed)
