"""Locks that all processes share: PostgreSQL's advisory locks, each held by a connection, so that
it ends with its holder, however that ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg

from infra.database import LOST, raw_connection
from infra.outage import Outage

POLL_SECONDS = 0.05
TRY = "SELECT pg_try_advisory_lock($1)"
LET_GO = "SELECT pg_advisory_unlock($1)"


class Lock:
    """`is_held` asks the database: a lost connection has lost the lock."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def is_held(self) -> bool:
        try:
            return await self.connection.fetchval("SELECT true") is True
        except LOST:
            return False


@asynccontextmanager
async def trying(key: int) -> AsyncIterator[Lock | None]:
    """None: another holds it now. `key` is 64 bits, signed."""
    async with raw_connection() as connection:
        if not await connection.fetchval(TRY, key):
            yield None
            return
        try:
            yield Lock(connection)
        finally:
            with suppress(*LOST):
                await connection.execute(LET_GO, key)


async def leading(key: int, pause_seconds: float, look: Callable[[], Awaitable[None]]) -> None:
    """Looks again and again, as long as this process is the one that does; returns at once where
    another is."""
    async with trying(key) as lock:
        while lock is not None and await lock.is_held():
            await look()
            await asyncio.sleep(pause_seconds)


@asynccontextmanager
async def alone(key: int, patience_seconds: float) -> AsyncIterator[Lock]:
    """Waits its turn; raises Outage when that takes longer. No connection is kept while waiting."""
    clock = asyncio.get_running_loop().time
    give_up = clock() + patience_seconds
    while True:
        async with trying(key) as lock:
            if lock is not None:
                yield lock
                return
        if clock() > give_up:
            raise Outage("somebody else is at work on it: ask again", "BUSY")
        await asyncio.sleep(POLL_SECONDS)
