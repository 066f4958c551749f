"""The demo shop: the same for everybody, plausible, and read like any other."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from connectors.demo import Order, demo_orders, write_demo
from connectors.demo_goods import all_goods, with_check_digit
from connectors.order_codes import is_odd
from connectors.order_lines import OrderFile, Tally, sold_lines
from connectors.order_rules import LineClass

YEAR = date(2025, 1, 1)


@pytest.fixture(scope="module")
def orders() -> list[Order]:
    return demo_orders(7, YEAR)


def sold(orders: list[Order], category: str, months: tuple[int, ...]) -> int:
    return sum(
        quantity
        for order in orders
        if order.at.month in months
        for goods, quantity, _ in order.lines
        if goods.category == category
    )


def test_there_are_500_skus_with_names_codes_and_barcodes_of_their_own() -> None:
    shelf = all_goods()
    for values in ({g.code for g in shelf}, {g.name for g in shelf}, {g.barcode for g in shelf}):
        assert len(values) == 500
    assert not any(is_odd(goods.code) for goods in shelf)


def test_a_barcode_ends_with_its_check_digit() -> None:
    assert with_check_digit("400638133393") == "4006381333931"


def test_the_same_seed_makes_the_same_year(orders: list[Order]) -> None:
    assert demo_orders(7, YEAR) == orders
    assert demo_orders(8, YEAR, days=10) != demo_orders(7, YEAR, days=10)


def test_different_seeds_share_no_invoice_numbers() -> None:
    first, second = (demo_orders(seed, YEAR, days=10) for seed in (1, 2))
    assert not {order.number for order in first} & {order.number for order in second}


def test_orders_come_in_time_order_over_the_whole_year(orders: list[Order]) -> None:
    times = [order.at for order in orders]
    assert times == sorted(times)
    assert {at.month for at in times} == set(range(1, 13))


def test_a_number_names_one_order(orders: list[Order]) -> None:
    assert max(Counter(order.number for order in orders).values()) == 1


def test_categories_have_their_seasons(orders: list[Order]) -> None:
    assert sold(orders, "Festive 节庆", (11, 12)) > 3 * sold(orders, "Festive 节庆", (5, 6))
    assert sold(orders, "Garden 园艺", (5, 6)) > 2 * sold(orders, "Garden 园艺", (11, 12))


def test_sundays_are_quieter_than_fridays(orders: list[Order]) -> None:
    days = Counter(order.at.weekday() for order in orders)
    assert days[4] > days[6]


def test_some_goods_are_promoted(orders: list[Order]) -> None:
    paid = {(goods.price_cents, cents) for order in orders for goods, _, cents in order.lines}
    assert any(cents < price for price, cents in paid)
    assert all(cents <= price for price, cents in paid)


def test_nothing_comes_back_that_was_not_sold(orders: list[Order]) -> None:
    by_number = {order.number: order for order in orders}
    returns = [order for order in orders if order.number.startswith("C")]
    assert returns
    for back in returns:
        sale = by_number[back.number.removeprefix("C")]
        assert sale.at < back.at
        ((goods, quantity, _cents),) = back.lines
        assert any(line[0] == goods and line[1] >= -quantity for line in sale.lines)


def test_the_file_is_read_like_any_other_shops(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "orders.csv"
    write_demo(path, 7, YEAR, days=60)
    tally = Tally()
    lines = list(sold_lines(OrderFile(path), tally, lambda batch: None))
    assert tally.classes[LineClass.DIRTY] == 0
    assert tally.classes[LineClass.NON_STOCK] > 0
    assert {line.warehouse for line in lines} == {"LON", "AMS", "SIN"}
    assert all(line.category and line.barcode for line in lines)
