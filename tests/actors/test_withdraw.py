"""Withdraw undoes a hold as if it had not been asked for: its id may be used again."""

from actors.wire import Done
from domain.commands import Confirm, Deduct, Release, Reserve, Withdraw
from domain.refusals import Conflict, NotFound
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
    receive,
    reserve,
    rid,
    running,
    state_of,
)


async def test_a_withdrawn_hold_leaves_its_entries_and_nothing_else() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
        assert isinstance(await one(owner, on(Withdraw, 2)), Done)
        assert available(await one(owner, receive(3, 1))) == 11
        assert await one(owner, on(Confirm, 2)) == NotFound("reservation", str(rid(2)))
    assert kinds(store) == ["receive 10", "reserve 3", "release 3", "receive 1"]
    assert not store.holds
    assert rid(2) not in {key[0] for key in store.outcomes}


async def test_withdrawing_twice_or_what_was_never_placed_changes_nothing() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
        for number in (2, 2, 77):
            assert isinstance(await one(owner, on(Withdraw, number)), Done)
    assert kinds(store) == ["receive 10", "reserve 3", "release 3"]


async def test_a_closed_hold_is_not_withdrawn() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
        await one(owner, ask(4, (BERLIN, Deduct(rid(2), None))))
        await one(owner, on(Withdraw, 2))
        assert state_of(store, 2).value == "deducted"
        assert isinstance(await one(owner, reserve(2, 3)), Done)
    assert kinds(store) == ["receive 10", "reserve 3", "deduct 3"]


async def test_reserve_and_withdraw_in_one_batch_leave_no_trace_but_the_entries() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await one(owner, receive(1, 10))
        before = store.appends
        replies = await owner.submit([reserve(2, 3), on(Withdraw, 2)])
        assert all(isinstance(reply, Done) for reply in replies)
        assert store.appends == before + 1
        assert not store.holds
        assert hold_of(await one(owner, reserve(2, 4, content=5))).quantity == 4
    assert kinds(store) == ["receive 10", "reserve 3", "release 3", "reserve 4"]


async def test_withdraw_then_reserve_of_one_id_in_one_frame_places_it_anew() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
        clock.tick(seconds=1)
        later = ask(2, (BERLIN, Reserve(rid(2), 3, clock.now() + TTL)))
        replies = await owner.submit([receive(3, 1), on(Withdraw, 2), later, receive(4, 1)])
        assert all(isinstance(reply, Done) for reply in replies)
        assert hold_of(replies[2]).deadline == clock.now() + TTL
        assert store.holds[rid(2), store.cells[BERLIN].id] == hold_of(replies[2])
    assert kinds(store) == [
        *("receive 10", "reserve 3", "receive 1", "release 3", "reserve 3", "receive 1"),
    ]


async def test_the_same_in_an_owner_that_remembers_nothing() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
    async with running(store, clock) as reborn:
        replies = await reborn.submit([on(Withdraw, 2), reserve(2, 3), on(Withdraw, 2)])
        assert all(isinstance(reply, Done) for reply in replies)
        assert not store.holds
        assert isinstance(await one(reborn, reserve(2, 1, content=9)), Done)
    assert kinds(store) == [
        *("receive 10", "reserve 3", "release 3", "reserve 3", "release 3", "reserve 1"),
    ]


async def test_a_withdraw_of_one_part_keeps_the_claim_of_the_other() -> None:
    store, clock = fake_store(), FakeClock()
    lines = [(cell, Reserve(rid(2), 1, NOON + TTL)) for cell in (BERLIN, PARIS)]
    async with running(store, clock) as owner:
        await owner.submit([receive(1, 10), receive(3, 10, PARIS), ask(2, *lines)])
        await one(owner, on(Withdraw, 2, PARIS))
        assert await one(owner, reserve(2, 5, content=1)) == Conflict(rid(2))
        assert isinstance(await one(owner, on(Confirm, 2)), Done)
        assert isinstance(await one(owner, ask(2, *lines)), Done)
    assert kinds(store, PARIS) == ["receive 10", "reserve 1", "release 1", "reserve 1"]


async def test_a_withdraw_whose_append_failed_can_be_repeated() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
        for fault in ("lost before", "lost after", None):
            store.faults.append(fault)
            await one(owner, on(Withdraw, 2))
        assert isinstance(await one(owner, on(Release, 2)), NotFound)
    assert kinds(store) == ["receive 10", "reserve 3", "release 3"]


async def test_a_withdraw_of_which_nobody_knows_is_not_taken_for_undone() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3)])
        store.faults.append("lost after")
        await one(owner, on(Withdraw, 2))
        assert isinstance(await one(owner, reserve(2, 3)), Done)
    assert state_of(store, 2).value == "held"
    assert kinds(store) == ["receive 10", "reserve 3", "release 3", "reserve 3"]
