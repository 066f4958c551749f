"""The catalogue: SKUs and warehouses, and how they are written in bulk."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.access import Permission
from domain.refusals import Invalid
from domain.refusals import Refusal as Refused
from schema.context import Info, allowed
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from schema.parsing import Raw, attempt, question, uuid_or_none
from schema.refusals import Refusal
from services import catalogue, sensitive
from services.catalogue import SkuRow, WarehouseRow
from services.catalogue_cache import SkuInfo, WarehouseInfo
from services.levels import StockLevel as Level

if TYPE_CHECKING:
    from schema.stock import StockLevel


@strawberry.type(description="A thing that is kept in stock.")
class Sku:
    code: str = strawberry.field(description="The code it goes by.")
    name: str = strawberry.field(description="What people call it.")
    category: str | None = strawberry.field(description="Its category, if it has one.")
    barcode: str | None = strawberry.field(description="Its barcode, if it has one.")
    is_active: bool = strawberry.field(description="Whether it may be reserved.")
    last_price_cents: int | None = strawberry.field(
        description="The price it was last sold for, in cents."
    )

    @strawberry.field(
        graphql_type=list[Annotated["StockLevel", strawberry.lazy("schema.stock")]],
        description="What each warehouse holds of it.",
    )
    async def levels(self, info: Info, root: strawberry.Parent[SkuInfo]) -> list[Level]:
        return await info.context.levels_of().load(root.code)


@strawberry.type(description="A place where stock is kept.")
class Warehouse:
    code: str = strawberry.field(description="The code it goes by.")
    name: str = strawberry.field(description="What people call it.")
    region: str = strawberry.field(description="The region it delivers to first.")
    is_active: bool = strawberry.field(description="Whether it may be asked for stock.")


def sku_row(raw: Raw) -> SkuRow:
    return SkuRow(
        code=raw["code"],
        name=raw["name"],
        category=raw.get("category"),
        barcode=raw.get("barcode"),
        is_active=raw["isActive"],
        last_price_cents=raw.get("lastPriceCents"),
    )


def warehouse_row(raw: Raw) -> WarehouseRow:
    return WarehouseRow(
        code=raw["code"],
        name=raw["name"],
        region=raw["region"],
        priority=raw["priority"],
        is_active=raw["isActive"],
    )


@question(sku_row)
@strawberry.input(name="SkuRow", description="A SKU to create or to overwrite.")
class SkuRowInput:
    code: str = strawberry.field(description="The code it goes by.")
    name: str = strawberry.field(description="What people call it.")
    category: str | None = strawberry.field(default=None, description="Its category.")
    barcode: str | None = strawberry.field(default=None, description="Its barcode.")
    is_active: bool = strawberry.field(default=True, description="Whether it may be reserved.")
    last_price_cents: int | None = strawberry.field(
        default=None, description="The price it was last sold for, in cents; null: not known."
    )


@question(warehouse_row)
@strawberry.input(name="WarehouseRow", description="A warehouse to create or to overwrite.")
class WarehouseRowInput:
    code: str = strawberry.field(description="The code it goes by.")
    name: str = strawberry.field(description="What people call it.")
    region: str = strawberry.field(description="The region it delivers to first.")
    priority: int = strawberry.field(default=100, description="Lower is asked first.")
    is_active: bool = strawberry.field(
        default=True, description="Whether it may be asked for stock."
    )


@strawberry.type(
    description="What became of one row, in order; a bad row does not stop the others."
)
class RowResult:
    index: int = strawberry.field(description="The row's place in the request, from 0.")
    ok: bool = strawberry.field(description="Whether the row was written.")
    refusal: Refusal | None = strawberry.field(description="Why it was not.")


@dataclass(frozen=True, slots=True)
class Row:
    index: int
    ok: bool
    refusal: Refused | None


def results(refusals: list[Refused | None]) -> list[Row]:
    return [Row(index, refusal is None, refusal) for index, refusal in enumerate(refusals)]


def rows_of(graphql_type: object) -> Any:
    return strawberry.argument(
        name="rows", graphql_type=graphql_type, description=f"Up to {catalogue.ROWS_LIMIT} rows."
    )


@strawberry.type
class CatalogueQueries:
    @strawberry.field(graphql_type=Sku | None, description="One SKU; null if there is none.")
    async def sku(
        self, info: Info, code: Annotated[str, strawberry.argument(description="Its code.")]
    ) -> SkuInfo | None:
        context = info.context
        return allowed(await catalogue.sku(context.rt, context.caller, code))

    @strawberry.field(graphql_type=Connection[Sku], description="The SKUs by code, page by page.")
    async def skus(
        self,
        info: Info,
        search: Annotated[
            str | None,
            strawberry.argument(description="Only SKUs with this in their code or name."),
        ] = None,
        first: First = 50,
        after: After = None,
    ) -> Connection[SkuInfo]:
        context = info.context
        size = PAGE_SIZE if first is None else first
        return connection(await catalogue.skus(context.rt, context.caller, search, size, after))

    @strawberry.field(graphql_type=list[Warehouse], description="All warehouses.")
    async def warehouses(self, info: Info) -> list[WarehouseInfo]:
        context = info.context
        return allowed(await catalogue.warehouses(context.rt, context.caller))


RequestID = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        name="id",
        description="The request's own id (UUID): needed where a second person has to grant it, "
        "because it takes much out of sale or changes much of what the stock is worth.",
    ),
]


@strawberry.type
class CatalogueMutations:
    @strawberry.mutation(
        graphql_type=list[RowResult], description="Create or overwrite SKUs, up to 500 rows."
    )
    async def upsert_skus(
        self,
        info: Info,
        rows: Annotated[list[SkuRow], rows_of(list[SkuRowInput])],
        id: RequestID = None,
    ) -> list[Row]:
        context = info.context
        key = attempt(uuid_or_none, "id", id)
        if isinstance(key, Invalid):
            return results([context.refused(Permission.CATALOGUE, key)] * len(rows))
        return results(await sensitive.upsert_skus(context.rt, context.caller, rows, key))

    @strawberry.mutation(
        graphql_type=list[RowResult], description="Create or overwrite warehouses, up to 500 rows."
    )
    async def upsert_warehouses(
        self,
        info: Info,
        rows: Annotated[list[WarehouseRow], rows_of(list[WarehouseRowInput])],
        id: RequestID = None,
    ) -> list[Row]:
        context = info.context
        key = attempt(uuid_or_none, "id", id)
        if isinstance(key, Invalid):
            return results([context.refused(Permission.CATALOGUE, key)] * len(rows))
        return results(await sensitive.upsert_warehouses(context.rt, context.caller, rows, key))
