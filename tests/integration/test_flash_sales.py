"""Flash sales as use cases: their units are set aside all or none, once, and come back."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from domain.flash_sales import SaleState
from domain.refusals import (
    Conflict,
    InsufficientStock,
    Invalid,
    NotFound,
    NotPermitted,
    SaleNotOpen,
)
from infra.locks import alone
from infra.models import FlashSale as SaleRow
from infra.outage import Outage
from services.draw import SaleTerms
from services.flash_sale_rows import Allotment, FlashSale
from services.flash_sales import (
    UpdateFlashSale,
    cancel,
    close,
    create,
    flash_sale,
    flash_sales,
    terms_of,
    update,
)
from services.pages import BadPage
from tests.actors.world import NOON
from tests.integration.sale_shop import (
    CUP,
    CUP_WEST,
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
from tests.integration.test_relay import until
from tests.services.world import ADMIN, OPERATOR, STOREFRONT, Shop, rid


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(tmp_path_factory.mktemp("sales")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with sale_shop(url) as opened:
        yield opened


def made(answer: object) -> FlashSale:
    assert isinstance(answer, FlashSale), answer
    return answer


async def test_a_new_sale_has_its_units_set_aside(shop: Shop) -> None:
    answer = made(await create(shop.rt, OPERATOR, sale()))
    assert (answer.state, answer.revision) == (SaleState.SCHEDULED, 1)
    assert (answer.allotments, answer.created_by) == ({TEA: 10, TEA_WEST: 20}, "otto")
    assert await units(TEA) == (FULL - 10, 10)
    assert await units(TEA_WEST) == (FULL - 20, 20)


async def test_the_same_sale_again_is_the_same_sale(shop: Shop) -> None:
    first = await create(shop.rt, OPERATOR, sale())
    lines = (Allotment(*TEA_WEST, 20), Allotment(*TEA, 10))
    assert await create(shop.rt, OPERATOR, sale(allotments=lines)) == first
    assert await units(TEA) == (FULL - 10, 10)
    shop.clock.tick(days=2)
    assert await create(shop.rt, OPERATOR, sale()) == first


async def test_five_twins_at_once_make_one_sale(shop: Shop) -> None:
    twins = (create(shop.rt, OPERATOR, sale()) for _ in range(5))
    answers = await asyncio.gather(*twins)
    assert all(made(answer) == answers[0] for answer in answers)
    assert await units(TEA) == (FULL - 10, 10)


async def test_the_same_id_for_another_sale_conflicts(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    assert await create(shop.rt, OPERATOR, sale(name="Cup time")) == Conflict(SALE)
    assert await create(shop.rt, ADMIN, sale()) == Conflict(SALE)


async def test_a_sale_that_cannot_have_all_its_units_has_none_and_its_id_is_free(
    shop: Shop,
) -> None:
    lines = (Allotment(*TEA, 10), Allotment(*TEA_WEST, FULL + 1))
    answer = await create(shop.rt, OPERATOR, sale(allotments=lines))
    assert answer == InsufficientStock(*TEA_WEST, FULL + 1, FULL)
    assert [await units(TEA), await units(TEA_WEST)] == [(FULL, 0)] * 2
    assert await flash_sale(shop.rt, OPERATOR, SALE) is None
    made(await create(shop.rt, OPERATOR, sale()))
    assert await units(TEA) == (FULL - 10, 10)


@pytest.mark.parametrize("steps", range(6))
async def test_a_sale_whose_maker_dies_anywhere_is_finished_by_the_same_call(
    shop: Shop, steps: int
) -> None:
    await shop.dying(steps, lambda rt: create(rt, OPERATOR, sale()))
    assert made(await create(shop.rt, OPERATOR, sale())).revision == 1
    assert [await units(TEA), await units(TEA_WEST)] == [(FULL - 10, 10), (FULL - 20, 20)]


@pytest.mark.parametrize("steps", range(8))
async def test_a_refused_sale_whose_maker_dies_anywhere_keeps_nothing(
    shop: Shop, steps: int
) -> None:
    lines = (Allotment(*TEA, 10), Allotment(*CUP, 10), Allotment(*TEA_WEST, FULL + 1))
    await shop.dying(steps, lambda rt: create(rt, OPERATOR, sale(allotments=lines)))
    answer = await create(shop.rt, OPERATOR, sale(allotments=lines))
    assert isinstance(answer, InsufficientStock)
    assert [await units(cell) for cell in (TEA, CUP, TEA_WEST)] == [(FULL, 0)] * 3


async def test_a_storefront_sees_sales_and_changes_none(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    assert made(await flash_sale(shop.rt, STOREFRONT, SALE)).id == SALE
    for answer in (
        await create(shop.rt, STOREFRONT, sale()),
        await update(shop.rt, STOREFRONT, UpdateFlashSale(SALE, name="Mine")),
        await cancel(shop.rt, STOREFRONT, SALE),
        await close(shop.rt, STOREFRONT, SALE),
    ):
        assert answer == NotPermitted("sale:write")


async def test_an_update_moves_only_the_difference(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    lines = (Allotment(*TEA, 4), Allotment(*CUP, 7))
    command = UpdateFlashSale(SALE, name="Cup time", is_unlimited=True, allotments=lines)
    answer = made(await update(shop.rt, OPERATOR, command))
    assert (answer.name, answer.limit_per_customer, answer.revision) == ("Cup time", None, 2)
    assert answer.allotments == {TEA: 4, CUP: 7}
    expected = [(FULL - 4, 4), (FULL, 0), (FULL - 7, 7)]
    assert [await units(cell) for cell in (TEA, TEA_WEST, CUP)] == expected
    assert await update(shop.rt, OPERATOR, command) == answer


async def test_a_refused_update_leaves_the_sale_as_it_was(shop: Shop) -> None:
    first = await create(shop.rt, OPERATOR, sale())
    lines = (Allotment(*TEA, 1), Allotment(*CUP, 5), Allotment(*CUP_WEST, FULL + 1))
    command = UpdateFlashSale(SALE, name="Too much", allotments=lines)
    for _ in range(2):
        assert isinstance(await update(shop.rt, OPERATOR, command), InsufficientStock)
        assert await flash_sale(shop.rt, OPERATOR, SALE) == first
        assert [await units(TEA), await units(CUP)] == [(FULL - 10, 10), (FULL, 0)]


@pytest.mark.parametrize("steps", range(6))
async def test_an_update_that_breaks_off_anywhere_is_finished_by_the_same_call(
    shop: Shop, steps: int
) -> None:
    await create(shop.rt, OPERATOR, sale())
    command = UpdateFlashSale(SALE, allotments=(Allotment(*TEA, 4), Allotment(*CUP, 7)))
    await shop.dying(steps, lambda rt: update(rt, OPERATOR, command))
    assert made(await update(shop.rt, OPERATOR, command)).allotments == {TEA: 4, CUP: 7}
    expected = [(FULL - 4, 4), (FULL, 0), (FULL - 7, 7)]
    assert [await units(cell) for cell in (TEA, TEA_WEST, CUP)] == expected


async def test_a_sale_is_not_changed_when_it_opens_in_a_moment(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    shop.clock.tick(hours=1, seconds=-1)
    for answer in (
        await update(shop.rt, OPERATOR, UpdateFlashSale(SALE, name="Late")),
        await cancel(shop.rt, OPERATOR, SALE),
    ):
        assert isinstance(answer, Invalid)
        assert answer.field == "id"


async def test_a_cancelled_sale_has_given_everything_back(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    answer = made(await cancel(shop.rt, OPERATOR, SALE))
    assert (answer.state, answer.closed_at) == (SaleState.CANCELLED, NOON)
    assert [await units(TEA), await units(TEA_WEST)] == [(FULL, 0)] * 2
    assert await cancel(shop.rt, OPERATOR, SALE) == answer
    assert await terms_of(shop.rt, SALE) == SaleNotOpen(None, NOON)
    late = await update(shop.rt, OPERATOR, UpdateFlashSale(SALE, name="Late"))
    assert late == Invalid("id", "the sale is cancelled")


async def test_an_open_sale_is_closed_early_and_one_that_is_not_open_is_not(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    early = Invalid("id", "the sale has not opened: it can be cancelled")
    assert await close(shop.rt, OPERATOR, SALE) == early
    shop.clock.tick(hours=1, minutes=5)
    answer = made(await close(shop.rt, OPERATOR, SALE))
    now = shop.clock.now()
    assert (answer.state, answer.closes_at, answer.closed_at) == (SaleState.CLOSED, now, now)
    assert await close(shop.rt, OPERATOR, SALE) == answer


async def test_a_sale_that_does_not_exist_is_not_found(shop: Shop) -> None:
    missing = NotFound("flash sale", str(SALE))
    assert await update(shop.rt, OPERATOR, UpdateFlashSale(SALE)) == missing
    assert await cancel(shop.rt, OPERATOR, SALE) == missing
    assert await close(shop.rt, OPERATOR, SALE) == missing
    assert await terms_of(shop.rt, SALE) == missing
    assert await flash_sale(shop.rt, OPERATOR, SALE) is None


async def test_reservations_are_told_the_terms_of_the_sale(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    assert await terms_of(shop.rt, SALE) == SaleTerms(
        SALE, TEA, (TEA, TEA_WEST), f"sale:{SALE}", NOON + HOUR, NOON + 2 * HOUR, 2, 60, False
    )


async def test_a_change_by_another_process_is_seen_within_a_second(shop: Shop) -> None:
    await create(shop.rt, OPERATOR, sale())
    await terms_of(shop.rt, SALE)
    await SaleRow.filter(id=SALE).update(limit_per_customer=5)

    async def known() -> bool:
        terms = await terms_of(shop.rt, SALE)
        return isinstance(terms, SaleTerms) and terms.limit_per_customer == 5

    async with asyncio.timeout(1):
        await until(known)


async def test_sales_are_listed_the_latest_first_page_by_page(shop: Shop) -> None:
    for number in range(5):
        line = (Allotment(*CUP, 1),)
        at = NOON + HOUR * (1 + number // 2)
        command = sale(rid(number), opens_at=at, closes_at=at + HOUR, allotments=line)
        made(await create(shop.rt, OPERATOR, command))
    await cancel(shop.rt, OPERATOR, rid(3))
    seen: list[int] = []
    after = None
    while True:
        page = await flash_sales(shop.rt, STOREFRONT, (SaleState.SCHEDULED,), 2, after)
        assert not isinstance(page, NotPermitted)
        seen += [item.id.int for item in page.items]
        if not page.has_next:
            break
        after = page.cursors[-1]
    assert seen == [4, 2, 1, 0]
    with pytest.raises(BadPage):
        await flash_sales(shop.rt, STOREFRONT, None, 2, "WyJhIiwiYiJd")


async def test_who_comes_while_somebody_else_is_at_it_for_long_is_told_to_ask_again(
    shop: Shop,
) -> None:
    async with alone(7, 0):
        async with alone(8, 0):
            pass
        with pytest.raises(Outage):
            async with alone(7, 0.1):
                pass
    async with alone(7, 0) as lock:
        assert await lock.is_held()
