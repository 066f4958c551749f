"""The verdict on a flash sale rejects every fault that is planted, and nothing else."""

from collections.abc import Callable
from uuid import UUID

import pytest

from domain.ledger import Kind
from domain.states import ReservationState as State
from services.flash_sale_story import Telling, play
from services.sale_buyers import Temper
from services.sale_door import Movement
from services.sale_history import ACCEPTED, Did, History, Told
from services.sale_verdict import Fault, Verdict
from tests.services.sale_world import FakeDoor, buyer, offer, verdict

ONE = UUID(int=1)


async def sale(door: FakeDoor) -> History:
    """Two pay (one of them the last of their limit), one leaves, one lets it expire."""
    buyers = [
        buyer(1),
        buyer(2, customer="C1"),
        buyer(3, Temper.LEAVES),
        buyer(4, Temper.FORGETS),
        buyer(5, customer="C1", units=2),
    ]
    history = History()
    await play(door, door.sale, buyers, Telling(60.0, lambda _: None), history)
    return history


def faults(told: Verdict) -> set[Fault]:
    return {fault for fault, texts in told.faults.items() if texts}


async def test_a_sale_that_was_right_is_clean() -> None:
    door = FakeDoor(offer(units=4))
    history = await sale(door)
    told = await verdict(door, history)
    assert told.is_clean, told
    assert (told.sold, told.held, told.left) == (2, 1, 1)
    door.become(UUID(int=4), State.EXPIRED)
    told = await verdict(door, history)
    assert told.is_clean, told
    assert (told.sold, told.held, told.left) == (2, 0, 2)


async def test_units_that_went_back_to_the_open_pool_are_still_left() -> None:
    door = FakeDoor(offer(units=4))
    history = await sale(door)
    door.move(Kind.UNALLOT, door.left)
    books = await door.books("MUG", "WEST")
    assert books.available == 0

    async def returned(sku: str, warehouse: str) -> object:
        return books._replace(available=door.left)

    door.books = returned  # type: ignore[assignment, method-assign]
    told = await verdict(door, history)
    assert told.is_clean, told
    assert told.left == 1


async def test_more_sold_than_there_were_is_found() -> None:
    door = FakeDoor(offer(units=1))
    door.is_greedy = True
    told = await verdict(door, await sale(door))
    assert Fault.OVERSOLD in faults(told)


async def test_more_sold_for_a_moment_is_found() -> None:
    door = FakeDoor(offer(units=4))
    history = await sale(door)
    door.move(Kind.RESERVE, 2)
    door.move(Kind.RELEASE, 2)
    assert faults(await verdict(door, history)) == {Fault.OVERSOLD}


async def test_a_customer_with_more_than_the_limit_is_found() -> None:
    door = FakeDoor(offer(units=9))
    door.is_greedy = True
    told = await verdict(door, await sale(door))
    assert faults(told) == {Fault.LIMIT_BROKEN}
    assert told.faults[Fault.LIMIT_BROKEN] == ["C1: 4 of 2"]


async def test_more_than_the_limit_for_a_moment_is_found() -> None:
    door = FakeDoor(offer(units=9))
    door.is_greedy = True
    history = History()
    crowd = [buyer(n, Temper.LEAVES, "C1", 2)._replace(thinks=0.02) for n in (1, 2)]
    await play(door, door.sale, crowd, Telling(60.0, lambda _: None), history)
    assert faults(await verdict(door, history)) == {Fault.LIMIT_BROKEN}


async def test_a_yes_that_nobody_knows_of_is_found() -> None:
    door = FakeDoor(offer(units=4))
    door.forgets = True
    assert faults(await verdict(door, await sale(door))) == {Fault.LOST}


def pays_and_expires(door: FakeDoor, history: History) -> None:
    door.kept[ONE] = (door.kept[ONE][0], State.HELD)
    door.become(ONE, State.EXPIRED)


def is_released_by_nobody(door: FakeDoor, history: History) -> None:
    door.become(UUID(int=4), State.RELEASED)


def has_fewer_units(door: FakeDoor, history: History) -> None:
    wish, state = door.kept[UUID(int=3)]
    door.kept[UUID(int=3)] = (wish._replace(units=7), state)


def is_refused_later(door: FakeDoor, history: History) -> None:
    case = history.cases[ONE]
    ended = case.told[0].ended
    case.told.append(Told(Did.RESERVE, "INSUFFICIENT_STOCK", ended, ended + 1))


def is_in_the_ledger_alone(door: FakeDoor, history: History) -> None:
    door.move(Kind.RESERVE, 1)
    door.left -= 1


def is_with_a_buyer_alone(door: FakeDoor, history: History) -> None:
    door.movements[2] = Movement(3, Kind.RELEASE, 1, door.movements[2].pool)


def has_a_level_of_another_moment(door: FakeDoor, history: History) -> None:
    door.left += 1


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (pays_and_expires, Fault.LOST),
        (is_released_by_nobody, Fault.LOST),
        (has_fewer_units, Fault.LOST),
        (is_refused_later, Fault.CHANGED),
        (is_in_the_ledger_alone, Fault.BOOKS),
        (is_with_a_buyer_alone, Fault.BOOKS),
        (has_a_level_of_another_moment, Fault.BOOKS),
    ],
)
async def test_a_planted_fault_is_found(
    plant: Callable[[FakeDoor, History], None], found: Fault
) -> None:
    door = FakeDoor(offer(units=4))
    history = await sale(door)
    assert (await verdict(door, history)).is_clean
    plant(door, history)
    assert found in faults(await verdict(door, history))


async def test_a_refusal_before_or_beside_the_yes_is_no_fault() -> None:
    door = FakeDoor(offer(units=4))
    history = await sale(door)
    case = history.cases[ONE]
    yes = case.accepted(Did.RESERVE)
    assert yes is not None
    assert yes.code == ACCEPTED
    case.told.append(Told(Did.RESERVE, "INSUFFICIENT_STOCK", yes.began, yes.ended + 1))
    assert (await verdict(door, history)).is_clean
