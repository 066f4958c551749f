"""What became of a flash sale's units, and how the office sees it live."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from domain.flash_sales import SaleState
from services.flash_sale_figures import RefusedFor, figures_of, refusals_of
from services.flash_sale_progress import Progress, flash_sale_progress
from services.flash_sales import terms_of
from services.fulfil import confirm, release
from services.pages import BadPage
from services.sale_keeper import write_refusals
from tests.integration.sale_shop import (
    SALE,
    TEA_WEST,
    database,
    sale_shop,
)
from tests.integration.sale_steps import closed, look, opened, take
from tests.services.world import OPERATOR, Shop, rid


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(tmp_path_factory.mktemp("keeper")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with sale_shop(url) as opened:
        yield opened


async def test_the_figures_of_a_sale_are_those_of_its_holds(shop: Shop) -> None:
    await opened(shop)
    await take(shop, 1, 2)
    await take(shop, 2, 3, TEA_WEST)
    await take(shop, 3, 1)
    await confirm(shop.rt, OPERATOR, rid(2))
    await release(shop.rt, OPERATOR, rid(3))
    figures = (await figures_of([SALE], shop.clock.now()))[SALE]
    assert (figures.allotted, figures.left, figures.held, figures.sold) == (30, 25, 2, 3)
    assert (figures.unpaid, figures.paid, figures.lately) == (1, 1, 3)


async def progress(watching: Any) -> Progress:
    async with asyncio.timeout(10):
        seen: Progress = await anext(watching)
        return seen


async def test_the_office_sees_what_changes_and_why_buyers_were_refused(shop: Shop) -> None:
    await opened(shop)
    async with aclosing(flash_sale_progress(shop.rt, OPERATOR, SALE)) as watching:
        first = await progress(watching)
        assert (first.state, first.left, first.refused) == (SaleState.OPEN, 30, ())
        await take(shop, 1, 2)
        second = await progress(watching)
        assert (second.left, second.held, second.accepted_per_second) == (28, 2, 0.5)
        await terms_of(shop.rt, SALE)
        shop.rt.sales.count_refusal(rid(9), "NOT_FOUND")
        for code in ("LIMIT_REACHED", "LIMIT_REACHED", "INSUFFICIENT_STOCK"):
            shop.rt.sales.count_refusal(SALE, code)
        await write_refusals(shop.rt)
        refused = (await progress(watching)).refused
        assert refused == (RefusedFor("INSUFFICIENT_STOCK", 1), RefusedFor("LIMIT_REACHED", 2))
        shop.rt.sales.count_refusal(SALE, "LIMIT_REACHED")
        await write_refusals(shop.rt)
        assert RefusedFor("LIMIT_REACHED", 3) in (await progress(watching)).refused
        assert await refusals_of(rid(9)) == ()


async def test_many_watchers_are_served_by_one_reading_and_the_last_one_ends_it(shop: Shop) -> None:
    await opened(shop)
    watchers = [flash_sale_progress(shop.rt, OPERATOR, SALE) for _ in range(20)]
    shown = await asyncio.gather(*(progress(each) for each in watchers))
    assert len(shop.rt.sales.readers) == 1
    assert all(each is shown[0] for each in shown)
    for each in watchers:
        await each.aclose()
    assert not shop.rt.sales.readers


async def test_the_progress_of_a_sale_ends_with_it(shop: Shop) -> None:
    await opened(shop)
    await closed(shop)
    seen = []
    async with asyncio.timeout(10), aclosing(flash_sale_progress(shop.rt, OPERATOR, SALE)) as all:
        async for each in all:
            seen.append(each)
            await look(shop)
    assert (seen[-1].state, seen[-1].left) == (SaleState.FINISHED, 0)


async def test_no_sale_has_no_progress(shop: Shop) -> None:
    with pytest.raises(BadPage):
        await progress(flash_sale_progress(shop.rt, OPERATOR, SALE))
