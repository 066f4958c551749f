"""What GraphQL reads from a real database: pages, searches, ledgers, and how many statements that
takes; and the live view, from its snapshot on."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from domain.access import Role
from infra.balances import Balances
from infra.database import close_database, migrate, open_database
from infra.embedded.places import prepare
from infra.embedded.postgres import Postgres
from infra.hub import Hub
from infra.levels import CellLevel
from services.catalogue_cache import CatalogueCache
from tests.api.shop import Shop, ask, bearer, data, open_shop
from tests.api.wire import Talk, talk
from tests.infra.fakes import NOON

SKUS = 120
WAREHOUSES = ("EAST", "WEST")
FILL = """
INSERT INTO sku (code, name, category, is_active)
  SELECT 'S' || to_char(n, 'FM000'), 'Thing ' || n,
    CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END, true
  FROM generate_series(1, $1) n
"""
PLACES = """
INSERT INTO warehouse (code, name, region, priority, is_active)
  SELECT code, initcap(code), CASE code WHEN 'EAST' THEN 'ASIA' ELSE 'EU' END, 1, true
  FROM unnest($1::text[]) code
"""
CELLS = """
INSERT INTO cell (sku_id, warehouse_id, version, seq, floor, available, reserved, quarantined,
  damaged, as_of)
SELECT s.id, w.id, 3, 3, 0, s.id, 0, 0, 0, $1 FROM sku s, warehouse w ORDER BY s.id, w.id
"""
ENTRIES = """
INSERT INTO entry (cell_id, seq, movement, quantity, request_id, caller, at)
SELECT 1, n, 1, n, gen_random_uuid(), 'ann', $1 FROM generate_series(1, 3) n
"""
EMPTY = "TRUNCATE entry, cell, sku, warehouse RESTART IDENTITY CASCADE"
LEVELS = """
query ($first: Int, $after: String, $filter: StockFilter) {
  stockLevels(first: $first, after: $after, filter: $filter) {
    edges { cursor node { sku { code } warehouse { code } available } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
NESTED = """
query ($first: Int!) {
  skus(first: $first) {
    edges {
      node { code levels { available seq sku { name } warehouse { code region } } }
    }
  }
}
"""
LIVE = """
subscription ($filter: StockFilter) {
  stockChanged(filter: $filter) { sku { code } warehouse { code } available seq }
}
"""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Postgres(prepare(tmp_path_factory.mktemp("home")))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
async def shop(postgres: str) -> AsyncIterator[Shop]:
    await migrate(postgres)
    connection = await asyncpg.connect(postgres)
    await connection.execute(EMPTY)
    await connection.execute(FILL, SKUS)
    await connection.execute(PLACES, WAREHOUSES)
    await connection.execute(CELLS, NOON)
    await connection.execute(ENTRIES, NOON)
    await connection.close()
    await open_database(postgres)
    yield open_shop(CatalogueCache(), Balances())
    await close_database()


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with shop.client(Role.OPERATOR) as opened:
        yield opened


async def pages(client: httpx.AsyncClient, first: int, **more: Any) -> list[list[Any]]:
    """All pages of the levels, as (sku, warehouse) pairs."""
    found: list[list[Any]] = []
    after = None
    while True:
        asked = {"first": first, "after": after, **more}
        page = await data(client, LEVELS, asked)
        nodes = [edge["node"] for edge in page["edges"]]
        found.append([(node["sku"]["code"], node["warehouse"]["code"]) for node in nodes])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def test_pages_follow_each_other_without_gap_or_overlap(client: httpx.AsyncClient) -> None:
    found = await pages(client, 100)
    assert [len(page) for page in found] == [100, 100, 40]
    cells = [cell for page in found for cell in page]
    assert cells == sorted(cells)
    assert len(set(cells)) == SKUS * len(WAREHOUSES)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"skus": ["S001", "S002", "none"]}, 4),
        ({"warehouses": ["WEST"], "availableAtMost": 10}, 10),
        ({"categories": ["even"], "regions": ["ASIA"]}, 60),
        ({"regions": []}, 0),
        ({}, 240),
        (None, 240),
    ],
)
async def test_a_filter_leaves_what_meets_all_its_conditions(
    client: httpx.AsyncClient, wanted: dict[str, Any] | None, count: int
) -> None:
    assert sum(map(len, await pages(client, 100, filter=wanted))) == count


async def test_a_last_page_that_is_full_has_no_next(client: httpx.AsyncClient) -> None:
    page = await data(client, LEVELS, {"first": 2, "filter": {"skus": ["S120"]}})
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "endCursor": page["edges"][-1]["cursor"],
    }


async def test_an_empty_page_has_no_end(client: httpx.AsyncClient) -> None:
    page = await data(client, LEVELS, {"filter": {"skus": ["none"]}})
    assert page == {"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}


async def test_a_search_finds_parts_of_code_and_name(client: httpx.AsyncClient) -> None:
    query = "query ($s: String) { skus(search: $s) { edges { node { code } } } }"
    by_code = await data(client, query, {"s": "s11"})
    by_name = await data(client, query, {"s": "THING 7"})
    wild = await data(client, query, {"s": "%"})
    assert len(by_code["edges"]) == 10
    assert len(by_name["edges"]) == 11
    assert wild["edges"] == []


async def test_a_ledger_is_read_from_its_newest_entry(client: httpx.AsyncClient) -> None:
    query = """
    query ($after: String) {
      ledger(sku: "S001", warehouse: "EAST", first: 2, after: $after) {
        edges { node { seq kind quantity source target caller at } }
        pageInfo { hasNextPage endCursor }
      }
    }
    """
    first = await data(client, query)
    assert [edge["node"]["seq"] for edge in first["edges"]] == [3, 2]
    assert first["edges"][0]["node"] == {
        "seq": 3,
        "kind": "receive",
        "quantity": 3,
        "source": "supplier",
        "target": "available",
        "caller": "ann",
        "at": "2030-01-01T12:00:00Z",
    }
    rest = await data(client, query, {"after": first["pageInfo"]["endCursor"]})
    assert [edge["node"]["seq"] for edge in rest["edges"]] == [1]
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_a_cursor_of_another_list_is_not_taken(client: httpx.AsyncClient) -> None:
    page = await data(client, LEVELS, {"first": 1})
    query = "query ($c: String) { skus(after: $c) { pageInfo { endCursor } } }"
    answer = await ask(client, query, {"c": page["pageInfo"]["endCursor"]})
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": "after"}


async def statements(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, n: int) -> int:
    """Statements for a page of `n` SKUs with their levels."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger="tortoise.db_client"):
        page = await data(client, NESTED, {"first": n})
    nodes = [edge["node"] for edge in page["edges"]]
    assert len(nodes) == n
    assert all(
        [one["warehouse"]["code"] for one in node["levels"]] == ["EAST", "WEST"] for node in nodes
    )
    said = [record.getMessage() for record in caplog.records if record.name == "tortoise.db_client"]
    return len([statement for statement in said if statement.startswith("SELECT")])


async def test_a_page_with_levels_costs_few_statements_whatever_its_size(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    for size in (2, 100):
        fresh = open_shop(CatalogueCache())
        async with fresh.client() as client:
            assert 0 < await statements(client, caplog, size) <= 4


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


async def test_all_who_see_the_same_are_shown_the_same(shop: Shop) -> None:
    app = shop.app()
    async with talk(app) as first, talk(app) as second:
        for client in (first, second):
            await client.start(bearer(Role.STOREFRONT))
            wanted = {"filter": {"skus": ["S001"]}}
            client.say("subscribe", id="1", payload={"query": LIVE, "variables": wanted})
            await seqs(client, 2)
        change(shop.rt.hub, 1, "S001", "EAST", 9, available=5)
        heard = await asyncio.gather(first.hear(), second.hear())
        assert heard[0] == heard[1]
