"""`reserveStock` with the GraphQL layer taken out: a route that reads the least JSON, calls the
same service (and so the same batcher, owner and commit), and writes the least JSON. No token, no
limits, no metrics: what a handler for this one purpose would cost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors import owners
from benchmarks.shop import SKU, WAREHOUSE
from domain.access import Role, everywhere
from domain.routing import Want
from infra.balances import Balances
from infra.cache import Cache
from infra.clock import SystemClock
from infra.database import close_database, open_database
from infra.hub import Hub
from infra.memory import settle_memory
from infra.running import attached
from infra.settings import current_settings
from services import reserve
from services.catalogue_cache import CatalogueCache
from services.reservations import Reservation, ReserveStock
from services.runtime import Runtime
from services.whereabouts import Whereabouts

PATH = "/reserve"
BODY = f'{{"id":"@","sku":"{SKU}","warehouse":"{WAREHOUSE}","quantity":1}}'
ACCEPTED = b'"seq":'
CALLER = everywhere("bench", Role.ADMIN)


class Asked(msgspec.Struct):
    id: UUID
    sku: str
    warehouse: str
    quantity: int


class Held(msgspec.Struct):
    id: UUID
    seq: int


ASKED = msgspec.json.Decoder(Asked)
HELD = msgspec.json.Encoder()


class Bare:
    """One route; `rt` is there while the application lives."""

    rt: Runtime

    async def reserve(self, request: Request) -> Response:
        asked = ASKED.decode(await request.body())
        wants = (Want(asked.sku, asked.warehouse, asked.quantity),)
        command = ReserveStock(asked.id, wants, 3_600, "customer-4711", "web")
        held = await reserve.reserve(self.rt, CALLER, command)
        assert isinstance(held, Reservation), held
        body = HELD.encode(Held(held.id, held.lines[0].seq))
        return Response(body, media_type="application/json")

    @asynccontextmanager
    async def living(self, _app: Starlette) -> AsyncIterator[None]:
        settings = attached(current_settings())
        await open_database(settings.database_url)
        cache = Cache.connect(settings.redis_url)
        stock = owners.client(settings)
        self.rt = Runtime(
            settings,
            SystemClock(),
            stock,
            cache,
            Hub(Balances()),
            CatalogueCache(),
            Whereabouts(),
        )
        settle_memory()
        yield
        stock.close()
        await cache.close()
        await close_database()


def create_app() -> Starlette:
    bare = Bare()
    route = Route(PATH, bare.reserve, methods=["POST"])
    return Starlette(routes=[route], lifespan=bare.living)
