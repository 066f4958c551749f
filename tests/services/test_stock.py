"""Receiving, adjusting, moving and returning stock: once per id, and what is wrong is named."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.commands import CellKey
from domain.ledger import Bucket
from domain.refusals import Conflict, InsufficientStock, Invalid, NotFound, Stale
from services.levels import StockLevel
from services.stock import (
    AdjustStock,
    MoveStock,
    ReceiveStock,
    ReturnStock,
    adjust,
    move,
    receive,
    return_stock,
    stock_level,
)
from tests.actors.fake_store import FakeStore
from tests.actors.world import kinds
from tests.services.world import ADMIN, HERE, STOREFRONT, Shop, rid

Verb = Callable[..., Awaitable[Any]]
AVAILABLE, DAMAGED = Bucket.AVAILABLE, Bucket.DAMAGED


def buckets(answer: object) -> tuple[int, int, int, int, int]:
    assert isinstance(answer, StockLevel), answer
    numbers = (answer.available, answer.reserved, answer.quarantined, answer.damaged)
    return (answer.on_hand, *numbers)


async def test_stock_comes_in_is_corrected_moved_and_comes_back(shop: Shop) -> None:
    rt = shop.rt
    answers = [
        await receive(rt, ADMIN, ReceiveStock(rid(1), *HERE, 10, "PO 7", "lot A")),
        await adjust(rt, ADMIN, AdjustStock(rid(2), *HERE, AVAILABLE, -2, "LOST", "in the yard")),
        await move(rt, ADMIN, MoveStock(rid(3), *HERE, AVAILABLE, DAMAGED, 1)),
        await return_stock(rt, ADMIN, ReturnStock(rid(4), *HERE, 3, reference="C 1")),
    ]
    assert [buckets(answer) for answer in answers] == [
        (10, 10, 0, 0, 0),
        (8, 8, 0, 0, 0),
        (8, 7, 0, 0, 1),
        (11, 7, 0, 3, 1),
    ]
    assert [answer.seq for answer in answers if isinstance(answer, StockLevel)] == [1, 2, 3, 4]


async def test_what_people_say_of_a_change_stands_in_the_ledger(
    shop: Shop, ledger: FakeStore
) -> None:
    rt = shop.rt
    await receive(rt, ADMIN, ReceiveStock(rid(1), *HERE, 10, "PO 7", "lot A"))
    await adjust(rt, ADMIN, AdjustStock(rid(2), *HERE, AVAILABLE, -2, "LOST", "in the yard"))
    await adjust(rt, ADMIN, AdjustStock(rid(3), *HERE, AVAILABLE, -2, "THEFT"))
    assert [row[6:] for row in ledger.entries.values()] == [
        ("ann", "PO 7", None, "lot A"),
        ("ann", None, "LOST: in the yard", None),
        ("ann", None, "THEFT", None),
    ]


async def test_the_same_change_again_gets_the_first_answer(shop: Shop, ledger: FakeStore) -> None:
    first = await receive(shop.rt, ADMIN, ReceiveStock(rid(1), *HERE, 10))
    await receive(shop.rt, ADMIN, ReceiveStock(rid(2), *HERE, 5))
    assert await receive(shop.rt, ADMIN, ReceiveStock(rid(1), *HERE, 10)) == first
    assert kinds(ledger, HERE) == ["receive 10", "receive 5"]


async def test_an_id_is_good_for_one_content_of_one_verb(shop: Shop, ledger: FakeStore) -> None:
    await receive(shop.rt, ADMIN, ReceiveStock(rid(1), *HERE, 10, "PO 7"))
    for verb, command in (
        (receive, ReceiveStock(rid(1), *HERE, 10, "PO 8")),
        (receive, ReceiveStock(rid(1), *HERE, 11, "PO 7")),
        (return_stock, ReturnStock(rid(1), *HERE, 10, AVAILABLE, "PO 7")),
    ):
        ask: Verb = verb
        assert await ask(shop.rt, ADMIN, command) == Conflict(rid(1))
    assert kinds(ledger, HERE) == ["receive 10"]


async def test_expected_noes_come_back_as_values(shop: Shop) -> None:
    rt = shop.rt
    await receive(rt, ADMIN, ReceiveStock(rid(1), *HERE, 10))
    stale = AdjustStock(rid(2), *HERE, AVAILABLE, -2, "LOST", change_from=9)
    assert await adjust(rt, ADMIN, stale) == Stale(9, 10)
    lost = AdjustStock(rid(3), *HERE, AVAILABLE, -11, "LOST")
    assert await adjust(rt, ADMIN, lost) == InsufficientStock(*HERE, 11, 10)
    gone = MoveStock(rid(4), *HERE, DAMAGED, AVAILABLE, 1)
    assert await move(rt, ADMIN, gone) == InsufficientStock(*HERE, 1, 0)


NOWHERE = CellKey("TEA", "MARS")
NOTHING = CellKey("NOTHING", "BERLIN")
BAD: list[tuple[Verb, Any, str]] = [
    (receive, ReceiveStock(rid(1), *HERE, 0), "quantity"),
    (receive, ReceiveStock(rid(1), *HERE, 10**9 + 1), "quantity"),
    (receive, ReceiveStock(rid(1), *HERE, 1, reference=""), "reference"),
    (receive, ReceiveStock(rid(1), *HERE, 1, lot="l" * 201), "lot"),
    (adjust, AdjustStock(rid(1), *HERE, AVAILABLE, 0, "LOST"), "delta"),
    (adjust, AdjustStock(rid(1), *HERE, Bucket.RESERVED, 1, "LOST"), "bucket"),
    (adjust, AdjustStock(rid(1), *HERE, AVAILABLE, 1, "LOST", "n" * 901), "note"),
    (move, MoveStock(rid(1), *HERE, AVAILABLE, AVAILABLE, 1), "to"),
    (move, MoveStock(rid(1), *HERE, AVAILABLE, DAMAGED, -1), "quantity"),
    (move, MoveStock(rid(1), *HERE, AVAILABLE, DAMAGED, 1, note="\t"), "note"),
    (return_stock, ReturnStock(rid(1), *HERE, 1, Bucket.RESERVED), "to"),
    (return_stock, ReturnStock(rid(1), *HERE, 1, reference="\x01"), "reference"),
]


@pytest.mark.parametrize(("verb", "command", "field"), BAD)
async def test_what_is_wrong_with_a_change_is_named(
    shop: Shop, ledger: FakeStore, verb: Verb, command: Any, field: str
) -> None:
    answer = await verb(shop.rt, ADMIN, command)
    assert isinstance(answer, Invalid)
    assert answer.field == field
    assert not ledger.entries


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        (receive, lambda key: ReceiveStock(rid(1), key.sku, key.warehouse, 1)),
        (adjust, lambda key: AdjustStock(rid(1), key.sku, key.warehouse, AVAILABLE, 1, "FOUND")),
        (move, lambda key: MoveStock(rid(1), key.sku, key.warehouse, AVAILABLE, DAMAGED, 1)),
        (return_stock, lambda key: ReturnStock(rid(1), key.sku, key.warehouse, 1)),
    ],
)
async def test_a_cell_of_no_sku_or_warehouse_is_not_found(
    shop: Shop, verb: Verb, command: Callable[[CellKey], Any]
) -> None:
    assert await verb(shop.rt, ADMIN, command(NOWHERE)) == NotFound("warehouse", "MARS")
    assert await verb(shop.rt, ADMIN, command(NOTHING)) == NotFound("sku", "NOTHING")


async def test_a_strong_read_is_what_the_owner_knows(shop: Shop) -> None:
    level = await stock_level(shop.rt, STOREFRONT, *HERE, strong=True)
    assert buckets(level) == (0, 0, 0, 0, 0)
    await receive(shop.rt, ADMIN, ReceiveStock(rid(1), *HERE, 10))
    level = await stock_level(shop.rt, STOREFRONT, *HERE, strong=True)
    assert buckets(level) == (10, 10, 0, 0, 0)
    assert await stock_level(shop.rt, STOREFRONT, *NOWHERE, strong=True) is None
