"""Cells that deserve an owner of their own: told by what the owners count, second by second.

Nothing here talks to anybody: it is given the owners' counts and says what should move.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from domain.commands import CellKey

HOT_SHARE = 0.5
"""Of its owner's commands: a cell with more leaves too little to the owner's other cells."""
HOT_PER_SECOND = 500.0
"""Commands: a cell with less disturbs nobody, whatever its share."""
COOL_PER_SECOND = 100.0
"""A promoted cell with less goes back; far below the other bound, so that none goes to and fro."""
HOT_LOOKS = 6
"""Looks in a row, half a second apart, before a cell is promoted."""
COOL_LOOKS = 60
"""The same before it is demoted: buyers come in waves."""
HOT_SEATS_LIMIT = 4
"""Promoted cells at a time; each has a process."""
HOT = "hot-"


class Moves(NamedTuple):
    """What should be done now: cells that get a seat of their own, seats that are given up."""

    promote: list[CellKey]
    demote: list[str]


class Heat:
    def __init__(self) -> None:
        self.hot: dict[CellKey, int] = {}
        self.cool: dict[str, int] = {}

    def look(self, owners: Iterable[Mapping[str, Any]], placed: Mapping[CellKey, str]) -> Moves:
        """`owners` as they tell their stats; a cell that was placed by somebody stays there."""
        told = {stats["owner"]: stats for stats in owners}
        ours = {seat for seat in placed.values() if seat.startswith(HOT)}
        hot = {key for stats in told.values() for key in hottest(stats) if key not in placed}
        self.hot = {key: self.hot.get(key, 0) + 1 for key in hot}
        cool = {seat for seat in ours if seat in told and is_cool(told[seat])}
        self.cool = {seat: self.cool.get(seat, 0) + 1 for seat in cool}
        ripe = [key for key, looks in self.hot.items() if looks >= HOT_LOOKS]
        room = max(0, HOT_SEATS_LIMIT - len(ours))
        return Moves(ripe[:room], [s for s, looks in self.cool.items() if looks >= COOL_LOOKS])


def hottest(stats: Mapping[str, Any]) -> list[CellKey]:
    """The owner's cells that are hot at this moment."""
    busiest: Sequence[tuple[str, str, float]] = stats["busiest_cells"]
    all_of_it = stats["commands_per_second"]
    return [
        CellKey(sku, warehouse)
        for sku, warehouse, rate in busiest
        if rate >= HOT_PER_SECOND and rate > HOT_SHARE * all_of_it
    ]


def is_cool(stats: Mapping[str, Any]) -> bool:
    return bool(stats["commands_per_second"] < COOL_PER_SECOND)
