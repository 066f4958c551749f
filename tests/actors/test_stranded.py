"""Stranded holds: confirmed, while a sibling has ended. The sweep gives them back."""

from uuid import UUID

from actors.drain import Owner
from actors.sweep import STRANDED_PAUSE, Sweep
from domain.commands import CellKey, Confirm, Deduct, Release, Reserve
from domain.states import ReservationState
from tests.actors.fake_store import FakeStore
from tests.actors.world import (
    BERLIN,
    NOON,
    PARIS,
    SKUS,
    TTL,
    WAREHOUSES,
    FakeClock,
    ask,
    fake_store,
    kinds,
    on,
    one,
    receive,
    rid,
    running,
    settled,
    state_of,
)

CONFIRMED, RELEASED = ReservationState.CONFIRMED, ReservationState.RELEASED


async def half_confirmed(owner: Owner, clock: FakeClock) -> None:
    """Reservation 3 is confirmed in Berlin; its sibling in Paris expires."""
    lines = [(cell, Reserve(rid(3), 2, NOON + TTL)) for cell in (BERLIN, PARIS)]
    await owner.submit([receive(1, 10), receive(2, 10, PARIS), ask(3, *lines)])
    await one(owner, on(Confirm, 3, BERLIN))
    clock.tick(minutes=10)
    owner.end(owner.host.due(clock.now()))
    await settled(owner)


async def look(owner: Owner, store: FakeStore, clock: FakeClock) -> Sweep:
    sweep = Sweep(owner, store, clock, lambda key: True)
    await sweep.look()
    await settled(owner)
    return sweep


async def test_a_confirmed_hold_whose_sibling_expired_is_released() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await half_confirmed(owner, clock)
        assert state_of(store, 3) is CONFIRMED
        await look(owner, store, clock)
    assert state_of(store, 3) is RELEASED
    assert kinds(store) == ["receive 10", "reserve 2", "release 2"]
    assert kinds(store, PARIS) == ["receive 10", "reserve 2", "expire 2"]


async def test_a_confirmed_hold_whose_sibling_was_released_is_released() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        lines = [(cell, Reserve(rid(3), 2, NOON + TTL)) for cell in (BERLIN, PARIS)]
        await owner.submit([receive(1, 10), receive(2, 10, PARIS), ask(3, *lines)])
        await owner.submit([on(Confirm, 3, BERLIN), on(Confirm, 3, PARIS)])
        await one(owner, on(Release, 3, PARIS))
        await look(owner, store, clock)
    assert state_of(store, 3) is RELEASED


async def test_what_was_handed_over_already_is_not_given_back() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await half_confirmed(owner, clock)
        await one(owner, ask(8, (BERLIN, Deduct(rid(3), 1))))
        await look(owner, store, clock)
    assert kinds(store) == ["receive 10", "reserve 2", "deduct 1", "release 1"]


async def test_whole_reservations_and_those_of_other_owners_are_left_alone() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await half_confirmed(owner, clock)
        await owner.submit(
            [ask(4, *((c, Reserve(rid(4), 1, clock.now() + TTL)) for c in (BERLIN, PARIS)))]
        )
        await owner.submit([on(Confirm, 4, BERLIN), ask(5, (PARIS, Deduct(rid(4), None)))])
        sweep = Sweep(owner, store, clock, lambda key: key != BERLIN)
        await sweep.look()
        await settled(owner)
        assert state_of(store, 3) is CONFIRMED
        await look(owner, store, clock)
    assert state_of(store, 3) is RELEASED
    assert state_of(store, 4) is CONFIRMED


class Brief(FakeStore):
    """Shows one hold at a time."""

    async def load_stranded(
        self, after: tuple[UUID, int], limit: int
    ) -> tuple[list[tuple[CellKey, UUID]], tuple[UUID, int] | None]:
        return await super().load_stranded(after, 1)


async def test_a_pass_goes_on_where_the_last_look_ended() -> None:
    store, clock = Brief(SKUS, WAREHOUSES), FakeClock()
    async with running(store, clock) as owner:
        first = ask(0, (BERLIN, Reserve(rid(0), 1, NOON + TTL)))
        await owner.submit([receive(9, 10), first, on(Confirm, 0)])
        await half_confirmed(owner, clock)
        sweep = Sweep(owner, store, clock, lambda key: True)
        for _ in range(3):
            await sweep.look()
            await settled(owner)
    assert state_of(store, 3) is RELEASED
    assert state_of(store, 0) is CONFIRMED


async def test_a_pass_looks_at_a_bounded_number_and_rests_at_its_end() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await half_confirmed(owner, clock)
        first = await store.load_stranded((rid(0), 0), 1)
        assert first == ([(BERLIN, rid(3))], (rid(3), store.cells[BERLIN].id))
        sweep = await look(owner, store, clock)
        reads = store.reads
        await sweep.look()
        assert store.reads == reads + 1, "only the overdue are looked at while it rests"
        clock.time += STRANDED_PAUSE
        await sweep.look()
        assert store.reads == reads + 3
