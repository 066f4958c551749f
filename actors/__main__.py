"""The process that keeps the owners: starts them, says so, keeps a spare, lets them drain.

`python -m actors READY` touches the file READY once all owners can work.
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from actors.book import PostgresBook
from actors.cluster import connect
from actors.keeper import Keeper
from actors.owners import drain, seated
from infra.database import close_database, open_database
from infra.logs import setup_logs
from infra.settings import Settings, current_settings

ENDINGS = (signal.SIGTERM, signal.SIGINT)


async def keep(settings: Settings, ready: Path) -> None:
    """Until this process is asked to end."""
    ending = asyncio.Event()
    for each in ENDINGS:
        asyncio.get_running_loop().add_signal_handler(each, ending.set)
    await open_database(settings.database_url, 1)
    book = PostgresBook()
    await seated(settings, book)
    await asyncio.to_thread(ready.touch)
    keeping = asyncio.create_task(Keeper(settings, book).keep())
    await ending.wait()
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    await close_database()


def main() -> None:
    settings = current_settings()
    setup_logs(settings.log_level, syslog=settings.log_syslog)
    connect(settings)
    asyncio.run(keep(settings, Path(sys.argv[1])))
    drain()


if __name__ == "__main__":
    main()
