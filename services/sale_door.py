"""The public door as the buyers of a flash sale see it, and as who makes and audits the sale does.

A `SaleDoor` answers or refuses; it raises Outage when the outcome is unknown, DoorError when asking
again cannot help.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.waiting_room import TicketState
from services.door import Done, Holding, Refused, SkuRow, WarehouseRow


class SaleOffer(NamedTuple):
    """The sale of a story: so many units of one SKU in each warehouse, from one moment on."""

    id: UUID
    name: str
    sku: str
    allotments: dict[str, int]
    opens_at: datetime
    closes_at: datetime
    limit_per_customer: int | None
    ttl_seconds: int
    admitted_per_second: int | None
    """None: no waiting room."""

    @property
    def units(self) -> int:
        return sum(self.allotments.values())


class Place(NamedTuple):
    """A ticket, as its holder is told."""

    id: str
    state: TicketState
    wait_seconds: int | None
    token: str | None


class Wish(NamedTuple):
    """What a buyer asks for; `ticket` is the token of the waiting room."""

    reservation: UUID
    customer: str
    units: int
    ticket: str | None


class Movement(NamedTuple):
    """One ledger row of a cell."""

    seq: int
    kind: str
    quantity: int
    pool: str | None


class CellBooks(NamedTuple):
    """A cell's ledger, oldest first, and the level that its owner tells at that seq."""

    movements: Sequence[Movement]
    available: int
    reserved: int
    on_hand: int
    seq: int


class SaleDoor(Protocol):
    async def upsert_warehouses(self, rows: Sequence[WarehouseRow]) -> list[Refused | None]: ...

    async def upsert_skus(self, rows: Sequence[SkuRow]) -> list[Refused | None]: ...

    async def receive(
        self, id: UUID, sku: str, warehouse: str, quantity: int, reference: str
    ) -> Done | Refused: ...

    async def create_sale(self, offer: SaleOffer) -> Done | Refused: ...

    async def close_sale(self, sale_id: UUID) -> Done | Refused: ...

    async def join(self, sale_id: UUID, customer: str) -> Place | Refused: ...

    async def ticket(self, id: str) -> Place | None: ...

    async def buy(self, offer: SaleOffer, wish: Wish) -> Done | Refused:
        """Asked once: whoever wants to know asks again with the same id."""

    async def confirm(self, id: UUID) -> Done | Refused: ...

    async def release(self, id: UUID) -> Done | Refused: ...

    async def holding(self, id: UUID) -> Holding | None: ...

    async def books(self, sku: str, warehouse: str) -> CellBooks: ...
