"""The ledger store: the one function that appends.

An append is one statement, hence one transaction and one round trip: it moves the fence of every
cell it touches from the version it was built on, and writes balances, entries, holds, outcomes and
the outbox row. If any cell has another version, nothing is written.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from domain.cell import Cell, Hold
from domain.commands import Buyer
from domain.ledger import Entry, Note
from domain.states import OPEN_STATES, ReservationState
from infra.levels import CellLevel, encode_levels

STATES = tuple(ReservationState)
STATE_CODE = {state: code for code, state in enumerate(STATES)}
STALE_SQLSTATE = "OH001"
APPEND_TIMEOUT_SECONDS = 10.0


class StaleAppend(Exception):
    """Another owner appended to one of the cells: forget them, load again, decide again."""


class DuplicateRequest(Exception):
    """A request of this append has an outcome already: read it, then decide again."""


class StoredOutcome(NamedTuple):
    request_id: UUID
    slot: int
    cell_id: int
    fingerprint: int
    answer: bytes


class NewHold(NamedTuple):
    hold: Hold
    buyer: Buyer
    caller: str
    created_at: datetime


APPEND = """
WITH moved AS (
  UPDATE cell SET version = cell.version + 1, seq = x.seq, available = x.available,
    reserved = x.reserved, quarantined = x.quarantined, damaged = x.damaged,
    pools = x.pools::jsonb, as_of = x.as_of
  FROM unnest($1::int[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[],
    $8::text[], $9::timestamptz[])
    AS x (id, version, seq, available, reserved, quarantined, damaged, pools, as_of)
  WHERE cell.id = x.id AND cell.version = x.version
  RETURNING 1
), entries AS (
  INSERT INTO entry (cell_id, seq, movement, quantity, pool, request_id, at, caller, reference,
    reason, lot)
  SELECT * FROM unnest($10::int[], $11::int[], $12::smallint[], $13::int[], $14::text[],
    $15::uuid[], $16::timestamptz[], $17::text[], $18::text[], $19::text[], $20::text[])
), made AS (
  INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, pool, seq,
    available_after, customer, channel, caller, created_at, closed_at)
  SELECT * FROM unnest($21::uuid[], $22::int[], $23::int[], $24::int[], $25::smallint[],
    $26::timestamptz[], $27::text[], $28::int[], $29::int[], $30::text[], $31::text[],
    $32::text[], $33::timestamptz[], $34::timestamptz[])
), changed AS (
  UPDATE hold SET deducted = x.deducted, state = x.state, deadline = x.deadline,
    closed_at = x.closed_at
  FROM unnest($35::uuid[], $36::int[], $37::int[], $38::smallint[], $39::timestamptz[],
    $40::timestamptz[]) AS x (reservation_id, cell_id, deducted, state, deadline, closed_at)
  WHERE hold.reservation_id = x.reservation_id AND hold.cell_id = x.cell_id
), withdrawn AS (
  DELETE FROM hold USING unnest($41::uuid[], $42::int[]) AS x (reservation_id, cell_id)
  WHERE hold.reservation_id = x.reservation_id AND hold.cell_id = x.cell_id
), forgotten AS (
  DELETE FROM outcome USING unnest($41::uuid[], $42::int[]) AS x (request_id, cell_id)
  WHERE outcome.request_id = x.request_id AND outcome.cell_id = x.cell_id
), outcomes AS (
  INSERT INTO outcome (request_id, slot, cell_id, fingerprint, answer, at)
  SELECT * FROM unnest($43::uuid[], $44::int[], $45::int[], $46::bigint[], $47::bytea[],
    $48::timestamptz[])
), told AS (
  INSERT INTO outbox (levels, made_at) SELECT $49::bytea, now() WHERE $49::bytea IS NOT NULL
)
SELECT onhand_fence((SELECT count(*) FROM moved), $50::bigint)
"""


class Batch:
    """What one append writes. Cells are given as they are after the batch."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.cells: dict[int, Cell] = {}
        self.told: dict[int, Cell] = {}
        self.entries: list[tuple[Any, ...]] = []
        self.made: dict[tuple[UUID, int], NewHold] = {}
        self.changed: dict[tuple[UUID, int], Hold] = {}
        self.withdrawn: list[tuple[UUID, int]] = []
        self.outcomes: dict[tuple[UUID, int], StoredOutcome] = {}

    def __bool__(self) -> bool:
        return bool(self.cells)

    def add_entry(self, cell: Cell, entry: Entry, note: Note) -> None:
        seq, movement, quantity, pool, request_id, at = entry
        self.entries.append((cell.id, seq, movement.code, quantity, pool, request_id, at, *note))
        self.cells[cell.id] = self.told[cell.id] = cell

    def make_hold(
        self, cell: Cell, reservation: UUID, hold: Hold, buyer: Buyer, caller: str
    ) -> None:
        self.cells[cell.id] = cell
        self.made[reservation, cell.id] = NewHold(hold, buyer, caller, self.now)

    def change_hold(self, cell: Cell, reservation: UUID, hold: Hold) -> None:
        self.cells[cell.id] = cell
        key = (reservation, cell.id)
        if key in self.made:
            self.made[key] = self.made[key]._replace(hold=hold)
        else:
            self.changed[key] = hold

    def withdraw(self, cell: Cell, reservation: UUID) -> None:
        """Forgets the hold and its outcome as if they had never been asked for."""
        self.cells[cell.id] = cell
        key = (reservation, cell.id)
        self.changed.pop(key, None)
        if self.made.pop(key, None) is None:
            self.withdrawn.append(key)
        for slot in (0, cell.id):
            outcome = self.outcomes.get((reservation, slot))
            if outcome is not None and outcome.cell_id == cell.id:
                del self.outcomes[reservation, slot]


async def append(connection: asyncpg.Connection, batch: Batch) -> None:
    """Writes the batch or nothing. Raises StaleAppend, DuplicateRequest, or what asyncpg raises."""
    moved = [
        (c.id, c.version, c.seq, *c.units, pools_text(c), c.as_of) for c in batch.cells.values()
    ]
    made = [
        made_row(reservation, cell_id, new, batch.now)
        for (reservation, cell_id), new in batch.made.items()
    ]
    changed = [
        (
            reservation,
            cell_id,
            hold.deducted,
            STATE_CODE[hold.state],
            hold.deadline,
            closed_at(hold, batch.now),
        )
        for (reservation, cell_id), hold in batch.changed.items()
    ]
    outcomes = [(*outcome, batch.now) for outcome in batch.outcomes.values()]
    levels = [cell_level(cell) for cell in batch.told.values()]
    try:
        await connection.fetchval(
            APPEND,
            *columns(moved, 9),
            *columns(batch.entries, 11),
            *columns(made, 14),
            *columns(changed, 6),
            *columns(batch.withdrawn, 2),
            *columns(outcomes, 6),
            encode_levels(levels) if levels else None,
            len(moved),
            timeout=APPEND_TIMEOUT_SECONDS,
        )
    except asyncpg.UniqueViolationError as error:
        if error.table_name == "outcome":
            raise DuplicateRequest from error
        raise StaleAppend from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == STALE_SQLSTATE:
            raise StaleAppend from error
        raise
    for cell in batch.cells.values():
        cell.version += 1


def columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[Any]:
    return list(zip(*rows, strict=True)) or [()] * width


def made_row(reservation: UUID, cell_id: int, new: NewHold, now: datetime) -> tuple[Any, ...]:
    hold = new.hold
    return (
        reservation,
        cell_id,
        hold.quantity,
        hold.deducted,
        STATE_CODE[hold.state],
        hold.deadline,
        hold.pool,
        hold.seq,
        hold.available_after,
        new.buyer.customer,
        new.buyer.channel,
        new.caller,
        new.created_at,
        closed_at(hold, now),
    )


def closed_at(hold: Hold, now: datetime) -> datetime | None:
    return None if hold.state in OPEN_STATES else now


def pools_text(cell: Cell) -> str | None:
    return msgspec.json.encode(cell.pools).decode() if cell.pools else None


def cell_level(cell: Cell) -> CellLevel:
    return CellLevel._make((cell.id, *cell.key, *cell.level()))
