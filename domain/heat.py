"""When a pair deserves an owner of its own without a sale, and when it has cooled.

A pair is hot that takes the better part of its owner's commands and leaves too little to the
owner's other cells. It must stay so for a while before it moves, and be far cooler for longer
before it goes back, so that none goes to and fro.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from domain.commands import CellKey

HOT_SHARE = 0.5
"""Of its owner's commands: a pair must have more."""
COOL_PART = 0.2
"""Of the commands per second that make a pair hot: with fewer it is cool."""


class SeatReason(StrEnum):
    SHARED = "shared"
    SALE = "sale"
    HOT = "hot"
    PLACED = "placed"


class Warmth(NamedTuple):
    """What an owner counts. `per_second` is None while nobody in that seat can tell; `busiest` are
    its busiest cells with their commands per second."""

    seat: str
    reason: SeatReason
    cells: tuple[CellKey, ...]
    per_second: float | None
    busiest: tuple[tuple[CellKey, float], ...]


class Bounds(NamedTuple):
    """`seats` of promoted pairs at a time: each has a process."""

    per_second: float
    hot_seconds: float
    cool_seconds: float
    seats: int


class Since(NamedTuple):
    """From when on a pair has been hot, and a promoted pair's seat cool, without a break."""

    hot: Mapping[CellKey, float]
    cool: Mapping[str, float]


NEVER = Since({}, {})


class Moves(NamedTuple):
    """Pairs that get a seat of their own now, the hottest first; seats that are given up."""

    promote: list[CellKey]
    demote: list[str]


def judge(
    before: Since, seats: Sequence[Warmth], now: float, bounds: Bounds
) -> tuple[Since, Moves]:
    """A pair that was placed by somebody, for a sale or by hand, stays there."""
    placed = {cell for each in seats for cell in each.cells}
    rates = {cell: rate for cell, rate in hot_cells(seats, bounds) if cell not in placed}
    promoted = [each for each in seats if each.reason is SeatReason.HOT]
    cool = [each.seat for each in promoted if each.cells and is_cool(each, bounds)]
    since = Since(
        {cell: before.hot.get(cell, now) for cell in rates},
        {seat: before.cool.get(seat, now) for seat in cool},
    )
    ripe = [cell for cell, at in since.hot.items() if now - at >= bounds.hot_seconds]
    ripe.sort(key=lambda cell: (-rates[cell], cell))
    room = max(0, bounds.seats - len(promoted))
    cooled = [seat for seat, at in since.cool.items() if now - at >= bounds.cool_seconds]
    return since, Moves(ripe[:room], cooled)


def hot_cells(seats: Iterable[Warmth], bounds: Bounds) -> Iterable[tuple[CellKey, float]]:
    """At this moment, among the cells of shared seats."""
    for each in seats:
        if each.reason is not SeatReason.SHARED or each.per_second is None:
            continue
        for cell, rate in each.busiest:
            if rate >= bounds.per_second and rate > HOT_SHARE * each.per_second:
                yield cell, rate


def is_cool(seat: Warmth, bounds: Bounds) -> bool:
    """An owner that does not tell proves no heat."""
    return seat.per_second is None or seat.per_second < COOL_PART * bounds.per_second
