"""The owner as a Ray actor: a thin shell around the drain loop, with its deadlines and its sweep.

It starts as a spare, with everything open, and takes the next seat that is free. All methods run on
one event loop, in one concurrency group, so nothing here needs a lock. Ray starts the actor again
when its process dies; it is a spare then, for another has taken its seat.
"""

import asyncio
import contextlib
import gc
import logging
import os
from collections.abc import Collection
from secrets import token_bytes
from typing import Any

from ray.util import get_node_ip_address

from actors import questions, sold_out
from actors.book import PostgresBook
from actors.drain import Owner
from actors.seat import Seat
from actors.sold_out import MARK_SECONDS, NOT_NOW
from actors.store import PostgresStore
from actors.stream import Listener
from actors.sweep import Sweep
from actors.wire import decode_requests, encode_replies
from domain.commands import CellKey
from infra.clock import SystemClock
from infra.database import OWNER_SETTINGS, close_database, open_database
from infra.ledger import cell_level
from infra.levels import CellLevel, encode_levels
from infra.logs import setup_logs
from infra.memory import Garbage
from infra.outage import Outage
from infra.seats import holder_name
from infra.settings import Settings

KEY_BYTES = 32
CONNECTIONS = 3
"""To the database: one appends, one sweeps, one keeps the seat."""
DEADLINE_TICK_SECONDS = 0.1
SWEEP_SECONDS = 0.5
IDLE_SECONDS = 300.0
"""A cell that is not used for this long, and at most twice as long, leaves memory."""
RESIDENT_LIMIT = 100_000
"""Young cells that make the owner drop the old ones at once."""
GARBAGE_TICK_SECONDS = 1.0
"""What an owner remembers lives long and holds no cycles. Looked through as often as Python does by
itself, the holds of a hot cell took half of the owner's time; looked through more seldom, buyers
waited up to 40 ms for the end of it."""
log = logging.getLogger(__name__)


class OwnerActor:
    def __init__(self, settings: Settings) -> None:
        setup_logs(settings.log_level, syslog=settings.log_syslog)
        self.settings = settings
        self.clock = SystemClock()
        self.holder = self.clock.new_id()
        self.store, self.second_store, third = (PostgresStore() for _ in range(CONNECTIONS))
        self.stores = (self.store, self.second_store, third)
        book = PostgresBook(third.connected)
        self.seat = Seat(book, self.holder, settings.owners, self.let_go)
        self.owner = Owner(self.store, self.clock, settings.inbox_limit, self.seat)
        self.sweeper = Sweep(
            self.owner, self.second_store, self.clock, self.seat.is_mine, self.seat.stands_in
        )
        self.listener = Listener(self.answer, token_bytes(KEY_BYTES))
        self.opened = asyncio.Event()
        self.life = asyncio.get_running_loop().create_task(self.live())

    async def live(self) -> None:
        """Works until cancelled. If a loop breaks all the same, the process ends at once: Ray
        starts a clean one, and the ledger has everything that was answered."""
        try:
            named = OWNER_SETTINGS | holder_name(self.holder)
            await open_database(self.settings.database_url, CONNECTIONS, named)
            host: str = get_node_ip_address()  # type: ignore[no-untyped-call]
            self.seat.address = await self.listener.open(host)
            await self.store.load_present()  # its connection is open when the first buyer comes
            self.opened.set()
            gc.freeze()
            gc.disable()
            async with asyncio.TaskGroup() as tasks:
                loops = (
                    self.owner.run,
                    self.seat.live,
                    self.keep_deadlines,
                    self.sweep,
                    self.evict,
                    self.look_for_garbage,
                )
                for loop in loops:
                    tasks.create_task(loop())
        except Exception:  # tidy: allow broad-except: the supervisor of this process's loops
            log.exception("the owner at %s broke and starts again", self.seat.name)
            os._exit(1)

    async def answer(self, frame: bytes) -> bytes:
        """Requests in, replies out, both encoded; every reply is durable when this returns."""
        if frame.startswith(questions.MARK):
            return await self.reply_to(frame)
        await self.seat.sure()
        return encode_replies(await self.owner.submit(decode_requests(frame)))

    async def reply_to(self, question: bytes) -> bytes:
        if question == questions.RESIDENT:
            return await self.resident()
        if question.startswith(questions.SOLD_OUT):
            sure = self.seat.is_sure_for(MARK_SECONDS)
            return await sold_out.answer(self.owner, question) if sure else NOT_NOW
        if question == questions.LOOK:
            await self.seat.look()
        return questions.encode_stats(self.stats())

    async def ready(self) -> tuple[int, str | None]:
        """The process id and the seat, once the owner can work or stand by."""
        await self.opened.wait()
        return os.getpid(), self.seat.name

    def stats(self) -> dict[str, Any]:
        return {
            "owner": self.seat.name,
            "holder": str(self.holder),
            "pid": os.getpid(),
            "inbox": len(self.owner.inbox),
            "resident_cells": len(self.owner.host),
            **self.owner.stats.as_dict(),
        }

    async def resident(self) -> bytes:
        """The levels of all resident cells, encoded, as they are between two rounds."""
        async with self.owner.between_rounds():
            levels: list[CellLevel] = [cell_level(cell) for cell in self.owner.host.cells()]
        return encode_levels(levels)

    async def let_go(self, keys: Collection[CellKey] | None) -> None:
        async with self.owner.between_rounds():
            if keys is None:
                self.owner.host.clear()
            else:
                self.owner.host.let_go(keys)

    async def drain(self) -> None:
        """Takes no more requests, settles what is waiting, and closes the database."""
        self.seat.is_leaving = True
        await self.owner.drain()
        with contextlib.suppress(Outage):
            await self.seat.leave()
        self.listener.close()
        self.life.cancel()
        await asyncio.gather(self.life, return_exceptions=True)
        for store in self.stores:
            await store.close()
        await close_database()

    async def keep_deadlines(self) -> None:
        while True:
            await asyncio.sleep(DEADLINE_TICK_SECONDS)
            self.owner.end(self.owner.host.due(self.clock.now()))

    async def sweep(self) -> None:
        """Looks at once: what was due while nobody was here is late already."""
        while True:
            await self.seat.taken.wait()
            with contextlib.suppress(Outage):
                await self.sweeper.look()
            await asyncio.sleep(SWEEP_SECONDS)

    async def evict(self) -> None:
        turned = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(DEADLINE_TICK_SECONDS)
            idle = asyncio.get_running_loop().time() - turned > IDLE_SECONDS
            full = len(self.owner.host.young) > RESIDENT_LIMIT
            if idle or full:
                async with self.owner.between_rounds():
                    self.owner.host.rotate()
                turned = asyncio.get_running_loop().time()

    async def look_for_garbage(self) -> None:
        loop = asyncio.get_running_loop()
        garbage = Garbage(loop.time())
        while True:
            await asyncio.sleep(GARBAGE_TICK_SECONDS)
            if garbage.is_due(self.owner.stats.commands.total(), loop.time()):
                gc.collect()
