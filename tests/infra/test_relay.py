"""The relay loses nothing and turns nothing round, wherever it dies and whatever is down."""

import asyncio
from collections import defaultdict
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.levels import CellLevel
from infra.relay import RETRY_SECONDS, Relay, newest_levels
from tests.infra.fakes import Crash, FakeBus, FakeCache, FakeOutbox, level


class World:
    """What outlives a relay, and the relay that is at work."""

    def __init__(self) -> None:
        self.outbox = FakeOutbox()
        self.cache = FakeCache()
        self.bus = FakeBus()
        self.restart()

    def restart(self) -> None:
        self.outbox.dies_before_delete = False
        self.cache.dies_after_put = False
        self.bus.dies_half_way = self.bus.dies_after = False
        self.relay = Relay(self.outbox, self.cache, self.bus)

    async def settle(self) -> None:
        while await self.relay.step() or self.outbox.rows:
            pass

    def told(self) -> dict[int, list[int]]:
        """Per cell, the seqs as a follower that skips older news hears them."""
        heard: dict[int, list[int]] = defaultdict(list)
        for item in self.bus.told:
            if not heard[item.cell_id] or item.seq > heard[item.cell_id][-1]:
                heard[item.cell_id].append(item.seq)
        return heard


@pytest.fixture
async def world() -> World:
    return World()


async def test_what_is_committed_reaches_the_read_model_and_the_bus(world: World) -> None:
    world.outbox.commit(level(1, 1, 5), level(2, 1, 7))
    await world.settle()
    assert world.cache.held == {1: level(1, 1, 5), 2: level(2, 1, 7)}
    assert world.bus.told == [level(1, 1, 5), level(2, 1, 7)]
    assert not world.outbox.rows


async def test_only_the_newest_level_of_a_cell_is_told(world: World) -> None:
    world.outbox.commit(level(1, 1))
    world.outbox.commit(level(2, 4))
    world.outbox.commit(level(1, 2))
    await world.settle()
    assert world.bus.told == [level(2, 4), level(1, 2)]
    assert world.relay.levels == 3
    assert world.relay.published == 2


async def test_the_read_model_knows_before_the_bus_tells(world: World) -> None:
    world.bus.is_down = True
    world.outbox.commit(level(1, 1))
    assert await world.relay.turn() == RETRY_SECONDS
    assert world.cache.held == {1: level(1, 1)}
    assert world.outbox.rows


async def test_nothing_is_told_of_what_the_read_model_does_not_know(world: World) -> None:
    world.cache.is_down = True
    world.outbox.commit(level(1, 1))
    assert await world.relay.turn() == RETRY_SECONDS
    assert not world.bus.told
    assert world.outbox.rows


@pytest.mark.parametrize("moment", ["after_put", "half_way", "after_publish", "before_delete"])
async def test_a_relay_that_dies_is_followed_by_one_that_tells_again(
    world: World, moment: str
) -> None:
    world.outbox.commit(level(1, 1), level(2, 1))
    world.outbox.commit(level(1, 2), level(3, 1))
    world.cache.dies_after_put = moment == "after_put"
    world.bus.dies_half_way = moment == "half_way"
    world.bus.dies_after = moment == "after_publish"
    world.outbox.dies_before_delete = moment == "before_delete"
    with pytest.raises(Crash):
        await world.relay.step()
    assert len(world.outbox.rows) == 2
    world.restart()
    world.outbox.commit(level(2, 2))
    await world.settle()
    assert world.cache.held == world.outbox.cells
    assert {cell: seqs[-1] for cell, seqs in world.told().items()} == {1: 2, 2: 2, 3: 1}


@given(data=st.data())
def test_whenever_it_dies_and_whatever_is_down_all_is_told_in_order_in_the_end(
    data: st.DataObject,
) -> None:
    asyncio.run(misadventures(data))


async def misadventures(data: st.DataObject) -> None:
    world = World()
    world.outbox.limit = data.draw(st.integers(1, 4))
    seqs: dict[int, int] = defaultdict(int)
    for event in data.draw(st.lists(st.sampled_from("cccsrpdxRND"), max_size=40)):
        if event == "c":
            cells = data.draw(st.sets(st.integers(1, 3), min_size=1))
            for cell in cells:
                seqs[cell] += data.draw(st.integers(1, 2))
            world.outbox.commit(*(level(cell, seqs[cell]) for cell in cells))
        elif event == "R":
            world.cache.restart()
        elif event == "D":
            world.cache.is_down = not world.cache.is_down
        elif event == "N":
            world.bus.is_down = not world.bus.is_down
        else:
            await one_life(world, event)
    world.cache.is_down = world.bus.is_down = False
    world.restart()
    await world.settle()
    assert world.cache.held == world.outbox.cells
    assert {cell: told[-1] for cell, told in world.told().items()} == dict(seqs)
    published: dict[int, int] = {}
    for item in world.bus.told:
        assert item.seq >= published.get(item.cell_id, 0), "an older level after a newer one"
        published[item.cell_id] = item.seq


async def one_life(world: World, event: str) -> None:
    world.cache.dies_after_put = event == "p"
    world.bus.dies_half_way = event == "d"
    world.bus.dies_after = event == "x"
    world.outbox.dies_before_delete = event == "r"
    with suppress(Crash):
        await world.relay.turn()
        return
    world.restart()


async def test_a_redis_that_was_started_again_is_filled_from_the_cells(world: World) -> None:
    for cell in range(1, 6):
        world.outbox.commit(level(cell, cell))
    await world.settle()
    world.cache.restart()
    world.relay.reported_at = 0.0
    await world.settle()
    assert world.cache.held == world.outbox.cells
    assert world.relay.refills == 2
    assert len(world.bus.told) == 5


async def test_changes_do_not_wait_for_the_filling(world: World) -> None:
    for cell in range(1, 21):
        world.outbox.commit(level(cell, 1))
    world.outbox.rows.clear()
    await world.relay.step()
    world.outbox.commit(level(20, 2))
    await world.relay.step()
    assert world.bus.told == [level(20, 2)]
    await world.settle()
    assert world.cache.held == world.outbox.cells


async def test_levels_of_another_database_are_forgotten(world: World) -> None:
    world.outbox.commit(level(1, 90))
    await world.settle()
    world.restart()
    world.outbox.cells.clear()
    world.outbox.name = "database 2"
    world.outbox.commit(level(1, 1))
    await world.settle()
    assert world.cache.held == {1: level(1, 1)}


async def test_a_redis_lost_in_the_middle_of_filling_is_filled_from_the_start(world: World) -> None:
    for cell in range(1, 8):
        world.outbox.commit(level(cell, 1))
    world.outbox.rows.clear()
    await world.relay.step()
    await world.relay.step()
    world.cache.restart()
    world.relay.reported_at = 0.0
    await world.settle()
    assert world.cache.held == world.outbox.cells
    assert world.cache.filled == "run 1+ database 1"


async def test_a_row_that_cannot_be_read_stops_nothing_and_is_made_good(world: World) -> None:
    world.outbox.commit(level(1, 1))
    await world.settle()
    world.outbox.scribble()
    world.outbox.cells[1] = level(1, 2)
    world.outbox.commit(level(2, 1))
    await world.settle()
    assert world.bus.told[-1] == level(2, 1)
    world.relay.reported_at = 0.0
    await world.settle()
    assert world.cache.held == world.outbox.cells


async def test_it_reports_the_age_of_what_waits(world: World) -> None:
    world.outbox.commit(level(1, 1))
    await world.relay.step()
    assert world.cache.last_report is not None
    assert world.cache.last_report.oldest_seconds == 1.5


async def test_it_stops_between_two_steps_when_told_to(world: World) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(world.relay.run(stopping))
    world.outbox.commit(level(1, 1))
    await asyncio.wait_for(world.bus.has_told.wait(), 1)
    stopping.set()
    await asyncio.wait_for(running, 1)
    assert not world.outbox.rows


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9))))
def test_the_newest_of_each_cell_is_the_one_with_the_highest_seq(
    changes: list[tuple[int, int]],
) -> None:
    levels: list[CellLevel] = [level(cell, seq) for cell, seq in changes]
    newest = {item.cell_id: item.seq for item in newest_levels(levels)}
    assert newest == {
        cell: max(seq for other, seq in changes if other == cell) for cell, _ in changes
    }
