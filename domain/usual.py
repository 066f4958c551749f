"""The usual reservation, of the open pool and under an id that its cell does not know, decided and
applied in one step: what domain.decisions and domain.cell.apply do in two, in a third of the time.
Flash sales are made of these; tests hold both roads equal.
"""

from datetime import datetime
from uuid import UUID

from domain.cell import AVAILABLE, SLOT, Cell, Hold
from domain.commands import Reserve
from domain.decisions import QUANTITY_LIMIT
from domain.ledger import Bucket
from domain.states import ReservationState

RESERVED = SLOT[Bucket.RESERVED]


def reserve_at_once(cell: Cell, command: Reserve, request_id: UUID, now: datetime) -> Hold | None:
    """The hold, made. None, and nothing is touched, where the reservation is not that usual, or
    would be refused."""
    reservation, quantity, deadline, pool = command
    units = cell.units
    left = units[AVAILABLE] - quantity
    if pool is not None or reservation != request_id or reservation in cell.holds:
        return None
    if left < cell.floor or not 1 <= quantity <= QUANTITY_LIMIT:
        return None
    cell.seq = seq = cell.seq + 1
    cell.as_of = now
    units[AVAILABLE] = left
    units[RESERVED] += quantity
    hold = Hold(quantity, 0, ReservationState.HELD, deadline, None, seq, left)
    cell.holds[reservation] = hold
    return hold
