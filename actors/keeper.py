"""Keeps one owner process more than there are seats, so that a seat that falls empty is taken at
once; ends processes that nobody has needed for a while, or that do not answer, and drops seats
without cells."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

from ray.exceptions import RayError

from actors import pool
from actors.book import PostgresBook
from infra.outage import Outage
from infra.settings import Settings

SPARES = 1
KEEP_SECONDS = 0.5
CALL_SECONDS = 5.0
"""Between two roll-calls, which wait for who is slow."""
SILENT_SECONDS = 20.0
"""A process that has not answered for so long is none: to start one takes some seconds, and Ray
counts one that hangs in its start, or stands still, like any other."""
LOOK_SECONDS = 30.0
"""Ray may take its time to answer, or never answer for a process that it is ending."""
SURPLUS_SECONDS = 20.0
"""A process more than needed is ended after so long: the next sale may want it."""
EMPTY_AGE = timedelta(seconds=30)
"""A dedicated seat is given time to get its cells before it is dropped as empty."""
log = logging.getLogger(__name__)


class RollCall:
    """Who does not answer, and since when."""

    def __init__(self) -> None:
        self.silent: dict[str, float] = {}

    def note(self, names: Collection[str], answered: Collection[str], now: float) -> list[str]:
        """Those that have not answered for too long, this time and all times before."""
        self.silent = {n: self.silent.get(n, now) for n in names if n not in answered}
        return [name for name, since in self.silent.items() if now - since >= SILENT_SECONDS]


class Keeper:
    def __init__(self, settings: Settings, book: PostgresBook) -> None:
        self.settings = settings
        self.book = book
        self.time = asyncio.get_running_loop().time
        self.needed_at = self.time()
        self.roll = RollCall()

    async def keep(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(repeat(self.look, KEEP_SECONDS))
            loops.create_task(repeat(self.call_roll, CALL_SECONDS))

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

    async def call_roll(self) -> None:
        """Another is begun for each that is ended here. None is ended while the database is away:
        without it no process can say that it is ready."""
        names = await asyncio.to_thread(pool.names)
        members = await asyncio.gather(*map(pool.member, names))
        await self.book.rows()
        answered = {member.name for member in members if member is not None}
        for name in self.roll.note(names, answered, self.time()):
            log.warning("ends the owner %s, which does not answer", name)
            await asyncio.to_thread(pool.end, name)


async def repeat(look: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Until cancelled, with so long a pause each time."""
    while True:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await look()
        except (Outage, RayError, TimeoutError, ValueError) as error:
            log.warning("the owners cannot be kept: %r", error)
        except Exception:  # tidy: allow broad-except: nobody else would keep the owners
            log.exception("the owners cannot be kept")
        await asyncio.sleep(seconds)
