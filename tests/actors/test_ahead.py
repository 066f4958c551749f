"""While one batch is written the next is decided: what it sees, and what it must wait for."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from actors.host import Host
from actors.wire import Done
from domain.commands import Confirm, Expire, Release, Request, Withdraw
from domain.refusals import InsufficientStock, ReservationClosed
from tests.actors.behind import Behind, Turnstile, stocked
from tests.actors.world import (
    BERLIN,
    PARIS,
    FakeClock,
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
    settled,
    state_of,
    until,
)


async def test_the_next_batch_sees_what_is_being_written() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        await behind.decide(reserve(4, 3))
        first, second = await behind.finish()
        assert (hold_of(first).available_after, hold_of(second).available_after) == (4, 1)
    assert kinds(store) == ["receive 10", "reserve 6", "reserve 3"]
    assert store.appends == 3


async def test_nothing_decided_ahead_is_answered_before_the_batch_it_builds_on_is_written() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        await behind.decide(reserve(4, 6), reserve(5, 1))
        await asyncio.sleep(0)
        assert not any(asked.done() for asked in behind.asked)
        replies = await behind.finish()
        assert [type(reply) for reply in replies] == [Done, InsufficientStock, Done]


async def test_one_id_in_both_batches_has_one_effect_and_one_answer() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6), receive(4, 2))
        await behind.decide(reserve(3, 6), receive(4, 2))
        first, second, again, once_more = await behind.finish()
        assert hold_of(again) == hold_of(first)
        assert available(once_more) == available(second)
        assert owner.stats.duplicates == 0
    assert kinds(store) == ["receive 10", "reserve 6", "receive 2"]


async def test_an_id_whose_hold_is_being_withdrawn_may_be_used_in_the_next_batch() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        await one(owner, reserve(3, 6))
        behind = Behind(owner, store)
        await behind.write(on(Withdraw, 3))
        await behind.decide(reserve(3, 2))
        _, again = await behind.finish()
        assert hold_of(again).quantity == 2
    assert kinds(store) == ["receive 10", "reserve 6", "release 6", "reserve 2"]


async def test_a_hold_that_is_being_closed_is_closed_for_the_next_batch() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        await one(owner, reserve(3, 6))
        behind = Behind(owner, store)
        await behind.write(on(Release, 3))
        await behind.decide(on(Confirm, 3), reserve(4, 10))
        _, confirmed, reserved = await behind.finish()
        assert isinstance(confirmed, ReservationClosed)
        assert isinstance(reserved, Done)
        assert rid(3) not in owner.host.young[BERLIN].holds


async def test_a_hold_made_and_closed_in_two_batches_is_closed_in_the_ledger() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        await behind.decide(on(Release, 3))
        await behind.finish()
    assert state_of(store, 3).value == "released"


def without_paris(host: Host) -> Request:
    host.forget([PARIS])
    return reserve(5, 1, PARIS)


def about_a_closed_hold(host: Host) -> Request:
    return on(Confirm, 4)


@pytest.mark.parametrize("unknown", [without_paris, about_a_closed_hold])
async def test_what_has_to_be_read_first_is_not_decided_ahead(
    unknown: Callable[[Host], Request],
) -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        await owner.submit([reserve(4, 1), on(Release, 4)])
        request = unknown(owner.host)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        await behind.decide(request, is_ahead=False)
        reads = store.reads
        first, second = await behind.finish()
        assert isinstance(first, Done)
        assert isinstance(second, Done | ReservationClosed)
        assert store.reads > reads


async def test_a_doubtful_refusal_is_looked_up_when_its_turn_comes() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        done = await one(owner, reserve(3, 6))
        await one(owner, on(Release, 3))
        await one(owner, reserve(4, 7))
        owner.host.recent.forget((rid(3), 0))
        behind = Behind(owner, store)
        await behind.write(reserve(5, 1))
        await behind.decide(reserve(3, 6))
        _, again = await behind.finish()
        assert hold_of(again) == hold_of(done)
    assert kinds(store)[-1] == "reserve 1"


async def test_a_visitor_between_rounds_finds_memory_and_ledger_alike() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        store.gate = Turnstile()
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        await behind.decide(reserve(4, 1))
        seen: list[tuple[int, int]] = []

        async def visit() -> None:
            async with owner.between_rounds():
                seen.append((owner.host.young[BERLIN].units[0], store.cells[BERLIN].units[0]))

        visitor = asyncio.create_task(visit())
        await until(lambda: owner.visitors)
        behind.asked.append(asyncio.create_task(owner.submit([reserve(5, 1)])))
        store.gate.set()
        await until(lambda: store.appends == 2 and store.at_gate == 1 and owner.at_work == 2)
        assert owner.ahead is None
        store.gate.set()
        await visitor
        assert seen == [(3, 3)]
        await behind.finish()
        assert not owner.visitors


async def test_holds_expire_while_a_batch_is_written() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as owner:
        await stocked(owner)
        await one(owner, reserve(3, 6))
        behind = Behind(owner, store)
        await behind.write(reserve(4, 1))
        clock.tick(minutes=11)
        owner.end([(BERLIN, rid(3))], Expire)
        await until(lambda: owner.at_work == 2)
        await behind.finish()
        await settled(owner)
    assert kinds(store) == ["receive 10", "reserve 6", "reserve 1", "expire 6"]


def frames(numbers: Iterable[int]) -> list[Request]:
    return [reserve(number, 1) for number in numbers]


async def test_a_long_queue_is_decided_ahead_round_after_round() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner, 100)
        asked = [
            asyncio.create_task(owner.submit(frames(range(n, n + 5)))) for n in range(5, 55, 5)
        ]
        replies = [reply for frame in await asyncio.gather(*asked) for reply in frame]
        assert [hold_of(reply).available_after for reply in replies] == list(range(99, 49, -1))
