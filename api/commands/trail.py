"""`onhand audit --trail`: whether any record of the trail, or any entry of the ledger that it tells
of, was changed, dropped or moved."""

from contextlib import AsyncExitStack
from typing import NamedTuple

from rich.console import Console

from api.tables import show_table
from infra.bus import Bus
from infra.database import close_database, connection, open_database
from infra.settings import Settings
from services.ledger_digests import LedgerReport, inspect_ledger
from services.trail_heads import TrailReport, inspect

CONNECTIONS = 1
"""To the database."""


class Inspected(NamedTuple):
    trail: TrailReport
    ledger: LedgerReport

    @property
    def findings(self) -> int:
        return self.trail.count + self.ledger.count


async def inspected(settings: Settings, console: Console) -> Inspected:
    async with AsyncExitStack() as stack:
        await open_database(settings.database_url, CONNECTIONS)
        stack.push_async_callback(close_database)
        await connection().execute_query("SELECT 1")
        bus = await Bus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)
        with console.status("reading the trail") as status:
            trail = await inspect(
                settings.home, bus, lambda read: status.update(f"reading the trail: {read:,}")
            )
            ledger = await inspect_ledger(
                trail.digests, lambda read: status.update(f"reading the ledger: {read:,}")
            )
            return Inspected(trail, ledger)


def show_trail(console: Console, found: Inspected, show: int) -> None:
    report, ledger = found
    rows = [
        ("records", report.records),
        ("heads told outside the database", report.heads),
        ("ledger entries that the trail tells of", ledger.entries),
        ("newer ones", ledger.unproved),
    ]
    show_table(console, "Checked", ("", "number"), rows)
    show_records(console, report, show)
    show_entries(console, ledger, show)
    for reason in report.unheard:
        console.print(f"not heard: {reason}", markup=False, soft_wrap=True)
    whole = "trail and ledger are whole: nothing found"
    console.print(f"{found.findings:,} findings" if found.findings else whole, highlight=False)


def show_records(console: Console, report: TrailReport, show: int) -> None:
    shown = report.findings[:show]
    found = [(str(finding.seq), str(finding.upto), finding.fault.value) for finding in shown]
    show_table(console, "Found", ("from record", "to record", "what"), found)
    if report.count > len(found):
        console.print(f"... and {report.count - len(found):,} more")


def show_entries(console: Console, ledger: LedgerReport, show: int) -> None:
    lost = [(str(record),) for record in ledger.lost[:show]]
    show_table(console, "Records whose digests are not there as they were told", ("record",), lost)
    shown = ledger.findings[:show]
    rows = [(one.sku, one.warehouse, one.first, one.last, one.fault.value) for one in shown]
    headings = ("SKU", "warehouse", "from entry", "to entry", "what")
    show_table(console, "Found in the ledger", headings, rows)
    if (more := ledger.count - len(lost) - len(rows)) > 0:
        console.print(f"... and {more:,} more")
