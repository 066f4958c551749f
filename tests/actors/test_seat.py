"""A seat is taken when it is free, decides while it is held, and is given up when it is lost."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from actors.directory import owner_of, shared
from actors.drain import Owner
from actors.seat import GRACE_SECONDS, MARKED_SECONDS, MOVED_SECONDS, UNSURE, Seat
from actors.wire import Done, Moved, Reply
from domain.commands import CellKey, Receive
from infra.outage import Outage
from infra.seats import LEASE
from tests.actors.fake_book import FakeBook
from tests.actors.fake_store import FakeStore
from tests.actors.test_draws import draw
from tests.actors.world import (
    BERLIN,
    CUP,
    INBOX_LIMIT,
    PARIS,
    FakeClock,
    ask,
    available,
    fake_store,
    kinds,
    one,
    receive,
    rid,
    until,
)

HOME = shared(owner_of(BERLIN, 2))
OTHER = shared(1 - owner_of(BERLIN, 2))
A_WHILE = LEASE.total_seconds() + 0.1


class Sitting:
    """A process with a seat, and its memory; its monotonic clock is told."""

    def __init__(self, book: FakeBook, store: FakeStore, number: int) -> None:
        self.monotonic = 100.0
        self.seat = Seat(book, rid(number), 2, self.let_go)
        self.seat.time = lambda: self.monotonic
        self.owner = Owner(store, FakeClock(), INBOX_LIMIT, self.seat)
        self.dropped: list[Collection[CellKey] | None] = []
        book.present.add(rid(number))

    async def let_go(self, keys: Collection[CellKey] | None) -> None:
        async with self.owner.between_rounds():
            if keys is None:
                self.owner.host.clear()
            else:
                self.owner.host.let_go(keys)
        self.dropped.append(keys)


@asynccontextmanager
async def running_on(sitting: Sitting) -> AsyncIterator[Owner]:
    work = asyncio.create_task(sitting.owner.run())
    try:
        yield sitting.owner
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def ask_later(owner: Owner, number: int) -> asyncio.Task[Reply]:
    return asyncio.create_task(one(owner, receive(number, 1)))


async def test_a_spare_takes_the_free_seat_and_a_second_one_stands_by() -> None:
    book, store = FakeBook(HOME), fake_store()
    first, second = Sitting(book, store, 1), Sitting(book, store, 2)
    await first.seat.look()
    await second.seat.look()
    assert (first.seat.name, second.seat.name) == (HOME, None)
    assert first.seat.taken.is_set()
    assert second.seat.turn_away(receive(1, 1)) == Moved(())


async def test_the_seat_of_a_holder_that_is_not_connected_is_taken_at_once() -> None:
    book, store = FakeBook(HOME), fake_store()
    first, second = Sitting(book, store, 1), Sitting(book, store, 2)
    await first.seat.look()
    book.present.remove(rid(1))
    await second.seat.look()
    assert second.seat.name == HOME


async def test_who_was_stopped_past_its_lease_decides_nothing_and_stands_down() -> None:
    book, store = FakeBook(HOME), fake_store()
    stopped, successor = Sitting(book, store, 1), Sitting(book, store, 2)
    await stopped.seat.look()
    async with running_on(stopped) as zombie, running_on(successor) as owner:
        assert isinstance(await one(zombie, receive(1, 10)), Done)
        book.lapsed.add(HOME)
        await successor.seat.look()
        assert available(await one(owner, receive(2, 1))) == 11
        stopped.monotonic += A_WHILE
        assert await one(zombie, receive(3, 1)) == UNSURE
        await stopped.seat.sure()
        assert stopped.seat.name is None
        assert stopped.dropped == [None]
        assert len(zombie.host) == 0
        assert await one(zombie, receive(3, 1)) == Moved(())
    assert kinds(store) == ["receive 10", "receive 1"]


async def test_a_stale_append_of_who_lost_its_seat_is_not_tried_again() -> None:
    book, store = FakeBook(HOME), fake_store()
    stopped, successor = Sitting(book, store, 1), Sitting(book, store, 2)
    await stopped.seat.look()
    async with running_on(stopped) as zombie, running_on(successor) as owner:
        await one(zombie, receive(1, 10))
        book.lapsed.add(HOME)
        await successor.seat.look()
        await one(owner, receive(2, 1))
        stopped.seat.turn_away = lambda request: None  # type: ignore[method-assign]
        stopped.monotonic += A_WHILE
        assert await one(zombie, receive(3, 1)) == Moved(())
        assert zombie.stats.stale == 1
    assert kinds(store) == ["receive 10", "receive 1"]


async def test_a_lease_that_ran_out_while_the_database_was_away_is_renewed_when_it_is_back() -> (
    None
):
    book, store = FakeBook(HOME), fake_store()
    sitting, spare = Sitting(book, store, 1), Sitting(book, store, 2)
    await sitting.seat.look()
    async with running_on(sitting) as owner:
        await one(owner, receive(1, 10))
        book.is_down = True
        sitting.monotonic += A_WHILE
        await sitting.seat.sure()
        assert await one(owner, receive(2, 1)) == UNSURE
        book.is_down = False
        await sitting.seat.sure()
        assert available(await one(owner, receive(2, 1))) == 11
    assert sitting.dropped == []
    assert spare.seat.name is None


async def test_a_spare_waits_for_the_holders_after_the_database_was_away() -> None:
    book = FakeBook(HOME)
    spare = Sitting(book, fake_store(), 2)
    spare.seat.quiet_until = spare.monotonic + GRACE_SECONDS
    await spare.seat.look()
    assert spare.seat.name is None
    spare.monotonic += GRACE_SECONDS
    await spare.seat.look()
    assert spare.seat.name == HOME


async def test_requests_for_other_seats_are_told_where_their_cells_are() -> None:
    book = FakeBook(HOME, OTHER)
    book.present.add(rid(9))
    book.holders[OTHER] = rid(9)
    book.placed[CUP] = "hot-1"
    sitting = Sitting(book, fake_store(), 1)
    await sitting.seat.look()
    assert sitting.seat.name == HOME
    assert sitting.seat.turn_away(receive(1, 1)) is None
    assert sitting.seat.turn_away(receive(1, 1, PARIS)) == Moved(((PARIS, OTHER),))
    both = ask(1, (BERLIN, Receive(1)), (CUP, Receive(1)))
    assert sitting.seat.turn_away(both) == Moved(((BERLIN, HOME), (CUP, "hot-1")))


async def test_cells_that_are_placed_elsewhere_leave_memory_after_what_was_taken_up_before() -> (
    None
):
    book, store = FakeBook(HOME), fake_store()
    sitting = Sitting(book, store, 1)
    await sitting.seat.look()
    async with running_on(sitting) as owner:
        await one(owner, receive(1, 10))
        store.gate.clear()
        before = ask_later(owner, 2)
        await until(lambda: store.at_gate)
        book.placed[BERLIN] = "hot-1"
        looking = asyncio.create_task(sitting.seat.look())
        await until(lambda: BERLIN in sitting.seat.placed)
        after = ask_later(owner, 3)
        store.gate.set()
        await looking
        assert available(await before) == 11
        assert await after == Moved(((BERLIN, "hot-1"),))
        assert owner.host.peek(BERLIN) is None
        assert owner.host.recent.get((rid(1), 0)) is None
        book.placed.clear()
        await sitting.seat.look()
        assert available(await one(owner, receive(3, 1))) == 12


async def test_the_placement_is_read_again_only_when_it_has_changed() -> None:
    book = FakeBook(HOME)
    sitting = Sitting(book, fake_store(), 1)
    for _ in range(5):
        await sitting.seat.look()
    assert book.reads == 2
    book.placed[BERLIN] = "hot-1"
    for _ in range(5):
        await sitting.seat.look()
    assert (book.reads, sitting.seat.placed) == (3, {BERLIN: "hot-1"})
    del book.holders[HOME]
    await sitting.seat.look()
    book.holders[HOME] = None
    book.placed.clear()
    await sitting.seat.look()
    assert (book.reads, sitting.seat.placed) == (4, {})


async def test_a_placement_that_could_not_be_read_is_read_at_the_next_look() -> None:
    book = FakeBook(HOME)
    sitting = Sitting(book, fake_store(), 1)
    await sitting.seat.look()
    await sitting.seat.look()
    book.placed[BERLIN] = "hot-1"
    book.is_unreadable = True
    with pytest.raises(Outage):
        await sitting.seat.look()
    book.is_unreadable = False
    await sitting.seat.look()
    assert sitting.seat.placed == {BERLIN: "hot-1"}


async def test_a_seat_that_is_no_more_makes_its_holder_a_spare() -> None:
    book = FakeBook("hot-1")
    sitting = Sitting(book, fake_store(), 1)
    await sitting.seat.look()
    del book.holders["hot-1"]
    await sitting.seat.look()
    assert sitting.seat.name is None
    book.holders[HOME] = None
    await sitting.seat.look()
    assert sitting.seat.name == HOME


async def test_who_leaves_frees_the_seat_and_takes_none_again() -> None:
    book = FakeBook(HOME)
    sitting = Sitting(book, fake_store(), 1)
    await sitting.seat.look()
    await sitting.seat.leave()
    assert book.holders[HOME] is None
    sitting.seat.name = None
    await sitting.seat.look()
    assert book.holders[HOME] is None


async def test_draws_wait_a_moment_after_a_seat_was_taken_and_longer_after_cells_came() -> None:
    """Until then the last holder's word that a sale is sold out may stand."""
    book = FakeBook(HOME)
    sitting = Sitting(book, fake_store(), 1)
    book.placed = {BERLIN: "sale"}
    await sitting.seat.look()
    asked = draw(1)
    waits = Moved(((asked.home, HOME),))
    assert sitting.seat.turn_away(asked) == waits
    sitting.monotonic += MARKED_SECONDS
    assert sitting.seat.turn_away(asked) != waits
    book.placed = {}
    await sitting.seat.look()
    sitting.monotonic += MARKED_SECONDS
    assert sitting.seat.turn_away(asked) == waits
    sitting.monotonic += MOVED_SECONDS - MARKED_SECONDS
    assert sitting.seat.turn_away(asked) != waits
