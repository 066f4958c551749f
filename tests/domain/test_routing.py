"""Choosing warehouses: tables for the rule, properties for what no plan may do."""

import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.commands import CellKey
from domain.refusals import InsufficientStock
from domain.routing import Offer, Want, route

ORDERS = settings(max_examples=400, derandomize=True, database=None, deadline=None)


def tell(offers: str, orders: str) -> None:
    """Offers `MUG BER de 1 9` (sku, warehouse, region, priority, available); orders
    `2 MUG, 1 PEN at PAR to de -> MUG BER 2, PEN PAR 1`."""
    by_sku: dict[str, list[Offer]] = {}
    for row in filter(str.strip, offers.splitlines()):
        sku, warehouse, region, priority, available = row.split()
        offer = Offer(warehouse, region, int(priority), int(available))
        by_sku.setdefault(sku, []).append(offer)
    rows = [row.partition("->") for row in orders.splitlines() if row.strip()]
    went = [f"{order.strip()} -> {answer(order, by_sku)}" for order, _, _ in rows]
    written = [f"{order.strip()} -> {parts.strip()}" for order, _, parts in rows]
    assert rows
    assert went == written


def answer(order: str, offers: dict[str, list[Offer]]) -> str:
    text, _, region = order.strip().partition(" to ")
    lines = re.findall(r"(\d+) (\w+)(?: at (\w+))?", text)
    wants = [Want(sku, warehouse or None, int(units)) for units, sku, warehouse in lines]
    plan = route(wants, offers, region or None)
    if isinstance(plan, InsufficientStock):
        assert plan.warehouse is None
        return f"short {plan.sku} {plan.requested} {plan.available}"
    return ", ".join(f"{key.sku} {key.warehouse} {units}" for key, units in plan.items())


def test_the_lowest_priority_number_comes_first() -> None:
    tell(
        """
        MUG  BER  de  2  9
        MUG  PAR  fr  1  5
        MUG  LON  uk  3  20
        """,
        """
        3 MUG to de   -> MUG PAR 3
        5 MUG to uk   -> MUG PAR 5
        6 MUG to uk   -> MUG BER 6
        10 MUG to de  -> MUG LON 10
        """,
    )


def test_then_the_buyers_region() -> None:
    tell(
        """
        MUG  BER  de  1  5
        MUG  PAR  fr  1  9
        MUG  LON  uk  1  7
        """,
        """
        3 MUG to de   -> MUG BER 3
        3 MUG to uk   -> MUG LON 3
        6 MUG to de   -> MUG PAR 6
        3 MUG to it   -> MUG PAR 3
        3 MUG         -> MUG PAR 3
        """,
    )


def test_then_the_most_available_and_at_last_the_name() -> None:
    tell(
        """
        MUG  PAR  fr  1  5
        MUG  LON  uk  1  7
        MUG  BER  de  1  7
        """,
        """
        3 MUG         -> MUG BER 3
        7 MUG         -> MUG BER 7
        """,
    )


def test_a_line_is_split_only_if_it_must_and_then_over_the_fewest_warehouses() -> None:
    tell(
        """
        MUG  BER  de  1  2
        MUG  PAR  fr  2  5
        MUG  LON  uk  3  6
        """,
        """
        6 MUG to de   -> MUG LON 6
        7 MUG to de   -> MUG LON 6, MUG PAR 1
        11 MUG to de  -> MUG LON 6, MUG PAR 5
        12 MUG to de  -> MUG LON 6, MUG PAR 5, MUG BER 1
        13 MUG to de  -> MUG LON 6, MUG PAR 5, MUG BER 2
        14 MUG to de  -> short MUG 14 13
        """,
    )


def test_the_first_line_that_cannot_be_filled_is_the_answer() -> None:
    tell(
        """
        MUG  BER  de  1  2
        PEN  BER  de  1  0
        PEN  PAR  de  1  -4
        """,
        """
        2 MUG, 1 PEN         -> short PEN 1 0
        3 MUG, 1 PEN         -> short MUG 3 2
        1 CUP                -> short CUP 1 0
        """,
    )


def test_a_line_that_names_its_warehouse_goes_there_whatever_the_offers_say() -> None:
    tell(
        """
        MUG  BER  de  1  2
        """,
        """
        5 MUG at BER               -> MUG BER 5
        5 MUG at OSL               -> MUG OSL 5
        1 MUG at BER, 2 MUG at BER -> MUG BER 3
        """,
    )


def test_lines_of_one_sku_do_not_count_on_the_same_units() -> None:
    tell(
        """
        MUG  BER  de  1  5
        MUG  PAR  fr  2  5
        """,
        """
        3 MUG, 3 MUG               -> MUG BER 3, MUG PAR 3
        3 MUG, 2 MUG               -> MUG BER 5
        4 MUG, 4 MUG, 2 MUG        -> MUG BER 5, MUG PAR 5
        4 MUG, 4 MUG, 3 MUG        -> short MUG 3 2
        3 MUG, 4 MUG at BER        -> MUG BER 4, MUG PAR 3
        9 MUG, 1 MUG at BER        -> MUG BER 5, MUG PAR 5
        3 MUG, 9 MUG at BER        -> MUG BER 9, MUG PAR 3
        6 MUG, 9 MUG at BER        -> short MUG 6 5
        """,
    )


warehouses = st.sampled_from(["BER", "PAR", "LON", "OSL", "ROM"])
skus = st.sampled_from(["MUG", "PEN"])
offers_of_one = st.lists(
    st.builds(
        Offer,
        warehouses,
        st.sampled_from(["de", "fr"]),
        priority=st.integers(1, 2),
        available=st.integers(-2, 6),
    ),
    unique_by=lambda offer: offer.warehouse,
    max_size=5,
)
offers_of_all = st.fixed_dictionaries({"MUG": offers_of_one, "PEN": offers_of_one})
orders = st.lists(st.builds(Want, skus, st.none() | warehouses, st.integers(1, 8)), max_size=5)
regions = st.sampled_from([None, "de", "fr"])
Offers = dict[str, list[Offer]]


@ORDERS
@given(wants=orders, offers=offers_of_all, region=regions)
def test_a_plan_has_what_was_wanted_and_no_more_than_is_offered(
    wants: list[Want], offers: Offers, region: str | None
) -> None:
    plan = route(wants, offers, region)
    if isinstance(plan, InsufficientStock):
        return
    named: dict[CellKey, int] = {}
    for want in wants:
        if want.warehouse is not None:
            key = CellKey(want.sku, want.warehouse)
            named[key] = named.get(key, 0) + want.quantity
    for sku in ("MUG", "PEN"):
        planned = sum(units for key, units in plan.items() if key.sku == sku)
        assert planned == sum(want.quantity for want in wants if want.sku == sku)
    for key, units in plan.items():
        offered = [o.available for o in offers[key.sku] if o.warehouse == key.warehouse]
        assert units > 0
        assert units == named.get(key, 0) or units <= sum(offered)


@ORDERS
@given(wants=orders, offers=offers_of_all, region=regions)
def test_a_shortage_is_real(wants: list[Want], offers: Offers, region: str | None) -> None:
    plan = route(wants, offers, region)
    if isinstance(plan, InsufficientStock):
        offered = sum(max(offer.available, 0) for offer in offers[plan.sku])
        wanted = sum(want.quantity for want in wants if want.sku == plan.sku)
        assert plan.available < plan.requested
        assert wanted > plan.available
        assert plan.available <= offered


@ORDERS
@given(quantity=st.integers(1, 20), offers=offers_of_one, region=regions)
def test_a_line_goes_to_the_preferred_warehouse_or_in_the_fewest_parcels(
    quantity: int, offers: list[Offer], region: str | None
) -> None:
    plan = route([Want("MUG", None, quantity)], {"MUG": offers}, region)
    fewest = fewest_parcels(quantity, [max(offer.available, 0) for offer in offers])
    if fewest is None:
        total = sum(max(offer.available, 0) for offer in offers)
        assert plan == InsufficientStock("MUG", None, quantity, total)
        return
    assert not isinstance(plan, InsufficientStock)
    assert len(plan) == fewest
    if fewest == 1:
        able = [offer for offer in offers if offer.available >= quantity]
        best = min(o.priority for o in able)
        chosen = next(o for o in offers if CellKey("MUG", o.warehouse) in plan)
        rivals = [o for o in able if o.priority == best]
        at_home = [o for o in rivals if o.region == region] or rivals
        assert chosen in at_home
        assert chosen.available == max(offer.available for offer in at_home)


def fewest_parcels(quantity: int, available: list[int]) -> int | None:
    """By trying all choices of warehouses."""
    for count in range(1, len(available) + 1):
        if any(sum(chosen) >= quantity for chosen in combinations(available, count)):
            return count
    return None


@pytest.mark.parametrize("wants", [[], [Want("MUG", "BER", 2)]])
def test_no_offers_are_needed_for_lines_that_name_their_warehouse(wants: list[Want]) -> None:
    assert route(wants, {}, None) == {CellKey("MUG", "BER"): 2 for _ in wants}
