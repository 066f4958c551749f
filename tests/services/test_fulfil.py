"""Paid, handed over, given back: the usual ways, over several owners and without a look-up."""

import asyncio

import pytest

from domain.refusals import Invalid
from domain.routing import Want
from domain.states import ReservationState
from services.fulfil import confirm, deduct, release
from services.reservations import DeductReservation, Reservation
from services.reserve import LINES_LIMIT, reserve
from services.stock import ReceiveStock, receive
from tests.actors.fake_store import FakeStore
from tests.actors.world import kinds
from tests.services.world import (
    ADMIN,
    FAR,
    HERE,
    NEXT_TO_HERE,
    STOREFRONT,
    THERE,
    Shop,
    order,
    reservation,
    rid,
    want,
)

CELLS = (HERE, NEXT_TO_HERE, THERE, FAR)
ALL = DeductReservation(rid(5), rid(1))


@pytest.fixture
async def sold(shop: Shop) -> Shop:
    """Reservation 1 holds four units of each cell."""
    for cell in CELLS:
        await receive(shop.rt, ADMIN, ReceiveStock(shop.clock.new_id(), *cell, 10))
    await reserve(shop.rt, STOREFRONT, order(1, *(want(cell, 4) for cell in CELLS)))
    return shop


def deducted(answer: object) -> list[int]:
    return [line.deducted for line in reservation(answer).lines]


async def test_a_paid_reservation_has_no_deadline(sold: Shop, ledger: FakeStore) -> None:
    first = reservation(await confirm(sold.rt, STOREFRONT, rid(1)))
    assert (first.state, first.expires_at) == (ReservationState.CONFIRMED, None)
    assert await confirm(sold.rt, STOREFRONT, rid(1)) == first
    await sold.tick(days=30)
    assert reservation(await confirm(sold.rt, STOREFRONT, rid(1))) == first
    assert not any("expire" in word for cell in CELLS for word in kinds(ledger, cell))


async def test_a_released_reservation_is_back_on_the_shelf(sold: Shop, ledger: FakeStore) -> None:
    first = reservation(await release(sold.rt, STOREFRONT, rid(1)))
    assert first.state is ReservationState.RELEASED
    assert await release(sold.rt, STOREFRONT, rid(1)) == first
    assert [ledger.cells[cell].units for cell in CELLS] == [[10, 0, 0, 0]] * 4


async def test_all_that_is_left_is_handed_over(sold: Shop, ledger: FakeStore) -> None:
    await confirm(sold.rt, STOREFRONT, rid(1))
    first = reservation(await deduct(sold.rt, ADMIN, ALL))
    assert (first.state, deducted(first)) == (ReservationState.DEDUCTED, [4, 4, 4, 4])
    assert await deduct(sold.rt, ADMIN, ALL) == first
    assert [ledger.cells[cell].units for cell in CELLS] == [[6, 0, 0, 0]] * 4


async def test_the_same_deduct_twice_at_once_hands_over_once(sold: Shop, ledger: FakeStore) -> None:
    answers = await asyncio.gather(*(deduct(sold.rt, ADMIN, ALL) for _ in range(4)))
    assert [deducted(answer) for answer in answers] == [[4, 4, 4, 4]] * 4
    assert [kinds(ledger, cell)[2:] for cell in CELLS] == [["deduct 4"]] * 4


async def test_named_lines_are_handed_over_and_added_up_per_cell(
    sold: Shop, ledger: FakeStore
) -> None:
    lines = tuple(want(cell, 1) for cell in (*CELLS, HERE))
    command = DeductReservation(rid(5), rid(1), lines)
    first = reservation(await deduct(sold.rt, ADMIN, command))
    assert first.state is ReservationState.HELD
    assert {line.warehouse + line.sku: line.deducted for line in first.lines} == {
        cell.warehouse + cell.sku: 2 if cell == HERE else 1 for cell in CELLS
    }
    turned = DeductReservation(rid(5), rid(1), lines[::-1])
    assert await deduct(sold.rt, ADMIN, turned) == first
    assert kinds(ledger, HERE) == ["receive 10", "reserve 4", "deduct 2"]


async def test_more_than_is_left_is_refused_before_others_are_asked(
    sold: Shop, ledger: FakeStore
) -> None:
    home, *others = sorted(CELLS)
    lines = (want(home, 5), *(want(cell, 1) for cell in others))
    answer = await deduct(sold.rt, ADMIN, DeductReservation(rid(5), rid(1), lines))
    assert isinstance(answer, Invalid)
    assert answer.field == "quantity"
    assert all(len(kinds(ledger, cell)) == 2 for cell in CELLS)


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ((), "lines"),
        ((want(HERE, 1),) * (LINES_LIMIT + 1), "lines"),
        ((want(HERE, 1), want(THERE, 0)), "lines[1].quantity"),
        ((want(HERE, 1), Want("JAR", None, 1)), "lines[1].sku"),
        ((Want("TEA", "CLOSED", 1),), "lines[0].sku"),
    ],
)
async def test_what_is_wrong_with_a_deduct_is_named(
    sold: Shop, lines: tuple[Want, ...], field: str
) -> None:
    answer = await deduct(sold.rt, ADMIN, DeductReservation(rid(5), rid(1), lines))
    assert isinstance(answer, Invalid)
    assert answer.field == field


async def test_the_life_of_a_reservation_is_told_the_same_by_every_verb(sold: Shop) -> None:
    told: list[Reservation] = [
        reservation(await confirm(sold.rt, STOREFRONT, rid(1))),
        reservation(await deduct(sold.rt, ADMIN, ALL)),
    ]
    assert {answer.created_at for answer in told} == {sold.clock.now()}
    assert {answer.lines[0].seq for answer in told} == {2}
