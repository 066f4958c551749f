"""An owner of its own for a flash sale: its cells move there before it opens and back at its end.

Sales that share a cell share the owner, so that each of them has all its cells in one place."""

from uuid import UUID

from domain.commands import CellKey
from infra.database import connection
from infra.models import FlashSale as SaleRow
from infra.seats import SALE
from services.flash_sale_work import held_units, told
from services.runtime import Runtime

SHARING = """
SELECT s.seat, f.sku, f.warehouse FROM flash_sale_cell f JOIN flash_sale s ON s.id = f.sale_id
WHERE s.id <> $1 AND s.seat IS NOT NULL AND s.finished_at IS NULL
  AND (f.sku, f.warehouse) IN (SELECT sku, warehouse FROM flash_sale_cell WHERE sale_id = $1)
ORDER BY s.opens_at, s.id
"""


async def dedicate(rt: Runtime, row: SaleRow) -> None:
    """Raises Outage when no process is free for it: the sale runs where its cells are, then."""
    seat = next(iter((await shared_cells(row.id)).values()), f"{SALE}{row.id}")
    await rt.stock.place(sorted(await held_units(row.id)), seat)
    if await SaleRow.filter(id=row.id, finished_at=None).update(seat=seat):
        told("a flash sale has an owner of its own", row.id, seat=seat)
    else:
        await undedicate(rt, row)


async def undedicate(rt: Runtime, row: SaleRow) -> None:
    """Whether or not it was written down that they moved."""
    shared = await shared_cells(row.id)
    await rt.stock.unplace([cell for cell in await held_units(row.id) if cell not in shared])
    told("a flash sale's cells are back with the other owners", row.id)


async def shared_cells(sale_id: UUID) -> dict[CellKey, str]:
    """Cells of other sales at work, and the seat they are in; the sale that opens first comes
    first."""
    rows = (await connection().execute_query(SHARING, [sale_id]))[1]
    return {CellKey(row[1], row[2]): row[0] for row in map(tuple, reversed(rows))}
