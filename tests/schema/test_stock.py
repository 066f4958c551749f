"""Stock through the public door: the four changes, one level, and who may do what."""

from uuid import UUID

import pytest

from domain.access import Role
from infra.levels import CellLevel
from tests.api.shop import FULL, NOON, Shop, ask, data, open_shop

ID = str(UUID(int=201))
MUTATION = """
mutation ($input: {input}!) {{
  {field}(input: $input) {{
    __typename
    ... on StockLevel {{ onHand available reserved quarantined damaged incoming seq asOf }}
    ... on Refusal {{ code }}
    ... on Stale {{ expected actual }}
    ... on Invalid {{ field }}
    ... on NotPermitted {{ permission }}
    ... on NotFound {{ what key }}
  }}
}}
"""
RECEIVE = MUTATION.format(field="receiveStock", input="ReceiveStockInput")
ADJUST = MUTATION.format(field="adjustStock", input="AdjustStockInput")
MOVE = MUTATION.format(field="moveStock", input="MoveStockInput")
RETURN = MUTATION.format(field="returnStock", input="ReturnStockInput")
LEVEL = """
query ($consistency: Consistency) {
  stockLevel(sku: "MUG", warehouse: "WEST", consistency: $consistency) {
    sku { code name category barcode isActive lastPriceCents }
    warehouse { code name region isActive }
    available seq
  }
}
"""


@pytest.fixture
def shop() -> Shop:
    return open_shop()


def mugs(**more: object) -> dict[str, object]:
    return {"input": {"id": ID, "sku": "MUG", "warehouse": "WEST", **more}}


async def test_received_goods_are_available(shop: Shop) -> None:
    async with shop.client() as client:
        assert await data(client, RECEIVE, mugs(quantity=5, reference="PO 1", lot="L1")) == {
            "__typename": "StockLevel",
            "onHand": FULL + 5,
            "available": FULL + 5,
            "reserved": 0,
            "quarantined": 0,
            "damaged": 0,
            "incoming": 0,
            "seq": 2,
            "asOf": "2030-01-01T12:00:00Z",
        }


async def test_an_adjustment_is_of_the_available_bucket_if_none_is_named(shop: Shop) -> None:
    async with shop.client() as client:
        level = await data(client, ADJUST, mugs(delta=-4, reason="LOST", note="flood"))
        assert level["available"] == FULL - 4


async def test_an_adjustment_from_another_quantity_is_stale(shop: Shop) -> None:
    async with shop.client() as client:
        answer = await data(client, ADJUST, mugs(delta=1, reason="FOUND", changeFrom=7))
        expected = {"__typename": "Stale", "code": "STALE", "expected": 7, "actual": FULL}
        assert answer == expected


async def test_units_move_between_buckets(shop: Shop) -> None:
    async with shop.client() as client:
        asked = mugs(quantity=3) | {}
        asked["input"] |= {"from": "AVAILABLE", "to": "DAMAGED"}  # type: ignore[operator]
        level = await data(client, MOVE, asked)
        assert (level["available"], level["damaged"]) == (FULL - 3, 3)


async def test_returned_goods_are_quarantined_unless_said_otherwise(shop: Shop) -> None:
    async with shop.client() as client:
        level = await data(client, RETURN, mugs(quantity=2))
        assert (level["available"], level["quarantined"]) == (FULL, 2)


async def test_goods_are_not_returned_into_a_customers_reservation(shop: Shop) -> None:
    async with shop.client() as client:
        answer = await data(client, RETURN, mugs(quantity=2, to="RESERVED"))
        assert (answer["__typename"], answer["field"]) == ("Invalid", "to")


@pytest.mark.parametrize(
    ("mutation", "more"),
    [
        (RECEIVE, {"quantity": 1}),
        (ADJUST, {"delta": 1, "reason": "FOUND"}),
        (MOVE, {"quantity": 1, "from": "AVAILABLE", "to": "DAMAGED"}),
        (RETURN, {"quantity": 1}),
    ],
)
async def test_every_change_refuses_what_it_must(
    shop: Shop, mutation: str, more: dict[str, object]
) -> None:
    async with shop.client() as client:
        bad_id = await data(client, mutation, mugs(**more, id="7"))
        assert (bad_id["__typename"], bad_id["field"]) == ("Invalid", "id")
        unknown = await data(client, mutation, mugs(**more, sku="JUG"))
        assert (unknown["__typename"], unknown["key"]) == ("NotFound", "JUG")
        nowhere = await data(client, mutation, mugs(**more, warehouse="X"))
        assert (nowhere["__typename"], nowhere["what"]) == ("NotFound", "warehouse")
        if "quantity" in more:
            nothing = await data(client, mutation, mugs(**{**more, "quantity": 0}))
            assert (nothing["__typename"], nothing["field"]) == ("Invalid", "quantity")
    async with shop.client(Role.STOREFRONT) as client:
        denied = await data(client, mutation, mugs(**more, id="7"))
        assert denied["__typename"] == "NotPermitted"


async def test_a_cached_level_comes_from_the_read_model(shop: Shop) -> None:
    shop.cache.known["MUG", "WEST"] = CellLevel(1, "MUG", "WEST", 77, 0, 0, 0, 0, 9, NOON)
    async with shop.client(Role.STOREFRONT) as client:
        for variables in ({}, {"consistency": None}, {"consistency": "CACHED"}):
            level = await data(client, LEVEL, variables)
            assert (level["available"], level["seq"]) == (77, 9)
        assert level["sku"] == {
            "code": "MUG",
            "name": "A mug",
            "category": "kitchen",
            "barcode": None,
            "isActive": True,
            "lastPriceCents": 250,
        }
        assert level["warehouse"] == {
            "code": "WEST",
            "name": "West",
            "region": "EU",
            "isActive": True,
        }


async def test_a_strong_level_comes_from_the_owner(shop: Shop) -> None:
    shop.cache.known["MUG", "WEST"] = CellLevel(1, "MUG", "WEST", 77, 0, 0, 0, 0, 9, NOON)
    async with shop.client() as client:
        level = await data(client, LEVEL, {"consistency": "STRONG"})
        assert (level["available"], level["seq"]) == (FULL, 1)


async def test_a_level_of_nothing_is_null(shop: Shop) -> None:
    async with shop.client() as client:
        query = '{ stockLevel(sku: "JUG", warehouse: "WEST") { available } }'
        assert await data(client, query) is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ stockLevels(first: 0) { pageInfo { hasNextPage } } }", "BAD_USER_INPUT"),
        ("{ stockLevels(first: 101) { pageInfo { hasNextPage } } }", "PAGE_LIMIT"),
        ('{ skus(after: "?") { pageInfo { hasNextPage } } }', "BAD_USER_INPUT"),
        ('{ reservation(id: "1") { id } }', "BAD_USER_INPUT"),
        ("{ stockLevels { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ stockLevels(first: true) { pageInfo { hasNextPage } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_a_bad_question_is_an_error_of_the_one_who_asks(
    shop: Shop, query: str, code: str
) -> None:
    async with shop.client() as client:
        (error,) = (await ask(client, query))["errors"]
        assert error["extensions"]["code"] == code


async def test_a_bad_variable_is_an_error_of_the_one_who_asks(shop: Shop) -> None:
    async with shop.client() as client:
        (error,) = (await ask(client, LEVEL, {"consistency": "NEVER"}))["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_ledger_is_not_for_storefronts(shop: Shop) -> None:
    query = '{ ledger(sku: "MUG", warehouse: "WEST") { pageInfo { hasNextPage } } }'
    async with shop.client(Role.STOREFRONT) as client:
        (error,) = (await ask(client, query))["errors"]
        assert error["extensions"] == {"code": "FORBIDDEN"}
        assert "ledger:read" in error["message"]


@pytest.mark.parametrize("verb", ["upsertSkus", "upsertWarehouses"])
async def test_rows_of_the_catalogue_are_each_told_what_became_of_them(
    shop: Shop, verb: str
) -> None:
    region = ', region: "Y"' if verb == "upsertWarehouses" else ""
    row = f'{{code: "X", name: "X"{region}}}'
    bare = "{ index ok refusal { __typename code ... on NotPermitted { permission } } }"
    query = f"mutation {{ {verb}(rows: [{row}, {row}]) {bare} }}"
    async with shop.client(Role.OPERATIONS) as client:
        refusal = {
            "__typename": "NotPermitted",
            "code": "NOT_PERMITTED",
            "permission": "catalogue:write",
        }
        assert await data(client, query) == [
            {"index": 0, "ok": False, "refusal": refusal},
            {"index": 1, "ok": False, "refusal": refusal},
        ]


async def test_bad_rows_name_their_fields(shop: Shop) -> None:
    query = """
    mutation {
      upsertSkus(rows: [{code: "", name: "X"}, {code: "X", name: "X", lastPriceCents: -1}]) {
        index ok refusal { code ... on Invalid { field } }
      }
    }
    """
    async with shop.client() as client:
        rows = await data(client, query)
        assert [row["refusal"]["field"] for row in rows] == ["code", "lastPriceCents"]
