"""The trail: who did or tried what, newest first."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from schema.context import Info
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from schema.parsing import question
from services import trail
from services.trail import AuditRecord as Record
from services.trail import TrailFilter


def filter_of(raw: Any) -> TrailFilter:
    return TrailFilter(**raw)


@question(filter_of)
@strawberry.input(name="TrailFilter", description="Which records; all conditions must hold.")
class TrailFilterInput:
    subject: str | None = strawberry.field(default=None, description="Who did it.")
    act: str | None = strawberry.field(
        default=None, description="What was done: the mutation's name, like adjustStock."
    )
    target: str | None = strawberry.field(
        default=None, description="What it was done to: MUG LON, or the id of a sale."
    )
    outcome: str | None = strawberry.field(
        default=None, description="DONE, UNKNOWN or a refusal's code."
    )
    since: datetime | None = strawberry.field(default=None, description="Not before this instant.")
    until: datetime | None = strawberry.field(default=None, description="Before this instant.")


@strawberry.type(description="Something that was done or tried; never changed, never deleted.")
class AuditRecord:
    seq: int = strawberry.field(description="Its number in the trail, from 1 without gaps.")
    at: datetime = strawberry.field(description="When it was answered.")
    subject: str = strawberry.field(description="Who did it.")
    person: strawberry.ID | None = strawberry.field(
        description="Whose account that is, also behind an API key."
    )
    act: str = strawberry.field(description="What was done: the mutation's name.")
    target: str = strawberry.field(description="What it was done to.")
    outcome: str = strawberry.field(
        description="DONE, a refusal's code, or UNKNOWN where nobody could say."
    )
    request_id: strawberry.ID | None = strawberry.field(description="The id that its maker gave.")
    asked: str = strawberry.field(description="What was asked for, as JSON.")
    before: str | None = strawberry.field(description="What the target was before, as JSON.")
    after: str | None = strawberry.field(
        description="What it was afterwards, as JSON; where it was refused, why."
    )
    address: str | None = strawberry.field(description="The address that it came from.")
    correlation_id: str | None = strawberry.field(description="The id of the request in the logs.")
    hash: str = strawberry.field(
        description="SHA-256 over the hash before it and all of the record, in hexadecimal."
    )


@strawberry.type
class TrailQueries:
    @strawberry.field(
        graphql_type=Connection[AuditRecord],
        description="The trail of acts and refused attempts, newest first, page by page.",
    )
    async def audit_records(
        self,
        info: Info,
        filter: Annotated[
            TrailFilter | None,
            strawberry.argument(
                graphql_type=TrailFilterInput | None, description="Which records; null: all."
            ),
        ] = None,
        first: First = 50,
        after: After = None,
    ) -> Connection[Record]:
        context = info.context
        size = PAGE_SIZE if first is None else first
        wanted = filter or TrailFilter()
        return connection(
            await trail.audit_records(context.rt, context.caller, wanted, size, after)
        )
