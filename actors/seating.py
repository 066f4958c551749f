"""What a client asks and tells of seats, beside the flow of requests."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.commands import CellKey


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


class SeatChannel(Protocol):
    async def call(self, frame: bytes) -> bytes: ...

    def close(self) -> None: ...


class Seating(Protocol):
    """Raises Outage when it cannot."""

    def channel(self, seat: str) -> SeatChannel: ...

    async def place(self, cells: Collection[CellKey], seat: str) -> None: ...

    async def unplace(self, cells: Collection[CellKey]) -> None: ...

    async def ownership(self) -> list[Seated]: ...

    def close(self) -> None: ...
