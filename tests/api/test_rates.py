"""Rates: who does something too often in a minute is told when to come again; the life of a
reservation is not counted; and what cannot be counted is let through."""

from dataclasses import replace
from uuid import UUID

import httpx
import pytest
from limits.aio.storage import MemoryStorage
from limits.errors import StorageError

from api.rates import HOT, POWERFUL, SIGN_IN, changing_too_often
from domain.access import EVERYWHERE, Caller, Grant, Role
from infra.clock import SystemClock
from infra.rates import Rates
from schema.build import build
from schema.documents import Documents, Prepared
from services.identify import SUBJECT
from tests.api.shop import Shop, bearer, open_shop

REFRESH = """mutation($input: RefreshSessionInput!) {
  refreshSession(input: $input) { __typename } }"""
SALE = 'mutation { closeFlashSale(id: "none") { __typename } }'
SALE_FIELD = "closeFlashSale"
GRANTS = (Grant(Role.ADMIN, EVERYWHERE),)
RELEASE = 'mutation { releaseReservation(id: "none") { __typename } }'


class LostStorage(MemoryStorage):
    async def acquire_sliding_window_entry(self, *_: object, **__: object) -> bool:
        raise StorageError(ConnectionError("away"))


def shop_counting(storage: MemoryStorage | None = None, **limits: str) -> Shop:
    shop = open_shop(environ={f"ONHAND_{name}": value for name, value in limits.items()})
    shop.rt = replace(shop.rt, rates=Rates(storage or MemoryStorage(), SystemClock()))
    return shop


async def post(client: httpx.AsyncClient, query: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": query})


def assert_too_often(response: httpx.Response, limit: str) -> None:
    assert response.status_code == 429
    seconds = int(response.headers["retry-after"])
    assert 1 <= seconds <= 60
    (error,) = response.json()["errors"]
    assert error["extensions"] == {
        "code": limit,
        "limit": 2,
        "setting": f"ONHAND_{limit}",
        "retryable": True,
        "retryAfterSeconds": seconds,
    }


async def test_a_caller_changes_things_so_often_in_a_minute() -> None:
    shop = shop_counting(MUTATIONS_PER_MINUTE="2")
    async with shop.client() as client:
        for _ in range(2):
            assert (await post(client, SALE)).status_code == 200
        assert_too_often(await post(client, SALE), "MUTATIONS_PER_MINUTE")
        other = {"authorization": bearer(Role.ADMIN, "bob")}
        response = await client.post("/graphql", json={"query": SALE}, headers=other)
        assert response.status_code == 200


async def test_each_act_that_gives_power_is_counted_by_itself() -> None:
    shop = shop_counting(POWERFUL_ACTS_PER_MINUTE="2")
    grant = 'mutation { grantApproval(id: "none", code: "none") { __typename } }'
    async with shop.client() as client:
        for _ in range(2):
            assert (await post(client, grant)).status_code == 200
        assert_too_often(await post(client, grant), "POWERFUL_ACTS_PER_MINUTE")
        reject = 'mutation { rejectApproval(id: "none") { __typename } }'
        assert (await post(client, reject)).status_code == 200
        assert (await post(client, SALE)).status_code == 200


async def test_a_person_changes_less_in_a_minute_than_a_key() -> None:
    shop = shop_counting(MUTATIONS_PER_MINUTE="5", PERSON_MUTATIONS_PER_MINUTE="2")
    person, kept = UUID(int=7), [f"{SUBJECT}{UUID(int=key)}" for key in (8, 9)]
    acts = [SALE_FIELD]

    async def often(caller: Caller, times: int) -> list[str]:
        """The code of each that is refused, in a row."""
        limits = shop.rt.settings.limits
        asked = [
            await changing_too_often(shop.rt.rates, limits, caller, acts) for _ in range(times)
        ]
        return [answer.errors[0] for answer in asked if answer is not None]

    signed_in = Caller("ann@shop.example", GRANTS, person)
    assert await often(signed_in, 3) == ["PERSON_MUTATIONS_PER_MINUTE"]
    again = Caller("ann@shop.example", GRANTS, person)
    assert await often(again, 1) == ["PERSON_MUTATIONS_PER_MINUTE"]
    for subject in (*kept, "importer"):
        key = Caller(subject, GRANTS, person if subject in kept else None)
        assert await often(key, 6) == ["MUTATIONS_PER_MINUTE"]


@pytest.mark.parametrize(
    "three",
    [
        "mutation { a: closeFlashSale(id: 1) { __typename } b: closeFlashSale(id: 1) { __typename }"
        " c: closeFlashSale(id: 1) { __typename } }",
        "mutation { ...F ... { c: closeFlashSale(id: 1) { __typename } } }"
        " fragment F on Mutation { a: closeFlashSale(id: 1) { __typename }"
        " b: closeFlashSale(id: 1) { __typename } }",
    ],
)
async def test_each_mutation_of_a_request_counts_also_in_a_fragment(three: str) -> None:
    async with shop_counting(MUTATIONS_PER_MINUTE="3").client() as client:
        assert (await post(client, three)).status_code == 200
        assert (await post(client, SALE)).status_code == 429


async def test_the_life_of_a_reservation_and_what_is_read_are_not_counted() -> None:
    async with shop_counting(MUTATIONS_PER_MINUTE="1").client() as client:
        for _ in range(5):
            assert (await post(client, RELEASE)).status_code == 200
            assert (await post(client, "{ __typename }")).status_code == 200
        assert (await post(client, SALE)).status_code == 200


async def test_an_address_refreshes_sessions_so_often_in_a_minute() -> None:
    shop = shop_counting(SIGN_INS_PER_MINUTE="2")
    asked = {"query": REFRESH, "variables": {"input": {"id": "none", "refreshToken": "none"}}}

    async def ask_from(address: str) -> httpx.Response:
        transport = httpx.ASGITransport(shop.app(), client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.post("/graphql", json=asked)

    for last in (1, 2):
        assert (await ask_from(f"2001:db8::{last}")).status_code == 200
    assert_too_often(await ask_from("2001:db8::3"), "SIGN_INS_PER_MINUTE")
    assert (await ask_from("198.51.100.1")).status_code == 200


async def test_a_caller_exports_so_often_in_a_minute() -> None:
    async with shop_counting(EXPORTS_PER_MINUTE="2").client(Role.STOREFRONT) as client:
        for _ in range(2):
            assert (await client.get("/exports/trail.csv")).status_code == 403
        assert_too_often(await client.get("/exports/trail.csv"), "EXPORTS_PER_MINUTE")


async def test_a_lost_redis_keeps_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    shop = shop_counting(LostStorage(), MUTATIONS_PER_MINUTE="1")
    async with shop.client() as client:
        for _ in range(3):
            assert (await post(client, SALE)).status_code == 200
    assert caplog.text.count("rates are not counted") == 1


def test_the_acts_that_are_told_apart_are_mutations_of_the_schema() -> None:
    schema = build()._schema
    assert schema.mutation_type is not None
    assert (HOT | SIGN_IN | POWERFUL).issubset(schema.mutation_type.fields)


def test_root_fields_are_one_for_each_key_of_the_answer() -> None:
    text = """query { __typename ...A ...A a: __typename }
    fragment A on Query { a: __typename ... { warehouses { code } ...B } }
    fragment B on Query { b: __typename }"""
    found = Documents(build()._schema).prepare(text, None)
    assert isinstance(found, Prepared)
    assert sorted(found.root_fields) == ["__typename"] * 3 + ["warehouses"]


async def test_who_tries_again_and_again_what_they_may_not_do_does_not_fill_the_trail() -> None:
    shop = shop_counting(ATTEMPTS_PER_MINUTE="2")
    ledger = '{ ledger(sku: "MUG", warehouse: "WEST") { edges { cursor } } }'
    async with shop.client(Role.STOREFRONT) as client:
        answers = [(await post(client, ledger)).json()["errors"] for _ in range(4)]
    assert {errors[0]["extensions"]["code"] for errors in answers} == {"FORBIDDEN"}
    assert [record.act for record in shop.records] == ["ledger", "ledger"]
