"""What a reservation out of a flash sale has to know of the sale."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.commands import CellKey


class SaleTerms(NamedTuple):
    """`anchor` is the first of the sale's cells: what each customer has taken is counted there."""

    id: UUID
    anchor: CellKey
    cells: tuple[CellKey, ...]
    pool: str
    opens_at: datetime
    closes_at: datetime
    limit_per_customer: int | None
    ttl_seconds: int
    waiting_room: bool
