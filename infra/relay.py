"""The relay: takes committed levels from the outbox to the read model, then to the bus.

At least once and per cell in order: rows are deleted only when both have them, and both go forward
by seq only. Whatever is down, it waits and then goes on where it was; nothing waits for it.
"""

import asyncio
import logging
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
import uvloop

from infra.bus import Bus, BusDown
from infra.cache import Cache, CacheDown, Filling, RelayReport
from infra.database import LOST, close_database, open_database, raw_connection
from infra.levels import CellLevel, decode_levels
from infra.logs import setup_logs
from infra.outbox import TAKE_LIMIT, Outbox, OutboxRow, PostgresOutbox
from infra.settings import Settings, current_settings

PAUSE_SECONDS = 0.025
"""Between two looks at the outbox, unless more waits than was taken: a change is half of it old on
average when it is seen, and what changes meanwhile shares the cost of a look (1 ms of CPU)."""
RETRY_SECONDS = 0.5
REPORT_SECONDS = 1.0
"""Between two reports; as often it looks whether Redis has lost its memory."""

NO_WAITING = {"synchronous_commit": "off"}
"""A deletion that a crash undoes is only told again: no reason to wait for the disk, nor to make
the owners' commits wait behind it."""

log = logging.getLogger(__name__)


class ReadModel(Protocol):
    async def put_levels(self, levels: Sequence[CellLevel]) -> None: ...

    async def filling_due(self, database: str) -> Filling | None: ...

    async def mark_filled(self, mark: str) -> None: ...

    async def clear(self) -> None: ...

    async def put_report(self, report: RelayReport) -> None: ...


class Publisher(Protocol):
    async def publish(self, levels: Sequence[CellLevel]) -> None: ...


class Relay:
    """One reign of the relay: from the lock of the outbox to its loss."""

    def __init__(self, outbox: Outbox, cache: ReadModel, bus: Publisher) -> None:
        self.outbox = outbox
        self.cache = cache
        self.bus = bus
        self.database = ""
        self.filling: Filling | None = None
        self.filled_to = 0
        self.reported_at = 0.0
        self.age = 0.0
        self.rows = self.levels = self.published = self.refills = self.failures = 0
        self.is_down = False
        self.has_dropped = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Until told to stop; what is on its way then is brought to an end."""
        while not stopping.is_set():
            await rest(await self.turn(), stopping)

    async def turn(self) -> float:
        """One step; answers how many seconds to rest."""
        try:
            has_more = await self.step()
        except (CacheDown, BusDown) as error:
            self.failures += 1
            if not self.is_down:
                log.warning("the relay waits: %s", error)
            self.is_down = True
            return RETRY_SECONDS
        if self.is_down:
            log.info("the relay goes on")
        self.is_down = False
        return 0.0 if has_more else PAUSE_SECONDS

    async def step(self) -> bool:
        """Whether there is more to do at once."""
        rows = await self.outbox.take()
        self.age = rows[0].age if rows else 0.0
        await self.report()
        if rows:
            await self.tell(rows)
        if self.filling is not None:
            await self.fill(self.filling)
        return len(rows) >= TAKE_LIMIT or self.filling is not None

    async def tell(self, rows: Sequence[OutboxRow]) -> None:
        newest = newest_levels(level for row in rows for level in self.levels_of(row))
        await self.cache.put_levels(newest)
        await self.bus.publish(newest)
        await self.outbox.delete([row.id for row in rows])
        self.rows += len(rows)
        self.published += len(newest)

    def levels_of(self, row: OutboxRow) -> list[CellLevel]:
        """A row that cannot be read must not stop the others: it is dropped, and the read model
        is filled again from the cells."""
        try:
            levels = decode_levels(row.levels)
        except msgspec.MsgspecError:
            log.exception("row %d of the outbox cannot be read", row.id)
            self.failures += 1
            self.has_dropped = True
            return []
        self.levels += len(levels)
        return levels

    async def report(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self.reported_at < REPORT_SECONDS:
            return
        await self.check_memory()
        await self.cache.put_report(
            RelayReport(
                self.age, self.rows, self.levels, self.published, self.refills, self.failures
            )
        )
        self.reported_at = now

    async def check_memory(self) -> None:
        """A Redis that was started again may have lost anything; one that was filled from another
        database holds levels that are not ours."""
        if not self.database:
            self.database = await self.outbox.identity()
        if self.has_dropped:
            await self.cache.mark_filled("")
            self.filling, self.has_dropped = None, False
        due = await self.cache.filling_due(self.database)
        if due is None or (self.filling is not None and due.mark == self.filling.mark):
            return
        if due.is_foreign:
            await self.cache.clear()
        log.info("the read model is filled from the database")
        self.filling = due
        self.filled_to = 0

    async def fill(self, filling: Filling) -> None:
        """One page, between two looks at the outbox, so that changes do not wait for it."""
        page = await self.outbox.page(self.filled_to)
        if page:
            await self.cache.put_levels(page)
            self.filled_to = page[-1].cell_id
            return
        await self.cache.mark_filled(filling.mark)
        self.filling = None
        self.refills += 1
        log.info("the read model is filled")


def newest_levels(levels: Iterable[CellLevel]) -> list[CellLevel]:
    """The newest of each cell, in the order in which they became the newest."""
    newest: dict[int, CellLevel] = {}
    for level in levels:
        held = newest.pop(level.cell_id, None)
        newest[level.cell_id] = level if held is None or held.seq < level.seq else held
    return list(newest.values())


async def rest(seconds: float, stopping: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def reign(cache: ReadModel, bus: Publisher, stopping: asyncio.Event) -> None:
    """One connection to the database, and one reign if nobody else is the relay."""
    async with raw_connection() as connection:
        outbox = PostgresOutbox(connection)
        if not await outbox.lock():
            log.debug("another relay is at work")
            return
        log.info("this is the relay")
        try:
            await Relay(outbox, cache, bus).run(stopping)
        except LOST as error:
            log.warning("the relay lost the database: %r", error)


async def attempt(
    cache: ReadModel, bus: Publisher, stopping: asyncio.Event, was_out_of_reach: bool
) -> bool:
    """Whether the database is out of reach, which is said once."""
    try:
        await reign(cache, bus, stopping)
    except LOST as error:
        if not was_out_of_reach:
            log.warning("the relay waits for the database: %r", error)
        return True
    except Exception:  # tidy: allow broad-except: the relay forgets and starts again
        log.exception("the relay starts again")
    return False


async def serve(settings: Settings, stopping: asyncio.Event) -> None:
    await open_database(settings.database_url, 1, NO_WAITING)
    cache = Cache.connect(settings.redis_url)
    bus = await Bus.connect(settings.nats_url)
    is_out_of_reach = False
    try:
        while not stopping.is_set():
            is_out_of_reach = await attempt(cache, bus, stopping, is_out_of_reach)
            await rest(RETRY_SECONDS, stopping)
    finally:
        await bus.close()
        await cache.close()
        await close_database()


async def main() -> None:
    settings = current_settings()
    setup_logs(settings.log_level, syslog=settings.log_syslog)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve(settings, stopping)


if __name__ == "__main__":
    uvloop.run(main())
