"""Reservations out of a flash sale, from the use case to the tables."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from domain.refusals import (
    Conflict,
    InsufficientStock,
    Invalid,
    LimitReached,
    NotFound,
    SaleNotOpen,
    TicketRequired,
)
from domain.routing import Want
from domain.states import ReservationState
from services.flash_sales import create
from services.fulfil import confirm, release
from services.reservations import ReserveStock
from services.reservations import reservation as found
from services.reserve import reserve
from services.seals import sealed
from services.tickets import ADMITTED, Token
from tests.actors.world import NOON
from tests.integration.sale_shop import (
    HOUR,
    SALE,
    TEA,
    TEA_WEST,
    database,
    sale,
    sale_shop,
    units,
)
from tests.services.world import OPERATOR, STOREFRONT, Shop, placed, reservation, rid


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(tmp_path_factory.mktemp("sale-reservations")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with sale_shop(url) as opened:
        yield opened


def wanted(number: int, quantity: int = 1, customer: str | None = "bob", **more: Any) -> Any:
    told: dict[str, Any] = {"lines": (Want("TEA", None, quantity),), "sale_id": SALE, **more}
    return ReserveStock(rid(number), customer=customer, **told)


async def is_open(shop: Shop, **more: Any) -> None:
    await create(shop.rt, OPERATOR, sale(**more))
    shop.clock.tick(hours=1)


async def test_a_sale_gives_from_its_pool_and_says_so(shop: Shop) -> None:
    await is_open(shop)
    made = reservation(await reserve(shop.rt, STOREFRONT, wanted(1, 2)))
    assert placed(made) == {TEA: 2}
    assert (made.sale_id, made.customer, made.state) == (SALE, "bob", ReservationState.HELD)
    assert made.expires_at is not None
    assert (made.expires_at - made.created_at).total_seconds() == 60
    assert await units(TEA) == (90, 8)
    assert await found(shop.rt, STOREFRONT, made.id) == made
    assert await reserve(shop.rt, STOREFRONT, wanted(1, 2)) == made
    assert await reserve(shop.rt, STOREFRONT, wanted(1, 1)) == Conflict(rid(1))


async def test_the_limit_counts_all_of_a_customers_reservations(shop: Shop) -> None:
    await is_open(shop)
    await reserve(shop.rt, STOREFRONT, wanted(1, 1))
    assert await reserve(shop.rt, STOREFRONT, wanted(2, 2)) == LimitReached(2, 1)
    reservation(await confirm(shop.rt, STOREFRONT, rid(1)))
    assert await reserve(shop.rt, STOREFRONT, wanted(2, 2)) == LimitReached(2, 1)
    reservation(await release(shop.rt, STOREFRONT, rid(1)))
    assert placed(await reserve(shop.rt, STOREFRONT, wanted(2, 2))) == {TEA: 2}
    assert await units(TEA) == (90, 8)


async def test_the_region_is_preferred_among_equals_and_a_named_warehouse_is_kept_to(
    shop: Shop,
) -> None:
    await is_open(shop, limit_per_customer=None)
    line = (Want("TEA", "WEST", 3),)
    assert placed(await reserve(shop.rt, STOREFRONT, wanted(1, lines=line))) == {TEA_WEST: 3}
    assert placed(await reserve(shop.rt, STOREFRONT, wanted(2, 11, None))) == {TEA_WEST: 11}
    assert placed(await reserve(shop.rt, STOREFRONT, wanted(3, 12))) == {TEA: 10, TEA_WEST: 2}
    short = await reserve(shop.rt, STOREFRONT, wanted(4, 5))
    assert short == InsufficientStock("TEA", None, 5, 4)


async def test_outside_its_window_a_sale_gives_nothing_but_repeats_its_answers(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    assert await reserve(shop.rt, STOREFRONT, wanted(1)) == SaleNotOpen(NOON + HOUR, None)
    shop.clock.tick(hours=1)
    made = reservation(await reserve(shop.rt, STOREFRONT, wanted(1)))
    shop.clock.tick(hours=1)
    over = SaleNotOpen(NOON + HOUR, NOON + 2 * HOUR)
    assert await reserve(shop.rt, STOREFRONT, wanted(2)) == over
    assert await reserve(shop.rt, STOREFRONT, wanted(1)) == made


async def test_what_cannot_be_asked_of_a_sale(shop: Shop) -> None:
    await is_open(shop)
    bad = wanted(1, customer=None)
    assert await reserve(shop.rt, STOREFRONT, bad) == Invalid(
        "customer", "is needed: the sale has a limit per customer"
    )
    for lines in (
        (Want("CUP", None, 1),),
        (Want("TEA", "EAST", 1), Want("TEA", "WEST", 1)),
    ):
        no = await reserve(shop.rt, STOREFRONT, wanted(1, lines=lines))
        assert isinstance(no, Invalid)
        assert no.field == "lines"
    other = wanted(1, sale_id=rid(5))
    assert isinstance(await reserve(shop.rt, STOREFRONT, other), NotFound)


async def test_a_sale_with_a_waiting_room_serves_each_ticket_once(shop: Shop) -> None:
    await is_open(shop, waiting_room=True)
    assert await reserve(shop.rt, STOREFRONT, wanted(1)) == TicketRequired(SALE)
    until_when = (NOON + HOUR).timestamp() + 30
    token = sealed(shop.rt.settings.secret_key, ADMITTED, Token(SALE, "bob", rid(9), until_when))
    stolen = wanted(1, customer="eve", ticket=token)
    assert await reserve(shop.rt, STOREFRONT, stolen) == TicketRequired(SALE)
    made = reservation(await reserve(shop.rt, STOREFRONT, wanted(1, ticket=token)))
    assert await reserve(shop.rt, STOREFRONT, wanted(2, ticket=token)) == TicketRequired(SALE)
    shop.clock.tick(seconds=31)
    assert await reserve(shop.rt, STOREFRONT, wanted(1, ticket=token)) == made
    assert await reserve(shop.rt, STOREFRONT, wanted(2, ticket=token)) == TicketRequired(SALE)


async def test_new_owners_keep_the_limit_and_the_answers(shop: Shop) -> None:
    await is_open(shop)
    made = reservation(await reserve(shop.rt, STOREFRONT, wanted(1, 2)))
    for owner in shop.owners:
        owner.host.clear()
    assert await reserve(shop.rt, STOREFRONT, wanted(1, 2)) == made
    for owner in shop.owners:
        owner.host.clear()
    assert await reserve(shop.rt, STOREFRONT, wanted(2)) == LimitReached(2, 2)


async def test_what_expires_may_be_had_again(shop: Shop) -> None:
    await is_open(shop)
    await reserve(shop.rt, STOREFRONT, wanted(1, 2))
    await shop.tick(seconds=61)

    async def served() -> bool:
        answer = await reserve(shop.rt, STOREFRONT, wanted(2, 2))
        return not isinstance(answer, LimitReached)

    assert await served()


async def test_what_a_sale_refuses_is_counted(shop: Shop) -> None:
    await is_open(shop)
    for number, quantity in ((1, 2), (2, 1), (3, 3)):
        await reserve(shop.rt, STOREFRONT, wanted(number, quantity))
    await reserve(shop.rt, STOREFRONT, wanted(4, customer="eve", sale_id=rid(5)))
    assert shop.rt.sales.take_refused() == {(SALE, "LIMIT_REACHED"): 2}
