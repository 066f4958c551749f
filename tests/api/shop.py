"""A shop in memory behind the whole ASGI application: real services, a real stock client, and an
owner that decides by the rules of the domain and keeps nothing but its memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from starlette.types import ASGIApp

from actors.client import Ask, StockClient
from actors.host import Host
from actors.round import Round
from actors.wire import Failed, Reply, decode_requests, encode_replies
from api.app import build_app
from api.health import Check
from api.tokens import sign
from domain.access import Role
from domain.cell import Cell
from domain.commands import CellKey, Request
from domain.trail import Record
from infra.cache import Cache, CacheDown, RelayReport
from infra.hub import Hub, Truth
from infra.levels import CellLevel
from infra.settings import Settings
from services.catalogue_cache import (
    CatalogueCache,
    SeesSku,
    SeesWarehouse,
    SkuInfo,
    WarehouseInfo,
    seen,
)
from services.runtime import Runtime
from services.whereabouts import Whereabouts
from tests.infra.fake_trail import memory_trail

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECRET = "a secret that is long enough for anybody"
ENVIRON = {"ONHAND_HOME": str(Path("nowhere")), "ONHAND_SECRET_KEY": SECRET}
SETTINGS = Settings.load(ENVIRON)
WEST = WarehouseInfo(1, "WEST", "West", "EU", 1, True)
MUG = SkuInfo(1, "MUG", "A mug", "kitchen", None, 250, True)
CUP = SkuInfo(2, "CUP", "A cup", None, None, None, True)
FULL = 100  # units of each cell at the start


class StillClock:
    """Time stands still; ids are numbered."""

    def __init__(self) -> None:
        self.time = NOON
        self.made = 0

    def now(self) -> datetime:
        return self.time

    def new_id(self) -> UUID:
        self.made += 1
        return UUID(int=self.made)


class MemoryOwner:
    """One owner of all cells. `failure` is its answer to everything while it is set."""

    def __init__(self, clock: StillClock, cells: Iterable[Cell]) -> None:
        self.clock = clock
        self.host = Host()
        self.failure: Failed | None = None
        self.frames = 0
        for cell in cells:
            self.host.put(cell)

    async def call(self, frame: bytes) -> bytes:
        self.frames += 1
        round = Round(self.host, {}, self.clock.now())
        replies = [self.reply(round, request) for request in decode_requests(frame)]
        round.commit()
        return encode_replies(replies)

    def close(self) -> None:
        """Holds nothing."""

    def reply(self, round: Round, request: Request) -> Reply:
        """A cell that nobody has touched is empty, as the database makes it."""
        if self.failure is not None:
            return self.failure
        for key in request.at:
            if self.host.get(key) is None:
                self.host.put(Cell(key, self.clock.now()))
        reply = round.settle(request, is_learnt=True)
        assert reply is not None
        return reply

    async def stats(self) -> list[dict[str, Any]]:
        histogram = {"bounds": [1, 2], "counts": [3, 2, 1], "sum": 9.5}
        return [{"commands": {"reserve": 7}, "batch_sizes": histogram, "inbox_depth": 4}]

    async def resident(self) -> list[bytes]:
        return []

    async def ready(self) -> bool:
        return self.failure is None


class KnownCatalogue(CatalogueCache):
    """Knows what it was given, and asks nobody else."""

    async def skus(self, codes: Iterable[str], sees: SeesSku | None = None) -> dict[str, SkuInfo]:
        return seen({sku.code: sku for sku in (MUG, CUP) if sku.code in set(codes)}, sees)

    async def warehouses(
        self, codes: Iterable[str], sees: SeesWarehouse | None = None
    ) -> dict[str, WarehouseInfo]:
        return seen({WEST.code: WEST} if WEST.code in set(codes) else {}, sees)


class MemoryCache(Cache):
    """A read model that knows `known` and the relay's last report, or is down."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], CellLevel] = {}
        self.is_down = False

    async def level(self, sku: str, warehouse: str) -> CellLevel | None:
        return self.known.get((sku, warehouse))

    async def report(self) -> RelayReport | None:
        if self.is_down:
            raise CacheDown("down")
        return RelayReport(0.25, 1, 2, 3, 4, 5)


class NoTruth:
    """No levels: subscriptions are tested where there is a database."""

    async def page(self, after: int, skus: Sequence[str] | None) -> list[CellLevel]:
        return []


@dataclass
class Shop:
    clock: StillClock
    owner: MemoryOwner
    cache: MemoryCache
    rt: Runtime
    down: set[str]
    records: list[Record]

    def app(self) -> ASGIApp:
        needed = {"database": True, "owners": True, "bus": False, "cache": False}
        checks = {name: Check(self.check(name), is_needed) for name, is_needed in needed.items()}
        return build_app(self.rt, checks)

    def check(self, name: str) -> Any:
        async def ask() -> None:
            if name in self.down:
                raise ConnectionError(name)

        return ask

    def client(self, role: Role | None = Role.ADMIN, subject: str = "ann") -> httpx.AsyncClient:
        headers = {} if role is None else {"authorization": bearer(role, subject)}
        transport = httpx.ASGITransport(self.app(), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers)


def bearer(role: Role, subject: str = "ann", days: int = 30, at: datetime = NOON) -> str:
    return f"Bearer {sign(SECRET, subject, role, days, at)}"


def stale_bearer() -> str:
    return bearer(Role.ADMIN, days=1, at=NOON - timedelta(days=2))


def open_shop(
    catalogue: CatalogueCache | None = None,
    truth: Truth | None = None,
    environ: Mapping[str, str] | None = None,
) -> Shop:
    """`environ` has the settings that differ from those of a shop in development."""
    clock = StillClock()
    cells = [Cell(CellKey(sku.code, WEST.code), NOON, id=sku.id) for sku in (MUG, CUP)]
    for cell in cells:
        cell.units[0] = FULL
        cell.seq = 1
    owner = MemoryOwner(clock, cells)
    cache = MemoryCache()
    stock = StockClient([owner], Ask(owner.stats, owner.resident, owner.ready))
    hub = Hub(truth or NoTruth())
    known = catalogue or KnownCatalogue()
    records: list[Record] = []
    settings = Settings.load({**ENVIRON, **(environ or {})})
    rt = Runtime(
        settings, clock, stock, cache, hub, known, Whereabouts(), trail=memory_trail(records)
    )
    return Shop(clock, owner, cache, rt, set(), records)


async def ask(
    client: httpx.AsyncClient, query: str, variables: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The whole response to an operation that was taken."""
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def data(
    client: httpx.AsyncClient, query: str, variables: dict[str, Any] | None = None
) -> Any:
    """The only root field of an operation that went well."""
    answer = await ask(client, query, variables)
    assert "errors" not in answer, answer
    (value,) = answer["data"].values()
    return value
