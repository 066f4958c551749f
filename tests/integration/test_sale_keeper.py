"""What time does to a flash sale: it opens, closes, waits for its buyers and goes home; and the
same steps again do no harm."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from typing import Any, cast

import pytest

from domain.commands import CellKey
from domain.flash_sales import SaleState
from infra.database import connection
from infra.models import FlashSale as SaleRow
from services.flash_sale_progress import flash_sale_progress
from services.flash_sale_rows import Allotment
from services.flash_sales import cancel, close, create
from services.fulfil import confirm, release
from services.sale_keeper import GRACE, Keeper
from tests.actors.world import NOON
from tests.integration.sale_shop import (
    CUP,
    FULL,
    HOUR,
    SALE,
    TEA,
    TEA_WEST,
    database,
    sale,
    sale_shop,
    units,
)
from tests.integration.sale_steps import closed, look, opened, take
from tests.services.world import OPERATOR, OwnerChannel, Process, Shop, rid


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(tmp_path_factory.mktemp("keeper")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with sale_shop(url) as opened:
        yield opened


async def test_a_sale_opens_and_closes_by_the_clock(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    shop.clock.tick(minutes=59, seconds=59)
    assert await look(shop) is SaleState.SCHEDULED
    shop.clock.tick(seconds=1)
    assert await look(shop) is SaleState.OPEN
    shop.clock.tick(minutes=59, seconds=59)
    assert await look(shop) is SaleState.OPEN
    shop.clock.tick(seconds=1)
    assert await look(shop) is SaleState.CLOSED
    row = await SaleRow.get(id=SALE)
    assert (row.opened_at, row.closed_at) == (NOON + HOUR, NOON + 2 * HOUR)


async def test_a_sale_nobody_bought_from_gives_everything_back(shop: Shop) -> None:
    await opened(shop)
    await closed(shop)
    assert await look(shop) is SaleState.FINISHED
    assert [await units(TEA), await units(TEA_WEST)] == [(FULL, 0)] * 2


class Seats:
    """Where the cells that were placed are; in all seats sits the shop's first owner."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.seats: dict[CellKey, str] = {}

    def channel(self, _seat: str) -> OwnerChannel:
        return OwnerChannel(self.shop, 0, Process(None))

    async def place(self, cells: Iterable[CellKey], seat: str) -> None:
        self.seats |= dict.fromkeys(cells, seat)

    async def unplace(self, cells: Iterable[CellKey]) -> None:
        for cell in cells:
            self.seats.pop(cell, None)


async def test_a_sale_has_an_owner_of_its_own_from_before_it_opens_until_its_end(
    shop: Shop,
) -> None:
    seats = Seats(shop)
    shop.rt.stock.seating = cast(Any, seats)
    await create(shop.rt, OPERATOR, sale())
    shop.clock.tick(minutes=59, seconds=29)
    await look(shop)
    assert not seats.seats
    shop.clock.tick(seconds=1)
    assert await look(shop) is SaleState.SCHEDULED
    assert seats.seats == dict.fromkeys((TEA, TEA_WEST), f"sale-{SALE}")
    other = sale(rid(78), opens_at=NOON + HOUR, allotments=(Allotment(*TEA, 1), Allotment(*CUP, 1)))
    await create(shop.rt, OPERATOR, other)
    await look(shop)
    assert seats.seats[CUP] == f"sale-{SALE}"
    shop.clock.tick(minutes=1)
    await look(shop)
    await closed(shop)
    assert await look(shop) is SaleState.FINISHED
    assert seats.seats == dict.fromkeys((TEA, CUP), f"sale-{SALE}")
    await close(shop.rt, OPERATOR, rid(78))
    shop.clock.tick(seconds=GRACE.total_seconds())
    await look(shop)
    assert not seats.seats


class Busy(Seats):
    """No process is free for a seat."""

    async def place(self, _cells: Iterable[CellKey], _seat: str) -> None:
        await asyncio.Event().wait()


async def test_a_sale_that_gets_no_owner_of_its_own_opens_in_time(shop: Shop) -> None:
    shop.rt.stock.seating = cast(Any, Busy(shop))
    await create(shop.rt, OPERATOR, sale())
    keeper = Keeper(shop.rt)
    shop.clock.tick(minutes=59, seconds=30)
    await keeper.tick()
    assert list(keeper.placing) == [SALE]
    shop.clock.tick(seconds=30)
    await keeper.tick()
    await asyncio.gather(*keeper.under_way.values())
    assert (await SaleRow.get(id=SALE)).state == SaleState.OPEN
    keeper.placing[SALE].cancel()
    await asyncio.gather(*keeper.placing.values(), return_exceptions=True)


async def test_a_closed_sale_waits_for_its_last_unpaid_hold(shop: Shop) -> None:
    await opened(shop)
    await take(shop, 1, 2)
    await closed(shop)
    assert await look(shop) is SaleState.CLOSED
    assert await units(TEA) == (FULL - 10, 8)
    await shop.tick(seconds=60)
    assert await look(shop) is SaleState.FINISHED
    assert await units(TEA) == (FULL, 0)


async def test_what_is_released_after_the_end_comes_back_too(shop: Shop) -> None:
    await opened(shop)
    await take(shop, 1, 2)
    await take(shop, 2, 1, TEA_WEST)
    for number in (1, 2):
        await confirm(shop.rt, OPERATOR, rid(number))
    await closed(shop)
    assert await look(shop) is SaleState.FINISHED
    assert [await units(TEA), await units(TEA_WEST)] == [(FULL - 2, 0), (FULL - 1, 0)]
    await release(shop.rt, OPERATOR, rid(1))
    assert await units(TEA) == (FULL - 2, 2)
    await look(shop)
    assert await units(TEA) == (FULL, 0)
    assert not (await SaleRow.get(id=SALE)).is_settled
    await release(shop.rt, OPERATOR, rid(2))
    await look(shop)
    assert (await SaleRow.get(id=SALE)).is_settled
    assert await units(TEA_WEST) == (FULL, 0)


@pytest.mark.parametrize("steps", range(6))
async def test_a_keeper_that_dies_anywhere_is_followed_by_another(shop: Shop, steps: int) -> None:
    await opened(shop)
    await take(shop, 1, 2)
    await confirm(shop.rt, OPERATOR, rid(1))
    await closed(shop)

    async def one_look(rt: Any) -> None:
        keeper = Keeper(rt)
        await keeper.tick()
        await asyncio.gather(*keeper.under_way.values())

    await shop.dying(steps, one_look)
    assert await look(shop) is SaleState.FINISHED
    assert [await units(TEA), await units(TEA_WEST)] == [(FULL - 2, 0), (FULL, 0)]


@pytest.mark.parametrize("steps", range(4))
async def test_a_sale_whose_maker_died_is_finished_by_the_keeper(shop: Shop, steps: int) -> None:
    if await shop.dying(steps, lambda rt: create(rt, OPERATOR, sale())):
        assert await look(shop) is SaleState.SCHEDULED
    assert [await units(TEA), await units(TEA_WEST)] == [(FULL - 10, 10), (FULL - 20, 20)]


async def test_a_cancellation_that_broke_off_is_finished_by_the_keeper(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    assert await shop.dying(0, lambda rt: cancel(rt, OPERATOR, SALE))
    assert await units(TEA) == (FULL - 10, 10)
    assert await look(shop) is SaleState.CANCELLED
    assert [await units(TEA), await units(TEA_WEST)] == [(FULL, 0)] * 2
    await look(shop)
    assert (await SaleRow.get(id=SALE)).is_settled


async def test_two_keepers_do_a_step_once(shop: Shop) -> None:
    await opened(shop)
    await closed(shop)
    await asyncio.gather(*(look(shop) for _ in range(5)))
    assert await units(TEA) == (FULL, 0)
    moved = (await connection().execute_query("SELECT count(*) FROM entry WHERE movement = 25"))[1]
    assert moved[0][0] == 2


async def test_a_keeper_at_work_opens_the_sale_and_leaves_when_it_is_told(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    shop.clock.tick(hours=1)
    keepers = [asyncio.create_task(Keeper(shop.rt).run()) for _ in range(2)]
    async with asyncio.timeout(10), aclosing(flash_sale_progress(shop.rt, OPERATOR, SALE)) as seen:
        async for progress in seen:
            if progress.state is SaleState.OPEN:
                break
    for keeper in keepers:
        keeper.cancel()
    await asyncio.gather(*keepers, return_exceptions=True)
