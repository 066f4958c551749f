"""What a flash sale shows of itself."""

from datetime import datetime

import strawberry

from schema.context import Info
from schema.enums import FlashSaleState
from services.flash_sale_figures import Figures
from services.flash_sale_rows import FlashSale as Sale


@strawberry.type(description="Units set aside for a flash sale in one warehouse.")
class Allotment:
    sku: str = strawberry.field(description="Code of the SKU.")
    warehouse: str = strawberry.field(description="Code of the warehouse.")
    quantity: int = strawberry.field(description="Units.")


@strawberry.type(description="What became of the units of a flash sale.")
class FlashSaleFigures:
    allotted: int = strawberry.field(description="Units set aside for it.")
    held: int = strawberry.field(description="Units held for buyers who have not paid yet.")
    sold: int = strawberry.field(description="Units paid for or handed over.")
    left: int = strawberry.field(description="Units that can still be had in it.")


@strawberry.type(description="A timed sale of units that are set aside for it.")
class FlashSale:
    id: strawberry.ID = strawberry.field(description="The id the client made.")
    name: str = strawberry.field(description="What people call it.")
    state: FlashSaleState = strawberry.field(description="Where it is in its life.")
    revision: int = strawberry.field(description="How often it was set up or changed.")
    lines: list[Allotment] = strawberry.field(
        name="allotments", description="Units set aside, by SKU and warehouse."
    )
    opens_at: datetime = strawberry.field(description="From then on it sells.")
    closes_at: datetime = strawberry.field(description="From then on it sells no more.")
    limit_per_customer: int | None = strawberry.field(
        description="Units one customer may take over all orders; null: any number."
    )
    ttl_seconds: int = strawberry.field(
        description="Seconds until an unpaid reservation in it expires."
    )
    waiting_room: bool = strawberry.field(description="Whether buyers wait for their turn.")
    admitted_per_second: int = strawberry.field(
        description="Buyers let in per second, where there is a waiting room."
    )
    created_by: str = strawberry.field(description="Who set it up.")
    created_at: datetime = strawberry.field(description="When it was set up.")
    opened_at: datetime | None = strawberry.field(description="When it opened.")
    closed_at: datetime | None = strawberry.field(description="When it closed or was called off.")
    finished_at: datetime | None = strawberry.field(
        description="When what was left of it had been given back."
    )

    @strawberry.field(
        graphql_type=FlashSaleFigures, description="What became of its units, by now."
    )
    async def figures(self, info: Info, root: strawberry.Parent[Sale]) -> Figures:
        return await info.context.figures_of().load(root.id)


@strawberry.type(description="How often something was refused for one reason.")
class RefusedFor:
    code: str = strawberry.field(description="The refusal's code: LIMIT_REACHED.")
    times: int = strawberry.field(description="How often, since the sale was set up.")


@strawberry.type(description="How a flash sale goes.")
class FlashSaleProgress:
    sale_id: strawberry.ID = strawberry.field(description="The flash sale.")
    state: FlashSaleState = strawberry.field(description="Where it is in its life.")
    allotted: int = strawberry.field(description="Units set aside for it.")
    held: int = strawberry.field(description="Units held for buyers who have not paid yet.")
    sold: int = strawberry.field(description="Units paid for or handed over.")
    left: int = strawberry.field(description="Units that can still be had in it.")
    refused: list[RefusedFor] = strawberry.field(description="Buyers refused, by reason.")
    accepted_per_second: float = strawberry.field(
        description="Reservations made per second, over the last two seconds."
    )
    as_of: datetime = strawberry.field(description="When this was so.")
