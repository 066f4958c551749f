"""Taking digests of the ledger's entries, and looking at the ledger again by them."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.digests import ACT, LedgerFault, Stretch, digest_of, fault_of
from domain.trail import DONE, Link, Record
from infra import ledger_digests
from infra.clock import Clock
from infra.ledger_digests import STRETCH_LIMIT, Looked
from infra.locks import leading

SUBJECT = "ledger"
"""Stands as the author of the records."""
TAKE_SECONDS = 300.0
"""Between two rounds over all cells."""
SHARE = 19
"""A statement is followed by a pause this many times as long: a twentieth of a core of PostgreSQL
at most; what a flash sale writes faster than that is caught up with later."""
DIGESTER_LOCK = 0x6F6E_6861_6E64_6467
"""The advisory lock of who takes digests: onhanddg in ASCII."""
FINDINGS_LIMIT = 1_000
"""Findings kept for showing; all are counted."""
log = logging.getLogger(__name__)


class Digester:
    """Every API process has one, and one at a time is at work."""

    def __init__(
        self, clock: Clock, *, share: float = SHARE, stretch_limit: int = STRETCH_LIMIT
    ) -> None:
        self.clock = clock
        self.share = share
        self.stretch_limit = stretch_limit

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await leading(DIGESTER_LOCK, TAKE_SECONDS, self.look)
            except Exception as error:  # tidy: allow broad-except: the digester goes on
                log.warning("no digests of the ledger can be taken now: %r", error)
            await asyncio.sleep(TAKE_SECONDS)

    async def look(self) -> None:
        """All entries that are there by now."""
        while await self.round():
            pass

    async def round(self) -> bool:
        """Some of each cell's entries; whether a cell has more."""
        clock = asyncio.get_running_loop().time
        cell: int | None = 0
        is_more = False
        while cell is not None:
            began = clock()
            stretches, cell = await ledger_digests.taken(cell, self.stretch_limit)
            if stretches:
                await self.keep(stretches)
            is_more = is_more or any(map(self.is_full, stretches))
            await asyncio.sleep(self.share * (clock() - began))
        return is_more

    def is_full(self, stretch: Stretch) -> bool:
        return entries_in(stretch) == self.stretch_limit

    async def keep(self, stretches: Sequence[Stretch]) -> None:
        told = {
            "cells": len(stretches),
            "entries": sum(map(entries_in, stretches)),
            "sha256": digest_of(stretches).hex(),
        }
        target, after = f"{len(stretches)} cells", json.dumps(told)
        record = Record(self.clock.now(), SUBJECT, None, ACT, target, DONE, after=after)
        await ledger_digests.keep(stretches, record)


def entries_in(stretch: Stretch) -> int:
    return stretch.last - stretch.first + 1


class LedgerFinding(NamedTuple):
    """Of entries of a cell, from `first` up to and with `last`."""

    fault: LedgerFault
    sku: str
    warehouse: str
    first: int
    last: int


@dataclass(slots=True)
class LedgerReport:
    """What was looked at. `unproved` entries are too new to be in a stretch; `lost` are the records
    of the trail whose stretches are not, or not all, there as they were told."""

    entries: int = 0
    unproved: int = 0
    count: int = 0
    findings: list[LedgerFinding] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)


def told_by(links: Iterable[Link]) -> Iterator[tuple[int, str]]:
    """What records of digests say, with their numbers."""
    for link in links:
        if link.record.act == ACT and link.record.subject == SUBJECT and link.record.after:
            yield link.seq, str(json.loads(link.record.after)["sha256"])


async def inspect_ledger(
    told: Mapping[int, str], progress: Callable[[int], object]
) -> LedgerReport:
    """The whole ledger beside its digests, and those beside what the trail was `told`, by record.
    `progress` is told how many entries. The newest first: what comes meanwhile is not missed."""
    report = LedgerReport(unproved=await ledger_digests.unproved())
    report.lost = await lost(told)
    report.count = len(report.lost)
    async for page in ledger_digests.looked_again():
        for looked in page:
            look_at(report, looked)
        progress(report.entries)
    return report


async def lost(told: Mapping[int, str]) -> list[int]:
    left = dict(told)
    wrong: list[int] = []
    async for record, stretches in by_record():
        if left.pop(record, None) != digest_of(stretches).hex() and record <= max(told, default=0):
            wrong.append(record)
    return sorted([*wrong, *left])


async def by_record() -> AsyncIterator[tuple[int, list[Stretch]]]:
    record, stretches = 0, list[Stretch]()
    async for page in ledger_digests.proofs():
        for number, stretch in page:
            if number != record and stretches:
                yield record, stretches
                stretches = []
            record = number
            stretches.append(stretch)
    if stretches:
        yield record, stretches


def look_at(report: LedgerReport, looked: Looked) -> None:
    stretch = looked.stretch
    report.entries += looked.found
    fault = fault_of(stretch, looked.before, looked.found, looked.again)
    if fault is None:
        return
    report.count += 1
    if len(report.findings) < FINDINGS_LIMIT:
        report.findings.append(
            LedgerFinding(fault, looked.sku, looked.warehouse, stretch.first, stretch.last)
        )
