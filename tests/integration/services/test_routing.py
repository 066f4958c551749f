"""Orders that leave the warehouse open: routed, routed again, and the same one twice at once."""

import asyncio
from datetime import timedelta

import pytest

from domain.access import Caller
from domain.commands import CellKey
from domain.refusals import Conflict, InsufficientStock, Invalid
from infra.models import Cell, Warehouse
from infra.outage import Outage
from services.fulfil import deduct
from services.reservations import DeductReservation, ReserveStock
from services.reserve import reserve
from services.runtime import Runtime
from services.stock import ReceiveStock, receive
from tests.integration.services.books import Books
from tests.services.world import (
    ADMIN,
    STOREFRONT,
    Process,
    Shop,
    anywhere,
    order,
    placed,
    reservation,
    rid,
    want,
)

BERLIN, PARIS, ROME = (CellKey("TEA", place) for place in ("BERLIN", "PARIS", "ROME"))
CLOSED = CellKey("TEA", "CLOSED")
"""All of TEA, and each with another owner."""


async def fill(shop: Shop, **units: int) -> None:
    for warehouse, quantity in units.items():
        command = ReceiveStock(shop.clock.new_id(), "TEA", warehouse, quantity)
        await receive(shop.rt, ADMIN, command)


async def ask(shop: Shop, command: ReserveStock, caller: Caller = STOREFRONT) -> object:
    return await reserve(shop.runtime(Process(None)), caller, command)


async def test_priority_then_region_then_most_available(shop: Shop) -> None:
    await fill(shop, BERLIN=20, PARIS=30, ROME=5)
    assert placed(await ask(shop, order(1, anywhere("TEA", 2)))) == {PARIS: 2}
    assert placed(await ask(shop, order(2, anywhere("TEA", 2), region="SOUTH"))) == {ROME: 2}
    await Warehouse.filter(code="BERLIN").update(priority=1)
    assert placed(await ask(shop, order(3, anywhere("TEA", 2), region="SOUTH"))) == {BERLIN: 2}
    assert placed(await ask(shop, order(4, anywhere("TEA", 25)))) == {PARIS: 25}


async def test_a_line_is_split_only_if_it_must(shop: Shop, books: Books) -> None:
    await fill(shop, BERLIN=4, PARIS=6, ROME=5)
    assert placed(await ask(shop, order(1, anywhere("TEA", 12)))) == {PARIS: 6, ROME: 5, BERLIN: 1}
    refusal = await ask(shop, order(2, anywhere("TEA", 12)))
    assert refusal == InsufficientStock("TEA", None, 12, 3)
    await books.balance()


async def test_lines_that_name_a_warehouse_come_first(shop: Shop) -> None:
    await fill(shop, BERLIN=5, PARIS=10)
    lines = (anywhere("TEA", 4), want(PARIS, 9))
    assert placed(await ask(shop, order(1, *lines))) == {PARIS: 9, BERLIN: 4}


async def test_a_closed_warehouse_gets_no_orders(shop: Shop) -> None:
    await fill(shop, BERLIN=1)
    await receive_closed(shop, 50)
    refusal = await ask(shop, order(1, anywhere("TEA", 2)))
    assert refusal == InsufficientStock("TEA", None, 2, 1)


async def receive_closed(shop: Shop, units: int) -> None:
    await Warehouse.filter(code="CLOSED").update(is_active=True)
    shop.catalogue.forget(warehouses=["CLOSED"])
    await fill(shop, CLOSED=units)
    await Warehouse.filter(code="CLOSED").update(is_active=False)
    shop.catalogue.forget(warehouses=["CLOSED"])


async def test_where_another_order_was_faster_it_is_routed_again(shop: Shop, books: Books) -> None:
    """The database still shows what the owner of PARIS knows to be gone."""
    await fill(shop, BERLIN=3, PARIS=10)
    await ask(shop, order(1, want(PARIS, 9)))
    stored = Cell.filter(sku__code="TEA", warehouse__code="PARIS")
    await stored.update(available=10, reserved=0)
    assert placed(await ask(shop, order(2, anywhere("TEA", 2)))) == {BERLIN: 2}
    refusal = await ask(shop, order(3, anywhere("TEA", 3)))
    assert refusal == InsufficientStock("TEA", None, 3, 2)
    await stored.update(available=1, reserved=9)
    assert await books.held(rid(3)) == {}
    await books.balance()


async def test_the_same_order_again_gets_the_first_answer_wherever_stock_is_now(
    shop: Shop, books: Books
) -> None:
    await fill(shop, BERLIN=3, PARIS=10)
    command = order(1, anywhere("TEA", 12))
    first = reservation(await ask(shop, command))
    shop.clock.tick(seconds=3)
    await fill(shop, ROME=100)
    assert await ask(shop, command) == first
    assert await ask(shop, order(1, anywhere("TEA", 11))) == Conflict(rid(1))
    assert await ask(shop, command, ADMIN) == Conflict(rid(1))
    assert await books.held(rid(1)) == {PARIS: 10, BERLIN: 2}


async def test_the_same_order_many_times_at_once_is_placed_once(shop: Shop, books: Books) -> None:
    await fill(shop, BERLIN=30, PARIS=60, ROME=10)
    shop.clock.step = timedelta(microseconds=1)
    command = order(1, anywhere("TEA", 95))
    answers = await asyncio.gather(*(ask(shop, command) for _ in range(6)))
    assert all(answer == answers[0] for answer in answers), answers
    assert sum((await books.held(rid(1))).values()) == 95
    await books.balance()


async def patient(rt: Runtime, command: ReserveStock) -> object:
    """As a client does: after an outage, the same again."""
    for _ in range(20):
        try:
            return await reserve(rt, STOREFRONT, command)
        except Outage:
            await asyncio.sleep(0)
    raise AssertionError("always an outage")


@pytest.mark.parametrize("steps", range(7))
async def test_a_twin_that_routes_otherwise_ends_with_the_same_reservation(
    shop: Shop, books: Books, steps: int
) -> None:
    """While the first stands still after some steps, stock comes in so that its twin would choose
    other cells; then the first goes on."""
    await fill(shop, BERLIN=6, PARIS=7)
    command = order(1, anywhere("TEA", 12))
    halting = Process(steps)
    first = asyncio.create_task(patient(shop.runtime(halting), command))
    died = asyncio.create_task(halting.died.wait())
    await asyncio.wait({first, died}, return_when=asyncio.FIRST_COMPLETED)
    died.cancel()
    await fill(shop, ROME=11)
    shop.clock.tick(milliseconds=5)
    twin = asyncio.create_task(patient(shop.runtime(Process(None)), command))
    if steps % 2:
        await twin
    halting.go_on()
    answers = [placed(answer) for answer in await asyncio.gather(first, twin)]
    assert answers[0] == answers[1] == await books.held(rid(1))
    assert sum(answers[0].values()) == 12
    await books.balance()


async def test_a_retry_does_not_put_a_second_part_where_one_is(shop: Shop, books: Books) -> None:
    await fill(shop, BERLIN=6, PARIS=7)
    command = order(1, anywhere("TEA", 12))
    await shop.dying(2, lambda rt: reserve(rt, STOREFRONT, command))
    before = await books.held(rid(1))
    assert len(before) == 1
    await fill(shop, BERLIN=200, PARIS=100)
    answer = placed(await ask(shop, command))
    assert sum(answer.values()) == 12
    assert answer.items() >= before.items()
    assert await books.held(rid(1)) == answer


async def test_lines_of_a_deduct_that_name_no_warehouse_are_shared_out(
    shop: Shop, books: Books
) -> None:
    await fill(shop, BERLIN=6, PARIS=7)
    await ask(shop, order(1, anywhere("TEA", 12)))
    lines = (anywhere("TEA", 7), want(BERLIN, 4))
    command = DeductReservation(rid(5), rid(1), lines)
    first = reservation(await deduct(shop.rt, ADMIN, command))
    assert sum(line.deducted for line in first.lines) == 11
    assert await deduct(shop.rt, ADMIN, command) == first
    assert sum((await books.held(rid(1))).values()) == 1
    more = DeductReservation(rid(6), rid(1), (anywhere("TEA", 2),))
    answer = await deduct(shop.rt, ADMIN, more)
    assert answer == Invalid("lines[0].quantity", "1 more than is left")
