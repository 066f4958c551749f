"""The ledger as a merchant reads it: every movement of one cell, newest first."""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.context import Info
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from services import ledger
from services.ledger import LedgerEntry as Entry


@strawberry.type(description="One movement of units; never changed, never deleted.")
class LedgerEntry:
    seq: int = strawberry.field(description="Its number in its cell, from 1 without gaps.")
    sku: str = strawberry.field(description="Code of the SKU.")
    warehouse: str = strawberry.field(description="Code of the warehouse.")
    kind: str = strawberry.field(description="The movement: receive, reserve, deduct...")
    quantity: int = strawberry.field(description="Units moved, always positive.")
    source: str = strawberry.field(description="The bucket the units came from.")
    target: str = strawberry.field(description="The bucket the units went to.")
    pool: str | None = strawberry.field(
        description="The ring-fenced part of available; null: the open pool."
    )
    reference: str | None = strawberry.field(description="The document it belongs to.")
    reason: str | None = strawberry.field(description="Why it was done.")
    lot: str | None = strawberry.field(description="The lot of the units.")
    caller: str = strawberry.field(description="Who did it.")
    request_id: strawberry.ID = strawberry.field(description="The id of the request it came from.")
    at: datetime = strawberry.field(description="When it was decided.")


@strawberry.type
class LedgerQueries:
    @strawberry.field(
        graphql_type=Connection[LedgerEntry],
        description="The entries of one cell, newest first, page by page.",
    )
    async def ledger(
        self,
        info: Info,
        sku: Annotated[str, strawberry.argument(description="Code of the SKU.")],
        warehouse: Annotated[str, strawberry.argument(description="Code of the warehouse.")],
        first: First = 50,
        after: After = None,
    ) -> Connection[Entry]:
        context = info.context
        size = PAGE_SIZE if first is None else first
        return connection(
            await ledger.ledger(context.rt, context.caller, sku, warehouse, size, after)
        )
