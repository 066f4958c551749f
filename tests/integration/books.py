"""What the database says of some cells, read apart from the code under test: an auditor with a
fold of its own."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.commands import CellKey
from domain.ledger import MOVEMENTS
from tests.integration.caller import PATIENCE_SECONDS, PAUSE_SECONDS
from tests.integration.whole import Whole

BUCKETS = ("available", "reserved", "quarantined", "damaged")
OPEN = (0, 1)  # held, confirmed
CELL = """
SELECT c.* FROM cell c JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
WHERE s.code = $1 AND w.code = $2
"""


class Books:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def cell(self, key: CellKey) -> Any:
        row = await self.connection.fetchrow(CELL, *key)
        assert row is not None, key
        return row

    async def entries(self, key: CellKey) -> list[Any]:
        cell = await self.cell(key)
        statement = "SELECT * FROM entry WHERE cell_id = $1 ORDER BY seq"
        found: list[Any] = await self.connection.fetch(statement, cell["id"])
        return found

    async def holds(self, key: CellKey) -> list[Any]:
        cell = await self.cell(key)
        found: list[Any] = await self.connection.fetch(
            "SELECT * FROM hold WHERE cell_id = $1", cell["id"]
        )
        return found

    async def hold(self, reservation: str) -> Any:
        """Of a reservation with one line."""
        return await self.connection.fetchrow(
            "SELECT * FROM hold WHERE reservation_id = $1", UUID(reservation)
        )

    async def closed(self, reservations: list[str]) -> list[Any]:
        """Their holds, once all are."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                holds = [await self.hold(reservation) for reservation in reservations]
                if all(hold["closed_at"] is not None for hold in holds):
                    return holds
                await asyncio.sleep(PAUSE_SECONDS)

    async def now(self) -> datetime:
        """By the database's clock."""
        read: datetime = await self.connection.fetchval("SELECT clock_timestamp()")
        return read

    async def balance(self, keys: Iterable[CellKey]) -> None:
        """Entries without a gap, their fold the stored balance, open holds what is reserved."""
        for key in keys:
            cell, entries = await self.cell(key), await self.entries(key)
            assert [entry["seq"] for entry in entries] == list(range(1, cell["seq"] + 1)), key
            assert fold(entries) == {name: cell[name] for name in BUCKETS}, key
            holds = await self.holds(key)
            held = sum(h["quantity"] - h["deducted"] for h in holds if h["state"] in OPEN)
            assert held == cell["reserved"], key

    async def entries_of(self, key: CellKey, kind: str) -> dict[str, list[int]]:
        """The seqs of the cell's entries of this kind, by request."""
        found: dict[str, list[int]] = {}
        for entry in await self.entries(key):
            if BY_CODE[entry["movement"]].kind == kind:
                found.setdefault(str(entry["request_id"]), []).append(entry["seq"])
        return found

    async def held_by(self, key: CellKey) -> dict[str, int]:
        """Units per reservation that the cell holds or has handed over, by its ledger alone."""
        units: Counter[str] = Counter()
        for entry in await self.entries(key):
            movement = BY_CODE[entry["movement"]]
            if movement.target == "reserved":
                units[str(entry["request_id"])] += entry["quantity"]
            elif movement.source == "reserved" and movement.target == "available":
                units[str(entry["request_id"])] -= entry["quantity"]
        return dict(+units)


BY_CODE = {movement.code: movement for movement in MOVEMENTS}


def fold(entries: Iterable[Any]) -> dict[str, int]:
    units = dict.fromkeys(BUCKETS, 0)
    for entry in entries:
        movement = BY_CODE[entry["movement"]]
        if movement.source in units:
            units[movement.source] -= entry["quantity"]
        if movement.target in units:
            units[movement.target] += entry["quantity"]
    return units


@asynccontextmanager
async def books_of(shop: Whole) -> AsyncIterator[Books]:
    connection = await asyncpg.connect(shop.settings.database_url)
    try:
        yield Books(connection)
    finally:
        await connection.close()
