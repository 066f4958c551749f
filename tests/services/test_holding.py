"""A request is cut again when its cells have moved to other owners meanwhile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from actors.client import Answer, Divided, StockClient
from domain.commands import CellKey, Line, Receive, Request
from domain.ledger import Note
from services.holding import CUTS, Asked, Placed, place
from tests.actors.world import NOON
from tests.services.world import HERE, THERE, Shop, rid

DEADLINE = NOON + timedelta(minutes=10)


class Restless(StockClient):
    """Hears of a move when it sends: so many times its cells have no common owner any more."""

    def __init__(self, inner: StockClient, moves: int) -> None:
        super().__init__([lane.channel for lane in inner.lanes], inner.ask)
        self.moves = moves
        self.sent: list[list[CellKey]] = []

    def seat_of(self, cell: CellKey) -> str:
        return "one for all" if self.moves else super().seat_of(cell)

    def move(self, request: Request) -> None:
        self.sent.append([line.cell for line in request.lines])
        if self.moves:
            self.moves -= 1
            raise Divided

    async def submit(self, request: Request) -> Answer:
        self.move(request)
        return await super().submit(request)

    async def submit_many(self, requests: Sequence[Request]) -> list[Answer]:
        for request in requests:
            self.move(request)
        return await super().submit_many(requests)


async def placed(shop: Shop, moves: int) -> tuple[object, Restless]:
    for key in (HERE, THERE):
        await shop.rt.stock.submit(
            Request(shop.clock.new_id(), 0, key, (Line(key, Receive(5)),), Note("ann"))
        )
    stock = Restless(shop.rt.stock, moves)
    rt = replace(shop.rt, stock=stock)
    asked = Asked(rid(1), 7, Note("ann"))
    return await place(rt, asked, dict.fromkeys((HERE, THERE), 2), HERE, DEADLINE), stock


async def test_cells_that_moved_apart_are_held_with_their_owners_of_now(shop: Shop) -> None:
    answer, stock = await placed(shop, 1)
    assert isinstance(answer, Placed)
    assert set(answer.own) == {HERE, THERE}
    assert stock.sent == [sorted([HERE, THERE], key=lambda key: key != HERE), [HERE], [THERE]]


async def test_cells_that_never_rest_are_an_outage(shop: Shop) -> None:
    with pytest.raises(Divided):
        await placed(shop, CUTS + 1)
