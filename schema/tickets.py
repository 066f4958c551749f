"""Waiting rooms of flash sales: joining, a ticket, and the ticket live."""

from collections.abc import AsyncGenerator
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from domain.access import Permission
from domain.refusals import Invalid, Refusal
from schema import refusals as no
from schema.context import Info, allowed
from schema.parsing import attempt, uuid
from services import tickets
from services.checks import denied
from services.tickets import Ticket as Held


@strawberry.enum(description="What a ticket of a waiting room is worth.")
class TicketState(Enum):
    WAITING = strawberry.enum_value("waiting", description="Others are before it.")
    ADMITTED = strawberry.enum_value(
        "admitted", description="Its holder may reserve, with its token, until it expires."
    )
    LAPSED = strawberry.enum_value(
        "lapsed", description="Its time to reserve is over: join again for a new place."
    )
    SOLD_OUT = strawberry.enum_value(
        "sold_out", description="Nothing is left; a unit that comes back makes it wait again."
    )
    CLOSED = strawberry.enum_value("closed", description="The sale is over.")


@strawberry.type(description="A place in the waiting room of a flash sale.")
class Ticket:
    id: strawberry.ID = strawberry.field(
        description="The proof of the place, for its holder alone: keep it to ask again."
    )
    sale_id: strawberry.ID = strawberry.field(description="The sale.")
    customer: str = strawberry.field(description="For whom.")
    place: int = strawberry.field(description="1 for who joined first.")
    ahead: int = strawberry.field(description="Buyers before it who still wait.")
    estimated_wait_seconds: int | None = strawberry.field(
        description="Seconds until it is admitted if all goes on as now; null unless it waits."
    )
    state: TicketState = strawberry.field(description="What it is worth now.")
    token: str | None = strawberry.field(
        description="While admitted: what to give as `ticket` to reserveStock."
    )
    expires_at: datetime | None = strawberry.field(
        description="While admitted: until when the token lets in."
    )


JoinFlashSaleResult = Annotated[
    Ticket | no.NotPermitted | no.Invalid | no.NotFound | no.SaleNotOpen,
    strawberry.union("JoinFlashSaleResult", description="The ticket, or why there is none."),
]
TicketID = Annotated[strawberry.ID, strawberry.argument(name="id", description="The ticket's id.")]


@strawberry.type
class TicketQueries:
    @strawberry.field(
        graphql_type=Ticket | None,
        description="A ticket as it is now; null if the id is none that was given.",
    )
    async def ticket(self, info: Info, id: TicketID) -> Held | None:
        context = info.context
        return allowed(await tickets.ticket(context.rt, context.caller, id))


@strawberry.type
class TicketMutations:
    @strawberry.mutation(
        graphql_type=JoinFlashSaleResult,
        description="Queue for a flash sale, also before it opens. First come, first served; "
        "joining again gives the same place.",
    )
    async def join_flash_sale(
        self,
        info: Info,
        sale_id: Annotated[strawberry.ID, strawberry.argument(description="The sale (UUID).")],
        customer: Annotated[str, strawberry.argument(description="For whom.")],
    ) -> Held | Refusal:
        context = info.context
        key = attempt(uuid, "saleId", sale_id)
        if isinstance(key, Invalid):
            return context.refused(Permission.RESERVE, key)
        return await tickets.join(context.rt, context.caller, key, customer)


@strawberry.type
class TicketSubscriptions:
    @strawberry.subscription(
        graphql_type=Ticket,
        description="A ticket as it is now, then whenever there is news, at most three times a "
        "second; ends when it can change no more, at once if the id is none that was given.",
    )
    async def ticket_changed(self, info: Info, id: TicketID) -> AsyncGenerator[Held, None]:
        context = info.context
        allowed(denied(context.caller, Permission.RESERVE))
        async for ticket in tickets.ticket_changed(context.rt, id):
            yield ticket
