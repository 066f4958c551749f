"""One id, one effect: the same content gets the first answer again, other content a conflict."""

import asyncio

from actors.directory import owner_of
from actors.wire import Done, Elsewhere
from domain.commands import Adjust, Confirm, Deduct, Move, Receive, Release, Request, Reserve
from domain.ledger import Bucket
from domain.refusals import Conflict
from tests.actors.fake_store import FakeStore
from tests.actors.world import (
    BERLIN,
    NOON,
    PARIS,
    TTL,
    FakeClock,
    ask,
    available,
    fake_store,
    hold_of,
    kinds,
    on,
    one,
    only,
    receive,
    reserve,
    rid,
    running,
    until,
)

DONE_ONCE = (
    ask(2, (BERLIN, Receive(4))),
    ask(2, (BERLIN, Adjust(Bucket.AVAILABLE, -3, None))),
    ask(2, (BERLIN, Move(Bucket.AVAILABLE, Bucket.DAMAGED, 2))),
    ask(2, (BERLIN, Reserve(rid(2), 2, NOON + TTL))),
    ask(2, (BERLIN, Deduct(rid(90), 2))),
)


async def shop(store: FakeStore, clock: FakeClock) -> None:
    """Ten units, and a reservation 90 of four of them."""
    async with running(store, clock) as owner:
        await owner.submit([receive(1, 10), reserve(90, 4)])


async def test_the_same_id_twice_in_one_batch_has_one_effect_and_one_answer() -> None:
    for request in DONE_ONCE:
        store, clock = fake_store(), FakeClock()
        await shop(store, clock)
        async with running(store, clock) as owner:
            first, second = map(only, await owner.submit([request, request]))
        assert second[:3] == first[:3]
        assert len(kinds(store)) == 3


async def test_the_same_id_in_a_later_batch_gets_the_first_answer() -> None:
    for request in DONE_ONCE:
        store, clock = fake_store(), FakeClock()
        await shop(store, clock)
        async with running(store, clock) as owner:
            first = only(await one(owner, request))
            await owner.submit([receive(3, 100), receive(4, 1)])
            assert only(await one(owner, request))[:3] == first[:3]
        assert len(kinds(store)) == 5


async def test_the_same_id_after_memory_was_lost_gets_the_stored_first_answer() -> None:
    for request in DONE_ONCE:
        store, clock = fake_store(), FakeClock()
        await shop(store, clock)
        async with running(store, clock) as owner:
            first = only(await one(owner, request))
            await owner.submit([receive(3, 100)])
        async with running(store, clock) as reborn:
            again, other = await reborn.submit([request, receive(5, 1)])
            assert only(again)[:3] == first[:3]
            assert available(other) > 0
        assert len(kinds(store)) == 5


async def test_a_repeated_reserve_gets_its_first_answer_although_it_was_paid_since() -> None:
    store, clock = fake_store(), FakeClock()
    await shop(store, clock)
    async with running(store, clock) as owner:
        first = hold_of(await one(owner, reserve(2, 3)))
        await one(owner, on(Confirm, 2))
    async with running(store, clock) as reborn:
        assert hold_of(await one(reborn, reserve(2, 3))) == first
    assert kinds(store) == ["receive 10", "reserve 4", "reserve 3"]


async def test_a_repeated_reserve_gets_its_first_answer_although_it_was_released_since() -> None:
    store, clock = fake_store(), FakeClock()
    await shop(store, clock)
    async with running(store, clock) as owner:
        first = hold_of(await one(owner, reserve(2, 3)))
        await one(owner, on(Release, 2))
    async with running(store, clock) as reborn:
        assert hold_of(await one(reborn, reserve(2, 3))) == first
        assert hold_of(await one(reborn, reserve(2, 3))) == first
    assert kinds(store) == ["receive 10", "reserve 4", "reserve 3", "release 3"]


async def test_a_repetition_is_not_refused_although_the_stock_is_gone() -> None:
    store, clock = fake_store(), FakeClock()
    await shop(store, clock)
    async with running(store, clock) as owner:
        first = hold_of(await one(owner, reserve(2, 6)))
    async with running(store, clock) as reborn:
        assert hold_of(await one(reborn, reserve(2, 6))) == first
        await one(reborn, on(Release, 2))
        await one(reborn, reserve(3, 6))
    async with running(store, clock) as third:
        assert hold_of(await one(third, reserve(2, 6))) == first


async def test_a_refused_id_was_never_used() -> None:
    store, clock = fake_store(), FakeClock()
    await shop(store, clock)
    async with running(store, clock) as owner:
        refused = await one(owner, reserve(2, 7))
        assert not isinstance(refused, Done)
        await one(owner, receive(3, 1))
        assert hold_of(await one(owner, reserve(2, 7))).available_after == 0


async def test_the_same_id_with_other_content_conflicts() -> None:
    store, clock = fake_store(), FakeClock()
    await shop(store, clock)
    async with running(store, clock) as owner:
        together = await owner.submit([reserve(2, 1, content=1), reserve(2, 2, content=2)])
        assert together[1] == Conflict(rid(2))
        assert await one(owner, reserve(2, 3, content=3)) == Conflict(rid(2))
        assert await one(owner, receive(2, 3)) == Conflict(rid(2))
    async with running(store, clock) as reborn:
        for request in (
            reserve(2, 2, content=2),
            reserve(2, 1, content=3),
            receive(2, 3),
            reserve(2, 7, content=4),
        ):
            assert await one(reborn, request) == Conflict(rid(2))
    assert kinds(store) == ["receive 10", "reserve 4", "reserve 1"]


async def test_other_content_conflicts_after_memory_was_lost_although_the_hold_looks_alike() -> (
    None
):
    store, clock = fake_store(), FakeClock()
    await shop(store, clock)
    async with running(store, clock) as owner:
        await one(owner, reserve(2, 1, content=1))
    async with running(store, clock) as reborn:
        assert await one(reborn, reserve(2, 1, content=2)) == Conflict(rid(2))


async def test_the_same_id_in_cells_of_different_owners_conflicts() -> None:
    store, clock = fake_store(), FakeClock()
    assert owner_of(BERLIN, 2) != owner_of(PARIS, 2)
    async with running(store, clock) as here, running(store, clock) as there:
        await one(here, receive(1, 10, BERLIN))
        assert await one(there, receive(1, 20, PARIS)) == Conflict(rid(1))
        assert await one(there, receive(1, 20, PARIS)) == Conflict(rid(1))
    assert kinds(store, BERLIN) == ["receive 10"]
    assert kinds(store, PARIS) == []


async def test_of_two_contents_at_once_in_two_owners_one_wins_and_neighbours_go_on() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as here, running(store, clock) as there:
        store.gate.clear()
        first = asyncio.create_task(here.submit([receive(1, 10, BERLIN), receive(2, 1, BERLIN)]))
        second = asyncio.create_task(there.submit([receive(1, 20, PARIS), receive(3, 1, PARIS)]))
        await until(lambda: store.at_gate == 2)
        store.gate.set()
        winner, loser = await first, await second
    assert [isinstance(reply, Done) for reply in winner] == [True, True]
    assert loser[0] == Conflict(rid(1))
    assert available(loser[1]) == 1
    assert kinds(store, BERLIN) == ["receive 10", "receive 1"]
    assert kinds(store, PARIS) == ["receive 1"]


async def test_equal_content_that_another_owner_claimed_is_elsewhere() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as here, running(store, clock) as there:
        await one(here, receive(1, 10, BERLIN))
        await one(there, receive(2, 10, PARIS))
        assert isinstance(await one(here, reserve(3, 2, BERLIN)), Done)
        assert await one(there, reserve(3, 2, PARIS)) == Elsewhere()
        assert await one(there, reserve(3, 2, PARIS)) == Elsewhere()
    assert kinds(store, PARIS) == ["receive 10"]


async def test_a_part_away_from_home_has_an_outcome_of_its_own() -> None:
    store, clock = fake_store(), FakeClock()

    def part(quantity: int) -> Request:
        command = Reserve(rid(3), quantity, NOON + TTL)
        return ask(3, (PARIS, command), content=7, home=BERLIN)

    async with running(store, clock) as owner:
        await one(owner, receive(2, 10, PARIS))
        first = hold_of(await one(owner, part(2)))
    async with running(store, clock) as reborn:
        assert hold_of(await one(reborn, part(2))) == first
        assert hold_of(await one(reborn, part(3))) == first
    assert kinds(store, PARIS) == ["receive 10", "reserve 2"]


async def test_a_request_of_which_one_line_is_done_does_only_the_other() -> None:
    store, clock = fake_store(), FakeClock()
    berlin, paris = ((cell, Reserve(rid(3), 2, NOON + TTL)) for cell in (BERLIN, PARIS))
    async with running(store, clock) as owner:
        await owner.submit([receive(1, 10), receive(2, 10, PARIS), ask(3, berlin)])
    async with running(store, clock) as reborn:
        reply = await one(reborn, ask(3, berlin, paris))
        assert isinstance(reply, Done)
    assert kinds(store, BERLIN) == ["receive 10", "reserve 2"]
    assert kinds(store, PARIS) == ["receive 10", "reserve 2"]
