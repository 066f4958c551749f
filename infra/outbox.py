"""The outbox as the relay sees it: committed levels nobody has been told of yet, oldest first.

All calls go over one connection, whose advisory lock makes the relay the only one: if the
connection is lost, so is the lock.
"""

from typing import NamedTuple, Protocol

import asyncpg

from infra import balances
from infra.levels import CellLevel

TAKE_LIMIT = 200
"""Rows (appends) in one read."""
TIMEOUT_SECONDS = 10.0
RELAY_LOCK = 0x6F6E_6861_6E64_7265
"""The advisory lock of the relay: onhandre in ASCII."""

LOCK = "SELECT pg_try_advisory_lock($1)"
TAKE = """
SELECT id, levels, extract(epoch FROM clock_timestamp() - made_at)::float8
FROM outbox ORDER BY id LIMIT $1
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

    async def lock(self) -> bool:
        """True: nobody else is the relay, for as long as this connection lives."""
        held: bool = await self.connection.fetchval(LOCK, RELAY_LOCK, timeout=TIMEOUT_SECONDS)
        return held

    async def take(self) -> list[OutboxRow]:
        rows = await self.connection.fetch(TAKE, TAKE_LIMIT, timeout=TIMEOUT_SECONDS)
        return [OutboxRow(*row) for row in rows]

    async def delete(self, ids: list[int]) -> None:
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
