"""Two other ways to keep a hot cell exact, written as well as we can: all in the database.

They write the same rows to a copy of the same tables, under the same durability, know the cell's id
beforehand and skip what an owner does besides: looking up an earlier outcome, telling a conflict.
"""

from datetime import UTC, datetime
from statistics import median
from uuid import uuid4

import asyncpg
import uvloop

from benchmarks.ground import Ground, new_cell
from benchmarks.load import Roles, closed_loop
from benchmarks.stock import BUYER, CALLER, FINGERPRINT, PLENTY, TTL
from domain.ledger import MOVEMENTS, Kind

POOL_SIZES = (1, 2, 4, 8, 16, 32)
SWEEP_IN_FLIGHT = 64
SETTINGS = {"jit": "off", "plan_cache_mode": "force_generic_plan"}
"""Planned once per connection: a plan per request would cost more than the request."""
RESERVE = next(movement.code for movement in MOVEMENTS if movement.kind is Kind.RESERVE)

WRITE = f"""
WITH moved AS (
  UPDATE cell SET version = version + 1, seq = seq + 1, available = available - $2,
    reserved = reserved + $2, as_of = $4
  WHERE id = $1 AND available - $2 >= floor
  RETURNING id, seq, available, reserved
), entries AS (
  INSERT INTO entry (cell_id, seq, movement, quantity, request_id, at, caller)
  SELECT id, seq, {RESERVE}, $2, $3, $4, $5 FROM moved
), made AS (
  INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, seq,
    available_after, customer, channel, caller, created_at)
  SELECT $3, id, $2, 0, 0, $6, seq, available, $7, $8, $5, $4 FROM moved
), outcomes AS (
  INSERT INTO outcome (request_id, slot, cell_id, fingerprint, answer, at)
  SELECT $3, 0, id, $9, int4send(seq) || int4send(available), $4 FROM moved
), told AS (
  INSERT INTO outbox (levels, made_at)
  SELECT int4send(id) || int4send(seq) || int4send(available) || int4send(reserved), $4
  FROM moved
)
SELECT seq, available FROM moved
"""
LOCK = "SELECT available - floor FROM cell WHERE id = $1 FOR UPDATE"


async def keep(_: asyncpg.Connection) -> None:
    """Nothing to reset between two requests; the pool's own way is a round trip each time."""


class Rival:
    """A pool of connections to the copy."""

    def __init__(self, ground: Ground, pool_size: int) -> None:
        self.ground = ground
        self.pool_size = pool_size

    async def open(self, code: str) -> Roles:
        url = self.ground.rival_url
        _, self.cell = await new_cell(url, code, PLENTY)
        size = self.pool_size
        self.pool = await asyncpg.create_pool(
            url, min_size=size, max_size=size, reset=keep, server_settings=SETTINGS
        )
        return self.ground.roles()

    async def close(self) -> None:
        await self.pool.close()

    async def write(self, connection: asyncpg.Connection) -> bool:
        now = datetime.now(UTC)
        written = await connection.fetchrow(
            WRITE, self.cell, 1, uuid4(), now, CALLER, now + TTL, *BUYER, FINGERPRINT
        )
        return written is not None


class Statement(Rival):
    """One autocommitted statement per request."""

    name = "statement"

    async def once(self) -> bool:
        async with self.pool.acquire() as connection:
            return await self.write(connection)


class RowLock(Rival):
    """A transaction per request: lock the row, look, write, commit."""

    name = "row lock"

    async def once(self) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            left = await connection.fetchval(LOCK, self.cell)
            return left >= 1 and await self.write(connection)


def best_pool_size(
    ground: Ground, kind: type[Statement] | type[RowLock], rounds: int, seconds: float
) -> tuple[int, dict[int, float]]:
    """The size that accepts most with SWEEP_IN_FLIGHT requests in flight, and the median rate of
    each. The sizes take turns, for the reason that contenders do."""
    rates: dict[int, list[float]] = {size: [] for size in POOL_SIZES}
    for index in range(rounds):
        for size in POOL_SIZES:
            rival = kind(ground, size)
            rates[size].append(uvloop.run(rate(rival, f"{kind.name} {size} {index}", seconds)))
    medians = {size: median(of_size) for size, of_size in rates.items()}
    return max(medians, key=medians.__getitem__), medians


async def rate(rival: Statement | RowLock, code: str, seconds: float) -> float:
    roles = await rival.open(code)
    try:
        await closed_loop(rival.once, SWEEP_IN_FLIGHT, seconds / 4, roles)
        return (await closed_loop(rival.once, SWEEP_IN_FLIGHT, seconds, roles)).accepted
    finally:
        await rival.close()
