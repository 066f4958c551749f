"""Buyers who come too late for a flash sale, as an API process answers them: from its owner's mark,
and by asking the owner where there is none. Its units were drawn by others before."""

from uuid import UUID, uuid4

from actors import owners
from actors.client import StockClient
from actors.wire import Done
from benchmarks.ground import Ground, new_cell
from benchmarks.load import Roles
from benchmarks.stock import BUYER, CALLER, FINGERPRINT, TTL
from domain.commands import Allot, CellKey, Command, Draw, Line, Receive, Request
from domain.ledger import Note
from domain.refusals import InsufficientStock
from infra.clock import SystemClock
from infra.database import close_database, open_database

UNITS = 500


class SoldOut:
    name = "sold out, of a flash sale"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.note = Note(CALLER)
        self.opened_at = SystemClock().now()
        self.closes_at = self.opened_at + TTL

    async def open(self, code: str) -> Roles:
        """A new sale whose units are gone; the process ids that will be at work."""
        self.key: CellKey
        self.key, _ = await new_cell(self.ground.settings.database_url, code)
        self.pool = f"sale:{uuid4()}"
        await open_database(self.ground.settings.database_url)
        self.client: StockClient = owners.client(self.ground.settings)
        await self.done(Receive(UNITS))
        await self.done(Allot(self.pool, UNITS))
        for _ in range(UNITS):
            assert await self.once()
        assert not await self.once()
        return self.ground.roles(hot=self.client.owner_of(self.key))

    async def close(self) -> None:
        self.client.close()
        await close_database()

    async def done(self, command: Command) -> None:
        answer = await self.client.submit(self.request(uuid4(), command))
        assert isinstance(answer, Done), answer

    def request(self, id: UUID, command: Command) -> Request:
        return Request(id, FINGERPRINT, self.key, (Line(self.key, command),), self.note, BUYER)

    async def once(self) -> bool:
        id = uuid4()
        draw = Draw(id, 1, self.closes_at, self.pool, None, self.opened_at, self.closes_at)
        request = self.request(id, draw)
        answer = self.client.sold_out(request) or await self.client.submit(request)
        if isinstance(answer, InsufficientStock):
            return False
        assert isinstance(answer, Done), answer
        return True
