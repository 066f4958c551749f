"""What clients send about stock, and how it becomes a command of services/stock.py."""

import strawberry

from domain.ledger import Bucket as Place
from schema.enums import AdjustReason, Bucket
from schema.parsing import Raw, command, many, question, uuid
from services.levels import StockFilter
from services.stock import AdjustStock, MoveStock, ReceiveStock, ReturnStock

ID = "Made by the client (UUID): sending the same again is safe."
SKU = "Code of the SKU."
WAREHOUSE = "Code of the warehouse."
QUANTITY = "Units, 1 or more."
REFERENCE = "The document this belongs to."


def receive_stock(raw: Raw) -> ReceiveStock:
    return ReceiveStock(
        id=uuid("id", raw["id"]),
        sku=raw["sku"],
        warehouse=raw["warehouse"],
        quantity=raw["quantity"],
        reference=raw.get("reference"),
        lot=raw.get("lot"),
    )


def adjust_stock(raw: Raw) -> AdjustStock:
    return AdjustStock(
        id=uuid("id", raw["id"]),
        sku=raw["sku"],
        warehouse=raw["warehouse"],
        bucket=Place(raw["bucket"].value),
        delta=raw["delta"],
        reason=raw["reason"].value,
        note=raw.get("note"),
        change_from=raw.get("changeFrom"),
    )


def move_stock(raw: Raw) -> MoveStock:
    return MoveStock(
        id=uuid("id", raw["id"]),
        sku=raw["sku"],
        warehouse=raw["warehouse"],
        source=Place(raw["from"].value),
        target=Place(raw["to"].value),
        quantity=raw["quantity"],
        note=raw.get("note"),
    )


def return_stock(raw: Raw) -> ReturnStock:
    return ReturnStock(
        id=uuid("id", raw["id"]),
        sku=raw["sku"],
        warehouse=raw["warehouse"],
        quantity=raw["quantity"],
        target=Place(raw["to"].value),
        reference=raw.get("reference"),
    )


def stock_filter(raw: Raw) -> StockFilter:
    return StockFilter(
        skus=many(raw.get("skus")),
        warehouses=many(raw.get("warehouses")),
        categories=many(raw.get("categories")),
        regions=many(raw.get("regions")),
        available_at_most=raw.get("availableAtMost"),
    )


@command(receive_stock)
@strawberry.input(description="Goods that came in.")
class ReceiveStockInput:
    id: strawberry.ID = strawberry.field(description=ID)
    sku: str = strawberry.field(description=SKU)
    warehouse: str = strawberry.field(description=WAREHOUSE)
    quantity: int = strawberry.field(description=QUANTITY)
    reference: str | None = strawberry.field(default=None, description=REFERENCE)
    lot: str | None = strawberry.field(default=None, description="The lot the units belong to.")


@command(adjust_stock)
@strawberry.input(description="A correction of one bucket.")
class AdjustStockInput:
    id: strawberry.ID = strawberry.field(description=ID)
    sku: str = strawberry.field(description=SKU)
    warehouse: str = strawberry.field(description=WAREHOUSE)
    bucket: Bucket = strawberry.field(
        default=Bucket.AVAILABLE, description="The bucket that is corrected."
    )
    delta: int = strawberry.field(description="Units to add, or to take away if negative.")
    reason: AdjustReason = strawberry.field(description="Why.")
    note: str | None = strawberry.field(default=None, description="Why, in words.")
    change_from: int | None = strawberry.field(
        default=None, description="Refused as Stale unless the bucket holds this much."
    )


@command(move_stock)
@strawberry.input(description="A move between two buckets of one cell.")
class MoveStockInput:
    id: strawberry.ID = strawberry.field(description=ID)
    sku: str = strawberry.field(description=SKU)
    warehouse: str = strawberry.field(description=WAREHOUSE)
    source: Bucket = strawberry.field(name="from", description="Where the units are.")
    target: Bucket = strawberry.field(name="to", description="Where they go.")
    quantity: int = strawberry.field(description=QUANTITY)
    note: str | None = strawberry.field(default=None, description="Why, in words.")


@command(return_stock)
@strawberry.input(description="Goods that came back from a customer.")
class ReturnStockInput:
    id: strawberry.ID = strawberry.field(description=ID)
    sku: str = strawberry.field(description=SKU)
    warehouse: str = strawberry.field(description=WAREHOUSE)
    quantity: int = strawberry.field(description=QUANTITY)
    target: Bucket = strawberry.field(
        name="to", default=Bucket.QUARANTINED, description="Where the units go."
    )
    reference: str | None = strawberry.field(default=None, description=REFERENCE)


@question(stock_filter)
@strawberry.input(
    name="StockFilter",
    description="Which levels: all conditions that are given must hold, of a list any one value.",
)
class StockFilterInput:
    skus: list[str] | None = strawberry.field(default=None, description="Codes of SKUs.")
    warehouses: list[str] | None = strawberry.field(
        default=None, description="Codes of warehouses."
    )
    categories: list[str] | None = strawberry.field(default=None, description="Categories of SKUs.")
    regions: list[str] | None = strawberry.field(default=None, description="Regions of warehouses.")
    available_at_most: int | None = strawberry.field(
        default=None, description="Only levels with this many units available or fewer."
    )
