"""Who reserves for some channels only says for which, and for none but these."""

import pytest

from domain.access import Caller, Grant, Permission, Role, Scope
from domain.refusals import Conflict, Invalid, NotPermitted
from services.reserve import SHOWN_CHANNELS, reserve
from services.stock import ReceiveStock, receive
from tests.services.world import ADMIN, HERE, THERE, Shop, order, placed, rid, want

NO = NotPermitted(Permission.RESERVE)


def seller(*scopes: Scope) -> Caller:
    return Caller("bot", tuple(Grant(Role.STOREFRONT, scope) for scope in scopes))


def of(*channels: str, at: str | None = None) -> Scope:
    warehouses = None if at is None else frozenset({at})
    return Scope(warehouses=warehouses, channels=frozenset(channels))


@pytest.fixture(autouse=True)
async def stocked(shop: Shop) -> None:
    for number, cell in ((900, HERE), (901, THERE)):
        await receive(shop.rt, ADMIN, ReceiveStock(rid(number), *cell, 10))


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (["tmall"], "must be one of tmall"),
        (["tmall", "jd"], "must be one of jd, tmall"),
        ([f"c{n:02}" for n in range(SHOWN_CHANNELS + 2)], None),
    ],
)
async def test_an_order_of_no_channel_is_refused_and_the_own_ones_are_told(
    shop: Shop, channels: list[str], message: str | None
) -> None:
    answer = await reserve(shop.rt, seller(of(*channels)), order(1, want(HERE, 1)))
    shown = ", ".join(channels[:SHOWN_CHANNELS])
    assert answer == Invalid("channel", message or f"must be one of {shown} and 2 more")


async def test_an_order_of_an_own_channel_is_held_and_of_another_is_not(shop: Shop) -> None:
    bot = seller(of("tmall", "jd"))
    for number, channel in ((1, "tmall"), (2, "jd")):
        answer = await reserve(shop.rt, bot, order(number, want(HERE, 1), channel=channel))
        assert placed(answer) == {HERE: 1}
    assert await reserve(shop.rt, bot, order(3, want(HERE, 1), channel="fair")) == NO
    again = await reserve(shop.rt, bot, order(1, want(HERE, 1), channel="jd"))
    assert again == Conflict(rid(1))


async def test_a_channel_is_sold_where_the_same_grant_says(shop: Shop) -> None:
    """Each of the two channels in one place, and not in the other."""
    bot = seller(of("tmall", at=HERE.warehouse), of("jd", at=THERE.warehouse))
    assert await reserve(shop.rt, bot, order(1, want(THERE, 1), channel="tmall")) == NO
    answer = await reserve(shop.rt, bot, order(2, want(HERE, 1), channel="tmall"))
    assert placed(answer) == {HERE: 1}
    assert await reserve(shop.rt, bot, order(3, want(HERE, 1), channel="fair")) == NO


async def test_a_place_beside_a_channel_sells_orders_of_any_and_of_none(shop: Shop) -> None:
    place = Scope(warehouses=frozenset({HERE.warehouse}))
    bot = seller(place, of("tmall"))
    for number, channel in ((1, None), (2, "jd")):
        answer = await reserve(shop.rt, bot, order(number, want(HERE, 1), channel=channel))
        assert placed(answer) == {HERE: 1}
        far = order(number + 10, want(THERE, 1), channel=channel)
        assert await reserve(shop.rt, bot, far) == NO
    answer = await reserve(shop.rt, bot, order(3, want(THERE, 1), channel="tmall"))
    assert placed(answer) == {THERE: 1}


async def test_who_sells_for_some_channels_draws_on_no_sale(shop: Shop) -> None:
    """A sale is about several cells and all channels."""
    drawn = order(1, want(HERE, 1), channel="tmall", sale_id=rid(7))
    assert await reserve(shop.rt, seller(of("tmall")), drawn) == NO
