"""What the tables say, read apart from the code under test."""

from typing import Any

import asyncpg

from domain.commands import CellKey
from domain.ledger import BY_CODE
from infra.ledger import STATES

PLACES = "JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id"
ENTRIES = f"""
SELECT e.movement, e.quantity FROM entry e JOIN cell c ON c.id = e.cell_id {PLACES}
WHERE s.code = $1 AND w.code = $2 ORDER BY e.seq
"""
HOLDS = f"""
SELECT s.code, w.code, h.state, h.quantity, h.deducted FROM hold h
JOIN cell c ON c.id = h.cell_id {PLACES} WHERE h.reservation_id = $1
"""
CELLS = f"""
SELECT s.code, w.code, c.available, c.reserved, c.seq,
  (SELECT count(*) FROM entry e WHERE e.cell_id = c.id) AS entries,
  (SELECT coalesce(sum(h.quantity - h.deducted), 0) FROM hold h
    WHERE h.cell_id = c.id AND h.state <= 1) AS held,
  (SELECT coalesce(sum(CASE WHEN e.movement IN (1, 3, 4) THEN e.quantity
    WHEN e.movement = 2 THEN -e.quantity ELSE 0 END), 0)
    FROM entry e WHERE e.cell_id = c.id) AS folded,
  (SELECT coalesce(sum(units::int), 0) FROM jsonb_each_text(c.pools) AS p (name, units)) AS pooled
FROM cell c {PLACES}
"""


class Books:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def kinds(self, key: CellKey) -> list[str]:
        """The cell's ledger, as words: `receive 10`."""
        rows = await self.connection.fetch(ENTRIES, *key)
        return [f"{BY_CODE[row[0]].kind} {row[1]}" for row in rows]

    async def states(self, reservation: Any) -> dict[CellKey, str]:
        rows = await self.connection.fetch(HOLDS, reservation)
        return {CellKey(row[0], row[1]): STATES[row[2]].value for row in sorted(rows)}

    async def held(self, reservation: Any) -> dict[CellKey, int]:
        """Units that open holds have left, per cell."""
        rows = await self.connection.fetch(HOLDS, reservation)
        return {CellKey(r[0], r[1]): r[3] - r[4] for r in sorted(rows) if r[2] <= 1}

    async def units(self, key: CellKey) -> tuple[int, int]:
        """Available and reserved."""
        rows = [row for row in await self.connection.fetch(CELLS) if (row[0], row[1]) == key]
        return (rows[0]["available"], rows[0]["reserved"]) if rows else (0, 0)

    async def balance(self) -> None:
        """Holds are what is reserved, the ledger is what is available, pools and all; no gap."""
        for row in await self.connection.fetch(CELLS):
            assert row["held"] == row["reserved"], row
            assert row["folded"] == row["available"] + row["pooled"], row
            assert row["entries"] == row["seq"], row
