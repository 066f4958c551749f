"""kill -9 of an owner in the middle of load: what was answered is in the ledger, once."""

import asyncio
import os
import signal

import pytest

from tests.integration.books import books_of
from tests.integration.caller import Caller
from tests.integration.cells import cells_of_owners
from tests.integration.load import load
from tests.integration.owner_pids import owner_pids
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(600)
KILLS = 10
BUYERS = 24
OPENING = 100_000
BETWEEN = 60  # orders that are answered between two kills


async def test_an_owner_that_is_killed_ten_times_under_load_loses_and_doubles_nothing(
    battered: Whole,
) -> None:
    keys = cells_of_owners(battered, 3)
    seen: set[int] = set()
    async with books_of(battered) as books, Caller(battered) as watcher:
        async with load(battered, keys, BUYERS, OPENING) as orders:
            for kill in range(KILLS):
                pid = (await owner_pids(watcher))[str(kill % 2)]
                assert pid not in seen
                seen.add(pid)
                os.kill(pid, signal.SIGKILL)
                await orders.more(BETWEEN)
            assert not seen & set((await owner_pids(watcher)).values())
        await orders.prove(books, OPENING)
        assert len(orders.answers) >= KILLS * BETWEEN
    audited = await asyncio.to_thread(battered.run, "audit")
    assert audited.returncode == 0, audited.stdout
