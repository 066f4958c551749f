"""The ledger store: the one function that appends.

An append is one statement, hence one transaction and one round trip: it moves the fence of every
cell it touches from the version it was built on, and writes balances, entries, holds, outcomes and
the outbox row. If any cell has another version, nothing is written.
"""

from datetime import datetime
from functools import cache
from itertools import compress
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from domain.cell import Cell, Hold
from domain.commands import Buyer, CellKey
from domain.decisions import RESERVE
from domain.ledger import Entry, Note
from domain.states import ReservationState
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
    """`answer` None: the answer is the hold that was made, as it was then, in that cell."""

    request_id: UUID
    slot: int
    cell_id: int
    fingerprint: int
    answer: bytes | None
    held: tuple[CellKey, Hold] | None = None


class Fresh(NamedTuple):
    """The usual reservation: one line, of the open pool, under an id that is new. It is an entry, a
    hold and an outcome at once. The columns of `fresh_row`, in its order."""

    reservation: UUID
    slot: int
    cell_id: int
    fingerprint: int
    seq: int
    quantity: int
    deadline: datetime
    available_after: int
    customer: str | None
    channel: str | None
    caller: str


class NewHold(NamedTuple):
    hold: Hold
    buyer: Buyer
    caller: str


MOVE = """
moved AS (
  UPDATE cell SET version = cell.version + 1, seq = x.seq, available = x.available,
    reserved = x.reserved, quarantined = x.quarantined, damaged = x.damaged,
    pools = x.pools::jsonb, as_of = CASE WHEN x.seq > cell.seq THEN $1 ELSE cell.as_of END
  FROM unnest({}::cell_row[]) AS x
  WHERE cell.id = x.id AND cell.version = x.version
  RETURNING 1
)"""
ENTER = """
entered AS (
  INSERT INTO entry (cell_id, seq, movement, quantity, pool, request_id, caller, reference,
    reason, lot, at)
  SELECT x.*, $1 FROM unnest({}::entry_row[]) AS x
)"""
MAKE = """
made AS (
  INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, pool, seq,
    available_after, customer, channel, caller, created_at, closed_at)
  SELECT x.*, $1, CASE WHEN x.state > 1 THEN $1 END FROM unnest({}::hold_row[]) AS x
)"""
FRESH = f"""
fresh AS (
  SELECT * FROM unnest({{}}::fresh_row[])
), fresh_entries AS (
  INSERT INTO entry (cell_id, seq, movement, quantity, request_id, caller, at)
  SELECT cell_id, seq, {RESERVE.code}, quantity, reservation_id, caller, $1 FROM fresh
), fresh_holds AS (
  INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, seq,
    available_after, customer, channel, caller, created_at)
  SELECT reservation_id, cell_id, quantity, 0, {STATE_CODE[ReservationState.HELD]}, deadline, seq,
    available_after, customer, channel, caller, $1 FROM fresh
), fresh_outcomes AS (
  INSERT INTO outcome (request_id, slot, cell_id, fingerprint, deadline, at)
  SELECT reservation_id, slot, cell_id, fingerprint, deadline, $1 FROM fresh
)"""
CHANGE = """
changed AS (
  UPDATE hold SET deducted = x.deducted, state = x.state, deadline = x.deadline,
    closed_at = CASE WHEN x.state > 1 THEN $1 END
  FROM unnest({}::hold_change_row[]) AS x
  WHERE hold.reservation_id = x.reservation_id AND hold.cell_id = x.cell_id
)"""
WITHDRAW = """
gone AS (
  SELECT * FROM unnest({}::hold_key[])
), withdrawn AS (
  DELETE FROM hold USING gone
  WHERE hold.reservation_id = gone.reservation_id AND hold.cell_id = gone.cell_id
), forgotten AS (
  DELETE FROM outcome USING gone
  WHERE outcome.request_id = gone.reservation_id AND outcome.cell_id = gone.cell_id
)"""
REMEMBER = """
outcomes AS (
  INSERT INTO outcome (request_id, slot, cell_id, fingerprint, answer, deadline, at)
  SELECT x.*, $1 FROM unnest({}::outcome_row[]) AS x
)"""
TELL = """
told AS (
  INSERT INTO outbox (levels, made_at) VALUES ({}::bytea, now())
)"""
SECTIONS = (MOVE, FRESH, ENTER, MAKE, CHANGE, WITHDRAW, REMEMBER, TELL)
"""The parts of an append; one that has nothing to write is left out. $1 is the batch's instant, and
each part has one parameter: an array of rows, whose types are made in migrations. Half the
parameters of one array per column, and half the time to encode them."""
FENCE = "SELECT onhand_fence((SELECT count(*) FROM moved), cardinality($2))"


@cache
def statement(written: tuple[bool, ...]) -> str:
    """The append of these sections, in their order."""
    sections = compress(SECTIONS, written)
    numbered = [section.format(f"${number}") for number, section in enumerate(sections, 2)]
    return f"WITH {','.join(numbered)}\n{FENCE}"


class Batch:
    """What one append writes. `cells` go on living in memory; `after` are their copies, without
    holds, as they are after the batch, and `levels` what the world is told of them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.cells: dict[int, Cell] = {}
        self.told: dict[int, Cell] = {}
        self.after: list[Cell] = []
        self.levels: list[CellLevel] = []
        self.fresh: dict[tuple[UUID, int], Fresh] = {}
        self.entries: list[tuple[Any, ...]] = []
        self.made: dict[tuple[UUID, int], NewHold] = {}
        self.changed: dict[tuple[UUID, int], Hold] = {}
        self.withdrawn: list[tuple[UUID, int]] = []
        self.outcomes: dict[tuple[UUID, int], StoredOutcome] = {}

    def __bool__(self) -> bool:
        return bool(self.cells)

    def seal(self) -> None:
        """Everything is decided: from now on memory may run ahead of this batch."""
        self.after = [without_holds(cell) for cell in self.cells.values()]
        self.levels = [cell_level(cell) for cell in self.told.values()]

    def __len__(self) -> int:
        """Its entries."""
        return len(self.fresh) + len(self.entries)

    def add_fresh(self, cell: Cell, fresh: Fresh) -> None:
        self.fresh[fresh.reservation, cell.id] = fresh
        self.cells[cell.id] = self.told[cell.id] = cell

    def spell_out(self, key: tuple[UUID, int]) -> None:
        """What was fresh is changed in the same batch: its entry, hold and outcome go apart."""
        fresh = self.fresh.pop(key, None)
        if fresh is None:
            return
        reservation, slot, cell_id, fingerprint, seq, quantity, deadline, after = fresh[:8]
        hold = Hold(quantity, 0, ReservationState.HELD, deadline, None, seq, after)
        note = Note(fresh.caller)
        self.entries.append((cell_id, seq, RESERVE.code, quantity, None, reservation, *note))
        self.made[key] = NewHold(hold, Buyer(fresh.customer, fresh.channel), fresh.caller)
        held = (self.cells[cell_id].key, hold)
        outcome = StoredOutcome(reservation, slot, cell_id, fingerprint, None, held)
        self.outcomes[reservation, slot] = outcome

    def add_entry(self, cell: Cell, entry: Entry, note: Note) -> None:
        seq, movement, quantity, pool, request_id, _ = entry
        self.entries.append((cell.id, seq, movement.code, quantity, pool, request_id, *note))
        self.cells[cell.id] = self.told[cell.id] = cell

    def make_hold(
        self, cell: Cell, reservation: UUID, hold: Hold, buyer: Buyer, caller: str
    ) -> None:
        self.cells[cell.id] = cell
        self.made[reservation, cell.id] = NewHold(hold, buyer, caller)

    def change_hold(self, cell: Cell, reservation: UUID, hold: Hold) -> None:
        self.cells[cell.id] = cell
        key = (reservation, cell.id)
        self.spell_out(key)
        if key in self.made:
            self.made[key] = self.made[key]._replace(hold=hold)
        else:
            self.changed[key] = hold

    def withdraw(self, cell: Cell, reservation: UUID) -> None:
        """Forgets the hold and its outcome as if they had never been asked for."""
        self.cells[cell.id] = cell
        key = (reservation, cell.id)
        self.spell_out(key)
        self.changed.pop(key, None)
        if self.made.pop(key, None) is None:
            self.withdrawn.append(key)
        for slot in (0, cell.id):
            outcome = self.outcomes.get((reservation, slot))
            if outcome is not None and outcome.cell_id == cell.id:
                del self.outcomes[reservation, slot]


async def append(connection: asyncpg.Connection, batch: Batch) -> None:
    """Writes the sealed batch or nothing. Raises StaleAppend, DuplicateRequest, or what asyncpg
    raises."""
    moved = [(c.id, c.version, c.seq, *c.units, pools_text(c)) for c in batch.after]
    made = [hold_row(*key, new) for key, new in batch.made.items()]
    changed = [
        (*key, hold.deducted, STATE_CODE[hold.state], hold.deadline)
        for key, hold in batch.changed.items()
    ]
    fresh = list(batch.fresh.values())
    outcomes = [outcome_row(outcome) for outcome in batch.outcomes.values()]
    told = encode_levels(batch.levels) if batch.levels else None
    sections = (moved, fresh, batch.entries, made, changed, batch.withdrawn, outcomes, told)
    sql = statement(tuple(map(bool, sections)))
    try:
        await connection.fetchval(
            sql, batch.now, *filter(None, sections), timeout=APPEND_TIMEOUT_SECONDS
        )
    except asyncpg.UniqueViolationError as error:
        if error.table_name == "outcome":
            raise DuplicateRequest from error
        raise StaleAppend from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == STALE_SQLSTATE:
            raise StaleAppend from error
        raise


def outcome_row(outcome: StoredOutcome) -> tuple[Any, ...]:
    *columns, held = outcome
    return (*columns, held[1].deadline if held else None)


def hold_row(reservation: UUID, cell_id: int, new: NewHold) -> tuple[Any, ...]:
    (quantity, deducted, state, deadline, pool, seq, available_after, _), buyer, caller = new
    return (
        reservation,
        cell_id,
        quantity,
        deducted,
        STATE_CODE[state],
        deadline,
        pool,
        seq,
        available_after,
        *buyer,
        caller,
    )


def pools_text(cell: Cell) -> str | None:
    return msgspec.json.encode(cell.pools).decode() if cell.pools else None


def without_holds(cell: Cell) -> Cell:
    numbers = (cell.id, cell.version, cell.seq, cell.floor)
    return Cell(cell.key, cell.as_of, *numbers, list(cell.units), dict(cell.pools))


def cell_level(cell: Cell) -> CellLevel:
    return CellLevel._make((cell.id, *cell.key, *cell.level(), dict(cell.pools) or None))
