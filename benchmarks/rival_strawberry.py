"""Plain Strawberry with its caches of parsed and validated documents, and a Tortoise transaction
per request; its subscription is Strawberry's own graphql-transport-ws over the same feed. It writes
the rows that an owner writes, in one statement, to a copy of the same tables, asks nobody for a
token, and knows its cell beforehand."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from tortoise.transactions import in_transaction

from benchmarks.layer import CONFIG, ReserveStockInput
from benchmarks.rivals import SETTINGS, WRITE
from benchmarks.shop import SKU, WAREHOUSE
from benchmarks.stock import CALLER, FINGERPRINT, TTL
from infra.bus import Bus
from infra.clock import SystemClock
from infra.database import close_database, connection, open_database
from infra.hub import Hub, Interest
from infra.levels import CellLevel
from infra.memory import settle_memory
from infra.running import attached
from infra.settings import current_settings, process_environ
from schema import refusals
from schema import reservations as shown
from schema.enums import ReservationState
from schema.stock_inputs import StockFilterInput

RIVAL_URL, RIVAL_POOL = "RIVAL_DATABASE_URL", "RIVAL_POOL_SIZE"
"""What its process is told by its environment."""
CELL = """
SELECT c.id FROM cell c JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
WHERE s.code = $1 AND w.code = $2
"""


@strawberry.type
class Coded:
    code: str


@strawberry.type
class Level:
    sku: Coded
    warehouse: Coded
    available: int
    reserved: int
    seq: int
    as_of: datetime


@strawberry.type
class Query:
    @strawberry.field
    async def ready(self) -> bool:
        return True


@dataclass
class Parts:
    """What the resolvers share; there while the application lives."""

    cell: int
    hub: Hub


Info = strawberry.Info[Parts, None]


class NoTruth:
    """The rival's own tables know nothing of the shop's cells, whose changes it tells."""

    async def page(self, after: int, skus: Sequence[str] | None) -> list[CellLevel]:
        return []


@strawberry.type
class Mutation:
    @strawberry.mutation(graphql_type=shown.ReserveStockResult)
    async def reserve_stock(
        self, info: Info, input: ReserveStockInput
    ) -> shown.Reservation | refusals.InsufficientStock:
        (line,) = input.lines
        now = SystemClock().now()
        async with in_transaction() as transaction:
            _, rows = await transaction.execute_query(
                WRITE,
                [
                    *(info.context.cell, line.quantity, UUID(input.id), now, CALLER, now + TTL),
                    *(input.customer, input.channel, FINGERPRINT),
                ],
            )
        if not rows:
            raise LookupError("sold out")
        seq, available = rows[0]
        held = shown.ReservationLine(
            sku=line.sku,
            warehouse=WAREHOUSE,
            quantity=line.quantity,
            deducted=0,
            seq=seq,
            available_after=available,
        )
        return shown.Reservation(
            id=input.id,
            state=ReservationState.HELD,
            lines=[held],
            customer=input.customer,
            channel=input.channel,
            sale_id=None,
            created_at=now,
            expires_at=now + TTL,
        )


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def stock_changed(
        self, info: Info, filter: StockFilterInput
    ) -> AsyncGenerator[Level, None]:
        with info.context.hub.subscribed(Interest(frozenset(filter.skus or ()))) as subscriber:
            while (level := await subscriber.next()) is not None:
                yield Level(
                    sku=Coded(code=level.sku),
                    warehouse=Coded(code=level.warehouse),
                    available=level.available,
                    reserved=level.reserved,
                    seq=level.seq,
                    as_of=level.as_of,
                )


class Rival(GraphQL[Parts, None]):
    parts: Parts

    async def get_context(self, request: object, response: object) -> Parts:
        return self.parts

    @asynccontextmanager
    async def living(self, _app: Starlette) -> AsyncIterator[None]:
        environ = process_environ()
        settings = attached(current_settings())
        await open_database(environ[RIVAL_URL], int(environ[RIVAL_POOL]), SETTINGS)
        _, rows = await connection().execute_query(CELL, [SKU, WAREHOUSE])
        bus = await Bus.connect(settings.nats_url)
        hub = Hub(NoTruth())
        following = asyncio.create_task(hub.run(bus))
        self.parts = Parts(rows[0][0], hub)
        settle_memory()
        yield
        following.cancel()
        await asyncio.wait({following})
        await bus.close()
        await close_database()


def create_app() -> Starlette:
    caches: list[Any] = [ParserCache(maxsize=500), ValidationCache(maxsize=500)]
    schema = strawberry.Schema(
        Query, Mutation, Subscription, types=refusals.TYPES, config=CONFIG, extensions=caches
    )
    rival = Rival(schema, graphql_ide=None)
    endpoint: Any = rival
    app = Starlette(lifespan=rival.living)
    app.router.routes += [Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)]
    return app
