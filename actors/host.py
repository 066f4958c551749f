"""The memory of an owner: resident cells, remembered outcomes and deadlines.

All of it may be thrown away at any time: the ledger knows better.
"""

from collections.abc import Collection, Container, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from actors.wire import Done, LineDone
from domain.cell import Cell, Tally
from domain.commands import CellKey
from domain.states import ReservationState

RECENT_LIMIT = 20_000
"""Outcomes per generation in memory; older ones are read from the database when asked for."""


class Remembered(NamedTuple):
    """The first answer to a draw is whole, at its home; to any other request a line per cell."""

    fingerprint: int
    done: LineDone | Done


def cell_of(known: Remembered) -> CellKey:
    done = known.done
    return done.cell if isinstance(done, LineDone) else done.lines[0].cell


class Recent:
    """The newest outcomes by (request id, slot), in two generations: when the young one is full it
    takes the place of the old one. At least the newest `limit` are known. What leaves goes bit by
    bit: all of it at once would take ten milliseconds."""

    def __init__(self, limit: int = RECENT_LIMIT) -> None:
        self.limit = limit
        self.young: dict[tuple[UUID, int], Remembered] = {}
        self.old: dict[tuple[UUID, int], Remembered] = {}
        self.leaving: dict[tuple[UUID, int], Remembered] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self.old)

    def get(self, key: tuple[UUID, int]) -> Remembered | None:
        return self.young.get(key) or self.old.get(key)

    def update(self, outcomes: dict[tuple[UUID, int], Remembered]) -> None:
        self.young.update(outcomes)
        for _ in range(min(2 * len(outcomes), len(self.leaving))):
            self.leaving.popitem()
        if len(self.young) >= self.limit:
            self.leaving, self.old, self.young = self.old, self.young, {}

    def forget(self, key: tuple[UUID, int]) -> None:
        self.young.pop(key, None)
        self.old.pop(key, None)

    def forget_cells(self, cells: Container[CellKey]) -> None:
        for outcomes in (self.young, self.old):
            for key in [key for key, known in outcomes.items() if cell_of(known) in cells]:
                del outcomes[key]

    def clear(self) -> None:
        self.young.clear()
        self.old.clear()
        self.leaving.clear()


class Shut(NamedTuple):
    """These cells of a sale, all of one SKU, in their order."""

    pool: str
    cells: tuple[CellKey, ...]


class Host:
    """Resident cells in two generations: a cell that is used moves to the young one; `rotate`
    drops what was not used since the last rotation."""

    def __init__(self) -> None:
        self.young: dict[CellKey, Cell] = {}
        self.old: dict[CellKey, Cell] = {}
        self.recent = Recent()
        self.deadlines: dict[int, set[CellKey]] = {}
        self.anchors: dict[str, CellKey] = {}
        self.tally_numbers: dict[str, int] = {}
        self.shuts: dict[Shut, datetime] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self.old)

    def get(self, key: CellKey) -> Cell | None:
        cell = self.young.get(key)
        if cell is None:
            cell = self.old.pop(key, None)
            if cell is not None:
                self.young[key] = cell
        return cell

    def put(self, cell: Cell) -> None:
        self.young[cell.key] = cell
        for hold in cell.holds.values():
            if hold.deadline is not None:
                self.watch(cell.key, hold.deadline)

    def forget(self, keys: Iterable[CellKey]) -> None:
        for key in keys:
            self.young.pop(key, None)
            self.old.pop(key, None)

    def let_go(self, keys: Collection[CellKey]) -> None:
        """The cells are another owner's from now on: so is what is remembered of them."""
        self.forget(keys)
        self.recent.forget_cells(keys)

    def clear(self) -> None:
        self.young.clear()
        self.old.clear()
        self.deadlines.clear()
        self.recent.clear()

    def keep_tally(self, anchor: Cell, pool: str, tally: Tally) -> None:
        """It lives and goes with its anchor."""
        anchor.tallies = (anchor.tallies or {}) | {pool: tally}
        self.anchors[pool] = anchor.key
        self.tally_numbers[pool] = self.tally_numbers.get(pool, 0) + 1

    def tally_number(self, pool: str) -> int:
        """Another after each loading: the order of what was drawn may be another too."""
        return self.tally_numbers[pool]

    def shut(self, which: Shut, until: datetime) -> None:
        """Others say that it is sold out, until then. It outlives whatever else is forgotten."""
        self.shuts[which] = until

    def is_shut(self, which: Shut, now: datetime) -> bool:
        until = self.shuts.get(which)
        if until is not None and until <= now:
            del self.shuts[which]
        return until is not None and now < until

    def tally(self, pool: str) -> tuple[Cell, Tally] | None:
        """The resident tally of a sale, with its anchor."""
        key = self.anchors.get(pool)
        anchor = None if key is None else self.get(key)
        tally = None if anchor is None or anchor.tallies is None else anchor.tallies.get(pool)
        if anchor is None or tally is None:
            self.anchors.pop(pool, None)
            return None
        return anchor, tally

    def forget_tallies(self) -> None:
        """Another owner was at work: what it gave stands in no cell of ours."""
        self.forget(self.anchors.values())
        self.anchors.clear()

    def rotate(self) -> int:
        """Drops the idle generation; the number of cells dropped."""
        dropped = len(self.old)
        self.old, self.young = self.young, {}
        return dropped

    def cells(self) -> Iterator[Cell]:
        yield from self.young.values()
        yield from self.old.values()

    def peek(self, key: CellKey) -> Cell | None:
        return self.young.get(key) or self.old.get(key)

    def watch(self, key: CellKey, deadline: datetime) -> None:
        self.watch_second(key, int(deadline.timestamp()))

    def watch_second(self, key: CellKey, second: int) -> None:
        self.deadlines.setdefault(second, set()).add(key)

    def due(self, now: datetime) -> list[tuple[CellKey, UUID]]:
        """The holds of resident cells whose deadline has passed. A second stays watched until it
        is wholly over."""
        passed = int(now.timestamp())
        found: list[tuple[CellKey, UUID]] = []
        for second in [s for s in self.deadlines if s <= passed]:
            for key in self.deadlines[second]:
                cell = self.peek(key)
                found.extend((key, rid) for rid in due_holds(cell, now))
            if second < passed:
                del self.deadlines[second]
        return found


def due_holds(cell: Cell | None, now: datetime) -> list[UUID]:
    if cell is None:
        return []
    return [
        reservation
        for reservation, hold in cell.holds.items()
        if hold.state is ReservationState.HELD
        and hold.deadline is not None
        and hold.deadline <= now
    ]
