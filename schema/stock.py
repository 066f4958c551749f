"""Stock levels: what a cell holds, and the four ways to change it without a reservation."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain.access import Permission
from domain.refusals import Invalid, Refusal
from schema import refusals as no
from schema.catalogue import Sku, Warehouse
from schema.context import Info, allowed
from schema.enums import Consistency
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from schema.stock_inputs import (
    AdjustStockInput,
    MoveStockInput,
    ReceiveStockInput,
    ReturnStockInput,
    StockFilterInput,
)
from services import acts, sensitive, stock
from services.levels import StockFilter
from services.levels import StockLevel as Level
from services.stock import AdjustStock, MoveStock, ReceiveStock, ReturnStock


@strawberry.type(description="What a cell, one SKU in one warehouse, holds at one seq.")
class StockLevel:
    sku: Sku = strawberry.field(description="The SKU.")
    warehouse: Warehouse = strawberry.field(description="The warehouse.")
    on_hand: int = strawberry.field(
        description="All units in the warehouse: available, reserved, quarantined, damaged and "
        "those set aside in pools."
    )
    available: int = strawberry.field(
        description="Units of the open pool, free to be promised to anybody."
    )
    reserved: int = strawberry.field(description="Units held for customers.")
    quarantined: int = strawberry.field(description="Units kept back for a look at them.")
    damaged: int = strawberry.field(description="Units not fit for sale.")
    incoming: int = strawberry.field(
        description="Units on their way in by open purchase orders and transfers."
    )
    seq: int = strawberry.field(
        description="Number of the cell's newest ledger entry: grows by one with each entry, "
        "never goes back."
    )
    as_of: datetime = strawberry.field(description="When this was so.")


StockLevelResult = Annotated[
    StockLevel
    | no.InsufficientStock
    | no.Stale
    | no.NotFound
    | no.Conflict
    | no.NotPermitted
    | no.Invalid
    | no.NeedsApproval
    | no.ApprovalClosed,
    strawberry.union("StockLevelResult", description="The level after the change, or a refusal."),
]


def input_of(input_type: type) -> Any:
    return strawberry.argument(
        name="input", graphql_type=input_type, description="What to do, under an id of its own."
    )


@strawberry.type
class StockQueries:
    @strawberry.field(
        graphql_type=StockLevel | None,
        description="What one cell holds; null if there is no such SKU or warehouse.",
    )
    async def stock_level(
        self,
        info: Info,
        sku: Annotated[str, strawberry.argument(description="Code of the SKU.")],
        warehouse: Annotated[str, strawberry.argument(description="Code of the warehouse.")],
        consistency: Annotated[
            Consistency | None, strawberry.argument(description="How fresh it has to be.")
        ] = Consistency.CACHED,
    ) -> Level | None:
        context = info.context
        strong = consistency is Consistency.STRONG
        return allowed(await stock.stock_level(context.rt, context.caller, sku, warehouse, strong))

    @strawberry.field(
        graphql_type=Connection[StockLevel], description="The levels that match, page by page."
    )
    async def stock_levels(
        self,
        info: Info,
        filter: Annotated[
            StockFilter | None,
            strawberry.argument(
                graphql_type=StockFilterInput | None, description="Which levels; null: all."
            ),
        ] = None,
        first: First = 50,
        after: After = None,
    ) -> Connection[Level]:
        context = info.context
        size = PAGE_SIZE if first is None else first
        wanted = filter or StockFilter()
        return connection(await stock.stock_levels(context.rt, context.caller, wanted, size, after))


@strawberry.type
class StockMutations:
    @strawberry.mutation(
        graphql_type=StockLevelResult, description="Goods in: units become available."
    )
    async def receive_stock(
        self, info: Info, command: Annotated[ReceiveStock | Invalid, input_of(ReceiveStockInput)]
    ) -> Level | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.RECEIVE, command)
        return await acts.receive(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=StockLevelResult, description="Correct a bucket by a delta, with a reason."
    )
    async def adjust_stock(
        self, info: Info, command: Annotated[AdjustStock | Invalid, input_of(AdjustStockInput)]
    ) -> Level | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.ADJUST, command)
        return await sensitive.adjust(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=StockLevelResult,
        description="Move units between available, quarantined and damaged.",
    )
    async def move_stock(
        self, info: Info, command: Annotated[MoveStock | Invalid, input_of(MoveStockInput)]
    ) -> Level | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.MOVE, command)
        return await sensitive.move(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=StockLevelResult, description="Goods come back from a customer."
    )
    async def return_stock(
        self, info: Info, command: Annotated[ReturnStock | Invalid, input_of(ReturnStockInput)]
    ) -> Level | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.RETURN, command)
        return await acts.return_stock(context.rt, context.caller, command)
