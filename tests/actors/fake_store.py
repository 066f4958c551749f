"""The tables of the ledger in memory, with the rules of infra/ledger.py: a version fence, unique
outcomes and entries, all or nothing. One FakeStore may serve several owners; faults are told."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain.cell import Cell, Hold, Tally
from domain.commands import CellKey
from domain.draws import note_draw
from domain.refusals import NotFound
from domain.states import OPEN_STATES, ReservationState
from infra.cells import ticket_of
from infra.ledger import (
    Batch,
    DuplicateRequest,
    NewHold,
    StaleAppend,
    StoredOutcome,
    without_holds,
)
from infra.levels import CellLevel, decode_levels, encode_levels
from infra.outage import Outage

Fault = Literal["lost before", "lost after", "stale"] | None

ENDED = (ReservationState.EXPIRED, ReservationState.RELEASED)


class FakeStore:
    """`faults` holds one fault (or None) per coming append, `breaks` says which batches the
    database chokes on, `gate` holds appends back while it is not set."""

    def __init__(self, skus: Iterable[str], warehouses: Iterable[str]) -> None:
        self.skus, self.warehouses = set(skus), set(warehouses)
        self.cells: dict[CellKey, Cell] = {}
        self.entries: dict[tuple[int, int], tuple[Any, ...]] = {}
        self.holds: dict[tuple[UUID, int], Hold] = {}
        self.made: dict[tuple[UUID, int], NewHold] = {}
        self.outcomes: dict[tuple[UUID, int], StoredOutcome] = {}
        self.outbox: list[list[CellLevel]] = []
        self.faults: deque[Fault] = deque()
        self.breaks: Callable[[Batch], bool] = lambda batch: False
        self.is_down = False
        self.present: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_gate = 0
        self.appends = 0
        self.reads = 0

    async def append(self, batch: Batch) -> None:
        for key in [*batch.fresh]:
            batch.spell_out(key)
        self.at_gate += 1
        await self.gate.wait()
        self.at_gate -= 1
        fault = self.faults.popleft() if self.faults else None
        if self.is_down or fault == "lost before":
            raise Outage("the connection was lost before the commit")
        self.check(batch, fault)
        self.write(batch)
        if fault == "lost after":
            raise Outage("the connection was lost after the commit")

    def check(self, batch: Batch, fault: Fault) -> None:
        stored = {cell.id: cell for cell in self.cells.values()}
        if self.breaks(batch):
            raise ValueError("the database does not take this")
        if fault == "stale" or any(stored[cell.id].version != cell.version for cell in batch.after):
            raise StaleAppend
        if self.outcomes.keys() & batch.outcomes.keys():
            raise DuplicateRequest
        if self.holds.keys() & batch.made.keys():
            raise StaleAppend
        if self.entries.keys() & {(row[0], row[1]) for row in batch.entries}:
            raise StaleAppend

    def write(self, batch: Batch) -> None:
        self.appends += 1
        for cell in batch.after:
            self.cells[cell.key] = without_holds(cell)
            self.cells[cell.key].version += 1
        self.entries.update({(row[0], row[1]): row for row in batch.entries})
        self.made.update(batch.made)
        self.holds.update({key: new.hold for key, new in batch.made.items()})
        self.holds.update({k: hold for k, hold in batch.changed.items() if k in self.holds})
        for reservation, cell_id in batch.withdrawn:
            self.holds.pop((reservation, cell_id), None)
            for slot in (0, cell_id):
                outcome = self.outcomes.get((reservation, slot))
                if outcome is not None and outcome.cell_id == cell_id:
                    del self.outcomes[reservation, slot]
        self.outcomes.update(batch.outcomes)
        if batch.levels:
            self.outbox.append(decode_levels(encode_levels(batch.levels)))

    async def read(self) -> None:
        self.reads += 1
        if self.is_down:
            raise Outage("the database does not answer")

    async def load_cells(
        self, keys: Sequence[CellKey], now: datetime
    ) -> dict[CellKey, Cell | NotFound]:
        await self.read()
        return {key: self.load_cell(key, now) for key in keys}

    def load_cell(self, key: CellKey, now: datetime) -> Cell | NotFound:
        if key.sku not in self.skus:
            return NotFound("sku", key.sku)
        if key.warehouse not in self.warehouses:
            return NotFound("warehouse", key.warehouse)
        if key not in self.cells:
            self.cells[key] = Cell(key, now, len(self.cells) + 1)
        cell = without_holds(self.cells[key])
        cell.holds = {
            reservation: hold
            for (reservation, cell_id), hold in self.holds.items()
            if cell_id == cell.id and hold.state in OPEN_STATES
        }
        return cell

    async def load_holds(self, wanted: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], Hold]:
        await self.read()
        return {key: self.holds[key] for key in wanted if key in self.holds}

    async def load_outcomes(self, requests: Iterable[UUID]) -> list[StoredOutcome]:
        await self.read()
        asked = set(requests)
        return [outcome for outcome in self.outcomes.values() if outcome.request_id in asked]

    async def load_tallies(self, pools: Sequence[str]) -> dict[str, Tally]:
        await self.read()
        tallies = {pool: Tally() for pool in pools}
        for (reservation, cell_id), hold in self.holds.items():
            if hold.pool in tallies:
                units = hold.deducted if hold.state in ENDED else hold.quantity
                reference = self.entries[cell_id, hold.seq][7]
                ticket = ticket_of(reference)
                note_draw(tallies[hold.pool], reservation, hold.customer, units, ticket)
        return tallies

    async def load_due(self, now: datetime, limit: int) -> list[tuple[CellKey, UUID]]:
        await self.read()
        keys = {cell.id: key for key, cell in self.cells.items()}
        due = [
            (hold.deadline, reservation, cell_id)
            for (reservation, cell_id), hold in self.holds.items()
            if hold.state is ReservationState.HELD and hold.deadline and hold.deadline <= now
        ]
        return [(keys[cell_id], reservation) for _, reservation, cell_id in sorted(due)[:limit]]

    async def load_stranded(
        self, after: tuple[UUID, int], limit: int
    ) -> tuple[list[tuple[CellKey, UUID]], tuple[UUID, int] | None]:
        await self.read()
        keys = {cell.id: key for key, cell in self.cells.items()}
        lost = {key[0] for key, hold in self.holds.items() if hold.state in ENDED}
        confirmed = [
            key
            for key, hold in sorted(self.holds.items())
            if hold.state is ReservationState.CONFIRMED and key > after
        ]
        page = confirmed[:limit]
        stranded = [(keys[cell_id], rid) for rid, cell_id in page if rid in lost]
        return stranded, page[-1] if len(page) == limit else None

    async def load_present(self) -> set[str]:
        await self.read()
        return self.present
