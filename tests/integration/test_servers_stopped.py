"""The servers below are killed and stopped in the middle of load. Without PostgreSQL nothing is
answered; without NATS and Redis all goes on, and the screens catch up, in order, afterwards."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from domain.commands import CellKey
from tests.integration.books import books_of
from tests.integration.caller import LEVEL, PATIENCE_SECONDS, Caller
from tests.integration.cells import cells_of_owners
from tests.integration.following import Screen, screen
from tests.integration.load import Load, load
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(600)
BUYERS = 16
OPENING = 100_000
ORDERS = 150
TIMES = 3  # that PostgreSQL is killed
Trouble = Callable[[Whole, Load, Screen], Awaitable[None]]


async def under_load(shop: Whole, trouble: Trouble) -> None:
    """Whatever the trouble: all answers are in the ledger once, and a screen that watched shows the
    ledger's last seq of each cell, without ever having gone back."""
    keys = cells_of_owners(shop, 3)
    async with Caller(shop) as viewer, screen(viewer, keys) as watched:
        async with load(shop, keys, BUYERS, OPENING) as orders:
            await trouble(shop, orders, watched)
        async with books_of(shop) as books:
            await orders.prove(books, OPENING)
            last = {key: (await books.cell(key))["seq"] for key in keys}
        await watched.until(last)
        assert watched.back == []
        await cached(viewer, last)
    audited = await asyncio.to_thread(shop.run, "audit")
    assert audited.returncode == 0, audited.stdout + audited.stderr


async def cached(viewer: Caller, last: dict[CellKey, int]) -> None:
    """What is read without asking the owner is as new, in the end."""
    shown: dict[CellKey, int] = {}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while shown != last:
            shown = {k: (await viewer.ask(LEVEL, **k._asdict()))["seq"] for k in last}


async def server(shop: Whole, name: str) -> psutil.Process:
    """The one that serves now; one that is being started again is waited for."""
    return await asyncio.to_thread(shop.server, name)


@contextmanager
def stopped(*servers: psutil.Process) -> Iterator[None]:
    """They hold still, and answer nobody."""
    for server in servers:
        server.suspend()
    try:
        yield
    finally:
        for server in servers:
            server.resume()


async def test_postgresql_is_killed_again_and_again_under_load(battered: Whole) -> None:
    async def trouble(shop: Whole, orders: Load, watched: Screen) -> None:
        for _ in range(TIMES):
            (await server(shop, "postgres")).kill()
            await orders.more(ORDERS)

    await under_load(battered, trouble)


async def test_nats_and_redis_hold_still_under_load(battered: Whole) -> None:
    async def trouble(shop: Whole, orders: Load, watched: Screen) -> None:
        with stopped(await server(shop, "nats-server"), await server(shop, "redis-server")):
            await orders.more(ORDERS)
            assert watched.seen
        await orders.more(ORDERS)

    await under_load(battered, trouble)


async def test_nats_and_redis_are_killed_under_load(battered: Whole) -> None:
    async def trouble(shop: Whole, orders: Load, watched: Screen) -> None:
        for names in (["nats-server"], ["redis-server"], ["nats-server", "redis-server"]):
            for name in names:
                (await server(shop, name)).kill()
            await orders.more(ORDERS)

    await under_load(battered, trouble)
