"""Reservations: held, confirmed, deducted, released or expired."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.access import Permission
from domain.refusals import Invalid, Refusal
from schema import refusals as no
from schema.context import Info, allowed
from schema.enums import ReservationState
from schema.parsing import Raw, asked, attempt, command, uuid, uuid_or_none, wants
from services import fulfil, reservations, reserve
from services.reservations import DeductReservation, ReserveStock
from services.reservations import Reservation as Held

DEFAULT_TTL_SECONDS = 600
ID = "Made by the client (UUID): sending the same again is safe."


def reserve_stock(raw: Raw) -> ReserveStock:
    ttl = raw.get("ttlSeconds")
    return ReserveStock(
        id=uuid("id", raw["id"]),
        lines=wants(raw["lines"]),
        ttl_seconds=DEFAULT_TTL_SECONDS if ttl is None else ttl,
        customer=raw.get("customer"),
        channel=raw.get("channel"),
        sale_id=uuid_or_none("saleId", raw.get("saleId")),
        ticket=raw.get("ticket"),
        region=raw.get("region"),
    )


def deduct_reservation(raw: Raw) -> DeductReservation:
    lines = raw.get("lines")
    return DeductReservation(
        id=uuid("id", raw["id"]),
        reservation_id=uuid("reservationId", raw["reservationId"]),
        lines=None if lines is None else wants(lines),
    )


@strawberry.input(description="Units of one SKU.")
class ReserveLine:
    sku: str = strawberry.field(description="Code of the SKU.")
    warehouse: str | None = strawberry.field(
        default=None, description="Code of the warehouse; null: routed."
    )
    quantity: int = strawberry.field(description="Units, 1 or more.")


@command(reserve_stock)
@strawberry.input(description="What to hold, for whom and for how long.")
class ReserveStockInput:
    id: strawberry.ID = strawberry.field(description=ID)
    lines: list[ReserveLine] = strawberry.field(
        description="What to hold, 1 to 2000 lines: all of it or nothing."
    )
    ttl_seconds: int | None = strawberry.field(
        default=DEFAULT_TTL_SECONDS,
        description="Seconds until an unpaid hold expires, 1 to 604800 (7 days).",
    )
    customer: str | None = strawberry.field(default=None, description="For whom.")
    channel: str | None = strawberry.field(default=None, description="Through which shop.")
    sale_id: strawberry.ID | None = strawberry.field(
        default=None, description="The flash sale whose allotment to take from (UUID)."
    )
    ticket: str | None = strawberry.field(
        default=None, description="The admitted ticket, where the sale has a waiting room."
    )
    region: str | None = strawberry.field(
        default=None,
        description="Where the goods go: routed lines prefer warehouses of this region.",
    )


@command(deduct_reservation)
@strawberry.input(description="What of a reservation was handed over.")
class DeductReservationInput:
    id: strawberry.ID = strawberry.field(description=ID)
    reservation_id: strawberry.ID = strawberry.field(description="The reservation (UUID).")
    lines: list[ReserveLine] | None = strawberry.field(
        default=None, description="What was handed over; null: all that is left."
    )


@strawberry.type(description="Units held in one warehouse for one line.")
class ReservationLine:
    sku: str = strawberry.field(description="Code of the SKU.")
    warehouse: str = strawberry.field(description="Code of the warehouse.")
    quantity: int = strawberry.field(description="Units held.")
    deducted: int = strawberry.field(description="Units handed over of those.")
    seq: int = strawberry.field(description="The cell's seq after this line's hold.")
    available_after: int = strawberry.field(description="Units left in its pool after it.")


@strawberry.type(description="Units held for a customer under one id.")
class Reservation:
    id: strawberry.ID = strawberry.field(description="The id the client made.")
    state: ReservationState = strawberry.field(description="Where it is in its life.")
    lines: list[ReservationLine] = strawberry.field(
        description="What is held, one line per cell; a routed line may have become several."
    )
    customer: str | None = strawberry.field(description="For whom.")
    channel: str | None = strawberry.field(description="Through which shop.")
    sale_id: strawberry.ID | None = strawberry.field(description="In which flash sale.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(
        description="When it expires unless it is confirmed; null once confirmed."
    )


ReserveStockResult = Annotated[
    Reservation
    | no.InsufficientStock
    | no.LimitReached
    | no.NotFound
    | no.Conflict
    | no.NotPermitted
    | no.Invalid
    | no.SaleNotOpen
    | no.TicketRequired,
    strawberry.union("ReserveStockResult", description="The reservation, or why there is none."),
]
ReservationResult = Annotated[
    Reservation | no.ReservationClosed | no.NotFound | no.Conflict | no.NotPermitted | no.Invalid,
    strawberry.union(
        "ReservationResult", description="The reservation after the change, or a refusal."
    ),
]
ReservationID = Annotated[
    strawberry.ID, strawberry.argument(name="id", description="The reservation (UUID).")
]


@strawberry.type
class ReservationQueries:
    @strawberry.field(
        graphql_type=Reservation | None,
        description="One reservation; null if there is none, or if it is somebody else's and the "
        "caller may see only its own.",
    )
    async def reservation(self, info: Info, id: ReservationID) -> Held | None:
        context = info.context
        key = asked(uuid, "id", id)
        return allowed(await reservations.reservation(context.rt, context.caller, key))


@strawberry.type
class ReservationMutations:
    @strawberry.mutation(
        graphql_type=ReserveStockResult, description="Hold stock: all lines or none."
    )
    async def reserve_stock(
        self,
        info: Info,
        command: Annotated[
            ReserveStock | Invalid,
            strawberry.argument(
                name="input", graphql_type=ReserveStockInput, description="What to hold."
            ),
        ],
    ) -> Held | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.RESERVE, command)
        return await reserve.reserve(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=ReservationResult, description="Paid: the hold no longer expires."
    )
    async def confirm_reservation(self, info: Info, id: ReservationID) -> Held | Refusal:
        context = info.context
        key = attempt(uuid, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.RESERVE, key)
        return await fulfil.confirm(context.rt, context.caller, key)

    @strawberry.mutation(
        graphql_type=ReservationResult,
        description="Handed over: what is reserved goes to the customer.",
    )
    async def deduct_reservation(
        self,
        info: Info,
        command: Annotated[
            DeductReservation | Invalid,
            strawberry.argument(
                name="input",
                graphql_type=DeductReservationInput,
                description="What was handed over.",
            ),
        ],
    ) -> Held | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.DEDUCT, command)
        return await fulfil.deduct(context.rt, context.caller, command)

    @strawberry.mutation(graphql_type=ReservationResult, description="Give back what is held.")
    async def release_reservation(self, info: Info, id: ReservationID) -> Held | Refusal:
        context = info.context
        key = attempt(uuid, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.RESERVE, key)
        return await fulfil.release(context.rt, context.caller, key)
