"""Who sits where, under load: an owner that was stopped past its lease stands down, cells move to a
seat of their own and back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psutil
import pytest

from actors import owners
from actors.client import StockClient
from actors.directory import owner_of
from infra.database import close_database, open_database
from tests.integration.books import books_of
from tests.integration.caller import Caller, is_held, new_id
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
POLL_SECONDS = 0.2
OWNERS_WITH_HOT = 4
"""Two shared seats, the hot one and a spare."""


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


async def test_the_spare_sells_the_cells_of_a_killed_owner_soon(battered: Whole) -> None:
    keys = cells_of_owners(battered, 2)
    async with books_of(battered) as books, Caller(battered) as caller:
        async with load(battered, keys, BUYERS, OPENING) as orders:
            pid = (await owner_pids(caller))["0"]
            (key, *_) = [key for key in keys if owner_of(key, 2) == 0]
            os.kill(pid, signal.SIGKILL)
            assert is_held(await caller.reserve(new_id(), (*key, 1)))
            await orders.more(BETWEEN)
        await books.balance(keys)


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


async def test_cells_get_a_seat_again_after_a_spare_too_many_was_ended(battered: Whole) -> None:
    keys = cells_of_owners(battered, 1)[:1]
    async with Caller(battered) as caller, stock_of(battered) as stock:
        await caller.furnish(dict.fromkeys(keys, OPENING))
        await stock.place(keys, HOT)
        await until_owners(battered, OWNERS_WITH_HOT)
        await stock.unplace(keys)
        await until_owners(battered, OWNERS_WITH_HOT - 1)
        await stock.place(keys, HOT)
        assert is_held(await caller.reserve(new_id(), (*keys[0], 1)))
        await until_owners(battered, OWNERS_WITH_HOT)
        await stock.unplace(keys)


async def test_a_spare_that_hangs_is_replaced_before_anybody_needs_it(battered: Whole) -> None:
    keys = cells_of_owners(battered, 1)
    async with Caller(battered) as caller:
        await caller.furnish(dict.fromkeys(keys, OPENING))
        await until_owners(battered, OWNERS_WITH_HOT - 1)
        seated = set((await owner_pids(caller)).values())
        (hung,) = set(owner_processes(battered)) - seated
        os.kill(hung, signal.SIGSTOP)
        try:
            await until(lambda: bool(set(owner_processes(battered)) - seated - {hung}))
            os.kill((await owner_pids(caller))["0"], signal.SIGKILL)
            (key, *_) = [key for key in keys if owner_of(key, 2) == 0]
            assert is_held(await caller.reserve(new_id(), (*key, 1)))
        finally:
            with suppress(ProcessLookupError):
                os.kill(hung, signal.SIGKILL)


async def until_owners(shop: Whole, number: int) -> None:
    await until(lambda: len(owner_processes(shop)) == number)


async def until(is_so: Callable[[], bool]) -> None:
    while True:
        if is_so():
            return
        await asyncio.sleep(POLL_SECONDS)


def owner_processes(shop: Whole) -> list[int]:
    """Spares too."""
    found = []
    for process in shop.parts():
        with suppress(psutil.NoSuchProcess):
            if process.cmdline()[:1] == ["ray::OwnerActor"]:
                found.append(process.pid)
    return found
