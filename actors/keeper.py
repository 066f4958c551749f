"""Keeps one owner process more than there are seats, so that a seat that falls empty is taken at
once; ends processes that nobody has needed for a while, and drops seats without cells."""

import asyncio
import logging
from datetime import timedelta

from ray.exceptions import RayError

from actors import pool
from actors.book import PostgresBook
from infra.outage import Outage
from infra.settings import Settings

SPARES = 1
KEEP_SECONDS = 0.5
LOOK_SECONDS = 30.0
"""Ray may take its time to answer, or never answer for a process that it is ending."""
SURPLUS_SECONDS = 20.0
"""A process more than needed is ended after so long: the next sale may want it."""
EMPTY_AGE = timedelta(seconds=30)
"""A dedicated seat is given time to get its cells before it is dropped as empty."""
log = logging.getLogger(__name__)


class Keeper:
    def __init__(self, settings: Settings, book: PostgresBook) -> None:
        self.settings = settings
        self.book = book
        self.time = asyncio.get_running_loop().time
        self.needed_at = self.time()

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self.look()
            except (Outage, RayError, TimeoutError) as error:
                log.warning("the owners cannot be kept: %r", error)
            except Exception:  # tidy: allow broad-except: nobody else would keep the owners
                log.exception("the owners cannot be kept")
            await asyncio.sleep(KEEP_SECONDS)

    async def look(self) -> None:
        await self.book.drop_empty(EMPTY_AGE)
        wanted = len(await self.book.rows()) + SPARES
        names = await asyncio.to_thread(pool.names)
        if len(names) <= wanted:
            self.needed_at = self.time()
        if len(names) < wanted:
            await asyncio.to_thread(pool.begin, self.settings, wanted - len(names))
        elif self.time() - self.needed_at > SURPLUS_SECONDS:
            await self.end_spare(names)

    async def end_spare(self, names: list[str]) -> None:
        for member in await asyncio.gather(*map(pool.member, names)):
            if member is not None and member.seat is None:
                log.info("ends the spare owner %s", member.name)
                await asyncio.to_thread(pool.end, member.name)
                return
