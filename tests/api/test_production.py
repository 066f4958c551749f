"""What production tells nobody: the schema, guesses at it, and the console; and what no page may do
in its visitor's name."""

from typing import Any

import msgspec
import pytest
from graphql import get_introspection_query

from api.graphql_http import GraphQLOverHTTP
from api.metrics import Metrics
from api.routes import routes
from domain.access import Role, everywhere
from schema.engine import Answer, Asker, Engine, Operation
from tests.api.shop import Shop, open_shop
from tests.api.test_graphiql import BROWSER

ANN = Asker(everywhere("ann", Role.ADMIN), "call-1")


@pytest.fixture
def shop() -> Shop:
    return open_shop(environ={"ONHAND_ENV": "production"})


async def answer(engine: Engine, query: str, variables: dict[str, Any] | None) -> str:
    operation = Operation(query, variables)
    prepared = engine.prepare(operation)
    if isinstance(prepared, Answer):
        return prepared.body.decode()
    if prepared.kind.value == "subscription":
        return (await anext(engine.stream(ANN, prepared, operation))).body.decode()
    return (await engine.execute(ANN, prepared, operation)).body.decode()


LEVEL = "query($c: Consistency) { stockLevel(sku: %s, warehouse: %s, consistency: $c) { seq } }"
ADJUST = "mutation($i: AdjustStockInput!) { adjustStock(input: $i) { __typename } }"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ warehouse { code } }", None),
        ("{ warehouses { cod } }", None),
        ("{ skus(frst: 1) { pageInfo { endCursor } } }", None),
        ("query($a: StockFilte) { warehouses { code } }", None),
        ("mutation { reserveStocks { __typename } }", None),
        ("{ ... on Querry { __typename } }", None),
        ('{ stockLevel(sku: "M", warehouse: "W", consistency: STRON) { seq } }', None),
        (LEVEL % ('"M"', '"W"'), {"c": "STRON"}),
        (ADJUST, {"i": {"warehous": "W"}}),
        ("subscription($w: [String!]) { stockChanged(warehouses: $w) { se } }", None),
    ],
)
async def test_in_production_nobody_is_helped_to_guess(
    shop: Shop, query: str, variables: dict[str, Any] | None
) -> None:
    helpful = await answer(Engine(shop.rt), query, variables)
    closed = await answer(Engine(shop.rt, is_open=False), query, variables)
    assert "Did you mean" in helpful
    assert "Did you mean" not in closed
    assert msgspec.json.decode(closed)["errors"]


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        "{ __schema { types { name } } }",
        '{ __type(name: "Sku") { fields { name } } }',
        "query Q { ...F } fragment F on Query { a: __schema { queryType { name } } }",
    ],
)
async def test_in_production_the_schema_is_not_told(shop: Shop, query: str) -> None:
    assert '"data"' in await answer(Engine(shop.rt), query, None)
    closed = await answer(Engine(shop.rt, is_open=False), query, None)
    assert "introspection has been disabled" in closed
    assert '"data"' not in closed


async def test_what_kind_of_thing_an_answer_holds_is_still_told(shop: Shop) -> None:
    closed = await answer(Engine(shop.rt, is_open=False), "{ __typename }", None)
    assert closed == '{"data":{"__typename":"Query"}}'


@pytest.mark.parametrize(("environment", "hides"), [("production", True), ("development", False)])
def test_the_setting_decides_for_callers_and_for_strangers(environment: str, hides: bool) -> None:
    shop = open_shop(environ={"ONHAND_ENV": environment})
    (graphql,) = [
        route.app  # type: ignore[attr-defined]
        for route in routes(shop.rt, {}, Metrics())
        if isinstance(getattr(route, "app", None), GraphQLOverHTTP)
    ]
    assert graphql.operations.engine.hides is hides
    assert graphql.door.operations.engine.hides is hides
    assert (graphql.console is None) is hides


async def test_in_production_there_is_no_console(shop: Shop) -> None:
    async with shop.client(None) as client:
        page = await client.get("/graphql", headers={"accept": BROWSER})
        assert (page.status_code, page.headers["content-type"]) == (401, "application/json")
        for path in ("/", "/graphql/assets/console.js"):
            assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
async def test_what_a_form_of_a_foreign_page_can_send_is_not_taken(media_type: str) -> None:
    body = b'{"query": "mutation { signOutEverywhere { __typename } }"}'
    async with open_shop().client() as client:
        headers = {"content-type": media_type}
        response = await client.post("/graphql", content=body, headers=headers)
        assert response.status_code == 415


async def test_a_cookie_lets_nobody_in() -> None:
    shop = open_shop()
    async with shop.client() as known:
        token = known.headers["authorization"]
    async with shop.client(None) as client:
        cookies = {"authorization": token, "token": token.removeprefix("Bearer ")}
        client.cookies.update(cookies)
        response = await client.post("/graphql", json={"query": "{ __typename }"})
        assert response.status_code == 401
