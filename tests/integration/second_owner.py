"""An owner in the test's own process, on the shop's database: it takes over whatever cell it is
asked about, as a second owner would that placement has gone wrong for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from actors.drain import Owner
from actors.store import PostgresStore
from actors.wire import Failed, Reply
from domain.commands import CellKey, Command, Line, Receive, Request, Reserve
from domain.ledger import Note
from infra.clock import SystemClock
from infra.database import close_database, open_database
from tests.integration.caller import new_id
from tests.integration.whole import Whole

INBOX_LIMIT = 20_000
CONNECTIONS = 4
TAKEN_OVER = Note("second owner")


@asynccontextmanager
async def second_owners(shop: Whole, number: int = 1) -> AsyncIterator[list[Owner]]:
    """So many of them, each with a connection of its own."""
    await open_database(shop.settings.database_url, CONNECTIONS)
    stores = [PostgresStore() for _ in range(number)]
    owners = [Owner(store, SystemClock(), INBOX_LIMIT) for store in stores]
    loops = [asyncio.create_task(owner.run()) for owner in owners]
    try:
        yield owners
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)
        for store in stores:
            await store.close()
        await close_database()


async def ask(owner: Owner, key: CellKey, command: Command, id: str) -> Reply:
    """Asked again with the same id, as every client does, until it can say."""
    request = Request(UUID(id), 7, key, (Line(key, command),), TAKEN_OVER)
    while True:
        (reply,) = await owner.submit([request])
        if not isinstance(reply, Failed):
            return reply
        assert reply.code != "INTERNAL", reply


async def receive(owner: Owner, key: CellKey, quantity: int) -> Reply:
    return await ask(owner, key, Receive(quantity), new_id())


async def reserve(owner: Owner, key: CellKey, id: str, ttl_seconds: float = 600) -> Reply:
    """One unit."""
    deadline = owner.clock.now() + timedelta(seconds=ttl_seconds)
    return await ask(owner, key, Reserve(UUID(id), 1, deadline), id)
