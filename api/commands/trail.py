"""`onhand audit --trail`: whether any record of the trail was changed, dropped or moved."""

from contextlib import AsyncExitStack

from rich.console import Console

from api.tables import show_table
from infra.bus import Bus
from infra.database import close_database, connection, open_database
from infra.settings import Settings
from services.trail_heads import TrailReport, inspect

CONNECTIONS = 1
"""To the database."""


async def inspected(settings: Settings, console: Console) -> TrailReport:
    async with AsyncExitStack() as stack:
        await open_database(settings.database_url, CONNECTIONS)
        stack.push_async_callback(close_database)
        await connection().execute_query("SELECT 1")
        bus = await Bus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)
        with console.status("reading the trail") as status:
            return await inspect(
                settings.home, bus, lambda read: status.update(f"reading the trail: {read:,}")
            )


def show_trail(console: Console, report: TrailReport, show: int) -> None:
    rows = [("records", report.records), ("heads told outside the database", report.heads)]
    show_table(console, "Checked", ("", "number"), rows)
    shown = report.findings[:show]
    found = [(str(finding.seq), str(finding.upto), finding.fault.value) for finding in shown]
    show_table(console, "Found", ("from record", "to record", "what"), found)
    if report.count > len(found):
        console.print(f"... and {report.count - len(found):,} more")
    for reason in report.unheard:
        console.print(f"not heard: {reason}", markup=False, soft_wrap=True)
    told = f"{report.count:,} findings" if report.count else "the trail is whole: nothing found"
    console.print(told, highlight=False)
