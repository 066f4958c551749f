"""Every expected no as a GraphQL type. The values are the domain's own; a type only names what the
client may ask of them, and NAMES says which type shows which value."""

from datetime import datetime

import strawberry

from domain import refusals as no
from schema.enums import ApprovalState, ReservationState


@strawberry.interface(
    description="An expected 'no'. Every refusal type implements it; order of precedence: "
    "NotPermitted, Invalid, NotFound, Conflict, NeedsApproval, ApprovalClosed, SaleNotOpen, "
    "TicketRequired, LockedOut, InvalidCredentials, LimitReached, ReservationClosed, Stale, "
    "InsufficientStock."
)
class Refusal:
    code: str = strawberry.field(description="The refusal's name for programs: INVALID.")
    message: str = strawberry.field(description="The refusal in a sentence, for people.")
    is_transient: bool = strawberry.field(
        description="Whether the same request may succeed later with nothing changed by the caller."
    )


@strawberry.type(description="Not enough units are available.")
class InsufficientStock(Refusal):
    sku: str = strawberry.field(description="Code of the SKU that is short.")
    warehouse: str | None = strawberry.field(
        description="Code of the warehouse that was asked; null where any warehouse would do."
    )
    requested: int = strawberry.field(description="Units asked for.")
    available: int = strawberry.field(description="Units that could be had.")


@strawberry.type(description="The customer has taken all that one customer may take in the sale.")
class LimitReached(Refusal):
    limit: int = strawberry.field(description="Units one customer may take.")
    already_taken: int = strawberry.field(description="Units this customer has taken.")


@strawberry.type(description="There is no such thing.")
class NotFound(Refusal):
    what: str = strawberry.field(description="What was looked for: sku, warehouse, reservation.")
    key: str = strawberry.field(description="The code or id it was looked for by.")


@strawberry.type(description="The caller's role does not allow this.")
class NotPermitted(Refusal):
    permission: str = strawberry.field(description="The permission that is missing.")


@strawberry.type(description="The id was used before with other content.")
class Conflict(Refusal):
    id: strawberry.ID = strawberry.field(description="The id that is taken.")


@strawberry.type(description="Nothing has happened yet: a second person has to grant it.")
class NeedsApproval(Refusal):
    request_id: strawberry.ID = strawberry.field(
        description="The act's own id: sent again once it is granted, it has its answer."
    )
    act: str = strawberry.field(description="The name of the mutation.")
    expires_at: datetime = strawberry.field(description="From then on it cannot be granted.")


@strawberry.type(description="A second person was asked for this, and it will not be done.")
class ApprovalClosed(Refusal):
    state: ApprovalState = strawberry.field(
        name="approvalState", description="How the request ended."
    )


@strawberry.type(description="The reservation no longer holds anything.")
class ReservationClosed(Refusal):
    state: ReservationState = strawberry.field(description="How it ended.")


@strawberry.type(description="The bucket does not hold what the caller believed.")
class Stale(Refusal):
    expected: int = strawberry.field(description="Units the caller believed to be there.")
    actual: int = strawberry.field(description="Units that are there.")


@strawberry.type(description="A field of the input is malformed or out of range.")
class Invalid(Refusal):
    field: str = strawberry.field(description="The field, as a path into the input.")


@strawberry.type(description="The flash sale has not opened yet or is over.")
class SaleNotOpen(Refusal):
    opens_at: datetime | None = strawberry.field(description="When it opens, if it will.")
    closed_at: datetime | None = strawberry.field(description="When it closed, if it has.")


@strawberry.type(description="The flash sale lets in only buyers with an admitted ticket.")
class TicketRequired(Refusal):
    sale_id: strawberry.ID = strawberry.field(description="The sale whose waiting room to join.")


@strawberry.type(description="Too many wrong passwords for this account or from this address.")
class LockedOut(Refusal):
    until: datetime = strawberry.field(description="From then on it can be tried again.")


@strawberry.type(description="The e-mail address, password or token is not good; not said which.")
class InvalidCredentials(Refusal):
    pass


TYPES = (
    InsufficientStock,
    LimitReached,
    NotFound,
    NotPermitted,
    Conflict,
    NeedsApproval,
    ApprovalClosed,
    ReservationClosed,
    Stale,
    Invalid,
    SaleNotOpen,
    TicketRequired,
    LockedOut,
    InvalidCredentials,
)
NAMES: dict[type, str] = {
    no.InsufficientStock: "InsufficientStock",
    no.LimitReached: "LimitReached",
    no.NotFound: "NotFound",
    no.NotPermitted: "NotPermitted",
    no.Conflict: "Conflict",
    no.NeedsApproval: "NeedsApproval",
    no.ApprovalClosed: "ApprovalClosed",
    no.ReservationClosed: "ReservationClosed",
    no.Stale: "Stale",
    no.Invalid: "Invalid",
    no.SaleNotOpen: "SaleNotOpen",
    no.TicketRequired: "TicketRequired",
    no.LockedOut: "LockedOut",
    no.InvalidCredentials: "InvalidCredentials",
}
