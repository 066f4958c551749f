"""A clerk of one site in a running shop, by the public door: works there, and sees nothing else."""

import asyncio
from typing import Any

import pytest

from domain.access import Role, Scope
from domain.commands import CellKey
from tests.integration.caller import (
    DEDUCT,
    FIND,
    LEVEL,
    RECEIVE,
    RELEASE,
    RESERVE,
    Caller,
    is_held,
    new_code,
    new_id,
    order,
)
from tests.integration.following import Screen
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
ME = """{ answer: me { subject userId grants { role scope { warehouses regions } }
  permissions { name scopes { warehouses } } } }"""


class Sites:
    """One SKU in two warehouses, and a clerk of the first."""

    def __init__(self, shop: Whole) -> None:
        sku = new_code()
        self.here, self.there = (CellKey(sku, new_code()) for _ in range(2))
        self.scope = Scope(warehouses=frozenset({self.here.warehouse}))
        self.office = Caller(shop, subject="office")
        self.clerk = Caller(shop, role=Role.WAREHOUSE, subject="clerk", scope=self.scope)
        self.till = Caller(shop, role=Role.STOREFRONT, subject="till", scope=self.scope)

    def receipt(self, key: CellKey) -> dict[str, Any]:
        return {**key._asdict(), "id": new_id(), "quantity": 5}


async def test_a_clerk_works_in_their_own_site_and_knows_of_no_other(shop: Whole) -> None:
    sites = Sites(shop)
    async with sites.office as office, sites.clerk as clerk:
        await office.furnish({sites.here: 10, sites.there: 10})
        received = await clerk.ask(RECEIVE, input=sites.receipt(sites.here))
        assert (received["__typename"], received["onHand"]) == ("StockLevel", 15)
        elsewhere = await clerk.ask(RECEIVE, input=sites.receipt(sites.there))
        assert elsewhere["code"] == "NOT_FOUND"
        assert await clerk.ask(LEVEL, **sites.there._asdict()) is None
        assert (await clerk.ask(LEVEL, **sites.here._asdict(), consistency="STRONG"))[
            "onHand"
        ] == 15
        assert (await office.ask(LEVEL, **sites.there._asdict(), consistency="STRONG"))[
            "onHand"
        ] == 10


async def test_a_clerk_hands_over_what_others_have_sold_at_their_site(shop: Whole) -> None:
    sites = Sites(shop)
    async with sites.office as office, sites.clerk as clerk:
        await office.furnish({sites.here: 10, sites.there: 10})
        sold = [order(new_id(), (*key, 2)) for key in (sites.here, sites.there)]
        both = order(new_id(), (*sites.here, 1), (*sites.there, 1))
        for wanted in (*sold, both):
            assert is_held(await office.ask(RESERVE, input=wanted))
        mine, other = (wanted["id"] for wanted in sold)
        assert (await clerk.ask(FIND, id=mine))["state"] == "HELD"
        handed = await clerk.ask(DEDUCT, input={"id": new_id(), "reservationId": mine})
        assert handed["state"] == "DEDUCTED"
        assert await clerk.ask(FIND, id=other) is None
        refused = await clerk.ask(DEDUCT, input={"id": new_id(), "reservationId": other})
        assert refused["code"] == "NOT_FOUND"
        await hand_over_a_part(sites, office, clerk, both["id"])


async def hand_over_a_part(sites: Sites, office: Caller, clerk: Caller, id: str) -> None:
    """Of an order that was split each site hands over its own; the clerk's retry does no more."""
    own = [sites.here.warehouse]
    assert warehouses(await clerk.ask(FIND, id=id)) == own
    wanted = {"id": new_id(), "reservationId": id}
    for _ in range(2):
        handed = await clerk.ask(DEDUCT, input=wanted)
        assert (handed["state"], warehouses(handed)) == ("DEDUCTED", own)
    more = await clerk.ask(DEDUCT, input={**wanted, "id": new_id()})
    assert more["code"] == "RESERVATION_CLOSED"
    named = {"sku": sites.there.sku, "warehouse": sites.there.warehouse, "quantity": 1}
    there = await clerk.ask(DEDUCT, input={**wanted, "id": new_id(), "lines": [named]})
    assert there["code"] == "INVALID"
    assert (await clerk.ask(RELEASE, id=id))["code"] == "NOT_PERMITTED"
    whole = await office.ask(FIND, id=id)
    left = {line["warehouse"]: line["quantity"] - line["deducted"] for line in whole["lines"]}
    assert left == {sites.here.warehouse: 0, sites.there.warehouse: 1}
    assert (await office.ask(DEDUCT, input={**wanted, "id": new_id()}))["state"] == "DEDUCTED"


def warehouses(reservation: dict[str, Any]) -> list[str]:
    return [line["warehouse"] for line in reservation["lines"]]


async def test_an_order_is_routed_within_the_scope_only(shop: Whole) -> None:
    """There is more elsewhere, and it is neither taken nor told of."""
    sites = Sites(shop)
    async with sites.office as office, sites.till as till:
        await office.furnish({sites.here: 3, sites.there: 50})
        held = await till.reserve(new_id(), (sites.here.sku, None, 2))
        assert [line["warehouse"] for line in held["lines"]] == [sites.here.warehouse]
        short = await till.reserve(new_id(), (sites.here.sku, None, 2))
        assert (short["__typename"], short["available"]) == ("InsufficientStock", 1)
        named = await till.reserve(new_id(), (*sites.there, 1))
        assert named["code"] == "NOT_FOUND"


async def test_a_live_view_shows_the_own_site_only(shop: Whole) -> None:
    sites = Sites(shop)
    async with sites.office as office, sites.clerk as clerk:
        await office.furnish({sites.here: 1, sites.there: 1})
        screen = Screen(clerk, [sites.here, sites.there])
        watching = asyncio.create_task(screen.watch())
        try:
            for key in (sites.there, sites.here, sites.there, sites.here):
                await office.ask(RECEIVE, input=sites.receipt(key))
            async with screen.changed, asyncio.timeout(60):
                await screen.changed.wait_for(lambda: screen.seen.get(sites.here) == 3)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        assert set(screen.seen) == {sites.here}


async def test_a_screen_is_told_what_its_caller_may_do(shop: Whole) -> None:
    sites = Sites(shop)
    async with sites.clerk as clerk, sites.office as office:
        me = await clerk.ask(ME)
        whole = await office.ask(ME)
    warehouses = [sites.here.warehouse]
    scope = {"warehouses": warehouses, "regions": None}
    assert me["grants"] == [{"role": "WAREHOUSE", "scope": scope}]
    assert (me["subject"], me["userId"]) == ("clerk", None)
    adjust = {"name": "stock:adjust", "scopes": [{"warehouses": warehouses}]}
    assert adjust in me["permissions"]
    assert {"name": "stock:adjust", "scopes": None} in whole["permissions"]
    assert not [held for held in me["permissions"] if held["scopes"] is None]
