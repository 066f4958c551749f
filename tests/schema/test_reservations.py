"""Reservations through the public door: GraphQL in, JSON out."""

from uuid import UUID

import pytest

from actors.wire import Failed
from domain.access import Role
from tests.api.shop import FULL, Shop, ask, data, open_shop

R1 = str(UUID(int=101))
R2 = str(UUID(int=102))
RESERVE = """
mutation Reserve($input: ReserveStockInput!) {
  reserveStock(input: $input) {
    __typename
    ... on Reservation {
      id state customer channel saleId createdAt expiresAt
      lines { sku warehouse quantity deducted seq availableAfter }
    }
    ... on Refusal { code message isTransient }
    ... on InsufficientStock { sku warehouse requested available }
    ... on Invalid { field }
    ... on NotFound { what key }
    ... on Conflict { id }
    ... on NotPermitted { permission }
  }
}
"""
CONFIRM = """
mutation ($id: ID!) {
  confirmReservation(id: $id) {
    __typename
    ... on Reservation { id state expiresAt }
    ... on Refusal { code }
    ... on Invalid { field }
    ... on ReservationClosed { state }
  }
}
"""
RELEASE = CONFIRM.replace("confirmReservation", "releaseReservation")
DEDUCT = """
mutation ($input: DeductReservationInput!) {
  deductReservation(input: $input) {
    __typename
    ... on Reservation { state lines { sku quantity deducted } }
    ... on Refusal { code message }
    ... on Invalid { field }
  }
}
"""


@pytest.fixture
def shop() -> Shop:
    return open_shop()


def wants(*lines: tuple[str, int], id: str = R1, **more: object) -> dict[str, object]:
    named = [{"sku": sku, "warehouse": "WEST", "quantity": units} for sku, units in lines]
    return {"input": {"id": id, "lines": named, **more}}


async def test_a_reservation_tells_what_it_holds_and_until_when(shop: Shop) -> None:
    async with shop.client() as client:
        asked = wants(("MUG", 3), ("CUP", 2), customer="C7", channel="web", ttlSeconds=60)
        assert await data(client, RESERVE, asked) == {
            "__typename": "Reservation",
            "id": R1,
            "state": "HELD",
            "customer": "C7",
            "channel": "web",
            "saleId": None,
            "createdAt": "2030-01-01T12:00:00Z",
            "expiresAt": "2030-01-01T12:01:00Z",
            "lines": [
                line("CUP", 2, FULL - 2),
                line("MUG", 3, FULL - 3),
            ],
        }


def line(sku: str, quantity: int, left: int) -> dict[str, object]:
    return {
        "sku": sku,
        "warehouse": "WEST",
        "quantity": quantity,
        "deducted": 0,
        "seq": 2,
        "availableAfter": left,
    }


async def test_a_hold_lasts_ten_minutes_if_nobody_says_how_long(shop: Shop) -> None:
    async with shop.client() as client:
        absent = await data(client, RESERVE, wants(("MUG", 1)))
        null = await data(client, RESERVE, wants(("MUG", 1), id=R2, ttlSeconds=None))
        assert absent["expiresAt"] == null["expiresAt"] == "2030-01-01T12:10:00Z"


async def test_the_same_request_twice_has_one_effect_and_one_answer(shop: Shop) -> None:
    async with shop.client() as client:
        first = await data(client, RESERVE, wants(("MUG", 3)))
        assert await data(client, RESERVE, wants(("MUG", 3))) == first
        other = await data(client, RESERVE, wants(("MUG", 1), id=R2))
        assert other["lines"][0]["availableAfter"] == FULL - 4


async def test_the_same_id_with_other_content_is_a_conflict(shop: Shop) -> None:
    async with shop.client() as client:
        await data(client, RESERVE, wants(("MUG", 3)))
        answer = await data(client, RESERVE, wants(("MUG", 4)))
        assert (answer["__typename"], answer["id"]) == ("Conflict", R1)


async def test_too_much_is_refused_with_what_is_left(shop: Shop) -> None:
    async with shop.client() as client:
        assert await data(client, RESERVE, wants(("MUG", FULL + 1))) == {
            "__typename": "InsufficientStock",
            "code": "INSUFFICIENT_STOCK",
            "message": f"{FULL + 1} of MUG wanted, {FULL} available in WEST",
            "isTransient": True,
            "sku": "MUG",
            "warehouse": "WEST",
            "requested": FULL + 1,
            "available": FULL,
        }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "not a uuid"}, "id"),
        ({"saleId": "not a uuid"}, "saleId"),
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "MUG", "warehouse": "WEST", "quantity": 1}] * 2001}, "lines"),
        ({"lines": [{"sku": "MUG", "warehouse": "WEST", "quantity": 0}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "MUG", "warehouse": "WEST", "quantity": -1}]}, "lines[0].quantity"),
        ({"ttlSeconds": 0}, "ttlSeconds"),
        ({"ttlSeconds": 7 * 86_400 + 1}, "ttlSeconds"),
        ({"customer": "x" * 201}, "customer"),
        ({"channel": "x" * 201}, "channel"),
    ],
)
async def test_a_malformed_request_is_invalid_and_names_the_field(
    shop: Shop, change: dict[str, object], field: str
) -> None:
    async with shop.client() as client:
        asked = wants(("MUG", 1))
        asked["input"].update(change)  # type: ignore[attr-defined]
        answer = await data(client, RESERVE, asked)
        assert (answer["__typename"], answer["field"]) == ("Invalid", field)
        assert shop.owner.frames == 0


async def test_an_unknown_sku_is_not_found(shop: Shop) -> None:
    async with shop.client() as client:
        answer = await data(client, RESERVE, wants(("JUG", 1)))
        assert (answer["__typename"], answer["what"], answer["key"]) == ("NotFound", "sku", "JUG")


async def test_confirm_takes_the_deadline_away(shop: Shop) -> None:
    async with shop.client() as client:
        await data(client, RESERVE, wants(("MUG", 3)))
        confirmed = {"__typename": "Reservation", "id": R1, "state": "CONFIRMED", "expiresAt": None}
        assert await data(client, CONFIRM, {"id": R1}) == confirmed
        assert await data(client, CONFIRM, {"id": R1}) == confirmed


async def test_release_gives_the_units_back(shop: Shop) -> None:
    async with shop.client() as client:
        await data(client, RESERVE, wants(("MUG", 3)))
        assert (await data(client, RELEASE, {"id": R1}))["state"] == "RELEASED"
        again = await data(client, RESERVE, wants(("MUG", FULL), id=R2))
        assert again["lines"][0]["availableAfter"] == 0


async def test_a_part_can_be_deducted_and_not_more_than_the_rest(shop: Shop) -> None:
    async with shop.client() as client:
        await data(client, RESERVE, wants(("MUG", 3)))
        part = {"sku": "MUG", "warehouse": "WEST", "quantity": 2}
        asked = {"id": R2, "reservationId": R1, "lines": [part]}
        answer = await data(client, DEDUCT, {"input": asked})
        assert answer["lines"] == [{"sku": "MUG", "quantity": 3, "deducted": 2}]
        more = await data(client, DEDUCT, {"input": {**asked, "id": str(UUID(int=103))}})
        assert more["__typename"] == "Invalid"


async def test_deduct_names_the_id_that_is_no_uuid(shop: Shop) -> None:
    async with shop.client() as client:
        answer = await data(client, DEDUCT, {"input": {"id": R2, "reservationId": "1"}})
        assert (answer["__typename"], answer["field"]) == ("Invalid", "reservationId")


@pytest.mark.parametrize("mutation", [CONFIRM, RELEASE])
async def test_confirm_and_release_refuse_an_id_that_is_no_uuid(shop: Shop, mutation: str) -> None:
    async with shop.client() as client:
        answer = await data(client, mutation, {"id": "1"})
        assert (answer["__typename"], answer["field"]) == ("Invalid", "id")


async def test_a_storefront_may_not_deduct_and_hears_that_first(shop: Shop) -> None:
    async with shop.client(Role.STOREFRONT) as client:
        answer = await data(client, DEDUCT, {"input": {"id": "bad", "reservationId": R1}})
        assert answer["__typename"] == "NotPermitted"


async def test_a_storefront_may_not_touch_what_another_reserved(shop: Shop) -> None:
    async with shop.client(Role.STOREFRONT, "bob") as client:
        await data(client, RESERVE, wants(("MUG", 3)))
    async with shop.client(Role.STOREFRONT, "eve") as client:
        assert (await data(client, RELEASE, {"id": R1}))["code"] == "NOT_PERMITTED"


async def test_three_hundred_reservations_fit_into_one_document(shop: Shop) -> None:
    one = """
      a{n}: reserveStock(input: {{
        id: "{id}", lines: [{{sku: "MUG", warehouse: "WEST", quantity: 1}}]
      }}) {{ __typename }}
    """
    fields = "".join(one.format(n=n, id=UUID(int=1000 + n)) for n in range(300))
    async with shop.client() as client:
        answer = await ask(client, f"mutation {{ {fields} }}")
    made = [value["__typename"] for value in answer["data"].values()]
    assert made == ["Reservation"] * FULL + ["InsufficientStock"] * (300 - FULL)


@pytest.mark.parametrize("code", ["BUSY", "UNAVAILABLE"])
async def test_an_outage_says_to_ask_again(shop: Shop, code: str) -> None:
    shop.owner.failure = Failed("BUSY" if code == "BUSY" else "UNAVAILABLE", "try later")
    async with shop.client() as client:
        (error,) = (await ask(client, RESERVE, wants(("MUG", 1))))["errors"]
    assert error["message"] == "try later"
    assert error["extensions"] == {"code": code, "retryable": True}


async def test_a_bug_is_masked_and_carries_the_id_of_its_request(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.owner.failure = Failed("INTERNAL", "secret of the house")
    async with shop.client() as client:
        client.headers["x-correlation-id"] = "call-7"
        answer = await ask(client, RESERVE, wants(("MUG", 1)))
    (error,) = answer["errors"]
    assert error["message"] == "internal error"
    assert error["extensions"] == {"code": "INTERNAL", "correlationId": "call-7"}
    assert "secret of the house" not in str(answer)
    assert "secret of the house" in caplog.text
