"""What the keeper of hot pairs does with what the owners tell: seats, counts, and no memory that
another keeper would miss."""

from collections.abc import Collection

from actors.seating import Seated
from domain.commands import CellKey
from infra.outage import Outage
from infra.seats import HeatCounts
from services.hot_pairs import HotPairs
from tests.actors.test_client import FakeChannel, by_id
from tests.services.world import HERE, Shop

HOT_SEAT = f"hot-{HERE.sku}@{HERE.warehouse}"
NOBODY = (None, None, None, None, None, None, 0)


class Seats:
    """All commands are for one pair, wherever it is."""

    def __init__(self) -> None:
        self.placed: dict[CellKey, str] = {}
        self.rate = 900.0
        self.is_busy = False
        self.promoted = 0
        self.demoted = 0

    def channel(self, _seat: str) -> FakeChannel:
        return FakeChannel(by_id)

    async def place(self, cells: Collection[CellKey], seat: str) -> None:
        raise AssertionError("whoever is hot yields to what is placed")

    async def unplace(self, cells: Collection[CellKey]) -> None:
        raise AssertionError("only one seat is given up")

    async def promote(self, cell: CellKey, seat: str) -> bool:
        if self.is_busy:
            raise Outage("no owner is free", "BUSY")
        self.promoted += 1
        return self.placed.setdefault(cell, seat) == seat

    async def demote(self, seat: str) -> list[CellKey]:
        self.demoted += 1
        gone = [cell for cell, name in self.placed.items() if name == seat]
        self.placed = {cell: name for cell, name in self.placed.items() if name != seat}
        return gone

    async def heat_counts(self) -> HeatCounts:
        return HeatCounts(self.promoted, self.demoted)

    async def ownership(self) -> list[Seated]:
        busiest = ((HERE, self.rate),)
        where = self.placed.get(HERE, "shared-0")
        return [
            Seated(
                name,
                name != "shared-0",
                tuple(c for c, s in self.placed.items() if s == name),
                *NOBODY,
                self.rate if name == where else 0.0,
                busiest if name == where else (),
            )
            for name in sorted({"shared-0", *self.placed.values()})
        ]

    def close(self) -> None:
        """Holds nothing."""


class Watch:
    def __init__(self) -> None:
        self.seconds = 10.0

    def __call__(self) -> float:
        return self.seconds


class Kept:
    """A shop's seats, and the keeper that looks after them."""

    def __init__(self, shop: Shop) -> None:
        self.seats = Seats()
        shop.rt.stock.seating = self.seats
        self.rt = shop.rt
        self.watch = Watch()
        self.keeper = HotPairs(self.rt, self.watch)

    async def look_for(self, seconds: int) -> None:
        for _ in range(seconds + 1):
            await self.keeper.look()
            self.watch.seconds += 1

    @property
    def moves(self) -> tuple[int, int]:
        return self.seats.promoted, self.seats.demoted


async def test_a_hot_pair_gets_a_seat_and_loses_it_when_it_has_cooled(shop: Shop) -> None:
    kept = Kept(shop)
    await kept.look_for(2)
    assert not kept.seats.placed
    await kept.look_for(1)
    assert (kept.seats.placed, kept.moves) == ({HERE: HOT_SEAT}, (1, 0))
    assert shop.rt.stock.seat_of(HERE) == HOT_SEAT
    await kept.look_for(60)
    assert kept.moves == (1, 0)
    kept.seats.rate = 50.0
    await kept.look_for(29)
    assert kept.moves == (1, 0)
    await kept.look_for(1)
    assert (kept.seats.placed, kept.moves) == ({}, (1, 1))
    assert shop.rt.stock.seat_of(HERE).startswith("shared-")


async def test_the_next_keeper_demotes_what_one_that_died_has_promoted(shop: Shop) -> None:
    kept = Kept(shop)
    await kept.look_for(3)
    assert kept.seats.placed == {HERE: HOT_SEAT}
    kept.seats.rate = 0.0
    kept.keeper = HotPairs(kept.rt, kept.watch)
    await kept.look_for(30)
    assert (kept.seats.placed, kept.moves) == ({}, (1, 1))


async def test_without_a_free_process_the_pair_stays_and_is_tried_again(shop: Shop) -> None:
    kept = Kept(shop)
    kept.seats.is_busy = True
    await kept.look_for(4)
    assert (kept.seats.placed, kept.moves) == ({}, (0, 0))
    kept.seats.is_busy = False
    await kept.look_for(3)
    assert (kept.seats.placed, kept.moves) == ({HERE: HOT_SEAT}, (1, 0))


async def test_a_pair_that_went_to_a_sale_meanwhile_is_left_there(shop: Shop) -> None:
    kept = Kept(shop)
    kept.seats.placed[HERE] = "sale-1"
    await kept.keeper.promote(HERE)
    assert kept.seats.placed == {HERE: "sale-1"}
    assert shop.rt.stock.seat_of(HERE).startswith("shared-")
