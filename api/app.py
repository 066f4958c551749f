"""The API process: what it connects to when it starts, and lets go of when it stops.

A server calls `create_app` (granian: `api.app:create_app --factory`); a test gives `build_app` a
Runtime of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Router
from starlette.types import ASGIApp

from actors import owners
from actors.client import StockClient
from api.edge import Edge
from api.graphql_ws import Patience
from api.health import Check
from api.metrics import Metrics
from api.routes import routes
from infra.balances import Balances
from infra.bus import Bus
from infra.cache import Cache
from infra.clock import Clock, SystemClock
from infra.database import close_database, connection, open_database
from infra.hub import Hub
from infra.internet_variables import listed
from infra.logs import setup_logs
from infra.mail import Mail
from infra.memory import settle_memory
from infra.outage import Outage
from infra.passwords import Costs, Passwords
from infra.rates import Rates
from infra.settings import Settings, current_settings
from services.catalogue_cache import CatalogueCache
from services.finisher import Finisher
from services.hot_pairs import HotPairs
from services.ledger_digests import Digester
from services.runtime import Runtime
from services.sale_keeper import Keeper
from services.trail_heads import Teller
from services.whereabouts import Whereabouts

DATABASE_CONNECTIONS = 8
"""Per API process; reservations use them only to find an owner again."""
OWNERS_SECONDS = 60.0
"""How long this process waits for owners before it serves without them."""
RETRY_SECONDS = 0.1


def build_app(
    rt: Runtime, checks: Mapping[str, Check], patience: Patience | None = None
) -> ASGIApp:
    metrics = Metrics()
    router = Router(routes(rt, checks, metrics, patience))
    return edge(router, rt.settings, rt.clock, metrics)


def edge(router: Router, settings: Settings, clock: Clock, metrics: Metrics) -> ASGIApp:
    """Browsers let pages of other hosts read an answer only where it says that they may."""
    origins = listed(settings.allowed_origins)
    app: ASGIApp = router
    if origins:
        app = CORSMiddleware(
            router,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-correlation-id"],
            expose_headers=["retry-after", "x-correlation-id"],
        )
    return Edge(app, clock, metrics, settings)


def create_app() -> ASGIApp:
    """Everything else is told by the environment."""
    settings = current_settings()
    setup_logs(settings.log_level, syslog=settings.log_syslog)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            rt, checks = await opened(settings, stack)
            router.routes[:] = routes(rt, checks, metrics)
            settle_memory()
            yield

    router = Router(lifespan=lifespan)
    return edge(router, settings, SystemClock(), metrics)


async def opened(settings: Settings, stack: AsyncExitStack) -> tuple[Runtime, Mapping[str, Check]]:
    """Real parts, closed in the opposite order."""
    await open_database(settings.database_url, DATABASE_CONNECTIONS)
    stack.push_async_callback(close_database)
    cache = Cache.connect(settings.redis_url)
    stack.push_async_callback(cache.close)
    bus = await Bus.connect(settings.nats_url)
    stack.push_async_callback(bus.close)
    hub = Hub(Balances())
    following = asyncio.create_task(hub.run(bus))
    stack.push_async_callback(stopped, following)
    stock = owners.client(settings)
    stack.callback(stock.close)
    await owners_there(stock)
    costs = Costs(settings.password_memory_kib, settings.password_passes)
    rt = Runtime(
        settings,
        SystemClock(),
        stock,
        cache,
        hub,
        CatalogueCache(),
        Whereabouts(),
        passwords=Passwords(costs),
        rates=Rates.beside(cache, SystemClock()),
        mail=Mail(settings.smtp_url, settings.mail_from) if settings.smtp_url else None,
    )
    loops = (
        Keeper(rt).run,
        HotPairs(rt).run,
        Finisher(rt).run,
        Digester(rt.clock).run,
        Teller(settings.home, bus).run,
    )
    for loop in loops:
        stack.push_async_callback(stopped, asyncio.create_task(loop()))
    return rt, {
        "database": Check(database_answers, is_needed=True),
        "owners": Check(partial(owners_answer, stock), is_needed=True),
        "bus": Check(bus.ping, is_needed=False),
        "cache": Check(cache.ping, is_needed=False),
    }


async def owners_there(stock: StockClient) -> None:
    """Waits until all of them work, or for so long; what is asked then is an outage."""
    clock = asyncio.get_running_loop().time
    give_up = clock() + OWNERS_SECONDS
    while True:
        if await stock.ready() or clock() > give_up:
            return
        await asyncio.sleep(RETRY_SECONDS)


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def database_answers() -> None:
    await connection().execute_query("SELECT 1")


async def owners_answer(stock: StockClient) -> None:
    if not await stock.ready():
        raise Outage("an owner does not answer")
