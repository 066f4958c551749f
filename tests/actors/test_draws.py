"""Draws through the drain loop: one step over all cells of a sale, and one tally that nobody can
get around, whoever else is at work."""

import asyncio
from collections import Counter
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from actors.drain import Owner
from actors.guard import NoGuard
from actors.wire import Done, Failed, Reply
from domain.commands import Allot, Buyer, CellKey, Draw, Line, Receive, Release, Request
from domain.flash_sales import pool_of
from domain.ledger import Note
from domain.refusals import (
    Conflict,
    InsufficientStock,
    LimitReached,
    NotFound,
    SaleNotOpen,
    TicketRequired,
)
from tests.actors.fake_store import FakeStore
from tests.actors.world import (
    BERLIN,
    NOON,
    PARIS,
    ROME,
    TTL,
    FakeClock,
    ask,
    fake_store,
    on,
    one,
    rid,
    running,
    until,
)

SALE = UUID(int=99)
POOL = pool_of(SALE)
HOUR = timedelta(hours=1)
GIVING = (PARIS, ROME)


def draw(
    number: int,
    quantity: int = 1,
    customer: str = "ann",
    limit: int | None = 2,
    ticket: int | None = None,
    cells: tuple[CellKey, ...] = GIVING,
) -> Request:
    """The anchor is BERLIN, which gives nothing."""
    used = None if ticket is None else rid(ticket)
    command = Draw(rid(number), quantity, NOON + TTL, POOL, limit, NOON, NOON + HOUR, used)
    lines = tuple(Line(key, command) for key in cells)
    content = quantity * 1_000 + (ticket or 0)
    return Request(rid(number), content, BERLIN, lines, Note("api"), Buyer(customer))


async def opened(owner: Owner, **units: int) -> None:
    keys = {key.warehouse: key for key in (PARIS, ROME)}
    for number, (name, allotted) in enumerate(units.items()):
        key = keys[name]
        await one(owner, ask(1_000 + number, (key, Receive(allotted + 1))))
        await one(owner, ask(2_000 + number, (key, Allot(POOL, allotted))))


def given(reply: Reply) -> dict[str, int]:
    assert isinstance(reply, Done), reply
    return {line.cell.warehouse: line.hold.quantity for line in reply.lines if line.hold}


def fresh(reply: Reply) -> set[bool]:
    assert isinstance(reply, Done), reply
    return {line.fresh for line in reply.lines}


async def test_the_preferred_cell_gives_or_all_together() -> None:
    async with running(fake_store(), FakeClock()) as owner:
        await opened(owner, PARIS=3, ROME=4)
        assert given(await one(owner, draw(1, 2, "ann"))) == {"PARIS": 2}
        assert given(await one(owner, draw(2, 4, "bob", limit=9))) == {"ROME": 4}
        assert await one(owner, draw(3, 2, "cid")) == InsufficientStock("TEA", None, 2, 1)


async def test_the_same_id_gets_its_first_answer_whole_and_no_second_effect() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await opened(owner, PARIS=1, ROME=1)
        first = await one(owner, draw(1, 2))
        again = await one(owner, draw(1, 2))
        assert given(first) == given(again) == {"PARIS": 1, "ROME": 1}
        assert (fresh(first), fresh(again)) == ({True}, {False})
        assert await one(owner, draw(1, 1)) == Conflict(rid(1))
    async with running(store, FakeClock()) as successor:
        assert await one(successor, draw(1, 2)) == again
        assert await one(successor, draw(1, 1)) == Conflict(rid(1))


async def test_the_same_id_twice_in_one_batch_is_one_effect() -> None:
    async with running(fake_store(), FakeClock()) as owner:
        await opened(owner, PARIS=3)
        replies = await owner.submit([draw(1), draw(1), draw(1, 2)])
        assert [given(reply) for reply in replies[:2]] == [{"PARIS": 1}] * 2
        assert replies[2] == Conflict(rid(1))


async def test_an_id_of_another_reservation_is_a_conflict() -> None:
    async with running(fake_store(), FakeClock()) as owner:
        await opened(owner, PARIS=3)
        await one(owner, ask(7, (BERLIN, Receive(5))))
        assert await one(owner, draw(7)) == Conflict(rid(7))


async def test_a_refused_draw_asks_the_store_nothing() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await opened(owner, PARIS=2)
        await one(owner, draw(1, 2))
        before = store.reads, store.appends
        assert await one(owner, draw(2, 1, "bob")) == InsufficientStock("TEA", None, 1, 0)
        assert await one(owner, draw(3, 1, "ann")) == LimitReached(2, 2)
        assert (store.reads, store.appends) == before


async def test_what_is_released_or_expires_may_be_drawn_again() -> None:
    clock = FakeClock()
    async with running(fake_store(), clock) as owner:
        await opened(owner, PARIS=3)
        await one(owner, draw(1, 2))
        assert await one(owner, draw(2, 1)) == LimitReached(2, 2)
        await one(owner, on(Release, 1, PARIS))
        assert given(await one(owner, draw(3, 2))) == {"PARIS": 2}
        clock.tick(minutes=11)
        owner.end(owner.host.due(clock.now()))
        assert given(await one(owner, draw(4, 2))) == {"PARIS": 2}


async def test_a_successor_knows_limit_tickets_and_what_was_given_back() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await opened(owner, PARIS=9)
        await one(owner, draw(1, 1, "ann", ticket=501))
        await one(owner, draw(2, 2, "bob", ticket=502))
        await one(owner, on(Release, 2, PARIS))
    async with running(store, FakeClock()) as owner:
        assert await one(owner, draw(3, 2, "ann", ticket=503)) == LimitReached(2, 1)
        assert await one(owner, draw(4, 1, "bob", ticket=502)) == TicketRequired(SALE)
        assert given(await one(owner, draw(5, 2, "bob", ticket=504))) == {"PARIS": 2}


async def test_the_window_is_by_the_owners_clock() -> None:
    clock = FakeClock()
    async with running(fake_store(), clock) as owner:
        await opened(owner, PARIS=9)
        clock.tick(minutes=60)
        assert await one(owner, draw(1)) == SaleNotOpen(NOON, NOON + HOUR)
        clock.tick(minutes=-61)
        assert await one(owner, draw(1)) == SaleNotOpen(NOON, None)


async def test_cells_that_do_not_exist_refuse() -> None:
    moon = CellKey("TEA", "MOON")
    async with running(fake_store(), FakeClock()) as owner:
        assert await one(owner, draw(1, cells=(moon,))) == NotFound("warehouse", "MOON")
        lost = draw(2)._replace(home=moon)
        assert await one(owner, lost) == NotFound("warehouse", "MOON")


class OnlyBerlin(NoGuard):
    def is_mine(self, key: CellKey) -> bool:
        return key == BERLIN


async def test_cells_that_another_owner_hosts_are_not_remembered() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as hosting, running(store, clock) as drawing:
        drawing.guard = OnlyBerlin()
        await opened(hosting, PARIS=2)
        await one(drawing, draw(1, 2))
        assert await one(drawing, draw(2, 1, "bob")) == InsufficientStock("TEA", None, 1, 0)
        await one(hosting, on(Release, 1, PARIS))
        assert given(await one(drawing, draw(3, 2))) == {"PARIS": 2}


async def test_a_tally_that_ran_ahead_of_a_lost_append_is_dropped() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await opened(owner, PARIS=9)
        store.faults.extend(["lost before", "lost after"])
        assert isinstance(await one(owner, draw(1, 2)), Failed)
        assert isinstance(await one(owner, draw(2, 2)), Failed)
        assert await one(owner, draw(3, 1)) == LimitReached(2, 2)
        assert given(await one(owner, draw(2, 2))) == {"PARIS": 2}


async def test_a_draw_decided_while_another_is_written_sees_its_tally() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await opened(owner, PARIS=9)
        await one(owner, draw(1, 1))
        store.gate.clear()
        first = asyncio.create_task(one(owner, draw(2, 1)))
        await until(lambda: store.at_gate)
        second = asyncio.create_task(one(owner, draw(3, 1)))
        repeated = asyncio.create_task(one(owner, draw(2, 1)))
        await asyncio.sleep(0)
        store.gate.set()
        assert given(await first) == given(await repeated) == {"PARIS": 1}
        assert await second == LimitReached(2, 2)


async def test_owners_that_draw_on_different_cells_meet_at_the_anchor() -> None:
    store, clock = fake_store(), FakeClock()
    async with running(store, clock) as one_owner, running(store, clock) as other:
        await opened(one_owner, PARIS=6, ROME=5)
        await one(one_owner, draw(1, 1, "bob", cells=(PARIS,)))
        await one(other, draw(2, 1, "cid", cells=(ROME,)))
        assert given(await one(one_owner, draw(3, 2, cells=(PARIS,)))) == {"PARIS": 2}
        assert await one(other, draw(4, 1, cells=(ROME,))) == LimitReached(2, 2)


@pytest.mark.parametrize("seed", range(20))
async def test_two_owners_together_keep_stock_and_limit(seed: int) -> None:
    rng, store, clock = Random(seed), fake_store(), FakeClock()
    async with running(store, clock) as one_owner, running(store, clock) as other:
        await opened(one_owner, PARIS=6, ROME=5)
        owners = [one_owner, other]
        people = [person(rng, owners, store, range(n, 40, 8)) for n in range(8)]
        await asyncio.gather(*people)
    check_books(store)


async def person(rng: Random, owners: list[Owner], store: FakeStore, numbers: range) -> None:
    for number in numbers:
        request = draw(number, rng.choice([1, 2]), rng.choice("abcdefgh"))
        reply = await one(rng.choice(owners), request)
        if isinstance(reply, Done) and rng.random() < 0.3:
            key = reply.lines[0].cell
            await one(rng.choice(owners), on(Release, number, key))


def check_books(store: FakeStore) -> None:
    taken: Counter[str] = Counter()
    for hold in store.holds.values():
        if hold.state == "held" and hold.customer:
            taken[hold.customer] += hold.quantity
    assert all(units <= 2 for units in taken.values()), taken
    left = sum(cell.pools.get(POOL, 0) for cell in store.cells.values())
    assert left + taken.total() == 11
