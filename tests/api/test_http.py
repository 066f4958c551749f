"""GraphQL over HTTP: what is taken, what is not, and in which form it is answered."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.access import Role
from infra.limits import DEFAULTS
from tests.api.shop import Shop, bearer, open_shop, stale_bearer

LEVEL = '{ stockLevel(sku: "JUG", warehouse: "WEST") { available } }'
EMPTY = {"data": {"stockLevel": None}}
RELEASE = 'mutation { releaseReservation(id: "1") { __typename } }'
GRAPHQL_JSON = "application/graphql-response+json"


@pytest.fixture
def shop() -> Shop:
    return open_shop()


def code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer x.y.z",
        "Basic dXNlcjpwYXNz",
        bearer(Role.ADMIN).replace("Bearer", "Token"),
        bearer(Role.ADMIN)[:-2],
        stale_bearer(),
    ],
)
async def test_without_a_good_token_everything_is_unauthorized(
    shop: Shop, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    async with shop.client(None) as client:
        asked = {"query": LEVEL}
        posted = await client.post("/graphql", json=asked, headers=headers)
        got = await client.get("/graphql", params=asked, headers=headers)
    for response in (posted, got):
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert code(response) == "UNAUTHENTICATED"


async def test_the_scheme_is_written_in_any_case(shop: Shop) -> None:
    async with shop.client(None) as client:
        headers = {"authorization": bearer(Role.ADMIN).replace("Bearer", "bEARER")}
        response = await client.post("/graphql", json={"query": LEVEL}, headers=headers)
        assert response.json() == EMPTY


async def test_a_query_may_be_got(shop: Shop) -> None:
    query = 'query Q($s: String!) { stockLevel(sku: $s, warehouse: "WEST") { available } }'
    params = {"query": query, "variables": '{"s": "JUG"}', "operationName": "Q"}
    async with shop.client() as client:
        assert (await client.get("/graphql", params=params)).json() == EMPTY


async def test_a_mutation_may_not_be_got(shop: Shop) -> None:
    async with shop.client() as client:
        response = await client.get("/graphql", params={"query": RELEASE})
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
        assert code(response) == "METHOD_NOT_ALLOWED"


async def test_other_methods_are_not_allowed(shop: Shop) -> None:
    async with shop.client() as client:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            response = await client.request(method, "/graphql")
            assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'[{"query": "{ warehouses { code } }"}]', 400),
        (b"{}", 400),
        (b'{"query": null}', 400),
        (b'{"query": 7}', 400),
        (b'{"query": "{ x }", "variables": []}', 400),
        (b'{"query": "{ x }", "variables": "{}"}', 400),
        (b'{"query": "\xff"}', 400),
        (b'{"query": "{ __typename }", "extensions": {"a": 1}, "more": 2}', 200),
        (b'{"query": "{ __typename }", "variables": null, "operationName": null}', 200),
    ],
)
async def test_a_body_must_be_an_operation(shop: Shop, content: bytes, status: int) -> None:
    async with shop.client() as client:
        headers = {"content-type": "application/json; charset=utf-8"}
        response = await client.post("/graphql", content=content, headers=headers)
        assert response.status_code == status, response.text
        assert status == 200 or code(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "asked",
    [
        {"query": "query ($s: String!) { sku(code: $s) { code } }", "variables": {"s": "a\0"}},
        {"query": LEVEL, "variables": {"x": [{"y": "\0"}]}},
        {"query": r'{ sku(code: "\u0000") { code } }'},
        {"query": r'{ sku(code: "\u{00}") { code } }'},
        {"query": '{ sku(code: "\0") { code } }'},
    ],
)
async def test_no_text_may_hold_what_cannot_be_stored(shop: Shop, asked: dict[str, object]) -> None:
    async with shop.client() as client:
        response = await client.post("/graphql", json=asked)
        assert (response.status_code, code(response)) == (200, "BAD_USER_INPUT")


async def test_what_cannot_be_stored_is_seen_behind_two_escapes(shop: Shop) -> None:
    body = rb'{"query": "{ sku(code: \"\\\u0075{0}\") { code } }"}'
    async with shop.client() as client:
        headers = {"content-type": "application/json"}
        response = await client.post("/graphql", content=body, headers=headers)
        assert code(response) == "BAD_USER_INPUT"


async def test_a_body_must_say_that_it_is_json(shop: Shop) -> None:
    async with shop.client() as client:
        headers = {"content-type": "text/plain"}
        response = await client.post("/graphql", content=b"{}", headers=headers)
        assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("is_declared", [True, False])
async def test_a_body_has_a_limit(shop: Shop, is_declared: bool) -> None:
    query = json.dumps({"query": "{ __typename }" + " " * DEFAULTS.body_limit}).encode()

    async def undeclared() -> AsyncIterator[bytes]:
        for start in range(0, len(query), 65_536):
            yield query[start : start + 65_536]

    async with shop.client() as client:
        headers = {"content-type": "application/json"}
        content = query if is_declared else undeclared()
        response = await client.post("/graphql", content=content, headers=headers)
        assert response.status_code == 413


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("", {}),
        ("", {"variables": "{}"}),
        (LEVEL, {"variables": "{"}),
        (LEVEL, {"variables": "[]"}),
    ],
)
async def test_what_is_got_must_be_an_operation(
    shop: Shop, query: str, params: dict[str, str]
) -> None:
    async with shop.client() as client:
        asked = params | ({"query": query} if query else {})
        response = await client.get("/graphql", params=asked)
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("accept", "media_type", "status"),
    [
        ("*/*", "application/json", 200),
        ("application/json", "application/json", 200),
        (GRAPHQL_JSON, GRAPHQL_JSON, 400),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON, 400),
    ],
)
async def test_a_bad_document_is_told_in_the_form_that_is_accepted(
    shop: Shop, accept: str, media_type: str, status: int
) -> None:
    async with shop.client() as client:
        bad = await client.post("/graphql", json={"query": "{"}, headers={"accept": accept})
        good = await client.post("/graphql", json={"query": LEVEL}, headers={"accept": accept})
    assert bad.headers["content-type"] == good.headers["content-type"] == media_type
    assert (bad.status_code, good.status_code) == (status, 200)
    assert code(bad) == "GRAPHQL_PARSE_FAILED"


async def test_what_fails_while_it_is_executed_is_no_bad_request(shop: Shop) -> None:
    async with shop.client(Role.STOREFRONT) as client:
        query = '{ ledger(sku: "MUG", warehouse: "WEST") { pageInfo { endCursor } } }'
        headers = {"accept": GRAPHQL_JSON}
        response = await client.post("/graphql", json={"query": query}, headers=headers)
        assert (response.status_code, code(response)) == (200, "FORBIDDEN")


async def test_a_subscription_needs_a_transport_that_can_carry_it(shop: Shop) -> None:
    async with shop.client() as client:
        query = "subscription { stockChanged { seq } }"
        response = await client.post("/graphql", json={"query": query})
        assert response.status_code == 406
