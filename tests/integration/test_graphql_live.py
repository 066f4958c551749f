"""The live view from a real database's snapshot on, over WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from api.authentication import Gate
from api.graphql_ws import GraphQLOverWebSocket
from api.metrics import Metrics
from api.operations import Operations
from domain.access import Role
from infra.hub import Hub
from infra.levels import CellLevel
from schema.engine import Answer, Asker, Engine
from tests.api.shop import SECRET, Shop, bearer
from tests.api.wire import Talk, talk
from tests.infra.fakes import NOON
from tests.integration.furnished import furnished, postgres

LIVE = """
subscription ($filter: StockFilter) {
  stockChanged(filter: $filter) { sku { code } warehouse { code } available seq }
}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with furnished(url) as opened:
        yield opened


async def seqs(client: Talk, count: int) -> dict[tuple[str, str], int]:
    heard: dict[tuple[str, str], int] = {}
    for _ in range(count):
        change = (await client.hear())["payload"]["data"]["stockChanged"]
        heard[change["sku"]["code"], change["warehouse"]["code"]] = change["seq"]
    return heard


def change(hub: Hub, cell_id: int, sku: str, warehouse: str, seq: int, available: int = 0) -> None:
    hub.offer(CellLevel(cell_id, sku, warehouse, available, 0, 0, 0, 0, seq, NOON))


async def test_a_live_view_starts_with_what_is_and_goes_on_with_what_changes(shop: Shop) -> None:
    async with talk(shop.app()) as client:
        await client.start(bearer(Role.STOREFRONT))
        wanted = {"filter": {"skus": ["S001", "S002"], "regions": ["EU"]}}
        client.say("subscribe", id="1", payload={"query": LIVE, "variables": wanted})
        assert await seqs(client, 2) == {("S001", "WEST"): 3, ("S002", "WEST"): 3}
        change(shop.rt.hub, 1, "S001", "EAST", 4)
        change(shop.rt.hub, 5, "S003", "WEST", 4)
        change(shop.rt.hub, 4, "S002", "WEST", 4)
        assert await seqs(client, 1) == {("S002", "WEST"): 4}


async def test_a_view_of_what_runs_low_is_told_when_it_no_longer_does(shop: Shop) -> None:
    async with talk(shop.app()) as client:
        await client.start(bearer(Role.STOREFRONT))
        wanted = {"filter": {"skus": ["S007"], "warehouses": ["EAST"], "availableAtMost": 7}}
        client.say("subscribe", id="1", payload={"query": LIVE, "variables": wanted})
        assert await seqs(client, 1) == {("S007", "EAST"): 3}
        change(shop.rt.hub, 13, "S007", "EAST", 4, available=50)
        assert await seqs(client, 1) == {("S007", "EAST"): 4}
        change(shop.rt.hub, 13, "S007", "EAST", 5, available=51)
        change(shop.rt.hub, 13, "S007", "EAST", 6, available=2)
        assert await seqs(client, 1) == {("S007", "EAST"): 6}


async def test_a_bad_filter_is_an_error_and_no_stream(shop: Shop) -> None:
    async with talk(shop.app()) as client:
        await client.start(bearer(Role.STOREFRONT))
        wanted = {"filter": {"skus": ["S"] * 1_001}}
        client.say("subscribe", id="1", payload={"query": LIVE, "variables": wanted})
        heard = await client.hear()
        assert heard["type"] == "error"
        assert heard["payload"][0]["extensions"]["field"] == "filter.skus"


class CountingEngine(Engine):
    """Counts what it executes."""

    shown = 0

    async def show(self, executor: Any, event: object, asker: Asker) -> Answer:
        self.shown += 1
        return await super().show(executor, event, asker)


@pytest.mark.parametrize(
    ("role", "skus", "shown"),
    [
        (Role.STOREFRONT, ["S001"], 1),
        (Role.STOREFRONT, ["S001", "S002"], 2),
        (Role.OPERATIONS, ["S001"], 2),
    ],
)
async def test_a_change_is_executed_once_for_all_who_asked_the_same(
    shop: Shop, role: Role, skus: list[str], shown: int
) -> None:
    engine = CountingEngine(shop.rt)
    gate = Gate(SECRET, shop.clock)
    app = GraphQLOverWebSocket(Operations(engine, Metrics()), gate)
    async with talk(app) as first, talk(app) as second:
        views = ((first, Role.STOREFRONT, ["S001"]), (second, role, skus))
        for client, own_role, own_skus in views:
            await client.start(bearer(own_role))
            variables = {"filter": {"skus": own_skus}}
            client.say("subscribe", id="1", payload={"query": LIVE, "variables": variables})
            await seqs(client, 2 * len(own_skus))
        engine.shown = 0
        change(shop.rt.hub, 1, "S001", "EAST", 9, available=5)
        heard = await asyncio.gather(first.hear(), second.hear())
        assert heard[0] == heard[1]
        assert engine.shown == shown
