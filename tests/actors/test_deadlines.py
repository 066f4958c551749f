"""Holds end at their deadline: by memory, by the sweep where no memory is, and never too early."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from actors.drain import Owner
from actors.sweep import Sweep
from actors.wire import Done
from domain.commands import Adopt, Confirm, Deduct, Reserve
from domain.refusals import ReservationClosed
from domain.states import ReservationState
from tests.actors.fake_store import FakeStore
from tests.actors.world import (
    BERLIN,
    CUP,
    NOON,
    PARIS,
    TTL,
    FakeClock,
    ask,
    fake_store,
    kinds,
    on,
    one,
    receive,
    reserve,
    rid,
    running,
    settled,
    state_of,
)

HELD, EXPIRED = ReservationState.HELD, ReservationState.EXPIRED


@pytest.fixture
def store() -> FakeStore:
    return fake_store()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def owner(store: FakeStore, clock: FakeClock) -> AsyncIterator[Owner]:
    """With ten units, and reservation 2 that holds three of them until TTL after noon."""
    async with running(store, clock) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
        yield owner


async def tick(owner: Owner) -> None:
    """What the owner's actor does ten times a second."""
    owner.end(owner.host.due(owner.clock.now()))
    await settled(owner)


async def test_a_hold_expires_at_the_exact_instant_and_not_before(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    clock.time = NOON + TTL - timedelta(microseconds=1)
    await tick(owner)
    assert state_of(store, 2) is HELD
    clock.tick(microseconds=1)
    await tick(owner)
    assert state_of(store, 2) is EXPIRED
    assert kinds(store) == ["receive 10", "reserve 3", "expire 3"]


async def test_a_deadline_within_a_second_is_kept_within_that_second(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    await one(owner, ask(4, (BERLIN, Reserve(rid(4), 1, NOON + timedelta(seconds=5.7)))))
    for elapsed, state in ((5.0, HELD), (5.6, HELD), (5.7, EXPIRED)):
        clock.time = NOON + timedelta(seconds=elapsed)
        await tick(owner)
        assert state_of(store, 4) is state


async def test_a_hold_of_a_second_that_nobody_looked_at_expires_later(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    clock.tick(hours=3)
    await tick(owner)
    assert state_of(store, 2) is EXPIRED
    assert owner.host.deadlines == {}


async def test_an_overdue_hold_cannot_be_confirmed_although_it_has_not_been_ended(
    owner: Owner, clock: FakeClock
) -> None:
    clock.tick(minutes=10)
    assert await one(owner, on(Confirm, 2)) == ReservationClosed(EXPIRED)


async def test_a_confirmed_hold_has_no_deadline_any_more(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    await one(owner, on(Confirm, 2))
    clock.tick(days=1)
    await tick(owner)
    assert state_of(store, 2) is ReservationState.CONFIRMED


async def test_an_adopted_hold_ends_at_its_new_deadline(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    await one(owner, ask(2, (BERLIN, Adopt(rid(2), NOON + 2 * TTL))))
    for elapsed, state in ((TTL, HELD), (2 * TTL - timedelta(seconds=1), HELD), (2 * TTL, EXPIRED)):
        clock.time = NOON + elapsed
        await tick(owner)
        assert state_of(store, 2) is state


async def test_what_was_handed_over_in_time_does_not_come_back(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    await one(owner, ask(4, (BERLIN, Deduct(rid(2), 2))))
    clock.tick(minutes=10)
    await tick(owner)
    assert kinds(store) == ["receive 10", "reserve 3", "deduct 2", "expire 1"]


async def test_an_owner_that_is_started_again_keeps_the_deadlines_of_what_it_loads(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    async with running(store, clock) as reborn:
        await one(reborn, receive(5, 1))
        clock.tick(minutes=10)
        await tick(reborn)
        assert state_of(store, 2) is EXPIRED


@pytest.mark.parametrize("is_down", [True, False])
async def test_an_expiry_that_could_not_be_written_is_tried_again(
    owner: Owner, store: FakeStore, clock: FakeClock, is_down: bool
) -> None:
    """With `is_down` even the neighbour's cell cannot be loaded, so nothing was decided at all."""
    clock.tick(minutes=10, seconds=2)
    store.is_down = is_down
    store.faults.append(None if is_down else "lost before")
    waiting = receive(8, 1, CUP)
    owner.end(owner.host.due(clock.now()))
    assert owner.host.deadlines == {}, "nobody looks at that second again"
    await owner.submit([waiting])
    assert state_of(store, 2) is HELD
    store.is_down = False
    store.faults.clear()
    clock.tick(seconds=2)
    await one(owner, receive(9, 1))
    await tick(owner)
    assert state_of(store, 2) is EXPIRED


async def test_expiries_that_find_no_room_in_the_inbox_come_again(
    store: FakeStore, clock: FakeClock
) -> None:
    async with running(store, clock, inbox_limit=4) as owner:
        await one(owner, receive(1, 10))
        for number in range(10, 20):
            await one(owner, reserve(number, 1))
        clock.tick(minutes=10)
        for _ in range(3):
            await tick(owner)
            clock.tick(seconds=1)
    assert kinds(store)[-10:] == ["expire 1"] * 10


async def test_a_hold_that_is_being_ended_does_not_wait_twice(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    clock.tick(minutes=10)
    for _ in range(3):
        owner.end(owner.host.due(clock.now()))
    assert len(owner.inbox) == 1
    await settled(owner)
    assert kinds(store)[-1] == "expire 3"
    assert not owner.ending


def sweep_of(owner: Owner, store: FakeStore, clock: FakeClock) -> Sweep:
    return Sweep(owner, store, clock, lambda key: key != PARIS)


async def look(sweep: Sweep) -> None:
    await sweep.look()
    await settled(sweep.owner)


async def test_the_sweep_ends_holds_of_cells_that_no_memory_holds(
    store: FakeStore, owner: Owner, clock: FakeClock
) -> None:
    await owner.submit([receive(4, 5, PARIS), reserve(5, 5, PARIS)])
    async with running(store, clock) as reborn:
        sweep = sweep_of(reborn, store, clock)
        await look(sweep)
        assert state_of(store, 2) is HELD
        clock.tick(minutes=10)
        await look(sweep)
        assert state_of(store, 2) is EXPIRED
        assert state_of(store, 5, PARIS) is HELD, "the cell of another owner is left alone"


async def test_the_sweep_ends_holds_of_evicted_cells(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    assert [owner.host.rotate(), owner.host.rotate()] == [0, 1]
    clock.tick(minutes=10)
    assert owner.host.due(clock.now()) == []
    await look(sweep_of(owner, store, clock))
    assert state_of(store, 2) is EXPIRED


async def test_the_sweep_leaves_to_memory_what_memory_knows(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    clock.tick(minutes=10)
    sweep = sweep_of(owner, store, clock)
    await look(sweep)
    await look(sweep)
    assert state_of(store, 2) is HELD
    await tick(owner)
    assert state_of(store, 2) is EXPIRED


async def test_the_sweep_ends_a_hold_that_a_passing_owner_made_behind_our_back(
    owner: Owner, store: FakeStore, clock: FakeClock
) -> None:
    async with running(store, clock) as usurper:
        await one(usurper, reserve(7, 2))
    clock.tick(minutes=10)
    sweep = sweep_of(owner, store, clock)
    await look(sweep)
    assert state_of(store, 7) is HELD, "it may be on its way to memory"
    await look(sweep)
    assert state_of(store, 7) is EXPIRED
    assert isinstance(await one(owner, receive(8, 1)), Done)
