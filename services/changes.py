"""The live view of stock: the matching levels as they are, then each change as it happens."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar

from domain.access import Caller, Permission
from infra.database import LOST
from infra.hub import Interest, Subscriber
from infra.levels import CellLevel
from infra.models import Cell
from services.levels import COLUMNS, StockFilter, StockLevel, dress, from_row
from services.runtime import Runtime
from services.sight import Sight, sight_of
from services.stock import check_filter, conditions

PAGE = 500
"""Levels read at once for a snapshot."""
RETRY_SECONDS = 1.0

T = TypeVar("T")


async def stock_changed(
    rt: Runtime, caller: Caller, wanted: StockFilter
) -> AsyncGenerator[StockLevel, None]:
    """Per cell, seq never goes back, and the last level given is the newest there is. With
    `available_at_most`, a cell is also given once more when it rises above. Raises Outage when the
    subscriber is too slow or there are too many; it may subscribe again."""
    check_filter(wanted)
    seen = sight_of(caller, Permission.READ_STOCK)
    with rt.hub.subscribed(interest_of(wanted)) as subscriber:
        async for level in live(rt, wanted, seen, subscriber):
            yield level


async def live(
    rt: Runtime, wanted: StockFilter, seen: Sight, subscriber: Subscriber
) -> AsyncIterator[StockLevel]:
    while True:
        async for level in snapshot(rt, wanted, seen, subscriber):
            yield level
        while (change := await subscriber.next()) is not None:
            shown = rt.hub.made(change) or await dressed_once(rt, change)
            if shown is not None and belongs(wanted, seen, shown):
                yield shown


def interest_of(wanted: StockFilter) -> Interest:
    return Interest(
        None if wanted.skus is None else frozenset(wanted.skus),
        None if wanted.warehouses is None else frozenset(wanted.warehouses),
        wanted.available_at_most,
    )


async def snapshot(
    rt: Runtime, wanted: StockFilter, seen: Sight, subscriber: Subscriber
) -> AsyncIterator[StockLevel]:
    """What is committed now. A level that has been overtaken waits in the subscriber's slots."""
    after: int | None = 0
    while after is not None:
        page = await patiently(partial(stored_page, wanted, seen, after))
        after = page[-1].cell_id if len(page) == PAGE else None
        dressed = await patiently(partial(dress, rt, page))
        by_cell = {(level.sku.code, level.warehouse.code): level for level in dressed}
        for level in page:
            if rt.hub.offer(level) and (level.sku, level.warehouse) in by_cell:
                subscriber.given(level.cell_id)
                yield by_cell[level.sku, level.warehouse]


async def stored_page(wanted: StockFilter, seen: Sight, after: int) -> list[CellLevel]:
    query = Cell.filter(*conditions(wanted), seen.of_cells(), id__gt=after)
    rows = await query.order_by("id").limit(PAGE).values_list(*COLUMNS)
    return [from_row(row) for row in rows]


async def dressed_once(rt: Runtime, change: CellLevel) -> StockLevel | None:
    """The change as it is shown to all who get it."""
    return await patiently(partial(rt.hub.view, change, partial(one, rt)))


async def one(rt: Runtime, level: CellLevel) -> StockLevel | None:
    """The level as it is shown; None if its SKU or warehouse is gone."""
    dressed = await dress(rt, [level])
    return dressed[0] if dressed else None


def belongs(wanted: StockFilter, seen: Sight, level: StockLevel) -> bool:
    """What the hub cannot test, as it does not know the catalogue."""
    if not seen.sees(level.sku, level.warehouse):
        return False
    if wanted.categories is not None and level.sku.category not in wanted.categories:
        return False
    return wanted.regions is None or level.warehouse.region in wanted.regions


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """A live view outlives the database: it stands still until there is an answer."""
    while True:
        try:
            return await ask()
        except LOST:
            await asyncio.sleep(RETRY_SECONDS)
