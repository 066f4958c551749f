"""Every subscriber ends with the newest of each of its cells, never goes back, and is bounded."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager

import pytest

from infra import hub as limits
from infra.hub import Hub, Interest, Subscriber
from infra.levels import CellLevel
from infra.outage import Outage
from tests.infra.fakes import Committed, level

EVERYTHING = Interest()


class FakeFeed:
    """Hands over what the hub gives it to call."""

    on_level: Callable[[CellLevel], object]
    on_gap: Callable[[], None]

    def __init__(self) -> None:
        self.is_followed = asyncio.Event()
        self.is_left = asyncio.Event()

    async def follow(
        self, on_level: Callable[[CellLevel], object], on_gap: Callable[[], None]
    ) -> None:
        self.on_level, self.on_gap = on_level, on_gap
        self.is_followed.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.is_followed.clear()
            self.is_left.set()


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[FakeFeed]:
    feed = FakeFeed()
    task = asyncio.create_task(hub.run(feed))
    yield feed
    task.cancel()


def waiting(subscriber: Subscriber) -> list[CellLevel]:
    return [subscriber.slots[i] for i in subscriber.order if i in subscriber.slots]


@pytest.fixture
async def hub() -> Hub:
    return Hub(Committed())


async def test_a_change_reaches_whoever_wants_its_sku_its_warehouse_or_all(hub: Hub) -> None:
    interests = {
        "sku": Interest(skus=frozenset({"S1", "S7"})),
        "other sku": Interest(skus=frozenset({"S2"})),
        "warehouse": Interest(warehouses=frozenset({"W"})),
        "other warehouse": Interest(warehouses=frozenset({"V"})),
        "sku elsewhere": Interest(skus=frozenset({"S1"}), warehouses=frozenset({"V"})),
        "no sku": Interest(skus=frozenset()),
        "all": EVERYTHING,
    }
    with ExitStack() as stack:
        subscribers = {
            name: stack.enter_context(hub.subscribed(interest))
            for name, interest in interests.items()
        }
        hub.offer(level(1, 1))
        told = {name for name, subscriber in subscribers.items() if waiting(subscriber)}
    assert told == {"sku", "warehouse", "all"}


async def test_the_newest_wins_the_slot_and_older_news_are_not_passed_on(hub: Hub) -> None:
    with hub.subscribed(EVERYTHING) as subscriber:
        assert hub.offer(level(1, 1))
        assert hub.offer(level(1, 3))
        assert hub.offer(level(1, 3))
        assert not hub.offer(level(1, 2))
        assert await subscriber.next() == level(1, 3)
        assert not subscriber.order


async def test_cells_are_given_in_the_order_in_which_they_began_to_wait(hub: Hub) -> None:
    with hub.subscribed(EVERYTHING) as subscriber:
        for item in (level(5, 1), level(2, 1), level(5, 2)):
            hub.offer(item)
        assert [await subscriber.next(), await subscriber.next()] == [level(5, 2), level(2, 1)]


async def test_a_subscriber_sleeps_until_something_changes(hub: Hub) -> None:
    with hub.subscribed(EVERYTHING) as subscriber:
        taking = asyncio.create_task(subscriber.next())
        await asyncio.sleep(0)
        assert not taking.done()
        hub.offer(level(1, 1))
        assert await asyncio.wait_for(taking, 1) == level(1, 1)


async def test_nothing_is_kept_of_a_subscriber_that_left(hub: Hub) -> None:
    with (
        hub.subscribed(Interest(skus=frozenset({"S1"}))),
        hub.subscribed(Interest(warehouses=frozenset({"W"}))),
        hub.subscribed(EVERYTHING),
    ):
        assert len(hub.everyone) == 3
    assert not hub.everyone
    assert not hub.by_sku
    assert not hub.by_warehouse
    assert not hub.unbounded


async def test_a_cell_is_seen_coming_below_the_mark_and_leaving_it_again(hub: Hub) -> None:
    hub.offer(level(1, 1, available=9))
    seen = []
    with hub.subscribed(Interest(at_most=5)) as subscriber:
        for seq, available in enumerate((8, 5, 4, 6, 7), 2):
            hub.offer(level(1, seq, available))
            seen += [item.available for item in waiting(subscriber)]
            subscriber.slots.clear()
            subscriber.order.clear()
    assert seen == [5, 4, 6]


async def test_a_waiting_level_below_the_mark_gives_way_to_one_above(hub: Hub) -> None:
    hub.offer(level(1, 1, available=9))
    with hub.subscribed(Interest(at_most=5)) as subscriber:
        for seq, available in enumerate((3, 8, 9), 2):
            hub.offer(level(1, seq, available))
        assert await subscriber.next() == level(1, 4, available=9)


async def test_a_subscriber_that_does_not_take_is_told_to_read_again_and_holds_nothing(
    hub: Hub,
) -> None:
    with hub.subscribed(EVERYTHING) as subscriber:
        for cell in range(1, limits.SLOTS_LIMIT + 2):
            hub.offer(level(cell, 1))
        assert len(subscriber.slots) == len(subscriber.order) == 0
        assert hub.behind == 1
        hub.offer(level(1, 2))
        assert not subscriber.slots
        assert await subscriber.next() is None
        hub.offer(level(1, 3))
        assert await subscriber.next() == level(1, 3)


async def test_one_who_takes_nothing_while_changes_wait_is_closed(hub: Hub) -> None:
    now = asyncio.get_running_loop().time()
    with hub.subscribed(EVERYTHING) as slow, hub.subscribed(EVERYTHING) as quick:
        hub.offer(level(1, 1))
        await quick.next()
        hub.close_slow(now + limits.SLOW_SECONDS - 1)
        assert waiting(slow)
        hub.close_slow(now + limits.SLOW_SECONDS + 2)
        hub.offer(level(1, 2))
        assert not slow.slots
        with pytest.raises(Outage, match="nothing was taken"):
            await slow.next()
        assert await quick.next() == level(1, 2)


async def test_what_is_given_in_another_way_counts_as_taken(hub: Hub) -> None:
    with hub.subscribed(EVERYTHING) as subscriber:
        hub.offer(level(1, 1))
        hub.offer(level(2, 1))
        subscriber.waits_since -= limits.SLOW_SECONDS + 1
        subscriber.given(1)
        hub.close_slow(asyncio.get_running_loop().time())
        assert await subscriber.next() == level(2, 1)


async def test_there_is_a_limit_of_subscribers(hub: Hub) -> None:
    hub.everyone = {Subscriber(EVERYTHING) for _ in range(limits.SUBSCRIBERS_LIMIT)}
    with pytest.raises(Outage) as refused, hub.subscribed(EVERYTHING):
        pass
    assert refused.value.code == "BUSY"


async def test_after_a_gap_what_changed_is_told_and_the_rest_is_not() -> None:
    truth = Committed()
    hub = Hub(truth)
    wanted = Interest(skus=frozenset({"S1", "S2"}))
    async with running(hub) as feed:
        with hub.subscribed(wanted) as subscriber:
            await feed.is_followed.wait()
            for cell in (1, 2, 3):
                feed.on_level(truth.commit(level(cell, 1)))
            assert [await subscriber.next(), await subscriber.next()] == [level(1, 1), level(2, 1)]
            truth.commit(level(2, 2))
            truth.commit(level(3, 2))
            feed.on_gap()
            assert await asyncio.wait_for(subscriber.next(), 1) == level(2, 2)
            assert not subscriber.slots
    assert truth.reads[0] == ["S1", "S2"]


async def test_after_a_gap_all_cells_are_read_if_somebody_wants_all() -> None:
    truth = Committed()
    hub = Hub(truth)
    async with running(hub) as feed:
        with (
            hub.subscribed(Interest(skus=frozenset({"S1"}))),
            hub.subscribed(EVERYTHING) as subscriber,
        ):
            await feed.is_followed.wait()
            for cell in range(1, 8):
                truth.commit(level(cell, 1))
            feed.on_gap()
            seen = [await asyncio.wait_for(subscriber.next(), 1) for _ in range(7)]
    assert [item.cell_id for item in seen if item] == [1, 2, 3, 4, 5, 6, 7]
    assert set(truth.reads) == {None}


async def test_the_bus_is_followed_only_while_somebody_listens() -> None:
    hub = Hub(Committed(), linger_seconds=0.01)
    async with running(hub) as feed:
        for _ in range(2):
            await asyncio.sleep(0)
            assert not feed.is_followed.is_set()
            with hub.subscribed(EVERYTHING):
                await asyncio.wait_for(feed.is_followed.wait(), 1)
                feed.is_left.clear()
                await asyncio.sleep(3 * hub.linger_seconds)
                assert feed.is_followed.is_set()
            await asyncio.wait_for(feed.is_left.wait(), 1)


async def test_what_changed_before_the_feed_had_begun_is_told_with_its_beginning() -> None:
    truth = Committed()
    hub = Hub(truth)
    async with running(hub) as feed:
        with hub.subscribed(EVERYTHING) as subscriber:
            truth.commit(level(1, 1))
            await feed.is_followed.wait()
            feed.on_gap()
            assert await asyncio.wait_for(subscriber.next(), 1) == level(1, 1)


async def test_a_view_of_a_level_is_made_once_for_all(hub: Hub) -> None:
    made: list[int] = []

    async def make(item: CellLevel) -> str:
        made.append(item.seq)
        await asyncio.sleep(0)
        return f"seq {item.seq}"

    first, second = level(1, 1), level(1, 2)
    views = await asyncio.gather(*(hub.view(first, make) for _ in range(5)))
    assert views == ["seq 1"] * 5
    assert await hub.view(second, make) == "seq 2"
    assert made == [1, 2]


async def test_a_view_that_was_made_is_found_without_waiting(hub: Hub) -> None:
    async def make(level: CellLevel) -> str:
        return f"seq {level.seq}"

    first, second = level(1, 1), level(1, 2)
    assert hub.made(first) is None
    await hub.view(first, make)
    assert hub.made(first) == "seq 1"
    assert hub.made(second) is None
    assert hub.made(level(1, 1)) is None, "it is that level, not an equal one"


async def test_a_view_that_failed_is_made_again(hub: Hub) -> None:
    answers: Iterator[OSError | str] = iter([OSError("down"), "seen"])

    async def make(_: CellLevel) -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    same = level(1, 1)
    with pytest.raises(OSError, match="down"):
        await hub.view(same, make)
    assert await hub.view(same, make) == "seen"
