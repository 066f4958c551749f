"""Starting and stopping the owners of a Ray cluster, and the clients' way to them."""

import asyncio

from ray.exceptions import RayError

from actors import pool
from actors.asking import Asking
from actors.book import PostgresBook
from actors.client import Ask, StockClient
from actors.directory import shared
from infra.database import close_database, open_database
from infra.outage import Outage
from infra.settings import Settings

START_TIMEOUT_SECONDS = 60.0
DRAIN_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.05


def start(settings: Settings) -> list[int]:
    """Starts the owners that are not running yet; the process ids by seat when all can work."""
    return asyncio.run(opened_and_seated(settings))


async def opened_and_seated(settings: Settings) -> list[int]:
    await open_database(settings.database_url, 1)
    try:
        return await seated(settings, PostgresBook())
    finally:
        await close_database()


async def seated(settings: Settings, book: PostgresBook) -> list[int]:
    """Raises Outage."""
    seats = [shared(index) for index in range(settings.owners)]
    await book.make_shared(seats)
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            pool.begin(settings, max(0, settings.owners - len(pool.names())))
            pids: dict[str | None, int] = {}
            while not pids.keys() >= set(seats):
                await asyncio.sleep(POLL_SECONDS)
                found = await asyncio.gather(*map(pool.member, pool.names()))
                pids = {member.seat: member.pid for member in found if member is not None}
    except (RayError, TimeoutError) as error:
        raise Outage(f"the owners do not start: {type(error).__name__}") from error
    return [pids[seat] for seat in seats]


def drain() -> None:
    pool.drain(DRAIN_TIMEOUT_SECONDS)


def client(settings: Settings) -> StockClient:
    """The stock client of this process, whose database must be open."""
    asking = Asking(PostgresBook(), settings.owners)
    channels = [asking.channel(shared(index)) for index in range(settings.owners)]
    return StockClient(channels, Ask(asking.stats, asking.resident, asking.ready), asking)
