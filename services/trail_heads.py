"""Telling the trail's heads outside the database, and inspecting the trail by them."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from domain.trail import Finding, Head, Inspection
from infra import trail
from infra.bus import Bus, BusDown
from infra.heads import bus_heads, file_heads, publish_head, write_head
from infra.locks import leading
from services.ledger_digests import told_by

TELL_SECONDS = 10.0
"""Between two looks at the head; it is told where it has moved."""
TELLER_LOCK = 0x6F6E_6861_6E64_6864
"""The advisory lock of who tells: onhandhd in ASCII."""
FINDINGS_LIMIT = 1_000
"""Findings kept for showing; all are counted."""
log = logging.getLogger(__name__)


class Teller:
    """Every API process has one, and one at a time is at work. The file comes first: it is there
    when the bus is not."""

    def __init__(self, home: Path, bus: Bus, tell_seconds: float = TELL_SECONDS) -> None:
        self.home = home
        self.bus = bus
        self.tell_seconds = tell_seconds
        self.written: Head | None = None
        self.published: Head | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await leading(TELLER_LOCK, self.tell_seconds, self.look)
            except Exception as error:  # tidy: allow broad-except: the teller goes on
                log.warning("the trail's head cannot be told now: %r", error)
            await asyncio.sleep(self.tell_seconds)

    async def look(self) -> None:
        head = await trail.head()
        if head is None:
            return
        if head != self.written:
            await asyncio.to_thread(write_head, self.home, head)
            self.written = head
        if head != self.published:
            await publish_head(self.bus, head)
            self.published = head


@dataclass(slots=True)
class TrailReport:
    """What was inspected. `unheard` are witnesses that could not be asked, each with the reason."""

    records: int = 0
    heads: int = 0
    count: int = 0
    findings: list[Finding] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)
    """What it says of the ledger, by record."""


async def inspect(home: Path, bus: Bus, progress: Callable[[int], object]) -> TrailReport:
    """The whole trail beside all heads that were told. `progress` is told how many records."""
    report = TrailReport()
    heads: list[Head] = []
    try:
        heads += file_heads(home)
    except (OSError, ValueError) as error:
        report.unheard.append(str(error))
    try:
        heads += await bus_heads(bus)
    except BusDown as error:
        report.unheard.append(str(error))
    report.heads = len(set(heads))
    inspection = Inspection(heads)
    async for page in trail.links():
        report.records += len(page)
        found(report, list(inspection.look(page)))
        report.digests.update(told_by(page))
        progress(report.records)
    found(report, list(inspection.end()))
    return report


def found(report: TrailReport, findings: list[Finding]) -> None:
    report.count += len(findings)
    report.findings += findings[: FINDINGS_LIMIT - len(report.findings)]
