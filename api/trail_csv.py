"""GET /exports/trail.csv: the trail as a table for a spreadsheet, filtered by the query."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.authentication import Gate
from api.graphql_http import JSON, shown, unauthenticated, unavailable
from api.problems import problem
from api.rates import too_often
from domain.refusals import NotPermitted
from infra.outage import Outage
from schema.scalars import written
from services.pages import BadPage
from services.runtime import Runtime
from services.trail import HEADINGS, AuditRecord, TrailFilter, export

CHUNK_CHARACTERS = 64 * 1024
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would carry out instead of showing it."""


class TrailExport:
    def __init__(self, rt: Runtime, gate: Gate) -> None:
        self.rt = rt
        self.gate = gate

    async def page(self, request: Request) -> Response:
        try:
            caller = await self.gate.caller_of(request.headers.get("authorization"))
        except Outage as outage:
            no = unavailable(outage)
            return shown(no.answer, JSON, no.status, no.headers)
        if caller is None:
            no = unauthenticated()
            return shown(no.answer, JSON, no.status, no.headers)
        often = await too_often(
            self.rt.rates, self.rt.settings.limits, "exports_per_minute", caller.subject
        )
        if often is not None:
            return shown(often, JSON)
        try:
            wanted = filter_of(request.query_params)
            records = await export(self.rt, caller, wanted)
        except BadPage as bad:
            return refused(HTTPStatus.BAD_REQUEST, f"{bad.field}: {bad.message}", "BAD_USER_INPUT")
        if isinstance(records, NotPermitted):
            return refused(HTTPStatus.FORBIDDEN, records.message, "FORBIDDEN")
        headers = {"content-disposition": 'attachment; filename="trail.csv"'}
        return StreamingResponse(lines(records), headers=headers, media_type="text/csv")


def filter_of(query: Mapping[str, str]) -> TrailFilter:
    """Raises BadPage naming the field."""
    given: dict[str, Any] = {}
    for name, value in query.items():
        if name not in FIELDS:
            raise BadPage(name, f"is none of {', '.join(FIELDS)}")
        try:
            given[name] = FIELDS[name](value)
        except ValueError as error:
            raise BadPage(name, str(error)) from None
    return TrailFilter(**given)


def instant(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("needs an offset from UTC")
    return at


FIELDS: dict[str, Callable[[str], Any]] = {
    "subject": str,
    "act": str,
    "target": str,
    "outcome": str,
    "since": instant,
    "until": instant,
}


async def lines(records: AsyncIterator[AuditRecord]) -> AsyncIterator[str]:
    """RFC 4180, in pieces of a good size."""
    buffer = io.StringIO()
    table = csv.writer(buffer)
    table.writerow(HEADINGS)
    async for record in records:
        table.writerow([cell(getattr(record, heading)) for heading in HEADINGS])
        if buffer.tell() > CHUNK_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def cell(value: object) -> str:
    if value is None:
        return ""
    text = written(value) if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def refused(status: HTTPStatus, message: str, code: str) -> Response:
    return Response(problem(message, code).body, status, media_type=JSON)
