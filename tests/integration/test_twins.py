"""The same order sent twice at once, where stock comes and goes: one attempt may give up what it
placed while the other builds on it. Whoever was told yes holds everything, whatever the other was
told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from domain.commands import CellKey
from tests.integration.api_workers import caller_per_worker
from tests.integration.books import books_of
from tests.integration.caller import FIND, RELEASE, RESERVE, Caller, is_held, new_id, order
from tests.integration.cells import cells_of_owners
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
PAIRS = 150
AT_ONCE = 8
SCARCE = 3
RIVALS = 6
PLENTY = 10_000


@asynccontextmanager
async def rivals(shop: Whole, key: CellKey) -> AsyncIterator[None]:
    """They take the scarce units and give them back, all the time."""
    is_over = asyncio.Event()

    async def one(caller: Caller) -> None:
        while not is_over.is_set():
            id = new_id()
            if is_held(await caller.reserve(id, (*key, 1))):
                await caller.ask(RELEASE, id=id)

    async with Caller(shop, connections=RIVALS) as caller, asyncio.TaskGroup() as tasks:
        for _ in range(RIVALS):
            tasks.create_task(one(caller))
        try:
            yield
        finally:
            is_over.set()


async def test_whoever_of_two_equal_orders_was_told_yes_holds_all_its_lines(shop: Whole) -> None:
    home, *others = sorted(cells_of_owners(shop, 1))
    scarce = others[0]
    free = asyncio.Semaphore(AT_ONCE)
    async with caller_per_worker(shop) as callers, books_of(shop) as books, Caller(shop) as buyer:
        await buyer.furnish({home: PLENTY, scarce: SCARCE, others[1]: PLENTY})

        async def pair(wanted: Any) -> int:
            """How many of the two were told yes."""
            async with free:
                both = [caller.ask(RESERVE, input=wanted) for caller in callers]
                told = [is_held(answer) for answer in await asyncio.gather(*both)]
                if any(told):
                    held = await buyer.ask(FIND, id=wanted["id"])
                    assert len(held["lines"]) == len(wanted["lines"]), (wanted, held)
                    await buyer.ask(RELEASE, id=wanted["id"])
            return sum(told)

        lines = [(*key, 1) for key in (home, scarce, others[1])]
        async with rivals(shop, scarce):
            pairs = [pair(order(new_id(), *lines, ttl=60)) for _ in range(PAIRS)]
            told = await asyncio.gather(*pairs)
        assert any(told)
        await books.balance([home, *others])
        assert (await books.cell(scarce))["reserved"] == 0
