"""The demo shop's orders: a year with seasons, weekdays, promotions, returns and postage.

A pure function of seed and dates, written as a CSV in the columns of the UCI data: import and
replay read it like any other shop's.
"""

import csv
import random  # tidy: allow random: a generator seeded by the caller, the same for everybody
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import count
from math import cos, exp, pi
from pathlib import Path
from typing import NamedTuple

from connectors.demo_goods import CATEGORIES, Goods, all_goods

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
    "Category",
    "Barcode",
)
DAYS = 365
ORDERS_A_DAY = 20.0
CUSTOMERS = 1_500
OPENING_HOURS = (7, 22)
WEEKDAYS = (1.05, 1.0, 1.0, 1.05, 1.15, 0.95, 0.8)
COUNTRIES = {
    "United Kingdom": 52.0,
    "EIRE": 5.0,
    "Germany": 9.0,
    "France": 8.0,
    "Netherlands": 5.0,
    "Spain": 4.0,
    "Sweden": 2.0,
    "USA": 5.0,
    "Singapore": 4.0,
    "Hong Kong": 3.0,
    "Japan": 2.0,
    "Australia": 1.0,
}
QUANTITIES = {1: 62.0, 2: 20.0, 3: 7.0, 4: 5.0, 6: 4.0, 12: 2.0}
LINES_PER_ORDER = {1: 34.0, 2: 26.0, 3: 17.0, 4: 10.0, 5: 6.0, 6: 4.0, 8: 2.0, 12: 1.0}
PROMOTIONS_A_YEAR = 12
PROMOTION_DAYS = 7
PROMOTION_PULL = 3.0
PROMOTION_PRICE = 0.8
RETURN_SHARE = 0.03
RETURN_DAYS = (2, 14)
POSTAGE_CENTS = 1_800
SEEDS = 1_000
"""Invoice numbers carry the seed, so that different demos do not share them."""


class Promotion(NamedTuple):
    category: str
    begins: date

    def covers(self, category: str, day: date) -> bool:
        return category == self.category and 0 <= (day - self.begins).days < PROMOTION_DAYS


class Order(NamedTuple):
    number: str
    at: datetime
    customer: int
    country: str
    lines: list[tuple[Goods, int, int]]
    """Goods, quantity and unit price in cents; negative quantities come back."""

    def rows(self) -> Iterator[tuple[str, ...]]:
        head = (self.at.isoformat(sep=" "), str(self.customer), self.country)
        for goods, quantity, cents in self.lines:
            yield row(self.number, goods.code, goods.name, quantity, cents, head, goods)
        if self.country != "United Kingdom" and not self.number.startswith("C"):
            yield row(self.number, "POST", "POSTAGE", 1, POSTAGE_CENTS, head, None)


def row(
    number: str,
    code: str,
    name: str,
    quantity: int,
    cents: int,
    head: tuple[str, str, str],
    goods: Goods | None,
) -> tuple[str, ...]:
    at, customer, country = head
    price = f"{cents / 100:.2f}"
    more = (goods.category, goods.barcode) if goods else ("", "")
    return (number, code, name, str(quantity), at, price, customer, country, *more)


def write_demo(path: Path, seed: int, first_day: date, days: int = DAYS) -> None:
    """Replaces the file at `path`; folders that are missing are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER)
        for order in demo_orders(seed, first_day, days):
            lines.writerows(order.rows())


def demo_orders(seed: int, first_day: date, days: int = DAYS) -> list[Order]:
    """In time order. `seed` is 0 to 999."""
    assert 0 <= seed < SEEDS
    chance = random.Random(seed)
    shelf = all_goods()
    promotions = planned_promotions(chance, first_day, days)
    numbers = count(1)
    orders: list[Order] = []
    for day in (first_day + timedelta(days=passed) for passed in range(days)):
        weights = [wanted(goods, day, promotions) for goods in shelf]
        pull = sum(weights) / sum(goods.popularity for goods in shelf)
        for _ in range(poisson(chance, ORDERS_A_DAY * WEEKDAYS[day.weekday()] * pull)):
            number = f"9{seed:03d}{next(numbers):06d}"
            orders.append(one_order(chance, number, day, shelf, weights, promotions))
    returns = [came_back(chance, order) for order in orders if chance.random() < RETURN_SHARE]
    return sorted(orders + returns, key=lambda order: order.at)


def planned_promotions(chance: random.Random, first_day: date, days: int) -> list[Promotion]:
    begins = [first_day + timedelta(days=chance.randrange(days)) for _ in range(PROMOTIONS_A_YEAR)]
    return [Promotion(chance.choice(CATEGORIES).name, day) for day in sorted(begins)]


def wanted(goods: Goods, day: date, promotions: list[Promotion]) -> float:
    """How much more or less it sells that day than another SKU of popularity 1."""
    pull = goods.popularity * SEASON[goods.category][day.timetuple().tm_yday - 1]
    if any(promotion.covers(goods.category, day) for promotion in promotions):
        pull *= PROMOTION_PULL
    return pull


def season(peak_day: int, swing: float) -> list[float]:
    """A factor per day of the year, its mean near 1, its top at `peak_day`."""
    bumps = [exp(swing * cos(2 * pi * (day - peak_day) / 366)) for day in range(1, 367)]
    mean = sum(bumps) / len(bumps)
    return [bump / mean for bump in bumps]


SEASON = {category.name: season(category.peak_day, category.swing) for category in CATEGORIES}


def one_order(
    chance: random.Random,
    number: str,
    day: date,
    shelf: list[Goods],
    weights: list[float],
    promotions: list[Promotion],
) -> Order:
    first, last = OPENING_HOURS
    at = datetime.combine(day, time(first)) + timedelta(
        seconds=chance.randrange((last - first) * 3600)
    )
    chosen = dict.fromkeys(chance.choices(shelf, weights, k=drawn(chance, LINES_PER_ORDER)))
    lines = [(each, drawn(chance, QUANTITIES), price(each, day, promotions)) for each in chosen]
    customer = 10_000 + int(CUSTOMERS * chance.random() ** 2)
    home = random.Random(customer)
    country = home.choices(list(COUNTRIES), list(COUNTRIES.values()))[0]
    return Order(number, at, customer, country, lines)


def price(goods: Goods, day: date, promotions: list[Promotion]) -> int:
    reduced = any(promotion.covers(goods.category, day) for promotion in promotions)
    return round(goods.price_cents * PROMOTION_PRICE) if reduced else goods.price_cents


def came_back(chance: random.Random, order: Order) -> Order:
    goods, quantity, cents = chance.choice(order.lines)
    later = timedelta(days=chance.randint(*RETURN_DAYS), minutes=chance.randrange(60))
    back = [(goods, -chance.randint(1, quantity), cents)]
    return Order(f"C{order.number}", order.at + later, order.customer, order.country, back)


def drawn(chance: random.Random, shares: dict[int, float]) -> int:
    return chance.choices(list(shares), list(shares.values()))[0]


def poisson(chance: random.Random, mean: float) -> int:
    """Knuth's way: good for the small means of a shop's day."""
    floor, product = exp(-mean), chance.random()
    for number in count():
        if product <= floor:
            return number
        product *= chance.random()
    raise AssertionError("count() never ends")
