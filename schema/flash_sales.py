"""Flash sales: setting them up, changing and ending them, and what became of their units."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

import strawberry

from domain.access import Permission
from domain.flash_sales import SaleState
from domain.refusals import Invalid, Refusal
from schema import refusals as no
from schema.context import Info, allowed
from schema.enums import FlashSaleState
from schema.flash_sale_inputs import CreateFlashSaleInput, UpdateFlashSaleInput
from schema.flash_sale_types import FlashSale, FlashSaleProgress
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from schema.parsing import asked, attempt, uuid, uuid_or_none
from services import acts, sensitive
from services import flash_sale_progress as progress
from services import flash_sales as sales
from services.checks import denied
from services.flash_sale_progress import Progress
from services.flash_sale_rows import FlashSale as Sale
from services.flash_sales import CreateFlashSale, UpdateFlashSale

FlashSaleResult = Annotated[
    FlashSale
    | no.InsufficientStock
    | no.NotFound
    | no.Conflict
    | no.NotPermitted
    | no.Invalid
    | no.NeedsApproval
    | no.ApprovalClosed,
    strawberry.union("FlashSaleResult", description="The sale after the change, or a refusal."),
]
SaleID = Annotated[
    strawberry.ID, strawberry.argument(name="id", description="The flash sale (UUID).")
]


@strawberry.type
class FlashSaleQueries:
    @strawberry.field(
        graphql_type=FlashSale | None, description="One flash sale; null if there is none."
    )
    async def flash_sale(self, info: Info, id: SaleID) -> Sale | None:
        context = info.context
        key: UUID = asked(uuid, "id", id)
        return allowed(await sales.flash_sale(context.rt, context.caller, key))

    @strawberry.field(
        graphql_type=Connection[FlashSale],
        description="The flash sales, the one that opens last first, page by page.",
    )
    async def flash_sales(
        self,
        info: Info,
        states: Annotated[
            list[FlashSaleState] | None,
            strawberry.argument(description="Only sales in one of these states; null: all."),
        ] = None,
        first: First = 50,
        after: After = None,
    ) -> Connection[Sale]:
        context = info.context
        wanted = None if states is None else tuple(SaleState[one.name] for one in states)
        size = PAGE_SIZE if first is None else first
        return connection(await sales.flash_sales(context.rt, context.caller, wanted, size, after))


@strawberry.type
class FlashSaleMutations:
    @strawberry.mutation(
        graphql_type=FlashSaleResult,
        description="Set up a flash sale: its units are set aside, all of them or none.",
    )
    async def create_flash_sale(
        self,
        info: Info,
        command: Annotated[
            CreateFlashSale | Invalid,
            strawberry.argument(
                name="input", graphql_type=CreateFlashSaleInput, description="The sale."
            ),
        ],
    ) -> Sale | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.SALES, command)
        return await acts.create_sale(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=FlashSaleResult,
        description="Change a flash sale before it opens, up to two seconds before.",
    )
    async def update_flash_sale(
        self,
        info: Info,
        command: Annotated[
            UpdateFlashSale | Invalid,
            strawberry.argument(
                name="input", graphql_type=UpdateFlashSaleInput, description="What changes."
            ),
        ],
    ) -> Sale | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.SALES, command)
        return await acts.update_sale(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=FlashSaleResult,
        description="Call off a flash sale before it opens: its units are available again.",
    )
    async def cancel_flash_sale(self, info: Info, id: SaleID) -> Sale | Refusal:
        context = info.context
        key = attempt(uuid, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.SALES, key)
        return await acts.cancel_sale(context.rt, context.caller, key)

    @strawberry.mutation(
        graphql_type=FlashSaleResult,
        description="Close an open flash sale now. What is left is available again once the last "
        "unpaid reservation has ended.",
    )
    async def close_flash_sale(
        self,
        info: Info,
        id: SaleID,
        request_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The request's own id (UUID): needed where a second person has to "
                "grant it, because much is left in the sale."
            ),
        ] = None,
    ) -> Sale | Refusal:
        context = info.context
        key = attempt(uuid, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.SALES, key)
        request = attempt(uuid_or_none, "requestId", request_id)
        if isinstance(request, Invalid):
            return context.refused(Permission.SALES, request)
        return await sensitive.close_sale(context.rt, context.caller, key, request)


@strawberry.type
class FlashSaleSubscriptions:
    @strawberry.subscription(
        graphql_type=FlashSaleProgress,
        description="How a flash sale goes: as it is now, then what changes, at most four times a "
        "second, until it is over.",
    )
    async def flash_sale_progress(
        self,
        info: Info,
        sale_id: Annotated[
            strawberry.ID, strawberry.argument(description="The flash sale (UUID).")
        ],
    ) -> AsyncGenerator[Progress, None]:
        context = info.context
        allowed(denied(context.caller, Permission.SALES))
        key: UUID = asked(uuid, "saleId", sale_id)
        async for seen in progress.flash_sale_progress(context.rt, context.caller, key):
            yield seen
