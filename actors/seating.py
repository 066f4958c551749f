"""What a client asks and tells of seats, beside the flow of requests."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.commands import CellKey
from domain.heat import SeatReason
from infra.seats import HeatCounts, reason_of


class Seated(NamedTuple):
    """One seat. What its holder did not tell in time, or an empty seat cannot, is None."""

    name: str
    is_dedicated: bool
    cells: tuple[CellKey, ...]
    holder: UUID | None
    node: str | None
    pid: int | None
    inbox: int | None
    resident_cells: int | None
    taken_at: datetime | None
    takeovers: int
    commands_per_second: float | None = None
    busiest: tuple[tuple[CellKey, float], ...] = ()
    """With their commands per second."""

    @property
    def reason(self) -> SeatReason:
        return reason_of(self.name)


class SeatChannel(Protocol):
    async def call(self, frame: bytes) -> bytes: ...

    def close(self) -> None: ...


class Seating(Protocol):
    """Raises Outage when it cannot."""

    def channel(self, seat: str) -> SeatChannel: ...

    async def place(self, cells: Collection[CellKey], seat: str) -> None: ...

    async def unplace(self, cells: Collection[CellKey]) -> None: ...

    async def promote(self, cell: CellKey, seat: str) -> bool: ...

    async def demote(self, seat: str) -> list[CellKey]: ...

    async def heat_counts(self) -> HeatCounts: ...

    async def ownership(self) -> list[Seated]: ...

    def close(self) -> None: ...
