"""Without a token: one sign-in or one refresh, and nothing else however it is wrapped."""

import httpx
import pytest

from api.open_door import BODY_LIMIT_BYTES
from domain.access import Role
from tests.api.shop import Shop, bearer, open_shop

REFRESH = """refreshSession(input: {id: "7d0f2b52-0f1e-4e2f-9df6-0a2f6c1b3c01", refreshToken: "x"})
  { ... on Refusal { code } }"""
RELEASE = 'releaseReservation(id: "1") { __typename }'


@pytest.fixture
def shop() -> Shop:
    return open_shop()


async def post(shop: Shop, query: str, authorization: str | None = None) -> httpx.Response:
    headers = {} if authorization is None else {"authorization": authorization}
    async with shop.client(None) as client:
        return await client.post("/graphql", json={"query": query}, headers=headers)


@pytest.mark.parametrize("authorization", [None, "Bearer x.y.z"])
async def test_a_refresh_needs_no_good_token(shop: Shop, authorization: str | None) -> None:
    response = await post(shop, f"mutation {{ {REFRESH} }}", authorization)
    assert response.status_code == 200
    assert response.json() == {"data": {"refreshSession": {"code": "INVALID_CREDENTIALS"}}}


@pytest.mark.parametrize(
    "query",
    [
        f"mutation {{ {REFRESH} {RELEASE} }}",
        f"mutation {{ a: {REFRESH} b: {REFRESH} }}",
        f"mutation {{ {REFRESH} ...More }} fragment More on Mutation {{ {RELEASE} }}",
        f"mutation {{ ... on Mutation {{ {REFRESH} }} }}",
        f"mutation {{ refreshSession: {RELEASE} }}",
        f"mutation {{ ...More }} fragment More on Mutation {{ {REFRESH} }}",
        "{ refreshSession: warehouses { code } }",
        "{ signIn: __schema { types { name } } }",
        "subscription { signIn: stockChanged { seq } }",
        "mutation { signIn",
        "signIn",
    ],
)
async def test_nothing_comes_in_beside_it(shop: Shop, query: str) -> None:
    response = await post(shop, query)
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_stranger_sends_no_more_than_a_sign_in_needs(shop: Shop) -> None:
    long = f"mutation {{ {REFRESH} }} #" + "x" * BODY_LIMIT_BYTES
    assert (await post(shop, long)).status_code == 401
    assert (await post(shop, long, bearer(Role.STOREFRONT))).status_code == 200


async def test_a_sign_in_is_never_asked_by_get(shop: Shop) -> None:
    async with shop.client(None) as client:
        response = await client.get("/graphql", params={"query": f"mutation {{ {REFRESH} }}"})
    assert response.status_code == 401
