"""`onhand audit` beside a running shop: what is right passes, and what was changed behind the
owners' backs is found and named."""

import asyncio
from pathlib import Path

import pytest

from domain.commands import CellKey
from infra.cache import Cache
from infra.levels import CellLevel
from tests.integration.books import books_of
from tests.integration.caller import PATIENCE_SECONDS, Caller, new_code, new_id
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
CHANGE = "UPDATE cell SET available = available + $2 WHERE id = $1"
NEWEST = "SELECT max(seq) FROM audit_record WHERE target = $1"
FORGE = """
ALTER TABLE audit_record DISABLE TRIGGER USER;
UPDATE audit_record SET subject = {} WHERE seq = {};
ALTER TABLE audit_record ENABLE TRIGGER USER;
"""


async def furnished(shop: Whole) -> CellKey:
    """A cell that has moved."""
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller:
        await caller.furnish({key: 20})
        await caller.reserve(new_id(), (*key, 3))
    return key


async def in_read_model(cache: Cache, key: CellKey, seq: int) -> CellLevel:
    """The cell's level there, once it is that new."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            level = await cache.level(*key)
            if level is not None and level.seq >= seq:
                return level
            await asyncio.sleep(0.02)


async def test_clean_books_are_found_clean(shop: Whole) -> None:
    await furnished(shop)
    done = await asyncio.to_thread(shop.run, "audit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no difference" in done.stdout


async def test_a_balance_changed_by_hand_is_found_and_named(shop: Whole) -> None:
    key = await furnished(shop)
    async with books_of(shop) as books:
        cell = (await books.cell(key))["id"]
        await books.connection.execute(CHANGE, cell, 1)
        try:
            done = await asyncio.to_thread(shop.run, "audit")
        finally:
            await books.connection.execute(CHANGE, cell, -1)
    assert done.returncode == 1, done.stdout + done.stderr
    for check in ("ledger and balance", "owner's memory", "read model", "flow"):
        assert any(check in line and key.sku in line for line in done.stdout.splitlines()), check
    assert "17 available, 3 reserved" in done.stdout
    assert "4 differences" in done.stdout


async def test_a_value_changed_in_the_read_model_is_found_and_named(shop: Whole) -> None:
    key = await furnished(shop)
    cache = Cache.connect(shop.settings.redis_url)
    try:
        true = await in_read_model(cache, key, 2)
        await cache.put_levels([true._replace(available=99, seq=true.seq + 1)])
        done = await asyncio.to_thread(shop.run, "audit")
    finally:
        async with Caller(shop) as caller:
            for _ in range(2):
                await caller.reserve(new_id(), (*key, 1))
        await in_read_model(cache, key, 4)
        await cache.close()
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if key.sku in line]
    assert "read model" in line
    assert key.warehouse in line
    assert "99 available" in line


def test_nobody_there_is_said_in_one_line(tmp_path: Path) -> None:
    done = Whole(tmp_path / "home").run("audit")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: the books cannot be checked: nothing is served in")
    assert len(done.stderr.splitlines()) == 1


async def test_a_whole_trail_is_found_whole_and_a_changed_record_is_named(shop: Whole) -> None:
    key = await furnished(shop)
    done = await asyncio.to_thread(shop.run, "audit", "--trail")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "trail and ledger are whole" in done.stdout
    async with books_of(shop) as books:
        seq = await books.connection.fetchval(NEWEST, f"{key.sku} {key.warehouse}")
        await books.connection.execute(FORGE.format("subject || '!'", seq))
        try:
            done = await asyncio.to_thread(shop.run, "audit", "--trail")
        finally:
            await books.connection.execute(FORGE.format("trim(trailing '!' from subject)", seq))
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "changed" in line]
    assert line.count(str(seq)) == 2
    assert "1 findings" in done.stdout
