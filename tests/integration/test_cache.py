"""The read model on a real Redis: forward only, in time, and gone without harm."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from infra.cache import CHUNK, REST_SECONDS, Cache, CacheDown, RelayReport
from infra.embedded.places import prepare
from infra.embedded.redis import Redis
from infra.levels import CellLevel
from tests.infra.fakes import NOON, level


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    redis = Redis(prepare(tmp_path_factory.mktemp("home")))
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
async def cache(server: Redis) -> AsyncIterator[Cache]:
    if not server.is_alive():
        await asyncio.to_thread(server.start)
    opened = Cache.connect(server.url)
    await opened.clear()
    yield opened
    await opened.close()


def named(cell_id: int, sku: str, warehouse: str) -> CellLevel:
    return CellLevel(cell_id, sku, warehouse, 1, 0, 0, 0, 0, 1, NOON)


async def test_a_level_is_read_as_it_was_written(cache: Cache) -> None:
    written = CellLevel(7, "22423", "WEST", 5, 4, 3, 2, 1, 99, NOON)
    await cache.put_levels([written])
    assert await cache.level("22423", "WEST") == written
    assert await cache.level("22423", "EAST") is None
    assert await cache.levels([("x", "WEST"), ("22423", "WEST")]) == [None, written]


async def test_an_older_level_never_replaces_a_newer_one(cache: Cache) -> None:
    for seq in (3, 255, 2, 256, 65_535, 70_000, 69_999, 2**31):
        await cache.put_levels([level(1, seq)])
    await cache.put_levels([level(1, 2**31, available=5), level(2, 1), level(1, 1)])
    assert await cache.levels([("S1", "W"), ("S2", "W")]) == [level(1, 2**31), level(2, 1)]


async def test_the_newest_wins_whoever_writes_at_the_same_time(cache: Cache) -> None:
    writes = [cache.put_levels([level(cell, seq) for cell in range(50)]) for seq in range(1, 21)]
    await asyncio.gather(*reversed(writes))
    found = await cache.levels([(f"S{cell}", "W") for cell in range(50)])
    assert found == [level(cell, 20) for cell in range(50)]


async def test_codes_that_look_alike_when_joined_are_kept_apart(cache: Cache) -> None:
    codes = [("b", "a:"), (":b", "a"), ("b:", "a"), ("a:b", ""), ("ü*?[x]\\", "1:a"), ("é", "日本")]
    levels = [named(number, *pair) for number, pair in enumerate(codes)]
    await cache.put_levels(levels)
    assert await cache.levels(codes) == levels


async def test_all_levels_are_scanned_in_pages(cache: Cache) -> None:
    levels = [level(cell, 1) for cell in range(3 * CHUNK + 1)]
    await cache.put_levels(levels)
    pages = [page async for page in cache.scan_levels()]
    assert {item for page in pages for item in page} == set(levels)
    assert len(pages) > 1


async def test_clearing_forgets_all_levels_and_makes_a_filling_due(cache: Cache) -> None:
    await cache.put_levels([level(1, 1)])
    due = await cache.filling_due("db")
    assert due is not None
    await cache.mark_filled(due.mark)
    assert await cache.filling_due("db") is None
    await cache.clear()
    assert await cache.level("S1", "W") is None
    assert await cache.filling_due("db") == due


async def test_levels_of_another_database_are_known_as_foreign(cache: Cache) -> None:
    first = await cache.filling_due("db 1")
    assert first is not None
    assert not first.is_foreign
    await cache.mark_filled(first.mark)
    other = await cache.filling_due("db 2")
    assert other is not None
    assert other.is_foreign


async def test_a_report_of_the_relay_can_be_read_by_others(cache: Cache) -> None:
    assert await cache.report() is None
    report = RelayReport(0.5, 1, 2, 3, 4, 5)
    await cache.put_report(report)
    assert await cache.report() == report
    assert 0 < await cache.redis.ttl("relay:report") <= 15
    await cache.redis.delete("relay:report")


async def test_the_script_is_loaded_again_when_redis_has_forgotten_it(cache: Cache) -> None:
    await cache.put_levels([level(1, 1)])
    await cache.redis.script_flush()
    await cache.put_levels([level(1, 2)])
    assert await cache.level("S1", "W") == level(1, 2)


async def test_a_stopped_redis_is_a_miss_and_a_started_one_is_found_again(
    server: Redis, cache: Cache
) -> None:
    await cache.put_levels([level(1, 1)])
    due = await cache.filling_due("db")
    await asyncio.to_thread(server.stop)
    with pytest.raises(CacheDown):
        await cache.level("S1", "W")
    with pytest.raises(CacheDown, match="a moment ago"):
        await cache.put_levels([level(1, 2)])
    await asyncio.to_thread(server.start)
    await asyncio.sleep(REST_SECONDS)
    await cache.ping()
    assert await cache.level("S1", "W") is None
    again = await cache.filling_due("db")
    assert again is not None
    assert again != due


async def test_a_redis_that_hangs_is_a_miss_in_time(server: Redis, cache: Cache) -> None:
    assert server.child is not None
    await cache.ping()
    server.child.popen.send_signal(19)
    try:
        started = asyncio.get_running_loop().time()
        with pytest.raises(CacheDown):
            await cache.level("S1", "W")
        assert asyncio.get_running_loop().time() - started < 1
    finally:
        server.child.popen.send_signal(18)
