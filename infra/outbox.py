"""The outbox as the relay sees it: committed levels nobody has been told of yet, oldest first.

All calls go over one connection, whose advisory lock makes the relay the only one: if the
connection is lost, so is the lock.
"""

import asyncio
from typing import NamedTuple, Protocol

import asyncpg

from infra import balances
from infra.levels import CellLevel

TAKE_LIMIT = 200
"""Rows (appends) in one read."""
TIMEOUT_SECONDS = 10.0
LOOK_BACK_SECONDS = 1.0
"""As often it looks for rows whose ids are lower than those it deleted so long ago: appends commit
in another order than they take their ids. In between it passes them by, because while anybody has
an old snapshot open, each look from the start would wade through all rows that were deleted."""
RELAY_LOCK = 0x6F6E_6861_6E64_7265
"""The advisory lock of the relay: onhandre in ASCII."""

LOCK = "SELECT pg_try_advisory_lock($1)"
TAKE = """
SELECT id, levels, extract(epoch FROM clock_timestamp() - made_at)::float8
FROM outbox WHERE id > $1 ORDER BY id LIMIT $2
"""
DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
AGE = """
SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - made_at) FROM outbox
  ORDER BY id LIMIT 1), 0)::float8
"""
IDENTITY = """
SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
FROM pg_control_system()
"""


class OutboxRow(NamedTuple):
    """What one append changed, encoded, and how many seconds ago."""

    id: int
    levels: bytes
    age: float


class Outbox(Protocol):
    """What the relay needs of the database."""

    async def take(self) -> list[OutboxRow]: ...

    async def delete(self, ids: list[int]) -> None: ...

    async def page(self, after: int) -> list[CellLevel]:
        """The levels of all cells, some at a time, in the order of their ids."""

    async def identity(self) -> str:
        """The same for the same database only."""


class PostgresOutbox:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.newest = self.newest_then = self.floor = 0
        self.looked_back_at = 0.0

    async def lock(self) -> bool:
        """True: nobody else is the relay, for as long as this connection lives."""
        held: bool = await self.connection.fetchval(LOCK, RELAY_LOCK, timeout=TIMEOUT_SECONDS)
        return held

    async def take(self) -> list[OutboxRow]:
        after = 0 if self.must_look_back() else self.floor
        rows = await self.connection.fetch(TAKE, after, TAKE_LIMIT, timeout=TIMEOUT_SECONDS)
        return [OutboxRow(*row) for row in rows]

    def must_look_back(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self.looked_back_at < LOOK_BACK_SECONDS:
            return False
        self.looked_back_at = now
        self.floor, self.newest_then = self.newest_then, self.newest
        return True

    async def delete(self, ids: list[int]) -> None:
        self.newest = max(self.newest, *ids)
        await self.connection.execute(DELETE, ids, timeout=TIMEOUT_SECONDS)

    async def page(self, after: int) -> list[CellLevel]:
        return await balances.read_page(self.connection, after)

    async def identity(self) -> str:
        identity: str = await self.connection.fetchval(IDENTITY, timeout=TIMEOUT_SECONDS)
        return identity


async def oldest_age(connection: asyncpg.Connection) -> float:
    """Seconds that the oldest level has waited to be told; 0 if none waits."""
    age: float = await connection.fetchval(AGE, timeout=TIMEOUT_SECONDS)
    return age
