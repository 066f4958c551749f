"""What GraphQL reads from a real database: pages, searches, ledgers, and how many statements that
takes."""

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from domain.access import Role
from services.catalogue_cache import CatalogueCache
from tests.api.shop import Shop, ask, data, open_shop
from tests.integration.furnished import SKUS, WAREHOUSES, furnished, postgres

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


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with furnished(url) as opened:
        yield opened


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with shop.client(Role.OPERATIONS) as opened:
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
            assert 0 < await statements(client, caplog, size) <= 5
