"""When an append fails, memory is dropped and never ahead of the ledger; asking again is safe."""

import asyncio

import pytest

from actors.drain import SETTLE_ATTEMPTS
from actors.wire import Done, Failed
from domain.commands import Confirm, Read, Release
from domain.refusals import InsufficientStock
from domain.states import ReservationState
from tests.actors.fake_store import Fault
from tests.actors.world import (
    BERLIN,
    CUP,
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
    until,
)


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
async def test_an_outage_is_answered_memory_is_dropped_and_a_retry_has_one_effect(
    fault: Fault,
) -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await one(owner, receive(1, 10))
        store.faults.append(fault)
        replies = await owner.submit([reserve(2, 3), reserve(3, 4)])
        assert [type(reply) for reply in replies] == [Failed, Failed]
        assert {reply.code for reply in replies if isinstance(reply, Failed)} == {"UNAVAILABLE"}
        assert owner.host.peek(BERLIN) is None
        again = await owner.submit([reserve(3, 4), reserve(2, 3)])
        assert all(isinstance(reply, Done) for reply in again)
        assert available(await one(owner, ask(9, (BERLIN, Read())))) == 3
    assert sorted(kinds(store)) == ["receive 10", "reserve 3", "reserve 4"]


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
async def test_what_has_no_outcome_is_safe_to_repeat_by_its_nature(fault: Fault) -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), reserve(2, 3), reserve(3, 4)])
        store.faults.append(fault)
        await owner.submit([on(Confirm, 2), on(Release, 3)])
        again = await owner.submit([on(Confirm, 2), on(Release, 3)])
    assert [hold_of(reply).state for reply in again] == [
        ReservationState.CONFIRMED,
        ReservationState.RELEASED,
    ]
    assert kinds(store) == ["receive 10", "reserve 3", "reserve 4", "release 4"]


async def test_other_cells_stay_in_memory_when_an_append_fails() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 10), receive(2, 10, CUP)])
        store.faults.append("lost before")
        await one(owner, reserve(3, 1))
        assert owner.host.peek(CUP) is not None


async def test_a_database_that_cannot_be_read_is_an_outage_for_those_who_need_it() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 1), reserve(2, 1)])
        store.is_down = True
        for request in (receive(3, 1, CUP), reserve(4, 1), on(Confirm, 99), receive(5, 1)):
            assert isinstance(await one(owner, request), Failed)
        store.is_down = False
        assert isinstance(await one(owner, reserve(4, 1)), InsufficientStock)
        assert isinstance(await one(owner, receive(5, 1)), Done)


async def test_a_stale_append_is_decided_again_on_reloaded_memory() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner, running(store, clock) as usurper:
        await one(owner, receive(1, 10))
        await one(usurper, reserve(2, 8))
        assert await one(owner, reserve(3, 5)) == InsufficientStock("TEA", "BERLIN", 5, 2)
        assert hold_of(await one(owner, reserve(4, 2))).available_after == 0
        assert isinstance(await one(usurper, reserve(5, 1)), InsufficientStock)
        assert owner.stats.stale == 1
        assert usurper.stats.stale == 1
    assert kinds(store) == ["receive 10", "reserve 8", "reserve 2"]


async def test_two_owners_of_one_cell_lose_nothing_and_sell_nothing_twice() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner, running(store, clock) as usurper:
        await one(owner, receive(1, 30))
        asked = [(owner if n % 2 else usurper).submit([reserve(100 + n, 1)]) for n in range(60)]
        replies = [reply for (reply,) in await asyncio.gather(*asked)]
    accepted = [reply for reply in replies if isinstance(reply, Done)]
    refused = [reply for reply in replies if isinstance(reply, InsufficientStock)]
    assert len(accepted) == 30
    assert len(refused) == 30
    assert kinds(store) == ["receive 30"] + ["reserve 1"] * 30


async def test_an_owner_that_never_gets_ahead_answers_that_another_is_at_work() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        store.faults.extend(["stale"] * SETTLE_ATTEMPTS)
        reply = await one(owner, receive(1, 1))
        assert reply == Failed("UNAVAILABLE", "another owner is at work on these cells")
        assert isinstance(await one(owner, receive(1, 1)), Done)


async def test_a_batch_that_is_overtaken_again_and_again_is_settled_one_by_one() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        store.faults.extend(["stale"] * SETTLE_ATTEMPTS)
        replies = await owner.submit([receive(1, 1), receive(2, 1), receive(3, 1)])
        assert [available(reply) for reply in replies] == [1, 2, 3]
    assert store.appends == 3


async def test_a_killed_owner_loses_nothing_that_was_answered() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await one(owner, receive(1, 10))
        store.gate.clear()
        lost = asyncio.create_task(one(owner, reserve(2, 3)))
        await until(lambda: store.at_gate)
    assert not lost.done()
    lost.cancel()
    store.gate.set()
    async with running(store, clock) as reborn:
        assert hold_of(await one(reborn, reserve(2, 3))).available_after == 7
        assert state_of(store, 2) is ReservationState.HELD
    assert kinds(store) == ["receive 10", "reserve 3"]
    assert [key[0] for key in store.outcomes] == [rid(1), rid(2)]
