"""The owner as a Ray actor: a thin shell around the drain loop, with its deadlines and its sweep.

All methods run on one event loop, in one concurrency group, so nothing here needs a lock. Ray
starts the actor again when its process dies; it then knows nothing and reloads from the ledger.
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

from actors.directory import owner_of, stand_in
from actors.drain import Owner
from actors.store import PostgresStore
from actors.stream import Address, Listener
from actors.sweep import Sweep
from actors.wire import decode_requests, encode_replies
from domain.commands import CellKey
from infra.cells import owner_name
from infra.clock import SystemClock
from infra.database import OWNER_SETTINGS, close_database, open_database
from infra.ledger import cell_level
from infra.levels import CellLevel, encode_levels
from infra.outage import Outage
from infra.settings import Settings

KEY_BYTES = 32
CONNECTIONS = 2
"""To the database: one appends, one sweeps."""
DEADLINE_TICK_SECONDS = 0.1
SWEEP_SECONDS = 0.5
IDLE_SECONDS = 300.0
"""A cell that is not used for this long, and at most twice as long, leaves memory."""
RESIDENT_LIMIT = 100_000
"""Young cells that make the owner drop the old ones at once."""
GARBAGE_THRESHOLDS = (50_000, 20, 100)
"""What an owner remembers lives long and holds no cycles. Looked through as often as Python does by
itself, the holds of a hot cell took half of the owner's time."""
log = logging.getLogger(__name__)


class OwnerActor:
    def __init__(self, index: int, settings: Settings) -> None:
        self.index = index
        self.settings = settings
        self.clock = SystemClock()
        self.store = PostgresStore()
        self.owner = Owner(self.store, self.clock, settings.inbox_limit)
        self.second_store = PostgresStore()
        self.sweeper = Sweep(
            self.owner, self.second_store, self.clock, self.is_mine, self.stands_in
        )
        self.listener = Listener(self.submit, token_bytes(KEY_BYTES))
        self.opened = asyncio.Event()
        self.life = asyncio.get_running_loop().create_task(self.live())

    async def live(self) -> None:
        """Works until cancelled. If a loop breaks all the same, the process ends at once: Ray
        starts a clean one, and the ledger has everything that was answered."""
        try:
            named = OWNER_SETTINGS | owner_name(self.index)
            await open_database(self.settings.database_url, CONNECTIONS, named)
            host: str = get_node_ip_address()  # type: ignore[no-untyped-call]
            self.listens_at = await self.listener.open(host)
            self.opened.set()
            gc.freeze()
            gc.set_threshold(*GARBAGE_THRESHOLDS)
            async with asyncio.TaskGroup() as tasks:
                for loop in (self.owner.run, self.keep_deadlines, self.sweep, self.evict):
                    tasks.create_task(loop())
        except Exception:  # tidy: allow broad-except: the supervisor of this process's loops
            log.exception("owner %d broke and starts again", self.index)
            os._exit(1)

    async def submit(self, frame: bytes) -> bytes:
        """Requests in, replies out, both encoded; every reply is durable when this returns."""
        return encode_replies(await self.owner.submit(decode_requests(frame)))

    async def ready(self) -> int:
        """The process id, once the owner can work."""
        await self.opened.wait()
        return os.getpid()

    async def address(self) -> Address:
        """Where `submit` is reached."""
        await self.opened.wait()
        return self.listens_at

    async def stats(self) -> dict[str, Any]:
        return {
            "owner": self.index,
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

    async def drain(self) -> None:
        """Takes no more requests, settles what is waiting, and closes the database."""
        await self.owner.drain()
        self.listener.close()
        self.life.cancel()
        await asyncio.gather(self.life, return_exceptions=True)
        await self.store.close()
        await self.second_store.close()
        await close_database()

    async def keep_deadlines(self) -> None:
        while True:
            await asyncio.sleep(DEADLINE_TICK_SECONDS)
            self.owner.end(self.owner.host.due(self.clock.now()))

    async def sweep(self) -> None:
        """Looks at once: what was due while nobody was here is late already."""
        while True:
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

    def is_mine(self, key: CellKey) -> bool:
        return owner_of(key, self.settings.owners) == self.index

    def stands_in(self, key: CellKey, present: Collection[int]) -> bool:
        owners = self.settings.owners
        absent = owner_of(key, owners)
        return absent not in present and stand_in(absent, present, owners) == self.index
