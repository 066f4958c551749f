"""The live view: matching levels as they are now, then each change."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from domain.access import Permission
from schema.context import Info, allowed
from schema.stock import StockLevel
from schema.stock_inputs import StockFilterInput
from services import changes
from services.checks import barred
from services.levels import StockFilter
from services.levels import StockLevel as Level


@strawberry.type
class StockSubscriptions:
    @strawberry.subscription(
        graphql_type=StockLevel,
        description="The matching levels as they are now, then each change; newest wins for a slow "
        "client; seq shows gaps.",
    )
    async def stock_changed(
        self,
        info: Info,
        filter: Annotated[
            StockFilter | None,
            strawberry.argument(
                graphql_type=StockFilterInput | None, description="Which levels; null: all."
            ),
        ] = None,
    ) -> AsyncGenerator[Level, None]:
        context = info.context
        allowed(barred(context.caller, Permission.READ_STOCK))
        async for level in changes.stock_changed(
            context.rt, context.caller, filter or StockFilter()
        ):
            yield level
