"""A hold ends within one second of its deadline: in its owner's memory, after its owner was killed,
and where nobody has its cell in memory."""

import asyncio
import os
import signal
from datetime import timedelta
from typing import Any

import pytest

from actors.directory import owner_of
from actors.wire import Done
from domain.commands import CellKey
from tests.integration.books import Books, books_of
from tests.integration.caller import Caller, is_held, new_code, new_id
from tests.integration.cells import cells_of_owners
from tests.integration.owner_pids import owner_pids
from tests.integration.second_owner import receive, reserve, second_owners
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
UNITS = 50
TTL_SECONDS = 2
PROMISED = timedelta(seconds=1)
EXPIRED = 4  # as stored


def latest(holds: list[Any], deadlines: list[Any]) -> timedelta:
    """After its deadline."""
    late: list[timedelta] = [
        hold["closed_at"] - at for hold, at in zip(holds, deadlines, strict=True)
    ]
    return max(late)


async def ended(books: Books, ids: list[str]) -> list[Any]:
    holds = await books.closed(ids)
    assert {hold["state"] for hold in holds} == {EXPIRED}
    return holds


async def deadlines_of(books: Books, ids: list[str]) -> list[Any]:
    return [(await books.hold(id))["deadline"] for id in ids]


async def test_holds_end_within_a_second_of_their_deadline(shop: Whole) -> None:
    keys = cells_of_owners(shop, 2)
    async with Caller(shop) as caller, books_of(shop) as books:
        await caller.furnish(dict.fromkeys(keys, UNITS))
        ids = [new_id() for _ in range(5 * len(keys))]
        asked = [
            caller.reserve(id, (*keys[n % len(keys)], 1), ttl=TTL_SECONDS)
            for n, id in enumerate(ids)
        ]
        assert all(is_held(answer) for answer in await asyncio.gather(*asked))
        deadlines = await deadlines_of(books, ids)
        assert latest(await ended(books, ids), deadlines) < PROMISED
        assert [(await books.cell(key))["reserved"] for key in keys] == [0] * len(keys)
        await books.balance(keys)


@pytest.mark.parametrize("killed_before_deadline_seconds", [TTL_SECONDS - 0.5, 0.3])
async def test_holds_end_in_time_although_their_owner_was_killed(
    battered: Whole, killed_before_deadline_seconds: float
) -> None:
    keys = cells_of_owners(battered, 1)
    async with Caller(battered) as caller, books_of(battered) as books:
        await caller.furnish(dict.fromkeys(keys, UNITS))
        pids = await owner_pids(caller)
        ids = [new_id() for _ in keys]
        for id, key in zip(ids, keys, strict=True):
            assert is_held(await caller.reserve(id, (*key, 1), ttl=TTL_SECONDS))
        deadlines = await deadlines_of(books, ids)
        left = (deadlines[0] - await books.now()).total_seconds()
        await asyncio.sleep(max(0.0, left - killed_before_deadline_seconds))
        os.kill(pids[str(owner_of(keys[0], 2))], signal.SIGKILL)
        assert latest(await ended(books, ids), deadlines) < PROMISED
        await books.balance(keys)


async def test_a_hold_of_a_cell_that_nobody_has_in_memory_ends_in_time(shop: Whole) -> None:
    """The shop's owners have never heard of the cell; who made the hold is gone."""
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller, books_of(shop) as books:
        await caller.catalogue([key])
        ids = [new_id() for _ in range(5)]
        async with second_owners(shop) as (owner,):
            assert isinstance(await receive(owner, key, UNITS), Done)
            for id in ids:
                assert isinstance(await reserve(owner, key, id, TTL_SECONDS), Done)
        deadlines = await deadlines_of(books, ids)
        assert latest(await ended(books, ids), deadlines) < PROMISED
        await books.balance([key])
