"""The connectors of two marketplaces in one running shop, by the public door: they share the stock,
and neither can tell the other's orders from what does not exist."""

from typing import Any

import pytest

from domain.access import Role, Scope
from domain.commands import CellKey
from tests.integration.caller import (
    CONFIRM,
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
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)


def channel(name: str) -> Scope:
    return Scope(channels=frozenset({name}))


class Markets:
    """One cell that Tmall and JD sell from; a desk of the shop sees to Tmall's orders."""

    def __init__(self, shop: Whole) -> None:
        self.cell = CellKey(new_code(), new_code())
        self.office = Caller(shop, subject="office")
        self.tmall = Caller(shop, role=Role.CONNECTOR, subject="bot", scope=channel("tmall"))
        self.jd = Caller(shop, role=Role.CONNECTOR, subject="bot", scope=channel("jd"))
        self.desk = Caller(shop, role=Role.OPERATIONS, subject="desk", scope=channel("tmall"))

    def order(self, channel: str | None, quantity: int = 1) -> dict[str, Any]:
        return order(new_id(), (*self.cell, quantity)) | {"channel": channel}


async def test_a_connector_sells_and_hands_over_the_orders_of_its_channel(shop: Whole) -> None:
    markets = Markets(shop)
    async with markets.office as office, markets.tmall as tmall, markets.desk as desk:
        await office.furnish({markets.cell: 10})
        first, second, third = (markets.order("tmall", 2) for _ in range(3))
        for wanted in (first, second, third):
            assert is_held(await tmall.ask(RESERVE, input=wanted))
        assert await tmall.ask(RESERVE, input=first) == await tmall.ask(RESERVE, input=first)
        assert (await tmall.ask(CONFIRM, id=first["id"]))["state"] == "CONFIRMED"
        handed = {"id": new_id(), "reservationId": first["id"]}
        assert (await tmall.ask(DEDUCT, input=handed))["state"] == "DEDUCTED"
        assert (await tmall.ask(RELEASE, id=second["id"]))["state"] == "RELEASED"
        assert (await desk.ask(FIND, id=third["id"]))["state"] == "HELD"
        handed = {"id": new_id(), "reservationId": third["id"]}
        assert (await desk.ask(DEDUCT, input=handed))["state"] == "DEDUCTED"
        level = await tmall.ask(LEVEL, **markets.cell._asdict(), consistency="STRONG")
        assert (level["onHand"], level["reserved"]) == (6, 0)


async def test_the_orders_of_other_channels_are_as_if_they_were_not(shop: Whole) -> None:
    """Also to the same subject, and to a desk that sees all of its own channel."""
    markets = Markets(shop)
    async with markets.office as office, markets.tmall as tmall, markets.desk as desk:
        async with markets.jd as jd:
            await office.furnish({markets.cell: 10})
            theirs, plain = markets.order("jd"), markets.order(None)
            assert is_held(await jd.ask(RESERVE, input=theirs))
        assert is_held(await office.ask(RESERVE, input=plain))
        for caller in (tmall, desk):
            missing = await told(caller, new_id())
            for hidden in (theirs, plain):
                assert await told(caller, hidden["id"]) == missing
        for hidden in (theirs, plain):
            assert (await office.ask(FIND, id=hidden["id"]))["state"] == "HELD"


async def told(caller: Caller, id: str) -> list[Any]:
    """All that can be asked of a reservation, without its id."""
    answers = [await caller.ask(act, id=id) for act in (FIND, CONFIRM, RELEASE)]
    answers.append(await caller.ask(DEDUCT, input={"id": new_id(), "reservationId": id}))
    for answer in answers[1:]:
        assert answer["code"] == "NOT_FOUND"
        answer["message"] = answer["message"].replace(id, "?")
    return answers


async def test_nothing_is_sold_through_a_foreign_channel(shop: Whole) -> None:
    markets = Markets(shop)
    async with markets.office as office, markets.tmall as tmall:
        await office.furnish({markets.cell: 10})
        foreign = await tmall.ask(RESERVE, input=markets.order("jd"))
        assert foreign["code"] == "NOT_PERMITTED"
        unsaid = await tmall.ask(RESERVE, input=markets.order(None))
        assert (unsaid["code"], unsaid["message"]) == ("INVALID", "must be one of tmall")
        level = await office.ask(LEVEL, **markets.cell._asdict(), consistency="STRONG")
        assert (level["available"], level["seq"]) == (10, 1)


async def test_an_order_of_a_channel_is_routed_within_the_grant(shop: Whole) -> None:
    """One site of two is the channel's: what the other has is neither taken nor told of."""
    markets = Markets(shop)
    here, there = markets.cell, CellKey(markets.cell.sku, new_code())
    scope = Scope(warehouses=frozenset({here.warehouse}), channels=frozenset({"tmall"}))
    seller = Caller(shop, role=Role.CONNECTOR, subject="seller", scope=scope)
    async with markets.office as office, seller:
        await office.furnish({here: 3, there: 50})
        wanted = order(new_id(), (here.sku, None, 2)) | {"channel": "tmall"}
        held = await seller.ask(RESERVE, input=wanted)
        assert [line["warehouse"] for line in held["lines"]] == [here.warehouse]
        short = await seller.ask(RESERVE, input=wanted | {"id": new_id()})
        assert (short["__typename"], short["available"]) == ("InsufficientStock", 1)
        assert await seller.ask(LEVEL, **there._asdict()) is None


async def test_who_sees_to_a_channel_does_nothing_with_goods(shop: Whole) -> None:
    markets = Markets(shop)
    async with markets.office as office, markets.desk as desk:
        await office.furnish({markets.cell: 10})
        goods = {**markets.cell._asdict(), "id": new_id(), "quantity": 1}
        assert (await desk.ask(RECEIVE, input=goods))["code"] == "NOT_PERMITTED"
