"""GET /exports/trail.csv: the trail as a table for a spreadsheet, filtered by the query."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.attempts import BAD_TOKEN, Attempts
from api.authentication import Gate
from api.graphql_http import JSON, shown, unauthenticated, unavailable
from api.problems import problem
from api.rates import too_often
from domain.approvals import Sensitive
from domain.refusals import Invalid, NeedsApproval, NotPermitted, Refusal
from infra.outage import Outage
from schema.scalars import written
from services import recorded
from services.checks import instant
from services.pages import BadPage
from services.runtime import Runtime
from services.sensitive import export_trail
from services.trail import HEADINGS, AuditRecord, Export, TrailFilter

CHUNK_CHARACTERS = 64 * 1024
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would carry out instead of showing it."""


class TrailExport:
    def __init__(self, rt: Runtime, gate: Gate, attempts: Attempts) -> None:
        self.rt = rt
        self.attempts = attempts
        self.gate = gate

    async def page(self, request: Request) -> Response:
        try:
            caller = await self.gate.caller_of(request.headers.get("authorization"))
        except Outage as outage:
            no = unavailable(outage)
            return shown(no.answer, JSON, no.status, no.headers)
        if caller is None:
            no = unauthenticated()
            shows = "authorization" in request.headers
            self.attempts.note((BAD_TOKEN,) if shows else no.answer.errors, None)
            return shown(no.answer, JSON, no.status, no.headers)
        often = await too_often(
            self.rt.rates, self.rt.settings.limits, "exports_per_minute", caller.subject
        )
        if often is not None:
            self.attempts.note(often.errors, caller.subject)
            return shown(often, JSON)
        try:
            request_id, wanted = asked_in(request.query_params)
            answer = await export_trail(self.rt, caller, wanted, request_id)
        except BadPage as bad:
            return refused(HTTPStatus.BAD_REQUEST, f"{bad.field}: {bad.message}", "BAD_USER_INPUT")
        if not isinstance(answer, Export):
            if isinstance(answer, NotPermitted):
                await recorded.turned_away(self.rt, caller, [Sensitive.EXPORT_TRAIL])
            return turned_away(answer)
        headers = {"content-disposition": 'attachment; filename="trail.csv"'}
        return StreamingResponse(lines(answer.records), headers=headers, media_type="text/csv")


def turned_away(no: Refusal) -> Response:
    match no:
        case NotPermitted():
            return refused(HTTPStatus.FORBIDDEN, no.message, "FORBIDDEN")
        case Invalid():
            message = f"{no.field}: {no.message}"
            return refused(HTTPStatus.BAD_REQUEST, message, "BAD_USER_INPUT")
        case NeedsApproval():
            facts = {"requestId": str(no.request_id), "expiresAt": written(no.expires_at)}
            return refused(HTTPStatus.FORBIDDEN, no.message, no.code, **facts)
    return refused(HTTPStatus.FORBIDDEN, no.message, no.code)


def asked_in(query: Mapping[str, str]) -> tuple[UUID | None, TrailFilter]:
    """The request's own id, if it has one, and the filter; raises BadPage naming the field."""
    given: dict[str, Any] = {}
    for name, value in query.items():
        if name not in FIELDS:
            raise BadPage(name, f"is none of {', '.join(FIELDS)}")
        try:
            given[name] = FIELDS[name](value)
        except ValueError as error:
            raise BadPage(name, str(error)) from None
    request_id: UUID | None = given.pop("request", None)
    return request_id, TrailFilter(**given)


def request_of(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise ValueError("must be a UUID") from None


FIELDS: dict[str, Callable[[str], Any]] = {
    "subject": str,
    "act": str,
    "target": str,
    "outcome": str,
    "since": instant,
    "until": instant,
    "request": request_of,
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


def refused(status: HTTPStatus, message: str, code: str, **facts: object) -> Response:
    return Response(problem(message, code, **facts).body, status, media_type=JSON)
