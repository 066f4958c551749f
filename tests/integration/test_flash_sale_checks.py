"""What may be wrong with a flash sale is refused, and the field is named."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from domain.refusals import Invalid, NotFound
from services.flash_sale_rows import Allotment
from services.flash_sales import create
from tests.actors.world import NOON
from tests.integration.sale_shop import CUP, HOUR, TEA, database, sale, sale_shop
from tests.services.world import OPERATOR, Shop


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(tmp_path_factory.mktemp("sales")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with sale_shop(url) as opened:
        yield opened


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "name"),
    ({"closes_at": NOON + HOUR}, "closesAt"),
    ({"closes_at": NOON + timedelta(days=40)}, "closesAt"),
    ({"opens_at": NOON - 2 * HOUR, "closes_at": NOON}, "closesAt"),
    ({"opens_at": NOON + timedelta(days=400), "closes_at": NOON + timedelta(days=401)}, "opensAt"),
    ({"limit_per_customer": 0}, "limitPerCustomer"),
    ({"ttl_seconds": 0}, "ttlSeconds"),
    ({"ttl_seconds": 86_401}, "ttlSeconds"),
    ({"admitted_per_second": 0}, "admittedPerSecond"),
    ({"allotments": ()}, "allotments"),
    ({"allotments": tuple(Allotment(f"S{n}", "W", 1) for n in range(101))}, "allotments"),
    ({"allotments": (Allotment(*TEA, 0),)}, "allotments[0].quantity"),
    ({"allotments": (Allotment(*CUP, 1), Allotment(*TEA, 10**12))}, "allotments[1].quantity"),
    ({"allotments": (Allotment(*TEA, 1), Allotment(*TEA, 2))}, "allotments[1]"),
    ({"allotments": (Allotment("\0", "EAST", 1),)}, "allotments[0].sku"),
    ({"allotments": (Allotment("TEA", "\ud800", 1),)}, "allotments[0].warehouse"),
    ({"allotments": (Allotment("OLD", "EAST", 1),)}, "allotments[0].sku"),
]


@pytest.mark.parametrize(("more", "field"), BAD, ids=lambda value: str(value)[:40])
async def test_what_is_wrong_with_a_sale_is_named(
    shop: Shop, more: dict[str, Any], field: str
) -> None:
    answer = await create(shop.rt, OPERATOR, sale(**more))
    assert isinstance(answer, Invalid), answer
    assert answer.field == field


async def test_unknown_goods_and_places_are_not_found(shop: Shop) -> None:
    for line, what in ((("JUG", "EAST"), "sku"), (("TEA", "MARS"), "warehouse")):
        answer = await create(shop.rt, OPERATOR, sale(allotments=(Allotment(*line, 1),)))
        assert isinstance(answer, NotFound)
        assert answer.what == what
