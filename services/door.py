"""The shop's public door as an outside client sees it: what imports and replays ask of a server.

A `Door` answers or refuses; it raises `Outage` when the server stayed silent although it was asked
again with the same id, and `DoorError` when asking again cannot help. Quantities are base units.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.states import ReservationState


class DoorError(Exception):
    """The server cannot be used as it was: wrong address or token, or a fault of ours in it."""


class WarehouseRow(NamedTuple):
    """`priority`: the lower is asked first."""

    code: str
    name: str
    region: str
    priority: int


class SkuRow(NamedTuple):
    code: str
    name: str
    category: str | None = None
    barcode: str | None = None
    last_price_cents: int | None = None


class Refused(NamedTuple):
    """An expected no. `sku` is the line that fell short, `state` what a closed reservation is."""

    code: str
    message: str
    sku: str | None = None
    state: ReservationState | None = None


class Done(NamedTuple):
    """Accepted. `state` is that of the reservation, where it is about one."""

    state: ReservationState | None = None


class Holding(NamedTuple):
    """A reservation and what it was made for."""

    state: ReservationState
    units: int
    lines: int


class Door(Protocol):
    async def upsert_warehouses(self, rows: Sequence[WarehouseRow]) -> list[Refused | None]: ...

    async def upsert_skus(self, rows: Sequence[SkuRow]) -> list[Refused | None]: ...

    async def receive(
        self, id: UUID, sku: str, warehouse: str, quantity: int, reference: str
    ) -> Done | Refused: ...

    async def reserve(
        self, id: UUID, warehouse: str, wants: Mapping[str, int], customer: str | None
    ) -> Done | Refused: ...

    async def confirm(self, id: UUID) -> Done | Refused: ...

    async def deduct(self, id: UUID, reservation: UUID) -> Done | Refused: ...

    async def take_back(
        self, id: UUID, sku: str, warehouse: str, quantity: int, reference: str
    ) -> Done | Refused:
        """Goods of a customer come back, into quarantine."""

    async def clear(self, id: UUID, sku: str, warehouse: str, quantity: int) -> Done | Refused:
        """The quality hold ends: quarantined units may be sold again."""

    async def available(self, warehouse: str, skus: Sequence[str]) -> dict[str, int]:
        """Units that may be promised, for the SKUs known in that warehouse. May be moments old."""

    async def holding(self, id: UUID) -> Holding | None: ...

    async def has_catalogue(self) -> bool: ...
