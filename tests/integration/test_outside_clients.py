"""Clients that others wrote: gql for Python, and graphql-ws for JavaScript on Node. They query,
change and watch; nothing of ours stands between them and the server."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gql import Client, gql
from gql.client import AsyncClientSession
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from domain.commands import CellKey
from tests.integration.caller import Caller, new_code, new_id, order
from tests.integration.javascript import node
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
UNITS = 10
WATCH_SECONDS = 60
LEVEL = gql("""query ($sku: String!, $warehouse: String!) {
  stockLevel(sku: $sku, warehouse: $warehouse, consistency: STRONG) { available seq } }""")
RESERVE = gql("""mutation ($input: ReserveStockInput!) {
  reserveStock(input: $input) {
    __typename
    ... on Reservation { id state lines { sku warehouse quantity seq availableAfter } }
    ... on Refusal { code message } } }""")
CHANGES = gql("""subscription ($sku: String!) {
  stockChanged(filter: { skus: [$sku] }) { sku { code } available reserved seq } }""")


async def furnished(shop: Whole) -> CellKey:
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller:
        await caller.furnish({key: UNITS})
    return key


def held(id: str, key: CellKey) -> dict[str, Any]:
    """What somebody is told who holds the first unit."""
    line = {**key._asdict(), "quantity": 1, "seq": 2, "availableAfter": UNITS - 1}
    return {"__typename": "Reservation", "id": id, "state": "HELD", "lines": [line]}


def seen(key: CellKey, held: int) -> dict[str, Any]:
    return {
        "sku": {"code": key.sku},
        "available": UNITS - held,
        "reserved": held,
        "seq": 1 + held,
    }


async def executed(session: AsyncClientSession, document: Any, **values: Any) -> Any:
    document.variable_values = values
    return await session.execute(document)


async def test_gql_over_http_asks_and_reserves(shop: Whole) -> None:
    key = await furnished(shop)
    authorization = {"authorization": f"Bearer {shop.token()}"}
    transport = HTTPXAsyncTransport(f"{shop.url}/graphql", headers=authorization, timeout=60)
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        before = await executed(session, LEVEL, **key._asdict())
        assert before["stockLevel"] == {"available": UNITS, "seq": 1}
        id = new_id()
        for _ in range(2):
            answer = await executed(session, RESERVE, input=order(id, (*key, 1)))
            assert answer["reserveStock"] == held(id, key)
        too_many = await executed(session, RESERVE, input=order(new_id(), (*key, UNITS)))
        assert too_many["reserveStock"]["code"] == "INSUFFICIENT_STOCK"


async def test_gql_over_websocket_asks_reserves_and_watches(shop: Whole) -> None:
    key = await furnished(shop)
    transport = WebsocketsTransport(
        f"{shop.url}/graphql".replace("http", "ws", 1),
        init_payload={"authorization": f"Bearer {shop.token()}"},
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
    )
    async with Client(transport=transport) as session, asyncio.timeout(WATCH_SECONDS):
        before = await executed(session, LEVEL, **key._asdict())
        assert before["stockLevel"] == {"available": UNITS, "seq": 1}
        CHANGES.variable_values = {"sku": key.sku}
        changes: AsyncIterator[Any] = aiter(session.subscribe(CHANGES))
        assert (await anext(changes))["stockChanged"] == seen(key, 0)
        id = new_id()
        answer = await executed(session, RESERVE, input=order(id, (*key, 1)))
        assert answer["reserveStock"] == held(id, key)
        assert (await anext(changes))["stockChanged"] == seen(key, 1)
        await changes.aclose()  # type: ignore[attr-defined]


async def test_graphql_ws_on_node_asks_reserves_and_watches(shop: Whole, javascript: Path) -> None:
    key = await furnished(shop)
    id = new_id()
    url = f"{shop.url}/graphql".replace("http", "ws", 1)
    arguments = ("watch_and_reserve.mjs", url, shop.token(), *key, id)
    done = await asyncio.to_thread(node, *arguments, within=javascript)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["stockLevel"] == {"available": UNITS, "seq": 1}
    assert told["reservation"] == held(id, key)
    assert told["seen"] == [seen(key, 0), seen(key, 1)]
