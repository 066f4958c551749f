"""Reservations through the stock client, as an API process makes them: to the owner, decided,
committed and back. The hot cell is new in every round."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from actors import owners
from actors.client import StockClient
from actors.wire import Done, Reply
from benchmarks.ground import Ground, new_cell
from benchmarks.load import Roles
from domain.commands import Buyer, CellKey, Line, Receive, Request, Reserve
from domain.ledger import Note
from domain.refusals import InsufficientStock
from infra.database import close_database, open_database

PLENTY = 900_000_000
"""Units: more than any run can reserve."""
TTL = timedelta(hours=1)
FINGERPRINT = 0x0123_4567_89AB_CDEF
CALLER = "bench"
BUYER = Buyer("customer-4711", "web")


class Owners:
    """Buyers of one hot cell, or of one that is sold out."""

    def __init__(self, ground: Ground, name: str, units: int) -> None:
        self.ground = ground
        self.name = name
        self.units = units
        self.note = Note(CALLER)
        self.deadline = datetime.now(UTC) + TTL

    async def open(self, code: str) -> Roles:
        """A new cell; the process ids that will be at work."""
        self.key, _ = await new_cell(self.ground.settings.database_url, code)
        await open_database(self.ground.settings.database_url)
        self.client: StockClient = owners.client(self.ground.settings)
        if self.units:
            await self.receive(self.key)
        return self.ground.roles(hot=self.client.owner_of(self.key))

    async def close(self) -> None:
        self.client.close()
        await close_database()

    async def receive(self, key: CellKey) -> None:
        lines = (Line(key, Receive(self.units)),)
        answer = await self.client.submit(Request(uuid4(), FINGERPRINT, key, lines, self.note))
        assert isinstance(answer, Done), answer

    def request(self) -> Request:
        reservation = uuid4()
        lines = (Line(self.key, Reserve(reservation, 1, self.deadline)),)
        return Request(reservation, FINGERPRINT, self.key, lines, self.note, BUYER)

    def send(self, request: Request) -> asyncio.Future[Reply]:
        """Without waiting for the answer, as the client's `submit` sends."""
        return self.client.lanes[self.client.owner_of(self.key)].send(request)

    async def once(self) -> bool:
        answer = await self.client.submit(self.request())
        if isinstance(answer, InsufficientStock):
            return False
        assert isinstance(answer, Done), answer
        return True
