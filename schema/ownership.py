"""Who hosts what, as an operator sees it: seats, their holders, and the cells placed in them."""

from datetime import datetime

import strawberry

from schema.context import Info, allowed
from schema.enums import SeatReason
from services import ownership


@strawberry.type(description="A cell that was given a seat other than the one it falls to.")
class PlacedCell:
    sku: str = strawberry.field(description="Code of the SKU.")
    warehouse: str = strawberry.field(description="Code of the warehouse.")


@strawberry.type(description="A place at which one owner process hosts cells.")
class Seat:
    name: str = strawberry.field(description="shared-0, shared-1..., or that of a dedicated seat.")
    reason: SeatReason = strawberry.field(description="Why there is this seat.")
    is_dedicated: bool = strawberry.field(description="Only the cells placed in it are hosted.")
    cells: list[PlacedCell] = strawberry.field(description="The cells placed in it, by SKU.")
    holder: strawberry.ID | None = strawberry.field(
        description="The life of the process that sits there; null: nobody at this moment."
    )
    node: str | None = strawberry.field(description="The address of its machine.")
    pid: int | None = strawberry.field(
        description="Its process; this and the next two are null if it does not answer in time."
    )
    resident_cells: int | None = strawberry.field(description="Cells in its memory.")
    commands_per_second: float | None = strawberry.field(
        description="Lines of requests that it decided lately; null if it does not tell."
    )
    inbox: int | None = strawberry.field(description="Requests that wait there.")
    taken_at: datetime | None = strawberry.field(description="When it sat down.")
    takeovers: int = strawberry.field(description="Times another process took the seat over.")


@strawberry.type
class OwnershipQueries:
    @strawberry.field(
        graphql_type=list[Seat], description="Which owner hosts which cells, by seat."
    )
    async def ownership(self, info: Info) -> object:
        context = info.context
        return allowed(await ownership.ownership(context.rt, context.caller))
