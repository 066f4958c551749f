"""Seats and placement as stored: all SQL about which process hosts which cells.

A seat is free when nobody holds it, when its lease is over, or when its holder is not connected to
the database: owners' connections carry their holder's id, so a killed process is seen at once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from domain.commands import CellKey
from domain.heat import SeatReason

LEASE = timedelta(seconds=2)
TIMEOUT_SECONDS = 5.0
SHARED = "shared-"
SALE = "sale-"
HOT = "hot-"
HOLDER = "onhand owner "
REASONS = {SHARED: SeatReason.SHARED, SALE: SeatReason.SALE, HOT: SeatReason.HOT}
PLACED = SeatReason.PLACED
IS_PRESENT = f"""EXISTS (SELECT 1 FROM pg_stat_activity a
  WHERE a.datname = current_database() AND a.application_name = '{HOLDER}' || s.holder)"""
MAKE_SHARED = "INSERT INTO seat (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
UNPLACE_OTHERS = f"""DELETE FROM placement WHERE seat LIKE '{SHARED}%' AND seat <> ALL ($1)"""
DROP_OTHERS = f"""DELETE FROM seat WHERE name LIKE '{SHARED}%' AND name <> ALL ($1)"""
TAKE = f"""
WITH free AS (
  SELECT s.name, s.holder FROM seat s
  WHERE s.holder IS NULL OR s.holder = $1 OR s.lease_until < now() OR NOT {IS_PRESENT}
  ORDER BY s.name NOT LIKE '{SHARED}%', s.name LIMIT 1 FOR UPDATE OF s SKIP LOCKED
)
UPDATE seat SET holder = $1, host = $2, port = $3, key = $4, lease_until = now() + $5,
  taken_at = now(), takeovers = seat.takeovers + (coalesce(free.holder, $1) <> $1)::int
FROM free WHERE seat.name = free.name AND seat.holder IS NOT DISTINCT FROM free.holder
RETURNING seat.name
"""
RENEW = """
UPDATE seat SET lease_until = now() + $3 WHERE name = $2 AND holder = $1
RETURNING (SELECT version FROM placement_state)
"""
LEAVE = "UPDATE seat SET holder = NULL, host = NULL, port = NULL, key = NULL WHERE holder = $1"
PLACEMENTS = "SELECT sku, warehouse, seat FROM placement"
PRESENT = f"SELECT s.name FROM seat s WHERE {IS_PRESENT}"
SEATS = """
SELECT name, holder, host, port, key, taken_at, takeovers FROM seat ORDER BY name
"""
PLACE = """
WITH made AS (INSERT INTO seat (name) VALUES ($3) ON CONFLICT DO NOTHING)
INSERT INTO placement (sku, warehouse, seat)
SELECT x.sku, x.warehouse, $3 FROM unnest($1::text[], $2::text[]) AS x (sku, warehouse)
ON CONFLICT (sku, warehouse) DO UPDATE SET seat = excluded.seat
"""
UNPLACE = """
DELETE FROM placement USING unnest($1::text[], $2::text[]) AS x (sku, warehouse)
WHERE placement.sku = x.sku AND placement.warehouse = x.warehouse
"""
PROMOTE = """
WITH made AS (INSERT INTO seat (name) VALUES ($3) ON CONFLICT DO NOTHING), done AS (
  INSERT INTO placement (sku, warehouse, seat) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
  RETURNING 1
), counted AS (
  UPDATE placement_state SET promotions = promotions + 1 WHERE EXISTS (SELECT 1 FROM done)
)
SELECT count(*) FROM done
"""
DEMOTE = """
WITH done AS (DELETE FROM placement WHERE seat = $1 RETURNING sku, warehouse), counted AS (
  UPDATE placement_state SET demotions = demotions + (SELECT count(*) FROM done)
)
SELECT sku, warehouse FROM done
"""
HEAT_COUNTS = "SELECT promotions, demotions FROM placement_state"
MAKE = "INSERT INTO seat (name) VALUES ($1) ON CONFLICT DO NOTHING"
DROP_EMPTY = f"""
DELETE FROM seat WHERE name NOT LIKE '{SHARED}%' AND taken_at < now() - $1::interval
  AND NOT EXISTS (SELECT 1 FROM placement WHERE placement.seat = seat.name)
"""


class Address(NamedTuple):
    """Where an owner listens. Who does not know the key is not heard."""

    host: str
    port: int
    key: bytes


class HeatCounts(NamedTuple):
    """How often pairs were given a seat because they were hot, and taken back."""

    promotions: int
    demotions: int


class SeatRow(NamedTuple):
    name: str
    holder: UUID | None
    host: str | None
    port: int | None
    key: bytes | None
    taken_at: datetime | None
    takeovers: int

    @property
    def address(self) -> Address | None:
        if self.host is None or self.port is None or self.key is None:
            return None
        return Address(self.host, self.port, self.key)


def holder_name(holder: UUID) -> dict[str, str]:
    """The setting by which a connection tells whose it is."""
    return {"application_name": f"{HOLDER}{holder}"}


async def make_shared(connection: asyncpg.Connection, names: Sequence[str]) -> None:
    """Exactly these shared seats; those of an earlier start that are kept keep their holder."""
    async with connection.transaction():
        for sql in (UNPLACE_OTHERS, DROP_OTHERS, MAKE_SHARED):
            await connection.execute(sql, names, timeout=TIMEOUT_SECONDS)


async def take(connection: asyncpg.Connection, holder: UUID, at: Address) -> str | None:
    """The name of a free seat that is the holder's from now on."""
    name: str | None = await connection.fetchval(TAKE, holder, *at, LEASE, timeout=TIMEOUT_SECONDS)
    return name


async def renew(connection: asyncpg.Connection, holder: UUID, seat: str) -> int | None:
    """The version of the placement; None: the seat is another's by now, or is no more."""
    row = await connection.fetchrow(RENEW, holder, seat, LEASE, timeout=TIMEOUT_SECONDS)
    return None if row is None else int(row[0])


async def leave(connection: asyncpg.Connection, holder: UUID) -> None:
    await connection.execute(LEAVE, holder, timeout=TIMEOUT_SECONDS)


async def load_placements(connection: asyncpg.Connection) -> dict[CellKey, str]:
    rows = await connection.fetch(PLACEMENTS, timeout=TIMEOUT_SECONDS)
    return {CellKey(sku, warehouse): seat for sku, warehouse, seat in rows}


async def load_present(connection: asyncpg.Connection) -> set[str]:
    """The seats whose holders are connected to the database."""
    return {row[0] for row in await connection.fetch(PRESENT, timeout=TIMEOUT_SECONDS)}


async def load_seats(connection: asyncpg.Connection) -> list[SeatRow]:
    return [SeatRow(*row) for row in await connection.fetch(SEATS, timeout=TIMEOUT_SECONDS)]


def reason_of(seat: str) -> SeatReason:
    """Why there is a seat of that name."""
    return next((why for start, why in REASONS.items() if seat.startswith(start)), PLACED)


async def place(connection: asyncpg.Connection, cells: Iterable[CellKey], seat: str) -> None:
    """Raises asyncpg.ForeignKeyViolationError if the seat was dropped at this very moment."""
    skus, warehouses = zip(*cells, strict=True)
    await connection.execute(PLACE, skus, warehouses, seat, timeout=TIMEOUT_SECONDS)


async def unplace(connection: asyncpg.Connection, cells: Iterable[CellKey]) -> None:
    skus, warehouses = zip(*cells, strict=True)
    await connection.execute(UNPLACE, skus, warehouses, timeout=TIMEOUT_SECONDS)


async def promote(connection: asyncpg.Connection, cell: CellKey, seat: str) -> bool:
    """False: somebody has placed the cell meanwhile, and it stays there. Raises as `place`."""
    done: int = await connection.fetchval(PROMOTE, *cell, seat, timeout=TIMEOUT_SECONDS)
    return done == 1


async def demote(connection: asyncpg.Connection, seat: str) -> list[CellKey]:
    """Of the cells that are in that seat."""
    rows = await connection.fetch(DEMOTE, seat, timeout=TIMEOUT_SECONDS)
    return [CellKey(*row) for row in rows]


async def load_heat_counts(connection: asyncpg.Connection) -> HeatCounts:
    row = await connection.fetchrow(HEAT_COUNTS, timeout=TIMEOUT_SECONDS)
    return HeatCounts(*row)


async def make(connection: asyncpg.Connection, seat: str) -> None:
    await connection.execute(MAKE, seat, timeout=TIMEOUT_SECONDS)


async def drop_empty(connection: asyncpg.Connection, age: timedelta) -> None:
    """Dedicated seats without a cell that were taken longer ago are no more; who held one finds
    out when it renews."""
    await connection.execute(DROP_EMPTY, age, timeout=TIMEOUT_SECONDS)
