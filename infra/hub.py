"""The change feed of one API process: one consumer of the bus, one slot per cell and subscriber.
The newest level wins its slot, so a slow subscriber loses history, never truth, and holds back
nobody. Per cell, what a subscriber is given never goes back in seq: older news are not passed on.
"""

import asyncio
import logging
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from infra.levels import CellLevel
from infra.outage import Outage

SUBSCRIBERS_LIMIT = 10_000
"""Per process."""
SLOTS_LIMIT = 10_000
"""Cells that may wait for one subscriber; beyond, it reads all its levels again instead."""
SLOW_SECONDS = 60.0
"""A subscriber for which changes wait, and which takes none for so long, is closed."""
SWEEP_SECONDS = 5.0
LINGER_SECONDS = 30.0
"""The bus is followed for this long, and at most twice as long, after the last subscriber left."""
RETRY_SECONDS = 1.0
CELLS_AT_FIRST = 4_096
CELL_ID_LIMIT = 100_000_000
VIEWS_LIMIT = 1_000
UNSEEN = -1
T = TypeVar("T")

log = logging.getLogger(__name__)


class Feed(Protocol):
    async def follow(
        self, on_level: Callable[[CellLevel], object], on_gap: Callable[[], None]
    ) -> None: ...


class Truth(Protocol):
    """Pages of committed levels, in the order of cell ids; an empty page is the end."""

    async def page(self, after: int, skus: Sequence[str] | None) -> list[CellLevel]: ...


class Interest(NamedTuple):
    """Which cells a subscriber wants; None is all. With `at_most`, a change is of interest when
    the cell has no more available than that, before or after: so it is also seen leaving."""

    skus: frozenset[str] | None = None
    warehouses: frozenset[str] | None = None
    at_most: int | None = None

    def admits(self, level: CellLevel) -> bool:
        if self.skus is not None and level.sku not in self.skus:
            return False
        return self.warehouses is None or level.warehouse in self.warehouses


class Subscriber:
    """What waits for one client: its slots, and the order in which they were first filled."""

    def __init__(self, interest: Interest) -> None:
        self.interest = interest
        self.slots: dict[int, CellLevel] = {}
        self.order: deque[int] = deque()
        self.wake = asyncio.Event()
        self.waits_since = 0.0
        self.is_behind = False
        self.is_slow = False

    def put(self, level: CellLevel, now: float) -> bool:
        """Whether that was one cell too many, and everything was let go."""
        if level.cell_id in self.slots:
            self.slots[level.cell_id] = level
            return False
        if self.is_behind or self.is_slow:
            return False
        if not self.slots:
            self.waits_since = now
            self.wake.set()
        self.order.append(level.cell_id)
        self.slots[level.cell_id] = level
        if len(self.order) <= SLOTS_LIMIT:
            return False
        self.drop()
        self.is_behind = True
        return True

    def drop(self) -> None:
        self.slots.clear()
        self.order.clear()
        self.wake.set()

    def given(self, cell_id: int) -> None:
        """The client was given what waits for this cell, or something newer, in another way."""
        self.slots.pop(cell_id, None)
        self.waits_since = asyncio.get_running_loop().time()

    async def next(self) -> CellLevel | None:
        """The newest level of the cell that has waited longest; None: too many changed, read all
        levels again. Raises Outage when this subscriber has been too slow."""
        while True:
            if self.is_slow:
                raise Outage(f"closed: nothing was taken for {SLOW_SECONDS:.0f} seconds")
            if self.is_behind:
                self.is_behind = False
                return None
            while self.order:
                level = self.slots.pop(self.order.popleft(), None)
                if level is not None:
                    self.waits_since = asyncio.get_running_loop().time()
                    return level
            self.wake.clear()
            await self.wake.wait()


class View(NamedTuple):
    """What is being made of a level, and whether it is."""

    level: CellLevel
    task: asyncio.Task[Any]
    is_made: asyncio.Event


class Hub:
    """`seqs` and `held` are the newest seq and available units of each cell that was ever heard of,
    by cell id: ids are dense, so this costs 16 bytes per cell."""

    def __init__(self, truth: Truth, linger_seconds: float = LINGER_SECONDS) -> None:
        self.truth = truth
        self.linger_seconds = linger_seconds
        self.arrived = asyncio.Event()
        self.seqs = array("q", [UNSEEN]) * CELLS_AT_FIRST
        self.held = array("q", [UNSEEN]) * CELLS_AT_FIRST
        self.everyone: set[Subscriber] = set()
        self.by_sku: dict[str, set[Subscriber]] = {}
        self.by_warehouse: dict[str, set[Subscriber]] = {}
        self.unbounded: set[Subscriber] = set()
        self.views: OrderedDict[int, View] = OrderedDict()
        self.gap = asyncio.Event()
        self.changes = self.gaps = self.behind = self.slow = 0

    async def run(self, feed: Feed) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.follow(feed))
            tasks.create_task(self.resynchronise())
            tasks.create_task(self.sweep())

    async def follow(self, feed: Feed) -> None:
        """Only while somebody listens, as hearing of every change costs. What a first subscriber
        misses until the feed has begun is read with the gap that every beginning is."""
        while True:
            await self.arrived.wait()
            following = asyncio.create_task(feed.follow(self.offer, self.gap.set))
            try:
                await self.until_left(following)
            finally:
                following.cancel()
                await asyncio.wait({following})

    async def until_left(self, following: asyncio.Task[None]) -> None:
        while self.everyone or self.arrived.is_set():
            self.arrived.clear()
            await asyncio.wait({following}, timeout=self.linger_seconds)
            if following.done():
                following.result()

    @contextmanager
    def subscribed(self, interest: Interest) -> Iterator[Subscriber]:
        """From here on every change of interest comes; read the levels after, not before."""
        if len(self.everyone) >= SUBSCRIBERS_LIMIT:
            raise Outage(f"{SUBSCRIBERS_LIMIT} subscriptions are open in this process", "BUSY")
        subscriber = Subscriber(interest)
        places = list(self.places(interest))
        self.everyone.add(subscriber)
        self.arrived.set()
        for index, key in places:
            index.setdefault(key, set()).add(subscriber)
        if not places:
            self.unbounded.add(subscriber)
        try:
            yield subscriber
        finally:
            self.everyone.discard(subscriber)
            self.unbounded.discard(subscriber)
            for index, key in places:
                index[key].discard(subscriber)
                if not index[key]:
                    del index[key]

    def places(self, interest: Interest) -> Iterator[tuple[dict[str, set[Subscriber]], str]]:
        """Where a subscriber is looked up: by SKU if it names any, else by warehouse."""
        if interest.skus is not None:
            yield from ((self.by_sku, sku) for sku in interest.skus)
        elif interest.warehouses is not None:
            yield from ((self.by_warehouse, code) for code in interest.warehouses)

    def offer(self, level: CellLevel) -> bool:
        """Tells a level to all who want it if it is newer than what they were told of its cell;
        answers whether nothing newer is known."""
        cell_id = level.cell_id
        if cell_id >= len(self.seqs):
            self.grow(cell_id)
        seq = self.seqs[cell_id]
        if level.seq <= seq:
            return level.seq == seq
        lowest = level.available if seq == UNSEEN else min(self.held[cell_id], level.available)
        self.seqs[cell_id] = level.seq
        self.held[cell_id] = level.available
        self.changes += 1
        now = asyncio.get_running_loop().time()
        for subscriber in self.candidates(level):
            interest = subscriber.interest
            is_held = interest.at_most is None or lowest <= interest.at_most or seq == UNSEEN
            if (is_held or cell_id in subscriber.slots) and interest.admits(level):
                self.behind += subscriber.put(level, now)
        return True

    def grow(self, cell_id: int) -> None:
        if cell_id > CELL_ID_LIMIT:
            raise ValueError(f"cell {cell_id} is beyond what a process keeps track of")
        missing = array("q", [UNSEEN]) * (2 * cell_id - len(self.seqs))
        self.seqs.extend(missing)
        self.held.extend(missing)

    def candidates(self, level: CellLevel) -> Iterable[Subscriber]:
        yield from self.by_sku.get(level.sku, ())
        yield from self.by_warehouse.get(level.warehouse, ())
        yield from self.unbounded

    def made(self, level: CellLevel) -> Any:
        """What `view` made of that level, if it did and lately; else None."""
        view = self.views.get(level.cell_id)
        is_there = view and view.level is level and view.is_made.is_set()
        return view.task.result() if view and is_there and not has_failed(view.task) else None

    async def view(
        self, level: CellLevel, make: Callable[[CellLevel], Coroutine[Any, Any, T]]
    ) -> T:
        """What `make` makes of a level, made once for all who are given the same one. A task that
        thousands wait for by callbacks looks through all of them for each; an event does not."""
        view = self.views.get(level.cell_id)
        if view is None or view.level is not level or has_failed(view.task):
            view = View(level, asyncio.create_task(make(level)), asyncio.Event())
            view.task.add_done_callback(partial(tell, view.is_made))
            self.views[level.cell_id] = view
            if len(self.views) > VIEWS_LIMIT:
                self.views.popitem(last=False)
        if not view.task.done():
            await view.is_made.wait()
        result: T = view.task.result()
        return result

    async def resynchronise(self) -> None:
        """After a gap: the subscribed cells are read again, and what is newer is told."""
        while True:
            await self.gap.wait()
            self.gap.clear()
            try:
                await self.read_again()
                self.gaps += 1
            except Exception:  # tidy: allow broad-except: the feed goes on, and this is tried again
                log.exception("the subscribed levels cannot be read again yet")
                self.gap.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def read_again(self) -> None:
        is_bounded = all(s.interest.skus is not None for s in self.everyone)
        skus = sorted(self.by_sku) if is_bounded else None
        after = 0
        while self.everyone and (page := await self.truth.page(after, skus)):
            after = page[-1].cell_id
            for level in page:
                self.offer(level)

    async def sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.close_slow(asyncio.get_running_loop().time())

    def close_slow(self, now: float) -> None:
        for subscriber in self.everyone:
            if subscriber.slots and now - subscriber.waits_since > SLOW_SECONDS:
                subscriber.is_slow = True
                subscriber.drop()
                self.slow += 1
                log.warning("a subscription is closed: its client is too slow")


def tell(event: asyncio.Event, _task: asyncio.Task[Any]) -> None:
    event.set()


def has_failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
