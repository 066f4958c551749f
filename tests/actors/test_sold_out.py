"""Sold out without the owner: who says it, to whom, for how long, and never to who was served."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest

from actors import marks, questions, sold_out
from actors.client import Ask, StockClient
from actors.drain import Owner
from actors.host import Shut
from actors.sold_out import MARK_SECONDS, SHUT, Asked, Told
from actors.wire import Done, decode_requests
from domain.commands import Release
from domain.refusals import InsufficientStock, LimitReached
from infra.outage import Outage
from tests.actors.fake_store import FakeStore
from tests.actors.test_client import nobody, nothing, yes
from tests.actors.test_draws import GIVING, POOL, draw, given, opened
from tests.actors.world import (
    BERLIN,
    PARIS,
    ROME,
    FakeClock,
    answered,
    fake_store,
    on,
    one,
    rid,
    running,
    until,
)

WHICH = Shut(POOL, tuple(sorted(GIVING)))
NONE_LEFT = InsufficientStock("TEA", None, 1, 0)
NUMBERS = count(100)


class Line:
    """To an owner; counts what goes there, and can be cut."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.asked: list[int] = []
        self.questions = 0
        self.is_cut = False

    async def call(self, frame: bytes) -> bytes:
        if self.is_cut:
            raise Outage("the owner does not answer")
        if frame.startswith(questions.MARK):
            self.questions += 1
        else:
            self.asked += [request.id.int for request in decode_requests(frame)]
        return await answered(self.owner, frame)

    def close(self) -> None:
        """Holds nothing."""


@dataclass
class World:
    """An owner, one process that sells for it, and both their clocks."""

    owner: Owner
    clock: FakeClock
    store: FakeStore
    line: Line
    client: StockClient
    monotonic: float = 100.0

    async def ask(self, number: int, customer: str = "bob", quantity: int = 1) -> object:
        """As services/draw.py does."""
        request = draw(number, quantity, customer, limit=9)
        return self.client.sold_out(request) or await self.client.submit(request)

    async def new(self) -> object:
        return await self.ask(next(NUMBERS))

    def watch(self) -> marks.Watch | None:
        return self.client.marks.watches.get(WHICH)

    async def marked(self) -> None:
        """Somebody was refused by the owner, and the process has its mark."""
        assert await self.new() == NONE_LEFT
        await until(lambda: (watch := self.watch()) is not None and watch.until > self.monotonic)

    def tick(self, seconds: float) -> None:
        self.monotonic += seconds
        self.clock.tick(milliseconds=round(seconds * 1_000))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Three units were for sale; 1 and 2 have them."""
    clock, store = FakeClock(), fake_store()
    async with running(store, clock) as owner:
        line = Line(owner)
        client = StockClient([line], Ask(nobody, nothing, yes))
        world = World(owner, clock, store, line, client)
        client.marks.time = lambda: world.monotonic
        await opened(owner, PARIS=2, ROME=1)
        await world.ask(1, "ann", 2)
        await world.ask(2, "cid", 1)
        yield world
        client.close()


async def test_after_the_owners_first_no_nobody_asks_it_again(world: World) -> None:
    await world.marked()
    asked, reads, appends = len(world.line.asked), world.store.reads, world.store.appends
    for _ in range(20):
        assert await world.new() == NONE_LEFT
    assert len(world.line.asked) == asked
    assert (world.store.reads, world.store.appends) == (reads, appends)
    assert world.client.marks.told == 20


async def test_who_was_served_is_answered_again_although_all_is_sold_out(world: World) -> None:
    first = [await world.ask(1, "ann", 2), await world.ask(2, "cid", 1)]
    await world.marked()
    again = [await world.ask(1, "ann", 2), await world.ask(2, "cid", 1)]
    assert again == first
    assert all(isinstance(answer, Done) for answer in again)


async def test_who_was_served_and_gave_it_back_is_still_known(world: World) -> None:
    await one(world.owner, on(Release, 2, ROME))
    await world.ask(3, "dan", 1)
    await world.marked()
    assert isinstance(await world.ask(2, "cid", 1), Done)


async def test_what_comes_back_can_be_had_within_the_time(world: World) -> None:
    await world.marked()
    await one(world.owner, on(Release, 2, ROME))
    assert await world.new() == NONE_LEFT, "the mark stands for a moment"
    world.tick(MARK_SECONDS)
    assert await world.new() == NONE_LEFT, "other processes' marks may be younger"
    world.tick(SHUT.total_seconds() - MARK_SECONDS)
    assert isinstance(await world.new(), Done)
    assert SHUT.total_seconds() < 0.2


async def test_while_a_mark_may_stand_the_owner_accepts_nothing_that_it_excludes(
    world: World,
) -> None:
    await world.marked()
    await one(world.owner, on(Release, 2, ROME))
    assert await one(world.owner, draw(50, 1, "eve", limit=9)) == NONE_LEFT
    assert await one(world.owner, draw(51, 1, "eve", limit=0)) == LimitReached(0, 0)
    other = draw(52, 1, "eve", limit=9, cells=(ROME,))
    assert given(await one(world.owner, other)) == {"ROME": 1}, "another class of buyers"


async def test_a_mark_is_over_by_itself_when_the_owner_is_silent(world: World) -> None:
    await world.marked()
    world.line.is_cut = True
    world.tick(MARK_SECONDS)
    assert world.client.sold_out(draw(60, 1, "eve", limit=9)) is None


async def test_without_buyers_the_owner_is_left_alone(world: World) -> None:
    await world.marked()
    world.monotonic += marks.IDLE_SECONDS
    watch = world.watch()
    assert watch is not None
    assert watch.task is not None
    await watch.task
    assert world.client.sold_out(draw(61, 1, "eve", limit=9)) is None


async def told(world: World, tally: int = 0, known: int = 0, which: Shut = WHICH) -> Told | None:
    question = sold_out.encode_question(Asked(BERLIN, which, tally, known))
    return sold_out.decode_told(await sold_out.answer(world.owner, question))


async def test_only_new_ids_are_told_again(world: World) -> None:
    await world.marked()
    first = await told(world)
    assert first is not None
    assert set(sold_out.split(first.ids)) == {rid(1).bytes, rid(2).bytes}
    again = await told(world, first.tally, first.total)
    assert again is not None
    assert (again.ids, again.total) == (b"", 2)
    other = await told(world, first.tally + 1, 2)
    assert other is not None
    assert (other.known, len(other.ids)) == (0, 32), "of another tally all are told"


async def test_there_is_no_mark_while_something_is_left(world: World) -> None:
    await world.marked()
    await one(world.owner, on(Release, 2, ROME))
    assert await told(world) is None


async def test_there_is_no_mark_for_what_is_not_in_memory(world: World) -> None:
    await world.marked()
    world.owner.host.clear()
    assert await told(world) is None
    assert await told(world, which=Shut("sale:other", (PARIS,))) is None


async def test_a_mark_waits_until_all_accepted_ids_are_known(world: World) -> None:
    """Told in parts: before the last part a mark would exclude somebody who was served."""
    parts = [rid(1).bytes, rid(2).bytes]

    async def in_parts(_cell: object, _question: bytes) -> bytes:
        known = len(watch.drawn)
        return sold_out.ENCODER.encode(Told(7, known, parts[known], 2))

    watch = marks.Watch(WHICH, BERLIN, world.monotonic)
    slow = marks.Marks(in_parts)
    slow.time = lambda: world.monotonic
    assert await slow.renew(watch)
    assert not watch.until
    assert await slow.renew(watch)
    assert watch.until == world.monotonic + MARK_SECONDS
