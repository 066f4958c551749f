"""Two owners forced onto one cell: the fence refuses whoever built on a stale version, nothing is
written twice or lost, and both go on."""

import asyncio
from collections import Counter

import pytest

from actors.drain import Owner
from actors.wire import Done
from domain.commands import CellKey
from tests.integration.books import books_of
from tests.integration.caller import LEVEL, Caller, is_held, new_code, new_id
from tests.integration.second_owner import receive, reserve, second_owners
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
UNITS = 300
WANTED = 240  # by each of two owners: more than there is
AT_ONCE = 4


async def take_turns(owner: Owner, key: CellKey, number: int) -> Counter[str]:
    """Some at once, again and again; what they were answered."""
    answers: Counter[str] = Counter()
    for _ in range(number // AT_ONCE):
        replies = await asyncio.gather(*(reserve(owner, key, new_id()) for _ in range(AT_ONCE)))
        answers.update(type(reply).__name__ for reply in replies)
    return answers


async def test_two_owners_that_take_turns_on_one_cell_sell_what_there_is_once(
    shop: Whole,
) -> None:
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller, books_of(shop) as books, second_owners(shop, 2) as pair:
        await caller.furnish({key: UNITS})
        one, other = await asyncio.gather(*(take_turns(owner, key, WANTED) for owner in pair))
        together = one + other
        assert together == {"Done": UNITS, "InsufficientStock": 2 * WANTED - UNITS}
        assert min(one["Done"], other["Done"]) > 0
        assert sum(owner.stats.stale for owner in pair) > 0
        cell = await books.cell(key)
        assert (cell["available"], cell["reserved"], cell["seq"]) == (0, UNITS, UNITS + 1)
        await caller.furnish({key: 1})  # its own owner learns what the strangers did
        await books.balance([key])


async def test_an_owner_beside_the_one_that_serves_buyers_is_fenced_off_and_so_is_that_one(
    shop: Whole,
) -> None:
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller, books_of(shop) as books, second_owners(shop) as (stranger,):
        await caller.furnish({key: UNITS})
        ids = [new_id() for _ in range(WANTED)]
        stale = await stale_appends(caller)
        intruding = asyncio.create_task(take_turns(stranger, key, WANTED))
        answers = [await caller.reserve(id, (*key, 1)) for id in ids[: WANTED // 2]]
        answers += await asyncio.gather(
            *(caller.reserve(id, (*key, 1)) for id in ids[WANTED // 2 :])
        )
        served = sum(is_held(answer) for answer in answers)
        assert served + (await intruding)["Done"] == UNITS
        assert stranger.stats.stale + await stale_appends(caller) - stale > 0

        told = {answer["id"]: [answer["lines"][0]["seq"]] for answer in answers if is_held(answer)}
        booked = await books.entries_of(key, "reserve")
        assert {id: seqs for id, seqs in booked.items() if id in told} == told
        assert len(booked) == UNITS
        await books.balance([key])
        await caller.furnish({key: 2})
        assert isinstance(await receive(stranger, key, 1), Done)
        assert is_held(await caller.reserve(new_id(), (*key, 1)))
        assert isinstance(await reserve(stranger, key, new_id()), Done)
        assert is_held(await caller.reserve(new_id(), (*key, 1)))
        level = await caller.ask(LEVEL, **key._asdict(), consistency="STRONG")
        assert (level["onHand"], level["available"]) == (UNITS + 3, 0)
        await books.balance([key])


async def stale_appends(caller: Caller) -> float:
    """Of the shop's own owners, so far."""
    lines = await caller.metrics()
    found = [line for line in lines if line.startswith("onhand_owner_stale_appends")]
    return sum(float(line.rpartition(" ")[2]) for line in found)


async def test_the_same_reservation_through_both_owners_at_once_is_made_once(
    shop: Whole,
) -> None:
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller, books_of(shop) as books, second_owners(shop, 2) as pair:
        await caller.furnish({key: UNITS})
        ids = [new_id() for _ in range(UNITS // 2)]
        replies = await asyncio.gather(*(reserve(owner, key, id) for id in ids for owner in pair))
        for one, other in zip(replies[::2], replies[1::2], strict=True):
            assert isinstance(one, Done)
            assert isinstance(other, Done)
            assert one.lines[0].hold == other.lines[0].hold
        booked = await books.entries_of(key, "reserve")
        assert sorted(booked) == sorted(ids)
        await caller.furnish({key: 1})  # its own owner learns what the strangers did
        await books.balance([key])
