"""A cell with its history: asks the domain, and after every answer checks what must always hold."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.cell import SLOT, Cell, Change, apply, apply_entry
from domain.commands import CellKey, Command
from domain.decisions import decide
from domain.ledger import TRACKED, Entry
from domain.refusals import Refusal
from domain.states import OPEN_STATES, ReservationState

START = datetime(2030, 1, 1, tzinfo=UTC)
KEY = CellKey("MUG", "BER")


def empty_cell(floor: int = 0) -> Cell:
    return Cell(KEY, START, floor=floor)


def contents(cell: Cell) -> tuple[object, ...]:
    """All of a cell, apart from it: two are equal only if nothing differs."""
    holds = dict(cell.holds)
    fixed = (cell.key, cell.id, cell.version, cell.floor, cell.seq, cell.as_of)
    return (*fixed, tuple(cell.units), dict(cell.pools), holds)


@dataclass
class World:
    cell: Cell = field(default_factory=empty_cell)
    entries: list[Entry] = field(default_factory=list)
    now: datetime = START

    def ask(self, command: Command) -> Change | Refusal:
        before = contents(self.cell)
        request_id = UUID(int=len(self.entries) + 1)
        answer = decide(self.cell, command, request_id, self.now)
        assert contents(self.cell) == before, "decide touched the cell"
        if isinstance(answer, Change):
            apply(self.cell, answer)
            if answer.entry is not None:
                assert (answer.entry.request_id, answer.entry.at) == (request_id, self.now)
                self.entries.append(answer.entry)
            self.check()
        return answer

    def tick(self, time: timedelta) -> None:
        self.now += time

    def check(self) -> None:
        self.check_buckets()
        self.check_ledger()
        self.check_holds()

    def check_buckets(self) -> None:
        available, *others = self.cell.units
        assert available >= self.cell.floor, "the open pool is below its floor"
        assert min(others) >= 0, "a bucket is below 0"
        assert all(units > 0 for units in self.cell.pools.values()), "a pool is empty or below 0"

    def check_ledger(self) -> None:
        fold = empty_cell()
        came_in = went_out = 0
        for entry in self.entries:
            apply_entry(fold, entry)
            assert entry.quantity > 0
            came_in += entry.quantity if entry.movement.source not in TRACKED else 0
            went_out += entry.quantity if entry.movement.target not in TRACKED else 0
        assert [entry.seq for entry in self.entries] == list(range(1, self.cell.seq + 1))
        assert (fold.units, fold.pools) == (self.cell.units, self.cell.pools)
        assert (fold.seq, fold.as_of) == (self.cell.seq, self.cell.as_of)
        assert self.cell.level().on_hand == came_in - went_out
        assert fold.level() == self.cell.level()

    def check_holds(self) -> None:
        for hold in self.cell.holds.values():
            assert 0 <= hold.deducted <= hold.quantity
            assert (hold.state is ReservationState.DEDUCTED) == (hold.left == 0)
            assert (hold.deadline is not None) == (hold.state is ReservationState.HELD)
        held = sum(h.left for h in self.cell.holds.values() if h.state in OPEN_STATES)
        assert held == self.cell.units[SLOT[TRACKED[1]]], (
            "open holds and the reserved bucket differ"
        )
