"""The seat table in memory, with the rules of infra/seats.py. Who is connected, whose lease is over
and whether the database answers is told."""

from uuid import UUID

from domain.commands import CellKey
from infra.outage import Outage
from infra.seats import Address


class FakeBook:
    def __init__(self, *seats: str) -> None:
        self.holders: dict[str, UUID | None] = dict.fromkeys(seats)
        self.present: set[UUID] = set()
        self.lapsed: set[str] = set()
        self.placed: dict[CellKey, str] = {}
        self.is_down = False
        self.is_unreadable = False
        self.reads = 0
        self.version = 0
        self.told: dict[CellKey, str] = {}

    def answers(self) -> None:
        if self.is_down:
            raise Outage("the database does not answer")

    async def take(self, holder: UUID, at: Address) -> str | None:
        self.answers()
        for seat, sits in sorted(self.holders.items()):
            if sits in (None, holder) or sits not in self.present or seat in self.lapsed:
                self.holders[seat] = holder
                self.lapsed.discard(seat)
                return seat
        return None

    async def renew(self, holder: UUID, seat: str) -> int | None:
        self.answers()
        if self.holders.get(seat) != holder:
            return None
        self.lapsed.discard(seat)
        if self.placed != self.told:
            self.told = dict(self.placed)
            self.version += 1
        return self.version

    async def leave(self, holder: UUID) -> None:
        self.answers()
        self.holders = {s: None if h == holder else h for s, h in self.holders.items()}

    async def placements(self) -> dict[CellKey, str]:
        self.answers()
        if self.is_unreadable:
            raise Outage("the placement cannot be read")
        self.reads += 1
        return dict(self.placed)
