"""What owners read before they decide: cells with their open holds, closed holds, outcomes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from domain.cell import Cell, Hold, Tally
from domain.commands import CellKey
from domain.draws import TICKET, note_draw
from domain.flash_sales import sale_of
from domain.refusals import NotFound
from domain.states import ReservationState
from infra.ledger import STATE_CODE, STATES, StoredOutcome

READ_TIMEOUT_SECONDS = 10.0

LOAD = """
SELECT w.sku, w.warehouse, s.id AS sku_id, h.id AS warehouse_id, c.id, c.version, c.seq, c.floor,
  c.available, c.reserved, c.quarantined, c.damaged, c.pools::text AS pools, c.as_of
FROM unnest($1::text[], $2::text[]) AS w (sku, warehouse)
LEFT JOIN sku s ON s.code = w.sku
LEFT JOIN warehouse h ON h.code = w.warehouse
LEFT JOIN cell c ON c.sku_id = s.id AND c.warehouse_id = h.id
"""
MAKE = """
INSERT INTO cell (sku_id, warehouse_id, version, seq, floor, available, reserved, quarantined,
  damaged, as_of)
SELECT s, w, 0, 0, 0, 0, 0, 0, 0, $3 FROM unnest($1::int[], $2::int[]) AS x (s, w)
ON CONFLICT (sku_id, warehouse_id) DO NOTHING
"""
COLUMNS = """hold.cell_id, hold.reservation_id, hold.quantity, hold.deducted, hold.state,
  hold.deadline, hold.pool, hold.seq, hold.available_after, hold.customer"""
OPEN_HOLDS = f"SELECT {COLUMNS} FROM hold WHERE cell_id = ANY($1::int[]) AND state <= 1"
HOLDS = f"""
SELECT {COLUMNS} FROM unnest($1::uuid[], $2::int[]) AS x (reservation, cell)
JOIN hold ON hold.reservation_id = x.reservation AND hold.cell_id = x.cell
"""
OUTCOMES = f"""
SELECT o.request_id, o.slot, o.cell_id, o.fingerprint, o.answer, s.code, w.code, h.quantity, 0,
  {STATE_CODE[ReservationState.HELD]}, o.deadline, h.pool, h.seq, h.available_after
FROM outcome o
LEFT JOIN hold h ON o.answer IS NULL AND h.reservation_id = o.request_id AND h.cell_id = o.cell_id
LEFT JOIN cell c ON c.id = h.cell_id
LEFT JOIN sku s ON s.id = c.sku_id
LEFT JOIN warehouse w ON w.id = c.warehouse_id
WHERE o.request_id = ANY($1::uuid[])
"""
DUE = """
SELECT s.code, w.code, h.reservation_id
FROM (SELECT cell_id, reservation_id FROM hold WHERE state = 0 AND deadline <= $1
  ORDER BY deadline LIMIT $2) h
JOIN cell c ON c.id = h.cell_id
JOIN sku s ON s.id = c.sku_id
JOIN warehouse w ON w.id = c.warehouse_id
"""
STRANDED = """
WITH page AS MATERIALIZED (
  SELECT reservation_id, cell_id FROM hold
  WHERE state = 1 AND (reservation_id, cell_id) > ($1, $2)
  ORDER BY reservation_id, cell_id LIMIT $3
), stranded AS (
  SELECT s.code AS sku, w.code AS warehouse, page.reservation_id FROM page
  JOIN cell c ON c.id = page.cell_id
  JOIN sku s ON s.id = c.sku_id
  JOIN warehouse w ON w.id = c.warehouse_id
  WHERE EXISTS (SELECT 1 FROM hold sibling
    WHERE sibling.reservation_id = page.reservation_id AND sibling.state IN (3, 4))
), newest AS (
  SELECT reservation_id, cell_id FROM page ORDER BY reservation_id DESC, cell_id DESC LIMIT 1
)
SELECT newest.reservation_id, newest.cell_id, (SELECT count(*) FROM page) AS looked_at,
  stranded.sku, stranded.warehouse, stranded.reservation_id
FROM newest LEFT JOIN stranded ON true
"""
DRAWN = """
SELECT h.pool, h.reservation_id, h.customer,
  CASE WHEN h.state <= 2 THEN h.quantity ELSE h.deducted END AS units, e.reference
FROM hold h JOIN entry e ON e.cell_id = h.cell_id AND e.seq = h.seq
WHERE h.pool IS NOT NULL AND h.pool = ANY($1::text[])
ORDER BY h.created_at, h.reservation_id
"""
"""What counts of a sale's holds: all of an open one, and what was handed over of any."""
FIRST_HOLD = (UUID(int=0), 0)
"""Before the (reservation, cell id) of every hold."""


async def load_cells(
    connection: asyncpg.Connection, keys: Sequence[CellKey], now: datetime
) -> dict[CellKey, Cell | NotFound]:
    """The cells with their open holds; a cell nobody has touched yet is made, empty. A key whose
    SKU or warehouse does not exist gets NotFound."""
    rows = await read_cells(connection, keys)
    missing = [
        (row["sku_id"], row["warehouse_id"])
        for row in rows
        if row["id"] is None and row["sku_id"] is not None and row["warehouse_id"] is not None
    ]
    if missing:
        skus, warehouses = zip(*missing, strict=True)
        await connection.execute(MAKE, skus, warehouses, now, timeout=READ_TIMEOUT_SECONDS)
        rows = await read_cells(connection, keys)
    loaded = {CellKey(row["sku"], row["warehouse"]): made_cell(row) for row in rows}
    by_id = {cell.id: cell for cell in loaded.values() if isinstance(cell, Cell)}
    held = await connection.fetch(OPEN_HOLDS, list(by_id), timeout=READ_TIMEOUT_SECONDS)
    for row in held:
        by_id[row["cell_id"]].holds[row["reservation_id"]] = made_hold(row)
    return loaded


async def read_cells(connection: asyncpg.Connection, keys: Sequence[CellKey]) -> list[Any]:
    skus, warehouses = zip(*keys, strict=True)
    found: list[Any] = await connection.fetch(LOAD, skus, warehouses, timeout=READ_TIMEOUT_SECONDS)
    return found


async def load_holds(
    connection: asyncpg.Connection, wanted: Sequence[tuple[UUID, int]]
) -> dict[tuple[UUID, int], Hold]:
    """The holds of (reservation, cell id), open or closed, that exist."""
    reservations, cells = zip(*wanted, strict=True)
    rows = await connection.fetch(HOLDS, reservations, cells, timeout=READ_TIMEOUT_SECONDS)
    return {(row["reservation_id"], row["cell_id"]): made_hold(row) for row in rows}


async def load_tallies(connection: asyncpg.Connection, pools: Sequence[str]) -> dict[str, Tally]:
    """What the sales with these pools have given so far."""
    rows = await connection.fetch(DRAWN, pools, timeout=READ_TIMEOUT_SECONDS)
    tallies = {pool: Tally() for pool in pools}
    for pool, reservation, customer, units, reference in rows:
        note_draw(tallies[pool], reservation, customer, units, ticket_of(reference))
    return tallies


def ticket_of(reference: str | None) -> UUID | None:
    """The ticket that a sale's entry refers to."""
    if reference is None or not reference.startswith(TICKET):
        return None
    return UUID(reference.removeprefix(TICKET))


async def load_outcomes(
    connection: asyncpg.Connection, requests: Iterable[UUID]
) -> list[StoredOutcome]:
    rows = await connection.fetch(OUTCOMES, list(requests), timeout=READ_TIMEOUT_SECONDS)
    return [made_outcome(row) for row in rows]


async def load_due(
    connection: asyncpg.Connection, now: datetime, limit: int
) -> list[tuple[CellKey, UUID]]:
    """Holds whose deadline has passed, the oldest first."""
    rows = await connection.fetch(DUE, now, limit, timeout=READ_TIMEOUT_SECONDS)
    return [(CellKey(row[0], row[1]), row[2]) for row in rows]


async def load_stranded(
    connection: asyncpg.Connection, after: tuple[UUID, int], limit: int
) -> tuple[list[tuple[CellKey, UUID]], tuple[UUID, int] | None]:
    """Looks at the next `limit` confirmed holds after (reservation, cell id): those whose
    reservation has lost another hold, and where to go on, or None at the end."""
    rows = await connection.fetch(STRANDED, *after, limit, timeout=READ_TIMEOUT_SECONDS)
    stranded = [(CellKey(row[3], row[4]), row[5]) for row in rows if row[3] is not None]
    is_last = not rows or rows[0]["looked_at"] < limit
    return stranded, None if is_last else (rows[0][0], rows[0][1])


def made_cell(row: Any) -> Cell | NotFound:
    key = CellKey(row["sku"], row["warehouse"])
    if row["sku_id"] is None:
        return NotFound("sku", key.sku)
    if row["warehouse_id"] is None:
        return NotFound("warehouse", key.warehouse)
    pools = msgspec.json.decode(row["pools"], type=dict[str, int]) if row["pools"] else {}
    units = [row["available"], row["reserved"], row["quarantined"], row["damaged"]]
    return Cell(
        key, row["as_of"], row["id"], row["version"], row["seq"], row["floor"], units, pools
    )


def made_outcome(row: Any) -> StoredOutcome:
    request_id, slot, cell_id, fingerprint, answer, sku, warehouse, *first = row
    if answer is not None:
        return StoredOutcome(request_id, slot, cell_id, fingerprint, answer)
    quantity, deducted, state, *rest = first
    hold = Hold(quantity, deducted, STATES[state], *rest)
    key = CellKey(sku, warehouse)
    return StoredOutcome(request_id, slot, cell_id, fingerprint, None, (key, hold))


def made_hold(row: Any) -> Hold:
    return Hold(
        row["quantity"],
        row["deducted"],
        STATES[row["state"]],
        row["deadline"],
        row["pool"],
        row["seq"],
        row["available_after"],
        row["customer"] if sale_of(row["pool"]) else None,
    )
