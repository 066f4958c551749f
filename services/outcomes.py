"""What earlier runs of a request have left behind: the ledger's outcomes, by request id. Asked only
on the way to a refusal, or when a request that broke off half-way is finished."""

from uuid import UUID

from domain.commands import CellKey
from infra.database import connection
from infra.models import Outcome

HOME = """
SELECT s.code, w.code FROM outcome o JOIN cell c ON c.id = o.cell_id
JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
WHERE o.request_id = $1 AND o.slot = 0
"""
HANDED_OVER = """
SELECT s.code, w.code, coalesce((SELECT sum(e.quantity)::int FROM entry e
  WHERE e.cell_id = o.cell_id AND e.seq > h.seq AND e.request_id = o.request_id), 0)
FROM outcome o JOIN hold h ON h.reservation_id = $2 AND h.cell_id = o.cell_id
JOIN cell c ON c.id = o.cell_id
JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
WHERE o.request_id = $1 ORDER BY o.slot <> 0, s.code, w.code
"""


async def was_begun(request_id: UUID) -> bool:
    return await Outcome.filter(request_id=request_id).exists()


async def home_of(request_id: UUID) -> CellKey | None:
    """The cell in which the id was claimed."""
    rows = (await connection().execute_query(HOME, [request_id]))[1]
    return CellKey(*tuple(rows[0])) if rows else None


async def handed_over(request_id: UUID, reservation: UUID) -> dict[CellKey, int]:
    """Units of the reservation that a deduct has handed over, per cell, its home first."""
    rows = (await connection().execute_query(HANDED_OVER, [request_id, reservation]))[1]
    return {CellKey(row[0], row[1]): row[2] for row in map(tuple, rows)}
