"""One cell: what it holds, and how a change alters it.

`apply` touches and never refuses; domain.decisions looks and never touches. A cell is the fold of
its entries: `apply_entry` of each, in order, from an empty cell.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.commands import CellKey
from domain.ledger import BY_PATH, TRACKED, Bucket, Entry, Kind, Movement
from domain.states import ReservationState

SLOT = {bucket: index for index, bucket in enumerate(TRACKED)}
AVAILABLE = SLOT[Bucket.AVAILABLE]
ALLOT = BY_PATH[Kind.ALLOT, Bucket.AVAILABLE, Bucket.AVAILABLE]
UNALLOT = BY_PATH[Kind.UNALLOT, Bucket.AVAILABLE, Bucket.AVAILABLE]


class Hold(NamedTuple):
    """A reservation's part in this cell. `seq` and `available_after` (of its pool) are those of
    the entry that made it; `deadline` is None once confirmed; `customer` is told in sales only."""

    quantity: int
    deducted: int
    state: ReservationState
    deadline: datetime | None
    pool: str | None
    seq: int
    available_after: int
    customer: str | None = None

    @property
    def left(self) -> int:
        return self.quantity - self.deducted


class Level(NamedTuple):
    """What a cell holds at `seq`. `available` is the open pool; `pooled` all other pools."""

    available: int
    reserved: int
    quarantined: int
    damaged: int
    pooled: int
    seq: int
    as_of: datetime

    @property
    def on_hand(self) -> int:
        return self.available + self.reserved + self.quarantined + self.damaged + self.pooled


@dataclass(slots=True, eq=False)
class Tally:
    """What a sale has given so far. `taken`: units per customer, in open holds and handed over.
    `drawn`: every reservation that was ever accepted, in order. `tickets`: who used which."""

    taken: dict[str, int] = field(default_factory=dict)
    drawn: dict[UUID, None] = field(default_factory=dict)
    tickets: dict[UUID, UUID] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Cell:
    """`units` are the tracked buckets in the order of TRACKED, the open pool first. `tallies`, by
    pool, are of the sales whose anchor this cell is; None as long as nobody needs one."""

    key: CellKey
    as_of: datetime
    id: int = 0
    version: int = 0
    seq: int = 0
    floor: int = 0
    units: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    pools: dict[str, int] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    tallies: dict[str, Tally] | None = None

    def in_pool(self, pool: str | None) -> int:
        return self.units[AVAILABLE] if pool is None else self.pools.get(pool, 0)

    def level(self) -> Level:
        available, reserved, quarantined, damaged = self.units
        pooled = sum(self.pools.values()) if self.pools else 0
        return Level(available, reserved, quarantined, damaged, pooled, self.seq, self.as_of)


class Change(NamedTuple):
    """What one command does: an entry, a hold, both or (a repeated command) neither. A change
    with `reservation` and no `hold` forgets the hold."""

    entry: Entry | None = None
    reservation: UUID | None = None
    hold: Hold | None = None


NO_CHANGE = Change()


def apply(cell: Cell, change: Change) -> None:
    entry, reservation, hold = change
    if entry is not None:
        apply_entry(cell, entry)
    if hold is not None:
        assert reservation is not None
        cell.holds[reservation] = hold
    elif reservation is not None:
        cell.holds.pop(reservation, None)


def apply_entry(cell: Cell, entry: Entry) -> None:
    """The fold step. Source and target are tracked, outside, or pools of the available bucket."""
    seq, movement, quantity, pool, _, at = entry
    assert seq == cell.seq + 1, "an entry was skipped or repeated"
    add(cell, movement.source, None if movement == ALLOT else pool, -quantity)
    add(cell, movement.target, None if movement == UNALLOT else pool, quantity)
    cell.seq = seq
    cell.as_of = at


def undo_entry(cell: Cell, movement: Movement, quantity: int, pool: str | None) -> None:
    """The cell as it was before its newest entry, which is one with these figures."""
    add(cell, movement.source, None if movement == ALLOT else pool, quantity)
    add(cell, movement.target, None if movement == UNALLOT else pool, -quantity)
    cell.seq -= 1


def add(cell: Cell, bucket: Bucket, pool: str | None, delta: int) -> None:
    slot = SLOT.get(bucket)
    if slot is None:
        return
    if slot == AVAILABLE and pool is not None:
        units = cell.pools.get(pool, 0) + delta
        cell.pools[pool] = units
        if not units:
            del cell.pools[pool]
        return
    cell.units[slot] += delta
