"""What is served where. Everything behind it is built by whoever calls this: a worker with real
parts, a test with its own."""

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from api.authentication import Gate
from api.graphiql import Console
from api.graphql_http import GraphQLOverHTTP
from api.graphql_ws import GraphQLOverWebSocket, Patience
from api.health import Check, Health
from api.known_documents import known_documents
from api.metrics import Metrics
from api.oidc import oidc_routes
from api.open_door import OpenDoor
from api.operations import Operations
from api.trail_csv import TrailExport
from infra.cache import CacheDown, RelayReport
from schema.engine import Engine
from services.identify import identify
from services.runtime import Runtime

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


def routes(
    rt: Runtime,
    checks: Mapping[str, Check],
    metrics: Metrics,
    patience: Patience | None = None,
) -> list[BaseRoute]:
    limits = rt.settings.limits
    is_development = not rt.settings.is_production
    documents = known_documents(rt.settings)
    operations = Operations(Engine(rt, None, limits, is_development), metrics, documents)
    door = OpenDoor(Operations(Engine(rt, None, limits, is_development), metrics, documents))
    gate = Gate(rt.settings.secret_key, rt.clock, partial(identify, rt), is_development)
    health = Health(checks)
    telling = Telling(rt, metrics)
    console = Console() if is_development else None
    return [
        Route("/graphql", GraphQLOverHTTP(operations, door, gate, console)),
        WebSocketRoute("/graphql", GraphQLOverWebSocket(operations, gate, patience)),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        Route("/metrics", telling.metrics_page),
        Route("/exports/trail.csv", TrailExport(rt, gate, metrics.attempts).page),
        *oidc_routes(rt, metrics.attempts),
        *console_routes(console),
    ]


def console_routes(console: Console | None) -> list[Route]:
    if console is None:
        return []
    return [Route("/graphql/assets/{name}", console.asset), Route("/", to_console)]


class Telling:
    """Metrics are asked for where they are counted, at the time of the scrape."""

    def __init__(self, rt: Runtime, metrics: Metrics) -> None:
        self.rt = rt
        self.metrics = metrics

    async def metrics_page(self, _request: Request) -> Response:
        owners = await self.rt.stock.stats()
        from_memory = self.rt.stock.marks.told
        moves = await self.rt.stock.heat_counts()
        page = self.metrics.exposed(self.rt.hub, owners, await self.relay(), from_memory, moves)
        return Response(page, media_type=TEXT_FORMAT)

    async def relay(self) -> RelayReport | None:
        try:
            return await self.rt.cache.report()
        except CacheDown:
            return None


async def to_console(_request: Request) -> Response:
    return RedirectResponse("/graphql")
