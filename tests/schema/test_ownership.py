"""Operators see who hosts what; storefronts do not."""

from collections.abc import Collection
from uuid import UUID

from actors.lane import Channel
from actors.seating import Seated
from domain.access import Role
from domain.commands import CellKey
from infra.seats import HeatCounts
from tests.api.shop import NOON, ask, data, open_shop

QUERY = """{ ownership {
  name isDedicated cells { sku warehouse } holder node pid residentCells inbox takenAt takeovers
  reason commandsPerSecond
} }"""
SEATS = [
    Seated(
        "hot-1", True, (CellKey("MUG", "WEST"),), UUID(int=7), "10.0.0.1", 77, 3, 1, NOON, 2, 7.5
    ),
    Seated("shared-0", False, (), None, None, None, None, None, None, 0),
]


class FakeSeating:
    def channel(self, seat: str) -> Channel:
        raise AssertionError("nothing is sent here")

    async def place(self, cells: Collection[CellKey], seat: str) -> None:
        """Places nothing."""

    async def unplace(self, cells: Collection[CellKey]) -> None:
        """Has placed nothing."""

    async def promote(self, cell: CellKey, seat: str) -> bool:
        return False

    async def demote(self, seat: str) -> list[CellKey]:
        return []

    async def heat_counts(self) -> HeatCounts:
        return HeatCounts(3, 2)

    async def ownership(self) -> list[Seated]:
        return SEATS

    def close(self) -> None:
        """Holds nothing."""


async def test_an_operator_sees_seats_holders_and_placed_cells() -> None:
    shop = open_shop()
    shop.rt.stock.seating = FakeSeating()
    async with shop.client(Role.OPERATIONS) as client:
        hot, empty = await data(client, QUERY)
    assert hot == {
        "name": "hot-1",
        "isDedicated": True,
        "cells": [{"sku": "MUG", "warehouse": "WEST"}],
        "holder": str(UUID(int=7)),
        "node": "10.0.0.1",
        "pid": 77,
        "residentCells": 1,
        "inbox": 3,
        "takenAt": "2030-01-01T12:00:00Z",
        "takeovers": 2,
        "reason": "HOT",
        "commandsPerSecond": 7.5,
    }
    assert (empty["name"], empty["cells"], empty["holder"]) == ("shared-0", [], None)
    assert (empty["reason"], empty["commandsPerSecond"]) == ("SHARED", None)


async def test_a_storefront_is_not_told() -> None:
    async with open_shop().client(Role.STOREFRONT) as client:
        answer = await ask(client, QUERY)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_promotions_and_demotions_are_metrics() -> None:
    shop = open_shop()
    shop.rt.stock.seating = FakeSeating()
    async with shop.client(Role.OPERATIONS) as client:
        page = (await client.get("/metrics")).text.splitlines()
    assert {"onhand_promotions_total 3.0", "onhand_demotions_total 2.0"} <= set(page)
