"""A client follows cells to the seats that they have moved to, with the same ids."""

from collections.abc import Collection

import pytest

from actors.client import HOPS_SECONDS, Ask, Divided, StockClient
from actors.directory import owner_of, shared
from actors.lane import Gone
from actors.seating import Seated
from actors.wire import Moved, Reply
from domain.commands import CellKey, Receive, Request
from infra.outage import Outage
from infra.seats import HeatCounts
from tests.actors.test_client import FakeChannel, by_id, nobody, nothing, yes
from tests.actors.world import BERLIN, PARIS, ask, receive

HOT = "hot-1"
HOME, AWAY = owner_of(BERLIN, 2), owner_of(PARIS, 2)


class Placement:
    """Channels that answer by a placement that the test changes; no seat is without an owner."""

    def __init__(self) -> None:
        self.placed: dict[CellKey, str] = {}
        self.gone: set[str] = set()
        self.asked: list[tuple[str, int]] = []
        self.closed: list[str] = []
        self.stock = StockClient(
            [self.channel(shared(0)), self.channel(shared(1))], Ask(nobody, nothing, yes), self
        )

    def seat_of(self, cell: CellKey) -> str:
        return self.placed.get(cell) or shared(owner_of(cell, 2))

    def channel(self, seat: str) -> "SeatChannel":
        return SeatChannel(self, seat)

    async def place(self, cells: Collection[CellKey], seat: str) -> None:
        self.placed |= dict.fromkeys(cells, seat)

    async def unplace(self, cells: Collection[CellKey]) -> None:
        for cell in cells:
            del self.placed[cell]

    async def promote(self, cell: CellKey, seat: str) -> bool:
        return self.placed.setdefault(cell, seat) == seat

    async def demote(self, seat: str) -> list[CellKey]:
        cells = [cell for cell, name in self.placed.items() if name == seat]
        await self.unplace(cells)
        return cells

    async def heat_counts(self) -> HeatCounts:
        return HeatCounts(1, 0)

    async def ownership(self) -> list[Seated]:
        return [Seated(HOT, True, (BERLIN,), None, None, None, None, None, None, 0)]

    def close(self) -> None:
        """Holds nothing."""


class SeatChannel(FakeChannel):
    def __init__(self, placement: Placement, seat: str) -> None:
        super().__init__(self.reply)
        self.placement = placement
        self.seat = seat

    async def call(self, frame: bytes) -> bytes:
        if self.seat in self.placement.gone:
            raise Gone("no such seat")
        return await super().call(frame)

    def reply(self, request: Request) -> Reply:
        self.placement.asked.append((self.seat, request.id.int))
        cells = [CellKey(*line[0]) for line in request.lines]
        seats = tuple((cell, self.placement.seat_of(cell)) for cell in cells)
        return by_id(request) if {seat for _, seat in seats} == {self.seat} else Moved(seats)

    def close(self) -> None:
        self.placement.closed.append(self.seat)


async def test_a_request_follows_its_cell_and_the_next_goes_there_at_once() -> None:
    world = Placement()
    world.placed[BERLIN] = HOT
    assert await world.stock.submit(receive(1, 1)) == by_id(receive(1, 1))
    assert await world.stock.submit_many([receive(2, 1), receive(3, 1, PARIS)]) == [
        by_id(receive(2, 1)),
        by_id(receive(3, 1)),
    ]
    assert world.asked == [(shared(HOME), 1), (HOT, 1), (HOT, 2), (shared(AWAY), 3)]


async def test_a_cell_that_moves_back_is_found_and_its_seat_is_forgotten() -> None:
    world = Placement()
    await world.stock.place([BERLIN], HOT)
    await world.stock.submit(receive(1, 1))
    del world.placed[BERLIN]
    assert await world.stock.submit(receive(2, 1)) == by_id(receive(2, 1))
    assert world.asked == [(HOT, 1), (HOT, 2), (shared(HOME), 2)]
    assert not world.stock.dedicated
    assert world.closed == [HOT]


async def test_a_seat_that_is_no_more_sends_its_cells_home() -> None:
    world = Placement()
    await world.stock.place([BERLIN], HOT)
    world.placed.clear()
    world.gone.add(HOT)
    assert await world.stock.submit(receive(1, 1)) == by_id(receive(1, 1))
    assert world.asked == [(shared(HOME), 1)]


async def test_cells_that_have_moved_apart_must_be_cut_again() -> None:
    world = Placement()
    await world.stock.place([BERLIN, PARIS], HOT)
    both = ask(1, (BERLIN, Receive(1)), (PARIS, Receive(1)))
    assert await world.stock.submit(both) == by_id(both)
    await world.stock.unplace([PARIS])
    with pytest.raises(Divided):
        await world.stock.submit(both)
    await world.stock.place([PARIS], HOT)
    del world.placed[PARIS]
    with pytest.raises(Divided):
        await world.stock.submit_many([both])
    assert world.stock.seat_of(PARIS) == shared(AWAY)


async def test_a_request_that_is_sent_to_and_fro_is_given_up() -> None:
    class Confused(FakeChannel):
        def __init__(self, cells: tuple[tuple[CellKey, str], ...]) -> None:
            super().__init__(lambda request: Moved(cells))

    channels = [Confused(((BERLIN, shared(AWAY)),)), Confused(((BERLIN, shared(HOME)),))]
    stock = StockClient(channels, Ask(nobody, nothing, yes))
    with pytest.raises(Outage, match="moving"):
        await stock.submit(receive(1, 1))
    assert sum(len(channel.frames) for channel in channels) == 1 + len(HOPS_SECONDS)


async def test_an_owner_without_a_seat_is_looked_for_again() -> None:
    class StoodDown(FakeChannel):
        closed = 0

        def close(self) -> None:
            self.closed += 1
            self.answerer = by_id

    channel = StoodDown(lambda request: Moved(()))
    stock = StockClient([channel], Ask(nobody, nothing, yes))
    assert await stock.submit(receive(1, 1)) == by_id(receive(1, 1))
    assert channel.closed == 1


async def test_who_sits_where_is_asked_of_the_seating() -> None:
    world = Placement()
    (seat,) = await world.stock.ownership()
    assert (seat.name, seat.cells) == (HOT, (BERLIN,))
    alone = StockClient([FakeChannel()], Ask(nobody, nothing, yes))
    assert await alone.ownership() == []
    await alone.place([BERLIN], HOT)
    await alone.unplace([BERLIN])
    assert isinstance(await alone.submit(receive(1, 1)), type(by_id(receive(1, 1))))
