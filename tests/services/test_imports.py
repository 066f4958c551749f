"""Loading a shop from its order lines, through the public door of a fake server."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.public_api import PublicApi
from connectors.regions import WAREHOUSES
from services.door import DoorError, Refused, SkuRow
from services.imports import Cell, Imported, Loading, RefusedRow, ShopInput, load_shop
from services.orders_in import OrderLine
from tests.connectors.fake_server import FakeServer

BEGIN = datetime(2011, 1, 4, 9, 0, tzinfo=UTC)
COVER = Fraction("0.95")


def line(
    sku: str = "A",
    quantity: int = 1,
    name: str | None = "Anvil",
    cents: int | None = 100,
    minute: int = 0,
    warehouse: str = "LON",
    comes_back: bool = False,
) -> OrderLine:
    at = BEGIN + timedelta(minutes=minute)
    return OrderLine("1", sku, name, quantity, at, cents, None, warehouse, comes_back)


def shop(*lines: OrderLine) -> ShopInput:
    made = ShopInput()
    for each in lines:
        made.add(each)
    return made


async def loaded(
    server: FakeServer, made: ShopInput, cover: Fraction = COVER, source: str = "f" * 64
) -> Imported:
    loading = Loading(source, cover, 4, lambda stage, by: None)
    return await load_shop(PublicApi(server.send), WAREHOUSES, made, loading)


def test_a_sku_is_named_by_its_most_frequent_description() -> None:
    made = shop(line(name="Anvil"), line(name="Anvil, red"), line(name="Anvil"), line(name=None))
    assert made.rows() == [SkuRow("A", "Anvil", None, None, 100)]


def test_a_sku_that_only_came_back_is_named_all_the_same() -> None:
    assert shop(line(comes_back=True)).rows() == [SkuRow("A", "Anvil")]


def test_a_sku_without_description_is_named_by_its_code() -> None:
    assert shop(line(name=None)).rows()[0].name == "A"


def test_the_price_is_that_of_the_last_sale_that_had_one() -> None:
    made = shop(
        line(cents=300, minute=2),
        line(cents=200, minute=1),
        line(cents=0, minute=3),
        line(cents=900, minute=4, comes_back=True),
    )
    assert made.rows()[0].last_price_cents == 300


def test_opening_stock_is_a_share_of_the_demand_rounded_up() -> None:
    made = shop(line(quantity=100), line(quantity=1), line(quantity=9, comes_back=True))
    assert made.opening(COVER) == {Cell("A", "LON"): 96}


def test_demand_is_kept_by_warehouse() -> None:
    made = shop(line(quantity=3), line(quantity=5, warehouse="AMS"))
    assert made.opening(Fraction(1)) == {Cell("A", "AMS"): 5, Cell("A", "LON"): 3}


@given(st.lists(st.integers(1, 10_000), min_size=1), st.fractions(0, 2))
def test_opening_stock_covers_what_was_asked_and_not_a_unit_more(
    quantities: list[int], cover: Fraction
) -> None:
    (units,) = shop(*(line(quantity=q) for q in quantities)).opening(cover).values()
    assert units - 1 < cover * sum(quantities) <= units


async def test_a_shop_is_loaded() -> None:
    server = FakeServer()
    done = await loaded(server, shop(line(quantity=20), line("B", 2, warehouse="SIN")))
    assert server.available == {("A", "LON"): 19, ("B", "SIN"): 2}
    assert list(server.warehouses) == ["LON", "AMS", "SIN"]
    assert (done.warehouses, done.skus, done.cells, done.units) == (3, 2, 2, 21)


async def test_a_sku_has_opening_stock_in_every_warehouse_that_sold_it() -> None:
    server = FakeServer()
    await loaded(server, shop(line(quantity=3), line(quantity=3, warehouse="AMS")))
    assert server.available == {("A", "LON"): 3, ("A", "AMS"): 3}


async def test_loading_the_same_again_does_nothing_twice() -> None:
    server = FakeServer()
    made = shop(line(quantity=20), line("B", 2))
    first = await loaded(server, made)
    assert await loaded(server, made) == first
    assert server.available == {("A", "LON"): 19, ("B", "LON"): 2}


async def test_a_load_that_broke_off_goes_on() -> None:
    server = FakeServer()
    made = shop(line(quantity=20), line("B", 2), line("C", 4))
    server.faults = [None, None, None, 401]
    with pytest.raises(DoorError):
        await loaded(server, made)
    await loaded(server, made)
    assert server.available == {("A", "LON"): 19, ("B", "LON"): 2, ("C", "LON"): 4}


async def test_the_same_source_with_another_cover_is_refused() -> None:
    server = FakeServer()
    await loaded(server, shop(line(quantity=20)))
    done = await loaded(server, shop(line(quantity=20)), Fraction(1))
    assert [row.code for row in done.refused] == ["CONFLICT"]
    assert server.available == {("A", "LON"): 19}


async def test_another_source_adds_its_stock() -> None:
    server = FakeServer()
    await loaded(server, shop(line(quantity=20)))
    await loaded(server, shop(line(quantity=20)), source="0" * 64)
    assert server.available == {("A", "LON"): 38}


async def test_no_cover_receives_nothing() -> None:
    server = FakeServer()
    done = await loaded(server, shop(line(quantity=20)), Fraction(0))
    assert (done.skus, done.cells, server.available) == (1, 0, {})


async def test_a_refused_row_is_listed_and_the_others_go_on() -> None:
    class Picky(PublicApi):
        async def upsert_skus(self, rows: Sequence[SkuRow]) -> list[Refused | None]:
            await super().upsert_skus(rows[1:])
            return [Refused("INVALID", "too odd"), *[None] * (len(rows) - 1)]

    server = FakeServer()
    loading = Loading("f" * 64, COVER, 4, lambda stage, by: None)
    done = await load_shop(Picky(server.send), WAREHOUSES, shop(line(), line("B")), loading)
    assert done.refused == [
        RefusedRow("SKU A", "INVALID", "too odd"),
        RefusedRow("stock of A in LON", "NOT_FOUND", "not_found"),
    ]
    assert server.available == {("B", "LON"): 1}


async def test_a_long_catalogue_is_sent_in_parts() -> None:
    server = FakeServer()
    steps: list[tuple[str, int]] = []
    loading = Loading("f" * 64, Fraction(0), 4, lambda stage, by: steps.append((stage, by)))
    made = shop(*(line(f"S{number}") for number in range(1_200)))
    await load_shop(PublicApi(server.send), WAREHOUSES, made, loading)
    assert steps == [("SKUs", 500), ("SKUs", 500), ("SKUs", 200)]
    assert len(server.skus) == 1_200
