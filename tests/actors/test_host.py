"""An owner's memory: what is used stays, what is idle leaves, and nothing in it is missed."""

from uuid import UUID

from actors.host import Host, Recent, Remembered
from actors.wire import Done, LineDone
from domain.cell import Cell
from domain.commands import Confirm, Deduct, Read, Release
from domain.refusals import NotFound, ReservationClosed
from domain.states import ReservationState
from tests.actors.world import (
    BERLIN,
    CUP,
    NOON,
    PARIS,
    FakeClock,
    ask,
    available,
    fake_store,
    hold_of,
    on,
    one,
    only,
    receive,
    reserve,
    rid,
    running,
)


def host_of(*cells: Cell) -> Host:
    host = Host()
    for cell in cells:
        host.put(cell)
    return host


def test_a_cell_that_is_used_survives_rotations_and_an_idle_one_does_not() -> None:
    host = host_of(Cell(BERLIN, NOON), Cell(PARIS, NOON))
    assert host.rotate() == 0
    assert host.get(BERLIN) is not None
    assert host.rotate() == 1
    assert [cell.key for cell in host.cells()] == [BERLIN]
    assert len(host) == 1
    assert host.get(PARIS) is None


def test_a_look_does_not_keep_a_cell_young() -> None:
    host = host_of(Cell(BERLIN, NOON))
    host.rotate()
    assert host.peek(BERLIN) is not None
    assert host.rotate() == 1


def test_a_forgotten_cell_is_gone_from_both_generations() -> None:
    host = host_of(Cell(BERLIN, NOON))
    host.rotate()
    host.put(Cell(PARIS, NOON))
    host.forget([BERLIN, PARIS, CUP])
    assert list(host.cells()) == []


def remembered(number: int) -> dict[tuple[UUID, int], Remembered]:
    done = LineDone(BERLIN, None, None, True)
    return {(rid(number), 0): Remembered(number, done)}


def test_the_newest_outcomes_are_remembered_and_no_more_than_two_generations() -> None:
    recent = Recent(limit=3)
    for number in range(1, 9):
        recent.update(remembered(number))
        assert all(recent.get((rid(n), 0)) for n in range(max(1, number - 2), number + 1))
        assert len(recent) < 6
        assert len(recent.leaving) == (0 if number < 6 else (3, 1, 0)[number % 3]), "bit by bit"
    assert recent.get((rid(1), 0)) is None
    for number in (8, 5, 8):
        recent.forget((rid(number), 0))
        assert recent.get((rid(number), 0)) is None
    assert recent.get((rid(7), 0)) is not None


async def test_an_outcome_that_left_memory_is_read_when_it_is_asked_for() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        owner.host.recent.limit = 2
        first = only(await one(owner, receive(1, 10)))
        await owner.submit([receive(number, 1) for number in range(2, 9)])
        assert only(await one(owner, receive(1, 10)))[:3] == first[:3]
    assert len(store.entries) == 8


async def test_an_evicted_cell_comes_back_as_it_was() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
        owner.host.rotate()
        owner.host.rotate()
        assert len(owner.host) == 0
        assert available(await one(owner, ask(3, (BERLIN, Read())))) == 7
        assert hold_of(await one(owner, on(Confirm, 2))).quantity == 3


async def test_closed_holds_leave_memory_and_come_back_for_an_answer() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3), reserve(3, 3)])
        await owner.submit([on(Release, 2), ask(8, (BERLIN, Deduct(rid(3), None)))])
        cell = owner.host.peek(BERLIN)
        assert cell is not None
        assert cell.holds == {}
        assert hold_of(await one(owner, on(Release, 2))).state is ReservationState.RELEASED
        assert await one(owner, on(Confirm, 3)) == ReservationClosed(ReservationState.DEDUCTED)
        assert cell.holds == {}
        assert isinstance(await one(owner, on(Confirm, 9)), NotFound)


async def test_a_hold_made_and_closed_in_one_batch_is_stored_closed_and_leaves_memory() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        replies = await owner.submit([receive(1, 10), reserve(2, 3), on(Release, 2)])
        assert isinstance(replies[2], Done)
        cell = owner.host.peek(BERLIN)
        assert cell is not None
        assert cell.holds == {}
    (hold,) = store.holds.values()
    assert hold.state is ReservationState.RELEASED


async def test_closed_holds_that_were_brought_back_leave_even_if_the_append_fails() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3), on(Release, 2), receive(3, 1, CUP)])
        store.faults.append("lost before")
        await owner.submit([on(Release, 2), receive(4, 1, CUP)])
        cell = owner.host.peek(BERLIN)
        assert cell is not None
        assert cell.holds == {}
