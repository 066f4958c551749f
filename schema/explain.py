"""Why a cell holds what it holds: the entries behind its level, with documents and people."""

from typing import Annotated

import strawberry

from schema.context import Info, allowed
from schema.ledger import LedgerEntry
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from schema.stock import StockLevel
from schema.trail import AuditRecord
from services import explain
from services.explain import Explanation, Step


@strawberry.type(description="Units of a cell, before or after one entry.")
class HeldUnits:
    available: int = strawberry.field(description="Units of the open pool.")
    reserved: int = strawberry.field(description="Units held for customers.")
    quarantined: int = strawberry.field(description="Units kept back for a look at them.")
    damaged: int = strawberry.field(description="Units not fit for sale.")
    pooled: int = strawberry.field(description="Units set aside in pools, for flash sales.")
    on_hand: int = strawberry.field(description="All of them.")


@strawberry.type(description="One entry of a cell, with what it changed and who stands behind it.")
class ExplainedEntry:
    entry: LedgerEntry = strawberry.field(description="The movement.")
    before: HeldUnits = strawberry.field(description="What the cell held before it.")
    after: HeldUnits = strawberry.field(description="What the cell held after it.")
    customer: str | None = strawberry.field(description="For whom units were reserved.")
    channel: str | None = strawberry.field(description="Where they were ordered.")
    records: list[AuditRecord] = strawberry.field(
        description="The trail's newest records of the request behind it, ten at most."
    )


@strawberry.type(description="A cell's level and how it came about.")
class StockExplanation:
    level: StockLevel = strawberry.field(description="What the cell holds, as the ledger says.")

    @strawberry.field(
        graphql_type=Connection[ExplainedEntry],
        description="The entries behind the level, newest first.",
    )
    def steps(self, root: strawberry.Parent[Explanation]) -> Connection[Step]:
        return connection(root.steps)


@strawberry.type
class ExplainQueries:
    @strawberry.field(
        graphql_type=StockExplanation | None,
        description="Why a cell holds what it holds; null where nothing has happened in it.",
    )
    async def explain_stock(
        self,
        info: Info,
        sku: Annotated[str, strawberry.argument(description="Code of the SKU.")],
        warehouse: Annotated[str, strawberry.argument(description="Code of the warehouse.")],
        first: First = 50,
        after: After = None,
    ) -> Explanation | None:
        context = info.context
        size = PAGE_SIZE if first is None else first
        return allowed(
            await explain.explain_stock(context.rt, context.caller, sku, warehouse, size, after)
        )
