"""An owner process's seat: taken as a spare, renewed while it is held, given up when it is lost.

Only the holder of a seat decides. A lease that could not be renewed in time (the process was
stopped, the database was away) makes it wait for the next renewal: either the seat is still its
own and its memory is true, or another has taken over and memory is dropped.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from actors.book import Book
from actors.directory import seat_of, stand_in_of
from actors.wire import Failed, Moved, Reply
from domain.commands import CellKey, Draw, Request
from infra.outage import Outage
from infra.seats import LEASE, Address

POLL_SECONDS = 0.1
RENEW_SECONDS = 0.5
GRACE_SECONDS = 1.0
"""After a database that was away is back, a spare lets the holders come back before it takes."""
DOUBT_SECONDS = 2.0
"""How long requests wait for a renewal that is late."""
MARKED_SECONDS = 0.15
"""Draws wait for so long after a seat was taken: until then the last holder's word that something
is sold out may stand (actors/sold_out.py)."""
MOVED_SECONDS = RENEW_SECONDS + MARKED_SECONDS
"""And for so long after cells came from another seat, whose holder may hear of it later."""
MINE_LIMIT = 100_000
UNSURE = Failed("UNAVAILABLE", "the owner's lease ran out and is not renewed yet")
log = logging.getLogger(__name__)

LetGo = Callable[[Collection[CellKey] | None], Awaitable[None]]
"""Drops these cells from memory between two rounds; None: all of it."""


class Seat:
    """`let_go` is told before anything is forgotten, and answers when it is."""

    def __init__(self, book: Book, holder: UUID, owners: int, let_go: LetGo) -> None:
        self.book = book
        self.holder = holder
        self.owners = owners
        self.let_go = let_go
        self.address = Address("", 0, b"")
        self.name: str | None = None
        self.placed: dict[CellKey, str] = {}
        self.version: int | None = None
        self.mine: set[CellKey] = set()
        self.taken = asyncio.Event()
        self.is_leaving = False
        self.sure_until = 0.0
        self.quiet_until = 0.0
        self.draws_from = 0.0
        self.looking = asyncio.Lock()
        self.time = asyncio.get_running_loop().time

    def holds(self) -> bool:
        return self.name is not None and self.time() < self.sure_until

    def is_sure_for(self, seconds: float) -> bool:
        """Whether nobody else can sit here before so long."""
        return self.name is not None and self.time() + seconds < self.sure_until

    def is_mine(self, key: CellKey) -> bool:
        return seat_of(key, self.owners, self.placed) == self.name

    def stands_in(self, key: CellKey, present: Collection[str]) -> bool:
        seat = seat_of(key, self.owners, self.placed)
        if seat in present:
            return False
        return stand_in_of(key, seat, present, self.owners) == self.name

    def turn_away(self, request: Request) -> Reply | None:
        """The answer to a request that is not to be decided here."""
        if self.name is None:
            return Moved(())
        if self.time() >= self.sure_until:
            return UNSURE
        if type(request.lines[0][1]) is Draw and self.time() < self.draws_from:
            return Moved(((request.home, self.name),))
        mine = self.mine
        if len(request.lines) == 1 and request.lines[0][0] in mine and request.home in mine:
            return None
        for key in request.at:
            if key not in mine:
                return self.look_closer(request)
        return None

    def look_closer(self, request: Request) -> Moved | None:
        keys = request.at
        if all(self.is_mine(key) for key in keys):
            if len(self.mine) > MINE_LIMIT:
                self.mine.clear()
            self.mine.update(keys)
            return None
        return Moved(tuple((key, seat_of(key, self.owners, self.placed)) for key in keys))

    async def sure(self) -> None:
        """Waits a moment for a renewal that is late."""
        if self.name is None or self.holds():
            return
        try:
            async with asyncio.timeout(DOUBT_SECONDS):
                await self.look()
        except (TimeoutError, Outage):
            return

    async def live(self) -> None:
        """Until cancelled."""
        while not self.is_leaving:
            try:
                await self.look()
            except Outage:
                self.quiet_until = self.time() + GRACE_SECONDS
            await asyncio.sleep(POLL_SECONDS if self.name is None else RENEW_SECONDS)

    async def look(self) -> None:
        """Takes a free seat, or renews the one that is held and learns who hosts which cell."""
        async with self.looking:
            if self.name is None:
                await self.seek()
            else:
                await self.renew(self.name)

    async def seek(self) -> None:
        asked_at = self.time()
        if asked_at < self.quiet_until or self.is_leaving:
            return
        name = await self.book.take(self.holder, self.address)
        if name is None:
            return
        self.placed = await self.book.placements()
        self.version = None
        self.mine.clear()
        self.sure_until = asked_at + LEASE.total_seconds()
        self.draws_from = self.time() + MARKED_SECONDS
        self.name = name
        self.taken.set()
        log.info("takes the seat %s", name)

    async def renew(self, name: str) -> None:
        asked_at = self.time()
        version = await self.book.renew(self.holder, name)
        if version is None:
            await self.stand_down()
            return
        self.sure_until = asked_at + LEASE.total_seconds()
        if version == self.version:
            return
        placed = await self.book.placements()
        if placed != self.placed:
            await self.move(placed)
        self.version = version

    async def move(self, placed: dict[CellKey, str]) -> None:
        """Requests are turned away first, and then memory is dropped: what was taken up before is
        settled by then."""
        before, self.placed = self.placed, placed
        self.mine.clear()
        changed = {
            key for key in before.keys() | placed.keys() if before.get(key) != placed.get(key)
        }
        if any(self.is_mine(key) for key in changed):
            self.draws_from = self.time() + MOVED_SECONDS
        gone = {key for key in changed if not self.is_mine(key)}
        if gone:
            await self.let_go(gone)

    async def stand_down(self) -> None:
        log.warning("has lost the seat %s", self.name)
        self.name = None
        self.taken.clear()
        self.mine.clear()
        await self.let_go(None)

    async def leave(self) -> None:
        """Somebody else may take the seat at once."""
        self.is_leaving = True
        await self.book.leave(self.holder)
