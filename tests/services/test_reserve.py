"""Reserving lines that name their warehouse, over several owners: all or none, once per id."""

import asyncio

import pytest

from domain.commands import CellKey
from domain.refusals import Conflict, InsufficientStock, Invalid, NotFound, Refusal
from domain.states import ReservationState
from infra.outage import Outage
from services.reservations import ReserveStock
from services.reserve import LINES_LIMIT, TTL_LIMIT_SECONDS, reserve
from services.stock import ReceiveStock, receive
from tests.actors.fake_store import FakeStore
from tests.actors.world import NOON, TTL, kinds
from tests.services.world import (
    ADMIN,
    FAR,
    HERE,
    NEXT_TO_HERE,
    STOREFRONT,
    THERE,
    Shop,
    anywhere,
    order,
    placed,
    reservation,
    rid,
    want,
)


async def fill(shop: Shop, *cells: CellKey, units: int = 10) -> None:
    for cell in cells:
        await receive(shop.rt, ADMIN, ReceiveStock(shop.clock.new_id(), *cell, units))


async def test_an_order_over_several_owners_holds_all_its_lines(
    shop: Shop, ledger: FakeStore
) -> None:
    await fill(shop, HERE, NEXT_TO_HERE, THERE, FAR)
    lines = [want(cell, 2) for cell in (FAR, THERE, NEXT_TO_HERE, HERE)]
    answer = reservation(await reserve(shop.rt, STOREFRONT, order(1, *lines, customer="bob")))
    assert placed(answer) == dict.fromkeys(sorted((HERE, NEXT_TO_HERE, THERE, FAR)), 2)
    assert [line.available_after for line in answer.lines] == [8, 8, 8, 8]
    assert (answer.state, answer.customer) == (ReservationState.HELD, "bob")
    assert (answer.created_at, answer.expires_at) == (NOON, NOON + TTL)
    assert len(ledger.holds) == 4


async def test_lines_of_one_cell_are_one_line(shop: Shop) -> None:
    await fill(shop, HERE)
    answer = await reserve(shop.rt, STOREFRONT, order(1, want(HERE, 2), want(HERE, 3)))
    assert placed(answer) == {HERE: 5}


async def test_a_refusal_releases_the_rest_as_if_it_had_not_been_asked_for(
    shop: Shop, ledger: FakeStore
) -> None:
    await fill(shop, HERE, THERE, FAR)
    lines = [want(HERE, 2), want(THERE, 11), want(FAR, 2)]
    answer = await reserve(shop.rt, STOREFRONT, order(1, *lines))
    assert answer == InsufficientStock(*THERE, 11, 10)
    assert not ledger.holds
    assert kinds(ledger, THERE) == ["receive 10"]
    for cell in (HERE, FAR):
        assert kinds(ledger, cell)[-2:] in (["reserve 2", "release 2"], ["receive 10"])
        assert ledger.cells[cell].units[0] == 10
    again = await reserve(shop.rt, STOREFRONT, order(1, want(HERE, 1), want(THERE, 1)))
    assert placed(again) == {HERE: 1, THERE: 1}


async def test_a_refused_home_asks_nobody_else(shop: Shop, ledger: FakeStore) -> None:
    await fill(shop, HERE, THERE, FAR)
    home, *others = sorted((HERE, THERE, FAR))
    lines = [want(home, 11), *(want(cell, 1) for cell in others)]
    assert isinstance(await reserve(shop.rt, STOREFRONT, order(1, *lines)), InsufficientStock)
    assert [kinds(ledger, cell) for cell in others] == [["receive 10"]] * 2


async def test_the_same_order_again_gets_the_first_answer(shop: Shop, ledger: FakeStore) -> None:
    await fill(shop, HERE, THERE)
    command = order(1, want(HERE, 2), want(THERE, 3))
    first = await reserve(shop.rt, STOREFRONT, command)
    shop.clock.tick(seconds=5)
    turned = order(1, want(THERE, 3), want(HERE, 1), want(HERE, 1))
    assert await reserve(shop.rt, STOREFRONT, turned) == first
    assert len(ledger.entries) == 4


async def test_the_same_order_twice_at_once_is_placed_once(shop: Shop, ledger: FakeStore) -> None:
    await fill(shop, HERE, THERE, FAR)
    command = order(1, want(HERE, 2), want(THERE, 3), want(FAR, 4))
    twins = (reserve(shop.rt, STOREFRONT, command) for _ in range(5))
    answers = [reservation(answer) for answer in await asyncio.gather(*twins)]
    assert all(answer == answers[0] for answer in answers)
    assert len(ledger.entries) == 6


@pytest.mark.parametrize("other", ["content", "caller", "customer", "ttl"])
async def test_the_same_id_for_something_else_conflicts(
    shop: Shop, ledger: FakeStore, other: str
) -> None:
    await fill(shop, HERE, THERE, FAR)
    await reserve(shop.rt, STOREFRONT, order(1, want(HERE, 2), customer="bob"))
    asked = {
        "content": order(1, want(FAR, 2), customer="bob"),
        "caller": order(1, want(HERE, 2), customer="bob"),
        "customer": order(1, want(HERE, 2), customer="eve"),
        "ttl": order(1, want(HERE, 2), ttl_seconds=5, customer="bob"),
    }
    caller = ADMIN if other == "caller" else STOREFRONT
    assert await reserve(shop.rt, caller, asked[other]) == Conflict(rid(1))
    assert len(ledger.holds) == 1


async def test_an_owner_that_is_away_is_an_outage_and_the_same_order_finishes_later(
    shop: Shop, ledger: FakeStore
) -> None:
    await fill(shop, HERE, THERE)
    command = order(1, want(HERE, 2), want(THERE, 3))
    ledger.faults.extend([None, "lost before"])
    with pytest.raises(Outage):
        await reserve(shop.rt, STOREFRONT, command)
    assert len(ledger.holds) == 1
    assert placed(await reserve(shop.rt, STOREFRONT, command)) == {HERE: 2, THERE: 3}
    assert len(ledger.entries) == 4


async def test_a_refused_retry_leaves_what_an_earlier_attempt_made_to_its_deadline(
    shop: Shop, ledger: FakeStore
) -> None:
    """That attempt may still be at work, and about to say yes."""
    await fill(shop, HERE, THERE)
    home, other = sorted((HERE, THERE))
    command = order(1, want(home, 2), want(other, 3))
    assert await shop.dying(2, lambda rt: reserve(rt, STOREFRONT, command))
    await reserve(shop.rt, STOREFRONT, order(2, want(other, 10)))
    answer = await reserve(shop.rt, STOREFRONT, command)
    assert answer == InsufficientStock(*other, 3, 0)
    assert kinds(ledger, home) == ["receive 10", "reserve 2"]
    await shop.tick(seconds=600)
    assert kinds(ledger, home) == ["receive 10", "reserve 2", "expire 2"]


async def test_nothing_is_left_after_the_deadline(shop: Shop, ledger: FakeStore) -> None:
    await fill(shop, HERE, THERE)
    await reserve(shop.rt, STOREFRONT, order(1, want(HERE, 2), want(THERE, 3), ttl_seconds=5))
    await shop.tick(seconds=5)
    assert [ledger.cells[cell].units for cell in (HERE, THERE)] == [[10, 0, 0, 0]] * 2


BAD: list[tuple[ReserveStock, Refusal | str]] = [
    (order(1), Invalid("lines", "must have between 1 and 2000 lines")),
    (order(1, *[want(HERE, 1)] * (LINES_LIMIT + 1)), "lines"),
    (order(1, want(HERE, 1), ttl_seconds=0), "ttlSeconds"),
    (order(1, want(HERE, 1), ttl_seconds=TTL_LIMIT_SECONDS + 1), "ttlSeconds"),
    (order(1, want(HERE, 1), want(HERE, 0)), "lines[1].quantity"),
    (order(1, want(HERE, -4)), "lines[0].quantity"),
    (order(1, want(HERE, 10**12)), "lines[0].quantity"),
    (order(1, want(HERE, 1), customer=" "), "customer"),
    (order(1, want(HERE, 1), channel="x" * 201), "channel"),
    (order(1, want(HERE, 1), region="a\0b"), "region"),
    (order(1, want(HERE, 1), customer="\ud800"), "customer"),
    (order(1, anywhere("NOTHING", 1)), NotFound("sku", "NOTHING")),
    (order(1, want(CellKey("TEA", "MARS"), 1)), NotFound("warehouse", "MARS")),
]


@pytest.mark.parametrize(("command", "expected"), BAD)
async def test_what_is_wrong_with_an_order_is_named(
    shop: Shop, ledger: FakeStore, command: ReserveStock, expected: Refusal | str
) -> None:
    answer = await reserve(shop.rt, STOREFRONT, command)
    if isinstance(expected, str):
        assert isinstance(answer, Invalid)
        assert answer.field == expected
    else:
        assert answer == expected
    assert not ledger.entries


async def test_a_cell_that_would_hold_too_much_of_one_order_is_refused(shop: Shop) -> None:
    await fill(shop, HERE)
    lines = (want(HERE, 10**9), want(HERE, 10**9))
    answer = await reserve(shop.rt, STOREFRONT, order(1, *lines))
    assert isinstance(answer, Invalid)
    assert answer.field == "quantity"
