"""Levels as the database has them: what the read model is filled from, and what a subscription
starts from. Cells that nothing ever happened in are left out."""

from collections.abc import Sequence

import asyncpg
import msgspec

from infra.database import raw_connection
from infra.levels import CellLevel

PAGE = 1_000
"""Cells in one read."""
READ_TIMEOUT_SECONDS = 10.0
LEVEL = """
SELECT c.id, s.code, w.code, c.available, c.reserved, c.quarantined, c.damaged,
  coalesce((SELECT sum(units::int) FROM jsonb_each_text(c.pools) AS p (name, units)), 0)::int,
  c.seq, c.as_of, c.pools::text
FROM cell c
JOIN sku s ON s.id = c.sku_id
JOIN warehouse w ON w.id = c.warehouse_id
WHERE c.seq > 0 AND c.id > $1
"""
ALL = f"{LEVEL} ORDER BY c.id LIMIT $2"
OF_SKUS = f"{LEVEL} AND s.code = ANY($3::text[]) ORDER BY c.id LIMIT $2"


async def read_page(
    connection: asyncpg.Connection, after: int, skus: Sequence[str] | None = None
) -> list[CellLevel]:
    """The next PAGE levels in the order of cell ids, of all SKUs or some; none is the end."""
    if skus is None:
        rows = await connection.fetch(ALL, after, PAGE, timeout=READ_TIMEOUT_SECONDS)
    else:
        rows = await connection.fetch(OF_SKUS, after, PAGE, skus, timeout=READ_TIMEOUT_SECONDS)
    return [CellLevel._make((*row[:10], decode_pools(row[10]))) for row in rows]


def decode_pools(text: str | None) -> dict[str, int] | None:
    return msgspec.json.decode(text, type=dict[str, int]) if text else None


class Balances:
    """The same, over whatever connection of this process is free."""

    async def page(self, after: int, skus: Sequence[str] | None) -> list[CellLevel]:
        async with raw_connection() as connection:
            return await read_page(connection, after, skus)
