"""A batch that was decided on changes which came to nothing is decided again."""

import pytest

from actors.wire import Done, Failed
from domain.refusals import InsufficientStock
from tests.actors.behind import Behind, stocked
from tests.actors.world import (
    BERLIN,
    PARIS,
    FakeClock,
    available,
    fake_store,
    hold_of,
    kinds,
    one,
    receive,
    reserve,
    running,
)


async def test_a_batch_is_written_as_it_was_decided_though_memory_ran_on() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        await behind.decide(reserve(4, 3))
        store.faults += [None, "lost before"]
        await behind.finish()
        assert store.cells[BERLIN].units[:2] == [4, 6]
        assert available(await one(owner, receive(5, 1))) == 5


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
async def test_when_a_batch_is_lost_what_was_decided_on_it_is_decided_again(fault: str) -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        await behind.decide(reserve(4, 6), receive(5, 1, PARIS))
        store.faults.append("lost after" if fault == "lost after" else "lost before")
        first, second, third = await behind.finish()
        assert isinstance(first, Failed)
        expected = InsufficientStock if fault == "lost after" else Done
        assert isinstance(second, expected)
        assert available(third) == 11
    assert kinds(store, PARIS) == ["receive 10", "receive 1"]


async def test_a_stale_batch_is_settled_before_the_one_that_was_decided_after_it() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        await behind.decide(reserve(4, 6))
        store.faults.append("stale")
        first, second = await behind.finish()
        assert isinstance(first, Done)
        assert isinstance(second, InsufficientStock)
        assert owner.stats.stale == 1
    assert kinds(store) == ["receive 10", "reserve 6"]


async def test_a_cell_that_only_the_later_batch_changed_is_dropped_too() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6), reserve(4, 99, PARIS))
        await behind.decide(reserve(5, 4, PARIS))
        store.faults.append("stale")
        replies = await behind.finish()
        assert [type(reply) for reply in replies] == [Done, InsufficientStock, Done]
    assert kinds(store, PARIS) == ["receive 10", "reserve 4"]


async def test_a_request_that_breaks_ahead_fails_alone() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await stocked(owner)
        behind = Behind(owner, store)
        await behind.write(reserve(3, 6))
        broken = reserve(4, "many")  # type: ignore[arg-type]
        await behind.decide(broken, reserve(5, 1), is_ahead=False)
        first, second, third = await behind.finish()
        assert isinstance(first, Done)
        assert second == Failed("INTERNAL", "internal error")
        assert hold_of(third).available_after == 3
    assert kinds(store) == ["receive 10", "reserve 6", "reserve 1"]
