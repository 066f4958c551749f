"""Which warehouse serves which country."""

import pytest

from connectors.regions import WAREHOUSES, warehouse_of


@pytest.mark.parametrize(
    ("country", "warehouse"),
    [
        ("United Kingdom", "LON"),
        ("EIRE", "LON"),
        ("Channel Islands", "LON"),
        ("gb", "LON"),
        ("Germany", "AMS"),
        ("Czech Republic", "AMS"),
        ("European Community", "AMS"),
        ("Iceland", "AMS"),
        ("USA", "SIN"),
        ("Israel", "SIN"),
        ("RSA", "SIN"),
        ("Unspecified", "SIN"),
        (None, "SIN"),
    ],
)
def test_a_country_has_its_warehouse(country: str | None, warehouse: str) -> None:
    assert warehouse_of(country) == warehouse


def test_warehouses_have_regions_of_their_own() -> None:
    assert len({warehouse.region for warehouse in WAREHOUSES}) == len(WAREHOUSES) == 3
