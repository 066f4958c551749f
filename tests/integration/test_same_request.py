"""One id is one effect, whoever sends it how often, and whatever gets lost on the way."""

import asyncio
from typing import Any

import aiohttp
import pytest

from actors.directory import owner_of
from domain.commands import CellKey
from tests.integration.api_workers import caller_per_worker
from tests.integration.books import Books, books_of
from tests.integration.caller import DEDUCT, FIND, RECEIVE, RESERVE, Caller, is_held, new_id, order
from tests.integration.cells import cells_of_owners
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
UNITS = 100
LARGE = 1_001
ADJUST = (
    "mutation ($input: AdjustStockInput!) { answer: adjustStock(input: $input) { __typename } }"
)
REQUESTS = 25
TIMES = 4  # that each is sent to each worker, at once


async def effects(books: Books, keys: list[CellKey]) -> list[str]:
    """The request ids of all entries but those of the opening stock."""
    return [str(entry["request_id"]) for key in keys for entry in (await books.entries(key))[1:]]


async def test_the_same_reservation_sent_often_at_once_through_all_workers_is_made_once(
    shop: Whole,
) -> None:
    keys = cells_of_owners(shop, 1)
    lines = [(*key, 2) for key in keys]
    async with caller_per_worker(shop) as callers, books_of(shop) as books:
        await callers[0].furnish(dict.fromkeys(keys, UNITS))
        ids = [new_id() for _ in range(REQUESTS)]
        asked = [caller.reserve(id, *lines) for id in ids for caller in callers * TIMES]
        answers = await asyncio.gather(*asked)
        for place, id in enumerate(ids):
            same = answers[place * len(callers) * TIMES : (place + 1) * len(callers) * TIMES]
            assert is_held(same[0]), same[0]
            assert same == [same[0]] * len(same)
            assert same[0]["id"] == id
        assert sorted(await effects(books, keys)) == sorted(ids * len(keys))
        await books.balance(keys)


async def test_the_same_goods_received_often_at_once_come_in_once(shop: Whole) -> None:
    (key,) = cells_of_owners(shop, 1)[:1]
    async with caller_per_worker(shop) as callers, books_of(shop) as books:
        await callers[0].furnish({key: UNITS})
        wanted = {**key._asdict(), "id": new_id(), "quantity": 7}
        asked = [caller.ask(RECEIVE, input=wanted) for caller in callers * TIMES]
        answers = await asyncio.gather(*asked)
        assert answers == [
            {"__typename": "StockLevel", "onHand": 107, "available": 107, "seq": 2}
        ] * len(answers)
        assert await effects(books, [key]) == [wanted["id"]]


async def test_an_id_with_other_content_is_a_conflict_and_changes_nothing(shop: Whole) -> None:
    here, there = cells_of_owners(shop, 1)[:2]
    assert owner_of(here, shop.settings.owners) != owner_of(there, shop.settings.owners)
    async with caller_per_worker(shop) as (one, other), books_of(shop) as books:
        await one.furnish({here: UNITS, there: UNITS})
        id = new_id()
        first = await one.reserve(id, (*here, 3))
        for lines in ([(*here, 4)], [(*there, 3)], [(*here, 3), (*there, 3)]):
            answer = await other.reserve(id, *lines)
            assert (answer["__typename"], answer["code"]) == ("Conflict", "CONFLICT"), answer
        assert (await other.reserve(id, (*here, 3), ttl=60))["__typename"] == "Conflict"
        assert await other.reserve(id, (*here, 3)) == first
        assert await effects(books, [here, there]) == [id]
        await books.balance([here, there])


async def test_an_id_that_was_used_does_not_spare_a_large_correction_its_second_person(
    shop: Whole,
) -> None:
    """What was begun by one person goes on by one: under that id it is that, and nothing else."""
    here, there = cells_of_owners(shop, 1)[:2]
    async with Caller(shop) as caller, books_of(shop) as books:
        await caller.furnish({here: 2 * LARGE, there: 2 * LARGE})
        used = [new_id(), new_id()]
        await caller.ask(RECEIVE, input={**here._asdict(), "id": used[0], "quantity": 1})
        await caller.reserve(used[1], (*here, 1), (*there, 1))
        for id in used:
            for key in (here, there):
                lost = {**key._asdict(), "id": id, "delta": -LARGE, "reason": "LOST"}
                answer = await caller.ask(ADJUST, input=lost)
                assert answer["__typename"] == "Conflict", answer
        await books.balance([here, there])


async def test_of_two_contents_sent_at_once_under_one_id_one_is_made(shop: Whole) -> None:
    keys = cells_of_owners(shop, 1)
    async with caller_per_worker(shop) as callers, books_of(shop) as books:
        await callers[0].furnish(dict.fromkeys(keys, UNITS))
        ids = [new_id() for _ in range(REQUESTS)]
        contents: list[list[tuple[str, str | None, int]]] = [[(*key, 1)] for key in keys]
        asked = [
            callers[n % len(callers)].reserve(id, *content)
            for id in ids
            for n, content in enumerate(contents)
        ]
        answers = await asyncio.gather(*asked)
        kinds = [answer["__typename"] for answer in answers]
        for place in range(0, len(kinds), len(keys)):
            made = sorted(kinds[place : place + len(keys)])
            assert made == ["Conflict"] * (len(keys) - 1) + ["Reservation"]
        assert sorted(await effects(books, keys)) == sorted(ids)
        await books.balance(keys)


async def test_a_buyer_who_hung_up_and_asks_again_gets_the_answer_that_was_lost(
    shop: Whole,
) -> None:
    keys = cells_of_owners(shop, 1)
    async with Caller(shop) as caller, books_of(shop) as books:
        await caller.furnish(dict.fromkeys(keys, UNITS))
        for lines in ([(*keys[0], 1)], [(*key, 1) for key in keys]):
            wanted = order(new_id(), *lines)
            await hang_up(caller, wanted)
            made = await until_made(caller, wanted)
            again = await caller.ask(RESERVE, input=wanted)
            assert is_held(again), again
            assert again["lines"] == made["lines"]
            assert await caller.ask(RESERVE, input=wanted) == again
        await books.balance(keys)


async def test_what_is_handed_over_is_handed_over_once(shop: Whole) -> None:
    keys = cells_of_owners(shop, 1)
    async with caller_per_worker(shop) as callers, books_of(shop) as books:
        await callers[0].furnish(dict.fromkeys(keys, UNITS))
        held = await callers[0].reserve(new_id(), *((*key, 3) for key in keys))
        wanted = {
            "id": new_id(),
            "reservationId": held["id"],
            "lines": order("", (*keys[0], 1), (*keys[1], 2))["lines"],
        }
        answers = await asyncio.gather(
            *(caller.ask(DEDUCT, input=wanted) for caller in callers * TIMES)
        )
        assert all(is_held(answer) for answer in answers)
        last = await callers[0].ask(DEDUCT, input=wanted)
        assert [line["deducted"] for line in sorted(last["lines"], key=at(keys))] == [1, 2, 0]
        assert [(await books.cell(key))["reserved"] for key in keys] == [2, 1, 3]
        await books.balance(keys)


def at(keys: list[CellKey]) -> Any:
    return lambda line: keys.index(CellKey(line["sku"], line["warehouse"]))


async def hang_up(caller: Caller, wanted: Any) -> None:
    """Sends the whole request, and is gone before an answer."""
    async with aiohttp.ClientSession(headers=caller.headers) as session:
        body = {"query": RESERVE, "variables": {"input": wanted}}
        asking = asyncio.create_task(session.post(caller.url, json=body))
        await until_made(caller, wanted)
        asking.cancel()
        answers = await asyncio.gather(asking, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, aiohttp.ClientResponse):
                answer.close()


async def until_made(caller: Caller, wanted: Any) -> Any:
    """The reservation, once all of its lines are there."""
    async with asyncio.timeout(60):
        while True:
            found = await caller.ask(FIND, id=wanted["id"])
            if found is not None and len(found["lines"]) == len(wanted["lines"]):
                return found
