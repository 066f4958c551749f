"""The trail for people: who did what, newest first, with filters, in pages and whole."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.access import Caller, Permission
from domain.refusals import NotPermitted
from domain.trail import Link
from infra import trail
from infra.models import TEXT_LENGTH
from services.checks import denied, is_storable
from services.pages import BadPage, Page, after_key, check_first, page_of
from services.recorded import Act, Around, keep
from services.runtime import Runtime

CONDITIONS = {
    "subject": "subject = {}",
    "act": "act = {}",
    "target": "target = {}",
    "outcome": "outcome = {}",
    "since": "at >= {}",
    "until": "at < {}",
}
"""By the fields of the filter."""
EXPORT_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """None means any; `until` is not included."""

    subject: str | None = None
    act: str | None = None
    target: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """`hash` is that of the chain, in hexadecimal; `person` and `request_id` are UUIDs."""

    seq: int
    at: datetime
    subject: str
    person: str | None
    act: str
    target: str
    outcome: str
    request_id: str | None
    asked: str
    before: str | None
    after: str | None
    address: str | None
    correlation_id: str | None
    hash: str


@dataclass(frozen=True, slots=True)
class ExportTrail:
    """`id` is the request's."""

    id: UUID
    wanted: TrailFilter


@dataclass(frozen=True, slots=True)
class Export:
    """Read while it is taken."""

    records: AsyncIterator[AuditRecord]


HEADINGS = tuple(field.name for field in fields(AuditRecord))


async def audit_records(
    rt: Runtime, caller: Caller, wanted: TrailFilter, first: int, after: str | None
) -> Page[AuditRecord] | NotPermitted:
    """Newest first."""
    if no := denied(caller, Permission.READ_TRAIL):
        return no
    check_first(first)
    check_filter(wanted)
    key = after_key(after, (int,))
    links = await trail.newest(conditions(wanted), None if key is None else int(key[0]), first + 1)
    return page_of(links, first, lambda link: (link.seq,), shown)


async def export(rt: Runtime, caller: Caller, wanted: TrailFilter) -> Export | NotPermitted:
    """All that match, newest first, read while they are taken. The export is an act of its own."""
    if no := denied(caller, Permission.READ_TRAIL):
        return no
    check_filter(wanted)
    await keep(rt, caller, Act("exportTrail", "", None, wanted), "DONE", Around(None, None))
    return Export(matching(wanted))


async def has_more(wanted: TrailFilter, records: int) -> bool:
    return await trail.count(conditions(wanted), records + 1) > records


def told(wanted: TrailFilter) -> str:
    """act: signIn; since: 2026-01-01T00:00:00Z"""
    given = msgspec.to_builtins(wanted)
    return "; ".join(f"{name}: {value}" for name, value in given.items() if value) or "everything"


async def matching(wanted: TrailFilter) -> AsyncIterator[AuditRecord]:
    before: int | None = None
    while links := await trail.newest(conditions(wanted), before, EXPORT_PAGE):
        for link in links:
            yield shown(link)
        before = links[-1].seq


def conditions(wanted: TrailFilter) -> list[tuple[str, Any]]:
    given = ((CONDITIONS[name], getattr(wanted, name)) for name in CONDITIONS)
    return [(condition, value) for condition, value in given if value is not None]


def check_filter(wanted: TrailFilter) -> None:
    for name in ("subject", "act", "target", "outcome"):
        value = getattr(wanted, name)
        if value is not None and not is_storable(value, TEXT_LENGTH):
            raise BadPage(f"filter.{name}", f"must be a text of at most {TEXT_LENGTH} characters")


def shown(link: Link) -> AuditRecord:
    record = link.record._asdict()
    ids = {name: str(record[name]) for name in ("person", "request_id") if record[name]}
    return AuditRecord(seq=link.seq, hash=link.hash.hex(), **{**record, **ids})
