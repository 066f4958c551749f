"""Where the holds of a reservation are. They never move, so what is known stays true."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.commands import CellKey

REMEMBERED_LIMIT = 10_000
"""Reservations remembered per process; others are looked up in the database."""


@dataclass(frozen=True, slots=True)
class Whereabout:
    """What all holds of a reservation share, and their cells in the order of their keys; `hidden`
    are others that whoever asked does not see."""

    reservation: UUID
    cells: tuple[CellKey, ...]
    caller: str
    customer: str | None
    channel: str | None
    created_at: datetime
    hidden: tuple[CellKey, ...] = ()


class Whereabouts:
    def __init__(self) -> None:
        self.known: OrderedDict[UUID, Whereabout] = OrderedDict()

    def get(self, reservation: UUID) -> Whereabout | None:
        return self.known.get(reservation)

    def put(self, where: Whereabout) -> None:
        self.known[where.reservation] = where
        if len(self.known) > REMEMBERED_LIMIT:
            self.known.popitem(last=False)

    def forget(self, reservation: UUID) -> None:
        self.known.pop(reservation, None)
