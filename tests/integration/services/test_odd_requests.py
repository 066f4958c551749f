"""Texts that no table can hold, cursors that are not ours, goods for what is closed."""

import pytest

from domain.access import Permission
from domain.refusals import Invalid, NotFound, NotPermitted
from infra.models import Sku
from services.catalogue import SkuRow, WarehouseRow, sku, skus, upsert_skus, upsert_warehouses
from services.ledger import ledger
from services.levels import StockFilter
from services.pages import BadPage, Page, cursor
from services.reserve import reserve
from services.stock import ReceiveStock, receive, stock_level, stock_levels
from tests.integration.services.books import Books
from tests.services.world import (
    ADMIN,
    HERE,
    OPERATOR,
    STOREFRONT,
    Process,
    Shop,
    anywhere,
    order,
    reservation,
    rid,
    want,
)

ODD = ["NUL\0", "half \ud800", "", "x" * 5_000, "%", "'; --"]


@pytest.mark.parametrize("text", ODD)
async def test_a_code_that_cannot_be_one_is_not_found(shop: Shop, text: str) -> None:
    rt = shop.rt
    assert await sku(rt, ADMIN, text) is None
    assert await stock_level(rt, ADMIN, text, "BERLIN", strong=True) is None
    assert await stock_level(rt, ADMIN, "TEA", text, strong=True) is None
    assert await receive(rt, ADMIN, ReceiveStock(rid(1), text, "BERLIN", 1)) == NotFound(
        "sku", text
    )
    assert await reserve(rt, ADMIN, order(1, anywhere(text, 1))) == NotFound("sku", text)
    assert await ledger(rt, ADMIN, text, "BERLIN", 10, None) == Page([], [], False)
    assert await ledger(rt, ADMIN, "TEA", text, 10, None) == Page([], [], False)


@pytest.mark.parametrize("text", [odd for odd in ODD if odd])
async def test_a_search_for_what_cannot_be_finds_nothing(shop: Shop, text: str) -> None:
    found = await skus(shop.rt, ADMIN, text, 10, None)
    assert found == Page([], [], False)


@pytest.mark.parametrize("text", ODD)
async def test_a_filter_finds_nothing_or_is_named(shop: Shop, text: str) -> None:
    for field in ("skus", "warehouses", "categories", "regions"):
        wanted = StockFilter(**{field: (text,)})  # type: ignore[arg-type]
        try:
            found = await stock_levels(shop.rt, ADMIN, wanted, 10, None)
        except BadPage as bad:
            named = bad.field
        else:
            named = f"filter.{field}"
            assert found == Page([], [], False)
        assert named == f"filter.{field}"


BAD_CURSORS = [
    "nonsense",
    "\ud800",
    "x" * 1_000,
    cursor(("A", "B", "C")),
    cursor((1, 2)),
    cursor(("NUL\0", "B")),
    cursor((2**40,)),
    cursor((-1,)),
]


@pytest.mark.parametrize("after", BAD_CURSORS)
async def test_a_cursor_that_is_not_of_this_list_is_named(shop: Shop, after: str) -> None:
    for ask in (
        stock_levels(shop.rt, ADMIN, StockFilter(), 10, after),
        ledger(shop.rt, ADMIN, *HERE, 10, after),
    ):
        with pytest.raises(BadPage) as bad:
            await ask
        assert bad.value.field == "after"


async def test_upserts_answer_row_by_row_and_twice_is_once(shop: Shop) -> None:
    rows = [
        SkuRow("NEW", "New"),
        SkuRow(" ", "Blank"),
        SkuRow("BAD", "x\0"),
        SkuRow("NEW", "Newer"),
    ]
    for _ in range(2):
        answers = await upsert_skus(shop.rt, ADMIN, rows)
        fields = [answer.field if isinstance(answer, Invalid) else answer for answer in answers]
        assert fields == [None, "code", "name", None]
    known = await sku(shop.rt, STOREFRONT, "NEW")
    assert known is not None
    assert not isinstance(known, NotPermitted)
    assert known.name == "Newer"
    places = [WarehouseRow("OSLO", "Oslo", "NORTH", 5), WarehouseRow("BAD", "Bad", "N", -1)]
    answers = await upsert_warehouses(shop.rt, ADMIN, places)
    assert [answer.field if isinstance(answer, Invalid) else answer for answer in answers] == [
        None,
        "priority",
    ]
    no = NotPermitted(Permission.CATALOGUE)
    assert await upsert_skus(shop.rt, OPERATOR, rows[:1]) == [no]


async def close(shop: Shop, code: str) -> None:
    await Sku.filter(code=code).update(is_active=False)
    shop.catalogue.forget(skus=[code])


async def test_what_is_closed_gets_no_goods_and_no_orders(shop: Shop) -> None:
    gone = ReceiveStock(rid(1), "GONE", "BERLIN", 1)
    answer = await receive(shop.rt, ADMIN, gone)
    assert isinstance(answer, Invalid)
    assert answer.field == "sku"
    shut = ReceiveStock(rid(1), "TEA", "CLOSED", 1)
    answer = await receive(shop.rt, ADMIN, shut)
    assert isinstance(answer, Invalid)
    assert answer.field == "warehouse"
    lines = (want(HERE, 1), anywhere("GONE", 1))
    refused = await reserve(shop.rt, STOREFRONT, order(1, *lines))
    assert isinstance(refused, Invalid)
    assert refused.field == "lines[1].sku"


async def test_what_was_done_before_it_closed_gets_its_first_answer(
    shop: Shop, books: Books
) -> None:
    goods = ReceiveStock(rid(1), *HERE, 10)
    first = await receive(shop.rt, ADMIN, goods)
    held = reservation(await reserve(shop.rt, STOREFRONT, order(2, want(HERE, 1))))
    await close(shop, HERE.sku)
    again = await receive(shop.rt, ADMIN, goods)
    assert again != Invalid("sku", f"{HERE.sku} is not active")
    assert getattr(again, "seq", None) == getattr(first, "seq", 0)
    other = shop.runtime(Process(None))
    assert await reserve(other, STOREFRONT, order(2, want(HERE, 1))) == held
    assert await books.kinds(HERE) == ["receive 10", "reserve 1"]
