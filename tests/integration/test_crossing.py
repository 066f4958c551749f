"""Orders of several lines whose cells lie with different owners, in every direction at once: no
deadlock, all lines or none, and nothing is left over."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

import pytest

from domain.commands import CellKey
from tests.integration.api_workers import caller_per_worker
from tests.integration.books import Books, books_of
from tests.integration.caller import (
    CONFIRM,
    DEDUCT,
    FIND,
    RELEASE,
    RESERVE,
    Caller,
    is_held,
    new_id,
    order,
)
from tests.integration.cells import cells_of_owners
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
ORDERS = 300
AT_ONCE = 60
UNITS = 40
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
Answers = dict[str, Any]


async def sell(callers: list[Caller], orders: list[Any]) -> Answers:
    """What each order was answered, in any order of asking."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(place: int, wanted: Any) -> Any:
        async with free:
            return await callers[place % len(callers)].ask(RESERVE, input=wanted)

    answers = await asyncio.gather(*(one(n, wanted) for n, wanted in enumerate(orders)))
    return {wanted["id"]: answer for wanted, answer in zip(orders, answers, strict=True)}


def held_units(answers: Answers) -> dict[CellKey, dict[str, int]]:
    """Per cell, what the accepted orders were told that they hold."""
    units: dict[CellKey, dict[str, int]] = {}
    for id, answer in answers.items():
        for line in answer["lines"] if is_held(answer) else ():
            units.setdefault(CellKey(line["sku"], line["warehouse"]), {})[id] = line["quantity"]
    return units


async def assert_as_answered(books: Books, keys: list[CellKey], answers: Answers) -> None:
    """Every cell holds what the accepted orders were told, and nothing else."""
    units = held_units(answers)
    for key in keys:
        told = units.get(key, {})
        holds = await books.holds(key)
        assert {str(hold["reservation_id"]): hold["quantity"] for hold in holds} == told
        assert await books.held_by(key) == told
        cell = await books.cell(key)
        assert (cell["available"], cell["reserved"]) == (
            UNITS - sum(told.values()),
            sum(told.values()),
        )
    await books.balance(keys)


def units_by_sku(order: Any) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in order["lines"]:
        units[line["sku"]] += line["quantity"]
    return units


def crossing_orders(keys: list[CellKey], chance: Random) -> list[Any]:
    """Two to four lines each, in the order in which chance has them."""
    return [
        order(new_id(), *((*key, chance.randint(1, 3)) for key in chance.sample(keys, 2 + n % 3)))
        for n in range(ORDERS)
    ]


async def test_orders_that_cross_owners_in_opposite_directions_hold_all_lines_or_none(
    shop: Whole,
) -> None:
    keys = cells_of_owners(shop, 2)
    orders = crossing_orders(keys, Random(7))
    async with caller_per_worker(shop) as callers, books_of(shop) as books:
        deadlocks = await books.connection.fetchval(DEADLOCKS)
        await callers[0].furnish(dict.fromkeys(keys, UNITS))
        answers = await sell(callers, orders)
        kinds = Counter(answer["__typename"] for answer in answers.values())
        assert set(kinds) == {"Reservation", "InsufficientStock"}, kinds
        for wanted in orders:
            if is_held(answers[wanted["id"]]):
                assert units_by_sku(answers[wanted["id"]]) == units_by_sku(wanted)
        await assert_as_answered(books, keys, answers)
        await end_all(callers, books, keys, answers)
        assert await books.connection.fetchval(DEADLOCKS) == deadlocks


async def end_all(
    callers: list[Caller], books: Books, keys: list[CellKey], answers: Answers
) -> None:
    """Every third order is given back, every third paid and handed over, every third both ways at
    once: then nothing is held any more, and what is missing was handed over."""
    held = [id for id, answer in answers.items() if is_held(answer)]
    free = asyncio.Semaphore(AT_ONCE)

    async def one(place: int, id: str) -> None:
        async with free:
            caller = callers[place % len(callers)]
            if place % 3 == 0:
                await caller.ask(RELEASE, id=id)
            elif place % 3 == 1:
                await caller.ask(CONFIRM, id=id)
                await caller.ask(DEDUCT, input={"id": new_id(), "reservationId": id})
            else:
                ways = [(callers[0], DEDUCT), (callers[-1], RELEASE)]
                deduct = {"input": {"id": new_id(), "reservationId": id}}
                both = [
                    who.ask(what, **(deduct if what is DEDUCT else {"id": id}))
                    for who, what in ways
                ]
                await asyncio.gather(*both)

    await asyncio.gather(*(one(place, id) for place, id in enumerate(held)))
    found = [await callers[0].ask(FIND, id=id) for id in held]
    assert {reservation["state"] for reservation in found} <= {"RELEASED", "DEDUCTED"}
    gone: Counter[CellKey] = Counter()
    for line in (line for reservation in found for line in reservation["lines"]):
        gone[CellKey(line["sku"], line["warehouse"])] += line["deducted"]
    for key in keys:
        cell = await books.cell(key)
        assert (cell["reserved"], cell["available"]) == (0, UNITS - gone[key])
    await books.balance(keys)


async def test_orders_that_name_no_warehouse_are_routed_to_what_is_there(
    shop: Whole,
) -> None:
    here, there = cells_of_owners(shop, 2), cells_of_owners(shop, 1)
    keys = [*here, *(CellKey(key.sku, there[0].warehouse) for key in here)]
    chance = Random(11)
    skus = sorted({key.sku for key in keys})
    orders = [
        order(new_id(), *((sku, None, chance.randint(1, 3)) for sku in chance.sample(skus, 2)))
        for _ in range(ORDERS)
    ]
    async with caller_per_worker(shop) as callers, books_of(shop) as books:
        await callers[0].furnish(dict.fromkeys(keys, UNITS))
        answers = await sell(callers, orders)
        for wanted in orders:
            if is_held(answers[wanted["id"]]):
                assert units_by_sku(answers[wanted["id"]]) == units_by_sku(wanted)
        await assert_as_answered(books, keys, answers)
