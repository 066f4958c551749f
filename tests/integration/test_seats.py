"""Who sits where, under load: an owner that was stopped past its lease stands down, cells move to a
seat of their own and back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors import owners
from actors.client import StockClient
from infra.database import close_database, open_database
from tests.integration.books import books_of
from tests.integration.caller import Caller
from tests.integration.cells import cells_of_owners
from tests.integration.load import load
from tests.integration.owner_pids import owner_pids
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(600)
BUYERS = 16
OPENING = 100_000
BETWEEN = 60
PAST_THE_LEASE = 4.0
MOVES = 4
HOT = "by-hand"


@asynccontextmanager
async def stock_of(shop: Whole) -> AsyncIterator[StockClient]:
    settings = shop.settings
    await open_database(settings.database_url, 2)
    client = owners.client(settings)
    try:
        yield client
    finally:
        client.close()
        await asyncio.sleep(0)
        await close_database()


async def test_who_was_stopped_past_its_lease_is_refused_and_stands_down(battered: Whole) -> None:
    keys = cells_of_owners(battered, 2)
    async with books_of(battered) as books:
        async with Caller(battered) as caller, load(battered, keys, BUYERS, OPENING) as orders:
            pid = (await owner_pids(caller))["1"]
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(PAST_THE_LEASE)
                successor = (await owner_pids(caller))["1"]
                await orders.more(BETWEEN)
            finally:
                os.kill(pid, signal.SIGCONT)
            assert successor != pid
            await orders.more(BETWEEN)
            assert (await owner_pids(caller))["1"] == successor
        await orders.prove(books, OPENING)
    audited = await asyncio.to_thread(battered.run, "audit")
    assert audited.returncode == 0, audited.stdout


async def test_cells_move_to_a_seat_of_their_own_and_back_while_they_are_sold(
    battered: Whole,
) -> None:
    keys = cells_of_owners(battered, 2)
    async with books_of(battered) as books, stock_of(battered) as stock:
        async with load(battered, keys, BUYERS, OPENING) as orders:
            for _ in range(MOVES):
                await stock.place(keys[:3], HOT)
                await orders.more(BETWEEN)
                (hot,) = [seat for seat in await stock.ownership() if seat.is_dedicated]
                assert (hot.name, set(hot.cells), hot.resident_cells) == (HOT, set(keys[:3]), 3)
                await stock.unplace(keys[:3])
                await orders.more(BETWEEN)
                assert not [seat for seat in await stock.ownership() if seat.is_dedicated]
        await orders.prove(books, OPENING)
    audited = await asyncio.to_thread(battered.run, "audit")
    assert audited.returncode == 0, audited.stdout
