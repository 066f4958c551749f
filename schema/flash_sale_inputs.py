"""What people send about flash sales, and how it becomes a command of services/flash_sales.py."""

from collections.abc import Iterable
from datetime import datetime

import strawberry

from schema.parsing import Raw, command, uuid
from services.flash_sale_rows import Allotment
from services.flash_sale_work import Content
from services.flash_sales import CreateFlashSale, UpdateFlashSale

DEFAULT_TTL_SECONDS = 600
DEFAULT_ADMITTED = 50
NAME = "What people call it."
OPENS_AT = "From then on it sells."
CLOSES_AT = "From then on it sells no more; at most 31 days after opensAt."
TTL = "Seconds until an unpaid reservation in it expires, 1 to 86400."
WAITING_ROOM = "Whether buyers wait for their turn."
ADMITTED = "Buyers let in per second, where there is a waiting room, 1 to 100000."
ALLOTMENTS = "Units to set aside, 1 to 100 lines."


def allotments(lines: Iterable[Raw]) -> tuple[Allotment, ...]:
    return tuple(Allotment(line["sku"], line["warehouse"], line["quantity"]) for line in lines)


def create_flash_sale(raw: Raw) -> CreateFlashSale:
    content = Content(
        name=raw["name"],
        opens_at=raw["opensAt"],
        closes_at=raw["closesAt"],
        limit_per_customer=raw.get("limitPerCustomer"),
        ttl_seconds=raw["ttlSeconds"],
        waiting_room=raw["waitingRoom"],
        admitted_per_second=raw["admittedPerSecond"],
        allotments=allotments(raw["allotments"]),
    )
    return CreateFlashSale(uuid("id", raw["id"]), content)


def update_flash_sale(raw: Raw) -> UpdateFlashSale:
    """A field that is null stays as it is, but for the limit: null takes it away."""
    lines = raw.get("allotments")
    return UpdateFlashSale(
        id=uuid("id", raw["id"]),
        name=raw.get("name"),
        opens_at=raw.get("opensAt"),
        closes_at=raw.get("closesAt"),
        limit_per_customer=raw.get("limitPerCustomer"),
        is_unlimited="limitPerCustomer" in raw and raw["limitPerCustomer"] is None,
        ttl_seconds=raw.get("ttlSeconds"),
        waiting_room=raw.get("waitingRoom"),
        admitted_per_second=raw.get("admittedPerSecond"),
        allotments=None if lines is None else allotments(lines),
    )


@strawberry.input(description="Units of one SKU to set aside in one warehouse.")
class AllotmentInput:
    sku: str = strawberry.field(description="Code of the SKU.")
    warehouse: str = strawberry.field(description="Code of the warehouse.")
    quantity: int = strawberry.field(description="Units, 1 or more.")


@command(create_flash_sale)
@strawberry.input(description="A flash sale to set up.")
class CreateFlashSaleInput:
    id: strawberry.ID = strawberry.field(
        description="Made by the client (UUID): sending the same again is safe."
    )
    name: str = strawberry.field(description=NAME)
    allotments: list[AllotmentInput] = strawberry.field(description=ALLOTMENTS)
    opens_at: datetime = strawberry.field(description=OPENS_AT)
    closes_at: datetime = strawberry.field(description=CLOSES_AT)
    limit_per_customer: int | None = strawberry.field(
        default=None,
        description="Units one customer may take over all orders and open holds; null: any number.",
    )
    ttl_seconds: int = strawberry.field(default=DEFAULT_TTL_SECONDS, description=TTL)
    waiting_room: bool = strawberry.field(default=False, description=WAITING_ROOM)
    admitted_per_second: int = strawberry.field(default=DEFAULT_ADMITTED, description=ADMITTED)


@command(update_flash_sale)
@strawberry.input(description="What changes in a flash sale; what is left out stays.")
class UpdateFlashSaleInput:
    id: strawberry.ID = strawberry.field(description="The flash sale (UUID).")
    name: str | None = strawberry.field(default=None, description=NAME)
    allotments: list[AllotmentInput] | None = strawberry.field(
        default=None, description=f"{ALLOTMENTS} They take the place of all earlier ones."
    )
    opens_at: datetime | None = strawberry.field(default=None, description=OPENS_AT)
    closes_at: datetime | None = strawberry.field(default=None, description=CLOSES_AT)
    limit_per_customer: int | None = strawberry.field(
        default=None,
        description="Units one customer may take; left out: as it is; null: any number.",
    )
    ttl_seconds: int | None = strawberry.field(default=None, description=TTL)
    waiting_room: bool | None = strawberry.field(default=None, description=WAITING_ROOM)
    admitted_per_second: int | None = strawberry.field(default=None, description=ADMITTED)
