"""Flash sales: where a sale's units lie, its life, and which units have to move for it.

A sale's units are ring-fenced in each of its cells as a pool of the sale's own.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from domain.commands import CellKey

PREFIX = "sale:"


class SaleState(StrEnum):
    """preparing -> scheduled -> open -> closed -> finished; or cancelled before it opened."""

    PREPARING = "preparing"
    SCHEDULED = "scheduled"
    OPEN = "open"
    CLOSED = "closed"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Step(NamedTuple):
    """Units that go from the open pool of a cell into the sale's; below 0: back."""

    cell: CellKey
    units: int


def pool_of(sale_id: UUID) -> str:
    return f"{PREFIX}{sale_id}"


def sale_of(pool: str | None) -> UUID | None:
    """The sale whose units lie in this pool, if it is a sale's."""
    if pool is None or not pool.startswith(PREFIX):
        return None
    return UUID(pool.removeprefix(PREFIX))


def steps(held: Mapping[CellKey, int], wanted: Mapping[CellKey, int]) -> list[Step]:
    """What has to move so that the sale holds what is wanted. What is set aside comes first: only
    that can be refused, and then nothing has been given back yet."""
    cells = sorted(held.keys() | wanted.keys())
    moved = [Step(cell, wanted.get(cell, 0) - held.get(cell, 0)) for cell in cells]
    return sorted((step for step in moved if step.units), key=lambda s: (s.units < 0, s.cell))


def step_id(work: UUID, occasion: str, cell: CellKey) -> UUID:
    """The same for the same step, whoever takes it and however often: so it is taken once."""
    return uuid5(work, f"{occasion}/{cell.sku}/{cell.warehouse}")


def state_by_time(
    state: SaleState, opens_at: datetime, closes_at: datetime, now: datetime
) -> SaleState:
    """The next state of a sale whose time has come; nothing is skipped."""
    if state is SaleState.SCHEDULED and now >= opens_at:
        return SaleState.OPEN
    if state is SaleState.OPEN and now >= closes_at:
        return SaleState.CLOSED
    return state
