"""What an owner reads before it decides: cells that are not in memory, holds that have left it, and
outcomes of long ago."""

from collections.abc import Callable, Sequence
from uuid import UUID

from actors.host import Host, Remembered
from actors.store import Store
from actors.wire import Done, LineDone, decode_answer
from domain.cell import Cell
from domain.commands import (
    Adopt,
    CellKey,
    Confirm,
    Deduct,
    Draw,
    Release,
    Request,
    Withdraw,
)
from domain.refusals import NotFound
from infra.clock import Clock
from infra.ledger import StoredOutcome

ABOUT_A_HOLD = (Confirm, Deduct, Release, Withdraw, Adopt)


class Reading:
    """Fills the owner's memory from the store; every read raises Outage when it cannot say."""

    def __init__(self, store: Store, host: Host, clock: Clock) -> None:
        self.store = store
        self.host = host
        self.clock = clock

    def is_needed(self, requests: Sequence[Request]) -> bool:
        """Whether memory lacks a cell, a hold or a tally that the requests speak of."""
        get = self.host.get
        for request in requests:
            for key, command in request.lines:
                cell = get(key)
                if cell is None:
                    return True
                if isinstance(command, ABOUT_A_HOLD) and command.reservation not in cell.holds:
                    return True
            if is_draw(request) and (get(request.home) is None or self.missing_tallies([request])):
                return True
        return False

    def missing_cells(self, requests: Sequence[Request]) -> set[CellKey]:
        get = self.host.get
        missing = {key for r in requests for key, _ in r.lines if get(key) is None}
        missing.update(r.home for r in requests if is_draw(r) and get(r.home) is None)
        return missing

    def missing_tallies(self, requests: Sequence[Request]) -> dict[str, CellKey]:
        """The anchors of the sales that are drawn on, by pool."""
        return {
            command.pool: request.home
            for request in requests
            if isinstance(command := request.lines[0][1], Draw)
            and self.host.tally(command.pool) is None
        }

    def missing_holds(self, requests: Sequence[Request]) -> dict[tuple[UUID, int], Cell]:
        """By (reservation, cell id), with their resident cells."""
        missing: dict[tuple[UUID, int], Cell] = {}
        for request in requests:
            for key, command in request.lines:
                if not isinstance(command, ABOUT_A_HOLD):
                    break
                cell = self.host.get(key)
                if cell is not None and command.reservation not in cell.holds:
                    missing[command.reservation, cell.id] = cell
        return missing

    async def cells(self, requests: Sequence[Request]) -> dict[CellKey, NotFound]:
        """Makes the requests' cells resident; gives the refusals of those that cannot exist."""
        missing = self.missing_cells(requests)
        if not missing:
            return {}
        loaded = await self.store.load_cells(list(missing), self.clock.now())
        absent: dict[CellKey, NotFound] = {}
        for key, cell in loaded.items():
            if isinstance(cell, Cell):
                self.host.put(cell)
            else:
                absent[key] = cell
        return absent

    async def tallies(self, requests: Sequence[Request]) -> None:
        """After the cells: what a sale has given is counted where its anchor is resident."""
        missing = self.missing_tallies(requests)
        if not missing:
            return
        loaded = await self.store.load_tallies(list(missing))
        for pool, tally in loaded.items():
            anchor = self.host.get(missing[pool])
            if anchor is not None:
                self.host.keep_tally(anchor, pool, tally)

    async def closed_holds(self, requests: Sequence[Request]) -> list[tuple[Cell, UUID]]:
        """Brings back the holds that the requests speak of."""
        missing = self.missing_holds(requests)
        if not missing:
            return []
        found = await self.store.load_holds(list(missing))
        for (reservation, cell_id), hold in found.items():
            missing[reservation, cell_id].holds[reservation] = hold
        return [(missing[key], key[0]) for key in found]

    def forget_guests(
        self, requests: Sequence[Request], is_mine: Callable[[CellKey], bool]
    ) -> None:
        """What another owner hosts may change there, and nobody would tell us: the cells of a sale
        that has no owner of its own, and with them its tally, are read for every round."""
        asked = {(key, r.home) for r in requests if is_draw(r) for key, _ in r.lines}
        for key, anchor in asked:
            if not is_mine(key):
                self.host.forget([key, anchor])

    async def outcomes(self, requests: Sequence[Request]) -> set[UUID]:
        """Reads the outcomes of these requests into memory; the ids that have one."""
        outcomes = await self.store.load_outcomes({request.id for request in requests})
        self.host.recent.update(
            {(o.request_id, o.slot): Remembered(o.fingerprint, first_answer(o)) for o in outcomes}
        )
        return {outcome.request_id for outcome in outcomes}


def first_answer(outcome: StoredOutcome) -> LineDone | Done:
    if outcome.answer is not None:
        return decode_answer(outcome.answer)
    assert outcome.held is not None
    key, hold = outcome.held
    return LineDone(key, None, hold, True)


def is_draw(request: Request) -> bool:
    return type(request.lines[0][1]) is Draw
