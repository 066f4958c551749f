"""The race for the last units, through the public door."""

import asyncio

import pytest

from domain.commands import CellKey
from tests.integration.books import books_of
from tests.integration.caller import Caller, is_held, new_code, new_id
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
BUYERS = 2_000
UNITS = 500


async def test_of_two_thousand_buyers_at_once_five_hundred_get_the_five_hundred_units(
    shop: Whole,
) -> None:
    key = CellKey(new_code(), new_code())
    buyers = [new_id() for _ in range(BUYERS)]
    async with Caller(shop, connections=BUYERS) as crowd, books_of(shop) as books:
        await crowd.furnish({key: UNITS})
        answers = await asyncio.gather(*(crowd.reserve(buyer, (*key, 1)) for buyer in buyers))
        served = {b: answer for b, answer in zip(buyers, answers, strict=True) if is_held(answer)}
        refused = [answer for answer in answers if not is_held(answer)]
        assert len(served) == UNITS
        assert {answer["__typename"] for answer in refused} == {"InsufficientStock"}
        assert {answer["available"] for answer in refused} == {0}

        cell, entries = await books.cell(key), await books.entries(key)
        assert (cell["available"], cell["reserved"], cell["seq"]) == (0, UNITS, UNITS + 1)
        told = {(line["seq"], b) for b, answer in served.items() for line in answer["lines"]}
        assert told == {(entry["seq"], str(entry["request_id"])) for entry in entries[1:]}
        left = [answer["lines"][0]["availableAfter"] for answer in served.values()]
        assert sorted(left) == list(range(UNITS))
        await books.balance([key])
        again = await asyncio.gather(*(crowd.reserve(buyer, (*key, 1)) for buyer in served))
        assert again == list(served.values())
        assert (await books.cell(key))["seq"] == UNITS + 1
