"""Reservations that have lost a part: expired with one owner, handed over with another."""

import pytest

from domain.refusals import Conflict, Invalid, NotFound, ReservationClosed
from domain.states import ReservationState
from infra.models import Hold
from services.fulfil import confirm, deduct, release
from services.reservations import DeductReservation, reservation
from services.reserve import reserve
from services.stock import ReceiveStock, receive
from tests.actors.world import settled
from tests.integration.services.books import Books
from tests.services.world import (
    ADMIN,
    FAR,
    HERE,
    NEXT_TO_HERE,
    OTHER_STOREFRONT,
    STOREFRONT,
    THERE,
    Process,
    Shop,
    order,
    rid,
    want,
)
from tests.services.world import reservation as accepted

CELLS = (HERE, NEXT_TO_HERE, THERE, FAR)
EXPIRED = ReservationState.EXPIRED
ALL = DeductReservation(rid(5), rid(1))


@pytest.fixture
async def sold(shop: Shop) -> Shop:
    """Reservation 1 holds four units of each cell."""
    for cell in CELLS:
        await receive(shop.rt, ADMIN, ReceiveStock(shop.clock.new_id(), *cell, 10))
    await reserve(shop.rt, STOREFRONT, order(1, *(want(cell, 4) for cell in CELLS)))
    return shop


async def lose(shop: Shop, is_written: bool = True) -> None:
    """The part THERE is overdue, and its owner has written so, or not yet. The rest has time."""
    owner = shop.owners[shop.rt.stock.owner_of(THERE)]
    cell = owner.host.peek(THERE)
    assert cell is not None
    early = shop.clock.now()
    await Hold.filter(reservation_id=rid(1), cell_id=cell.id).update(deadline=early)
    owner.host.forget([THERE])
    if is_written:
        owner.end([(THERE, rid(1))])
        await settled(owner)


@pytest.mark.parametrize("is_written", [True, False])
async def test_a_reservation_that_lost_a_part_cannot_be_paid_and_the_rest_is_given_back(
    sold: Shop, books: Books, is_written: bool
) -> None:
    await lose(sold, is_written)
    for _ in range(2):
        assert await confirm(sold.rt, STOREFRONT, rid(1)) == ReservationClosed(EXPIRED)
    assert await books.held(rid(1)) == ({} if is_written else {THERE: 4})
    await sold.tick(seconds=1)
    await books.balance()


@pytest.mark.parametrize("is_written", [True, False])
async def test_what_is_left_of_it_is_released_and_told_the_same_twice(
    sold: Shop, books: Books, is_written: bool
) -> None:
    await lose(sold, is_written)
    answers = [accepted(await release(sold.rt, STOREFRONT, rid(1))) for _ in range(3)]
    assert answers == [answers[0]] * 3
    assert answers[0].state == "released"
    assert len(answers[0].lines) == 4
    await sold.tick(seconds=1)
    assert await books.held(rid(1)) == {}


async def test_a_reservation_that_is_wholly_over_is_closed_for_every_verb(
    sold: Shop, books: Books
) -> None:
    await sold.tick(seconds=600)
    closed = ReservationClosed(EXPIRED)
    assert await confirm(sold.rt, STOREFRONT, rid(1)) == closed
    assert await release(sold.rt, STOREFRONT, rid(1)) == closed
    assert await deduct(sold.rt, ADMIN, ALL) == closed
    assert set((await books.states(rid(1))).values()) == {"expired"}


@pytest.mark.parametrize("is_written", [True, False])
async def test_all_that_is_left_of_it_is_handed_over_and_told_the_same_twice(
    sold: Shop, books: Books, is_written: bool
) -> None:
    await lose(sold, is_written)
    answers = [accepted(await deduct(sold.rt, ADMIN, ALL)) for _ in range(3)]
    assert answers == [answers[0]] * 3
    assert [line.deducted for line in answers[0].lines] == [
        0 if cell == THERE else 4 for cell in sorted(CELLS)
    ]


async def test_the_rest_is_handed_over_although_a_part_was_before(sold: Shop, books: Books) -> None:
    for number, cell in enumerate((min(CELLS), THERE), 6):
        lines = (want(cell, 4),)
        await deduct(sold.rt, ADMIN, DeductReservation(rid(number), rid(1), lines))
    assert accepted(await confirm(sold.rt, STOREFRONT, rid(1))).state == "confirmed"
    answers = [accepted(await deduct(sold.rt, ADMIN, ALL)) for _ in range(3)]
    assert answers == [answers[0]] * 3
    assert answers[0].state == "deducted"
    for cell in CELLS:
        assert await books.kinds(cell) == ["receive 10", "reserve 4", "deduct 4"]
    nothing = DeductReservation(rid(9), rid(1))
    closed = ReservationClosed(ReservationState.DEDUCTED)
    assert await deduct(sold.rt, ADMIN, nothing) == closed
    assert await confirm(sold.rt, STOREFRONT, rid(1)) == closed
    assert await release(sold.rt, STOREFRONT, rid(1)) == closed


async def test_an_id_of_a_deduct_is_good_for_one_content_wherever_its_lines_are(
    sold: Shop, books: Books
) -> None:
    await deduct(sold.rt, ADMIN, DeductReservation(rid(5), rid(1), (want(FAR, 1),)))
    for other in (
        (want(HERE, 1),),
        (want(FAR, 2),),
        (want(THERE, 1), want(FAR, 1)),
        (want(min(CELLS), 1), want(FAR, 1)),
        None,
    ):
        command = DeductReservation(rid(5), rid(1), other)
        assert await deduct(sold.rt, ADMIN, command) == Conflict(rid(5))
    assert sum([len(await books.kinds(cell)) for cell in CELLS]) == 9


async def test_a_deduct_in_parts_ends_a_reservation(sold: Shop) -> None:
    states = []
    for number, cell in enumerate(CELLS, 10):
        command = DeductReservation(rid(number), rid(1), (want(cell, 4),))
        states.append(accepted(await deduct(sold.rt, ADMIN, command)).state)
    assert states == ["held", "held", "held", "deducted"]
    more = DeductReservation(rid(20), rid(1), (want(HERE, 1),))
    assert isinstance(await deduct(sold.rt, ADMIN, more), ReservationClosed)


async def test_more_than_is_left_names_the_quantity(sold: Shop, books: Books) -> None:
    command = DeductReservation(rid(20), rid(1), (want(HERE, 5),))
    answer = await deduct(sold.rt, ADMIN, command)
    assert isinstance(answer, Invalid)
    assert answer.field == "quantity"
    assert await books.held(rid(1)) == dict.fromkeys(sorted(CELLS), 4)


async def test_what_does_not_exist_is_not_found(sold: Shop) -> None:
    missing = NotFound("reservation", str(rid(77)))
    assert await confirm(sold.rt, STOREFRONT, rid(77)) == missing
    assert await release(sold.rt, STOREFRONT, rid(77)) == missing
    assert await deduct(sold.rt, ADMIN, DeductReservation(rid(5), rid(77))) == missing
    assert await reservation(sold.rt, ADMIN, rid(77)) is None


async def test_a_reservation_is_seen_as_it_stands_and_only_by_its_own(sold: Shop) -> None:
    other = sold.runtime(Process(None))
    seen = accepted(await reservation(other, STOREFRONT, rid(1)))
    assert (seen.state, len(seen.lines), seen.lines[0].available_after) == ("held", 4, 6)
    assert await reservation(other, OTHER_STOREFRONT, rid(1)) is None
    sold.clock.tick(seconds=600)
    late = accepted(await reservation(other, ADMIN, rid(1)))
    assert (late.state, late.expires_at) == ("expired", None), "its owner has not written it yet"
