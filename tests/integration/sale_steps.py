"""Steps in the life of a flash sale, for tests: buyers come, and a keeper looks."""

import asyncio
from datetime import timedelta
from typing import Any

from domain.cell import Hold
from domain.commands import CellKey, Line, Request, Reserve
from domain.flash_sales import SaleState, pool_of
from domain.ledger import Note
from services.flash_sales import close, create, flash_sale
from services.sale_keeper import GRACE, Keeper
from tests.integration.sale_shop import (
    SALE,
    TEA,
    sale,
)
from tests.services.world import OPERATOR, Shop, rid

TTL = timedelta(seconds=60)


async def look(shop: Shop) -> SaleState:
    """One look of a keeper that has just been started; the sale's state after it."""
    keeper = Keeper(shop.rt)
    await keeper.tick()
    await asyncio.gather(*keeper.under_way.values(), *keeper.placing.values())
    found = await flash_sale(shop.rt, OPERATOR, SALE)
    assert found is not None
    return found.state  # type: ignore[union-attr]


async def take(shop: Shop, number: int, quantity: int, cell: CellKey = TEA) -> Hold:
    """A buyer's hold out of the sale, for a minute."""
    command = Reserve(rid(number), quantity, shop.clock.now() + TTL, pool_of(SALE))
    request = Request(rid(number), number, cell, (Line(cell, command),), Note(OPERATOR.subject))
    done: Any = await shop.rt.stock.submit(request)
    hold = done.lines[0].hold
    assert isinstance(hold, Hold)
    return hold


async def opened(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    shop.clock.tick(hours=1)
    assert await look(shop) is SaleState.OPEN


async def closed(shop: Shop) -> None:
    """And long enough for all processes to know."""
    await close(shop.rt, OPERATOR, SALE)
    shop.clock.tick(seconds=GRACE.total_seconds())
