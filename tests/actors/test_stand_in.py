"""An owner keeps the deadlines of one that is not there, until that one is back."""

import pytest

from actors.directory import owner_of, shared, stand_in, stand_in_of
from actors.drain import Owner
from actors.sweep import Sweep
from domain.states import ReservationState
from tests.actors.fake_store import FakeStore
from tests.actors.world import (
    BERLIN,
    CUP,
    PARIS,
    TTL,
    FakeClock,
    available,
    fake_store,
    kinds,
    one,
    receive,
    reserve,
    running,
    settled,
    state_of,
)

HELD, EXPIRED = ReservationState.HELD, ReservationState.EXPIRED


@pytest.mark.parametrize(
    ("absent", "present", "expected"),
    [
        (0, {1, 2, 3}, 1),
        (3, {0, 1, 2}, 0),
        (1, {0, 3}, 3),
        (2, {0, 1}, 0),
        (2, set(), None),
        (2, {2}, None),
    ],
)
def test_the_next_owner_that_is_there_stands_in(
    absent: int, present: set[int], expected: int | None
) -> None:
    assert stand_in(absent, present, 4) == expected


async def overdue(store: FakeStore, clock: FakeClock) -> None:
    """Reservation 2 in Berlin is due, and its owner is gone."""
    async with running(store, clock) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
    clock.tick(minutes=10)


def sweep_of(owner: Owner, store: FakeStore, clock: FakeClock) -> Sweep:
    """Of an owner of nothing but cups, who stands in while owner 7 is not there."""
    return Sweep(
        owner, store, clock, lambda key: key == CUP, lambda key, present: shared(7) not in present
    )


async def test_a_hold_of_an_owner_that_is_not_there_is_ended_by_another() -> None:
    store, clock = fake_store(), FakeClock()
    await overdue(store, clock)
    async with running(store, clock) as other:
        await sweep_of(other, store, clock).look()
        await settled(other)
    assert state_of(store, 2) is EXPIRED
    assert kinds(store) == ["receive 10", "reserve 3", "expire 3"]


async def test_a_hold_of_an_owner_that_is_there_is_left_to_it() -> None:
    store, clock = fake_store(), FakeClock()
    await overdue(store, clock)
    store.present = {shared(7)}
    async with running(store, clock) as other:
        await sweep_of(other, store, clock).look()
        await settled(other)
        assert state_of(store, 2) is HELD
        store.present = set()
        await sweep_of(other, store, clock).look()
        await settled(other)
    assert state_of(store, 2) is EXPIRED


async def test_nobody_asks_who_is_there_while_nothing_of_others_is_due() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await owner.submit([receive(1, 10, CUP), reserve(2, 3, CUP)])
        owner.host.forget([CUP])
        clock.time += TTL
        reads = store.reads
        await sweep_of(owner, store, clock).end_overdue()
        assert store.reads == reads + 1
        await settled(owner)
    assert state_of(store, 2, CUP) is EXPIRED


async def test_borrowed_cells_leave_memory_and_their_owner_goes_on() -> None:
    store, clock = fake_store(), FakeClock()
    await overdue(store, clock)
    async with running(store, clock) as other, running(store, clock) as owner:
        sweep = sweep_of(other, store, clock)
        await sweep.look()
        await settled(other)
        assert other.host.peek(BERLIN) is not None
        assert available(await one(owner, receive(4, 1))) == 11
        await sweep.look()
        assert other.host.peek(BERLIN) is None
        assert not sweep.borrowed


async def test_a_cell_that_is_not_settled_yet_stays_borrowed() -> None:
    store, clock = fake_store(), FakeClock()
    await overdue(store, clock)
    async with running(store, clock) as other:
        sweep = sweep_of(other, store, clock)
        store.faults.append("lost before")
        await sweep.look()
        assert sweep.borrowed == {BERLIN}
        await sweep.give_back()
        assert sweep.borrowed == {BERLIN}
        await settled(other)
        await sweep.look()
        await settled(other)
    assert state_of(store, 2) is EXPIRED


def test_every_cell_has_one_owner_and_one_stand_in() -> None:
    for key in (BERLIN, PARIS, CUP):
        home = owner_of(key, 3)
        assert stand_in(home, {0, 1, 2} - {home}, 3) == (home + 1) % 3


def test_a_dedicated_seat_that_is_empty_has_the_shared_one_that_its_cells_fall_to() -> None:
    home = owner_of(BERLIN, 3)
    everybody = {shared(index) for index in range(3)}
    assert stand_in_of(BERLIN, "hot-1", everybody, 3) == shared(home)
    assert stand_in_of(BERLIN, "hot-1", everybody - {shared(home)}, 3) == shared((home + 1) % 3)
    assert stand_in_of(BERLIN, shared(home), everybody - {shared(home)}, 3) == shared(
        (home + 1) % 3
    )
    assert stand_in_of(BERLIN, "hot-1", {"hot-1"}, 3) is None
