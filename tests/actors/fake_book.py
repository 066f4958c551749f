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

    async def renew(self, holder: UUID, seat: str) -> bool:
        self.answers()
        if self.holders.get(seat) != holder:
            return False
        self.lapsed.discard(seat)
        return True

    async def leave(self, holder: UUID) -> None:
        self.answers()
        self.holders = {s: None if h == holder else h for s, h in self.holders.items()}

    async def placements(self) -> dict[CellKey, str]:
        self.answers()
        return dict(self.placed)
