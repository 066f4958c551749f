"""Flash sales through the public door: GraphQL in, JSON out, on real tables and a real ledger."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.app import build_app
from domain.access import Role
from tests.api.shop import SETTINGS, ask, bearer, data
from tests.integration.sale_shop import FULL, SALE, TEA, database, sale_shop, units
from tests.services.world import Shop, rid

FIELDS = """id name state revision opensAt closesAt limitPerCustomer ttlSeconds waitingRoom
  admittedPerSecond createdBy openedAt closedAt finishedAt
  allotments { sku warehouse quantity } figures { allotted held sold left }"""
RESULT = f"""__typename ... on FlashSale {{ {FIELDS} }} ... on Refusal {{ code message }}
  ... on Invalid {{ field }} ... on InsufficientStock {{ sku warehouse requested available }}
  ... on NotFound {{ what key }}"""
CREATE = (
    f"mutation ($input: CreateFlashSaleInput!) {{ createFlashSale(input: $input) {{ {RESULT} }} }}"
)
UPDATE = (
    f"mutation ($input: UpdateFlashSaleInput!) {{ updateFlashSale(input: $input) {{ {RESULT} }} }}"
)
CANCEL = f"mutation ($id: ID!) {{ cancelFlashSale(id: $id) {{ {RESULT} }} }}"
CLOSE = f"mutation ($id: ID!) {{ closeFlashSale(id: $id) {{ {RESULT} }} }}"
ONE = f"query ($id: ID!) {{ flashSale(id: $id) {{ {FIELDS} }} }}"
LIST = """query ($states: [FlashSaleState!], $first: Int, $after: String) {
  flashSales(states: $states, first: $first, after: $after) {
    edges { node { name figures { left } } } pageInfo { hasNextPage endCursor } } }"""
PROGRESS = """subscription ($id: ID!) { flashSaleProgress(saleId: $id) {
  saleId state allotted held sold left refused { code times } acceptedPerSecond asOf } }"""
ID = str(SALE)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(tmp_path_factory.mktemp("door")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with sale_shop(url) as opened:
        yield opened


@asynccontextmanager
async def door(shop: Shop, role: Role = Role.OPERATIONS) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(replace(shop.rt, settings=SETTINGS), {}))
    headers = {"authorization": bearer(role)}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://shop", headers=headers
    ) as client:
        yield client


def wanted(**more: Any) -> dict[str, Any]:
    return {
        "input": {
            "id": ID,
            "name": "Tea time",
            "opensAt": "2030-01-01T14:00:00+01:00",
            "closesAt": "2030-01-01T14:00:00Z",
            "limitPerCustomer": 2,
            "allotments": [{"sku": "TEA", "warehouse": "EAST", "quantity": 10}],
            **more,
        }
    }


SHOWN = {
    "id": ID,
    "name": "Tea time",
    "state": "SCHEDULED",
    "revision": 1,
    "opensAt": "2030-01-01T13:00:00Z",
    "closesAt": "2030-01-01T14:00:00Z",
    "limitPerCustomer": 2,
    "ttlSeconds": 600,
    "waitingRoom": False,
    "admittedPerSecond": 50,
    "createdBy": "ann",
    "openedAt": None,
    "closedAt": None,
    "finishedAt": None,
    "allotments": [{"sku": "TEA", "warehouse": "EAST", "quantity": 10}],
    "figures": {"allotted": 10, "held": 0, "sold": 0, "left": 10},
}


async def test_a_sale_that_was_set_up_can_be_seen(shop: Shop) -> None:
    async with door(shop) as client:
        assert await data(client, CREATE, wanted()) == {"__typename": "FlashSale", **SHOWN}
    async with door(shop, Role.STOREFRONT) as client:
        assert await data(client, ONE, {"id": ID}) == SHOWN
        assert await data(client, ONE, {"id": str(rid(1))}) is None


async def test_an_update_changes_what_it_names_and_leaves_the_rest(shop: Shop) -> None:
    async with door(shop) as client:
        await data(client, CREATE, wanted())
        renamed = await data(client, UPDATE, {"input": {"id": ID, "name": "Cup time"}})
        assert (renamed["name"], renamed["limitPerCustomer"]) == ("Cup time", 2)
        free = await data(client, UPDATE, {"input": {"id": ID, "limitPerCustomer": None}})
        assert (free["name"], free["limitPerCustomer"], free["revision"]) == ("Cup time", None, 3)
        line = {"sku": "TEA", "warehouse": "EAST", "quantity": 3}
        less = await data(client, UPDATE, {"input": {"id": ID, "allotments": [line]}})
        assert (less["allotments"], less["figures"]["left"]) == ([line], 3)
    assert await units(TEA) == (FULL - 3, 3)


async def test_what_was_done_to_a_sale_is_recorded_with_before_and_after(shop: Shop) -> None:
    async with door(shop) as client:
        await data(client, CREATE, wanted())
        await data(client, UPDATE, {"input": {"id": ID, "name": "Later"}})
        await data(client, CANCEL, {"id": ID})
    records = [record for record in shop.records if record.target == ID]
    assert [record.act for record in records] == [
        "createFlashSale",
        "updateFlashSale",
        "cancelFlashSale",
    ]
    before, after = json.loads(records[1].before or ""), json.loads(records[1].after or "")
    assert (before["name"], after["name"]) == ("Tea time", "Later")
    assert after["allotments"][0]["sku"] == TEA.sku


async def test_what_is_short_is_told(shop: Shop) -> None:
    lines = [{"sku": "TEA", "warehouse": "EAST", "quantity": FULL + 1}]
    async with door(shop) as client:
        answer = await data(client, CREATE, wanted(allotments=lines))
    assert answer["code"] == "INSUFFICIENT_STOCK"
    assert (answer["sku"], answer["warehouse"], answer["available"]) == ("TEA", "EAST", FULL)


async def test_a_sale_is_called_off_or_closed(shop: Shop) -> None:
    async with door(shop) as client:
        await data(client, CREATE, wanted())
        early = await data(client, CLOSE, {"id": ID})
        assert (early["code"], early["field"]) == ("INVALID", "id")
        assert (await data(client, CANCEL, {"id": ID}))["state"] == "CANCELLED"
        await data(client, CREATE, wanted(id=str(rid(1))))
        shop.clock.tick(hours=1)
        assert (await data(client, CLOSE, {"id": str(rid(1))}))["state"] == "CLOSED"


async def test_every_verb_refuses_what_it_must(shop: Shop) -> None:
    verbs = ((CANCEL, {"id": "7"}), (CLOSE, {"id": "7"}), (UPDATE, {"input": {"id": "7"}}))
    for document, variables in (*verbs, (CREATE, wanted(id="7"))):
        async with door(shop) as client:
            answer = await data(client, document, variables)
            assert (answer["code"], answer["field"]) == ("INVALID", "id")
        async with door(shop, Role.STOREFRONT) as client:
            assert (await data(client, document, variables))["code"] == "NOT_PERMITTED"
    missing = str(rid(9))
    for document, variables in ((CANCEL, {"id": missing}), (UPDATE, {"input": {"id": missing}})):
        async with door(shop) as client:
            answer = await data(client, document, variables)
            assert (answer["what"], answer["key"]) == ("flash sale", missing)


async def test_sales_are_listed_by_state_and_page(shop: Shop) -> None:
    async with door(shop) as client:
        for number in range(3):
            await data(client, CREATE, wanted(id=str(rid(number)), name=f"Sale {number}"))
        await data(client, CANCEL, {"id": str(rid(1))})
        page = await data(client, LIST, {"states": ["SCHEDULED", "OPEN"], "first": 1})
        assert page["edges"] == [{"node": {"name": "Sale 2", "figures": {"left": 10}}}]
        after = page["pageInfo"]["endCursor"]
        rest = await data(client, LIST, {"states": ["SCHEDULED"], "first": 9, "after": after})
        assert [edge["node"]["name"] for edge in rest["edges"]] == ["Sale 0"]
        answer = await ask(client, LIST, {"after": "nothing"})
        assert answer["errors"][0]["extensions"]["field"] == "after"


async def test_the_office_follows_a_sale_and_nobody_else_does(shop: Shop) -> None:
    events = {"accept": "text/event-stream"}
    body = {"query": PROGRESS, "variables": {"id": ID}}
    async with door(shop) as client:
        await data(client, CREATE, wanted())
        await data(client, CANCEL, {"id": ID})
        response = await client.post("/graphql", json=body, headers=events)
    told = [line.removeprefix("data: ") for line in response.text.splitlines() if "{" in line]
    seen = json.loads(told[0])["data"]["flashSaleProgress"]
    assert seen == {
        "saleId": ID,
        "state": "CANCELLED",
        "allotted": 10,
        "held": 0,
        "sold": 0,
        "left": 0,
        "refused": [],
        "acceptedPerSecond": 0,
        "asOf": "2030-01-01T12:00:00Z",
    }
    async with door(shop, Role.STOREFRONT) as client:
        response = await client.post("/graphql", json=body, headers=events)
    assert "FORBIDDEN" in response.text
