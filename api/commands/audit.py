"""`onhand audit`: whether ledger, balances, holds, owners' memory and read model tell one story;
with `--trail`, whether the trail of who did what is whole."""

from contextlib import AsyncExitStack

import click
import uvloop
from rich.console import Console

from actors import owners
from api.commands.trail import inspected, show_trail
from api.progress import stages
from api.tables import show_table
from infra.cache import Cache, CacheDown
from infra.database import LOST, close_database, connection, open_database
from infra.outage import Outage
from infra.running import attached
from infra.settings import Settings, SettingsError, current_settings
from services.audit import Books, audit

DIFFERENT = 1
CANNOT_SAY = 2
CONNECTIONS = 2
"""To the database."""


@click.command("audit")
@click.option(
    "--show",
    type=click.IntRange(0, 1_000),
    default=50,
    show_default=True,
    help="Differences to print; all are counted.",
)
@click.option(
    "--trail", is_flag=True, help="Check the trail of who did what, and the ledger by it."
)
def audit_command(show: int, trail: bool) -> None:
    """Check the books of the running server, over all cells, or its trail.

    Exits with 1 if anything differs, and with 2 if it cannot say: nothing is running, or a part of
    it does not answer.
    """
    console = Console()
    what = "trail" if trail else "books"
    try:
        settings = attached(current_settings())
        if trail:
            report = uvloop.run(inspected(settings, console))
            show_trail(console, report, show)
            count, is_certain = report.findings, not report.trail.unheard
        else:
            books = uvloop.run(audited(settings, console))
            show_books(console, books, show)
            count, is_certain = books.count, True
    except (SettingsError, Outage, CacheDown, *LOST) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        Console(stderr=True).print(
            f"Error: the {what} cannot be checked: {line}", markup=False, soft_wrap=True
        )
        raise SystemExit(CANNOT_SAY) from error
    if count:
        raise SystemExit(DIFFERENT)
    if not is_certain:
        raise SystemExit(CANNOT_SAY)


async def audited(settings: Settings, console: Console) -> Books:
    """The quickest to answer is asked first, so that a shop that is not there is told soon."""
    async with AsyncExitStack() as stack:
        await open_database(settings.database_url, CONNECTIONS)
        stack.push_async_callback(close_database)
        await connection().execute_query("SELECT 1")
        cache = Cache.connect(settings.redis_url)
        stack.push_async_callback(cache.close)
        await cache.ping()
        with stages(console) as bars:
            return await audit(
                owners.client(settings),
                cache,
                lambda checked, cells: bars.reach("cells", checked, cells),
            )


def show_books(console: Console, books: Books, show: int) -> None:
    rows = [
        ("cells", books.cells),
        ("ledger entries", books.entries),
        ("units that came in", books.units_in),
        ("units that went out", books.units_out),
        ("units on hand", books.on_hand),
        ("cells in owners' memory", books.resident),
        ("cells in the read model", books.cached),
    ]
    show_table(console, "Checked", ("", "number"), rows)
    different = [
        (found.check, found.sku, found.warehouse, found.expected, found.actual)
        for found in books.differences[:show]
    ]
    headings = ("check", "SKU", "warehouse", "expected", "found")
    show_table(console, "Differences", headings, different)
    if books.count > len(different):
        console.print(f"... and {books.count - len(different):,} more")
    told = f"{books.count:,} differences" if books.count else "the books balance: no difference"
    console.print(told, highlight=False)
