"""Reservations as the outside sees them, and looking them up."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.access import Caller, Permission
from domain.cell import Hold
from domain.commands import CellKey
from domain.flash_sales import sale_of
from domain.refusals import NotFound, NotPermitted
from domain.routing import Want
from domain.states import ReservationState, reservation_state
from infra.database import connection
from infra.ledger import STATES
from services.checks import barred
from services.runtime import Runtime
from services.sight import EVERYTHING, sight_of, unseen
from services.whereabouts import Whereabout

ENDED = (ReservationState.EXPIRED, ReservationState.RELEASED)
HOLDS = """
SELECT s.code, w.code, h.quantity, h.deducted, h.state, h.deadline, h.pool, h.seq,
  h.available_after, h.caller, h.customer, h.channel, h.created_at
FROM hold h JOIN cell c ON c.id = h.cell_id
JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
WHERE h.reservation_id = $1 ORDER BY h.created_at, s.code, w.code
"""


@dataclass(frozen=True, slots=True)
class ReserveStock:
    """`region`, where the goods shall go, prefers its warehouses when lines are routed."""

    id: UUID
    lines: tuple[Want, ...]
    ttl_seconds: int = 600
    customer: str | None = None
    channel: str | None = None
    sale_id: UUID | None = None
    ticket: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class DeductReservation:
    """`lines` None hands over all that is left."""

    id: UUID
    reservation_id: UUID
    lines: tuple[Want, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReservationLine:
    sku: str
    warehouse: str
    quantity: int
    deducted: int
    seq: int
    available_after: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """`expires_at` is None once confirmed or closed."""

    id: UUID
    state: ReservationState
    lines: tuple[ReservationLine, ...]
    customer: str | None
    channel: str | None
    sale_id: UUID | None
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A reservation as the database knows it; an overdue hold has expired, written or not."""

    where: Whereabout
    holds: dict[CellKey, Hold]
    made: tuple[CellKey, ...] = ()
    """Its cells, in the order in which they were placed."""

    def without(self, cells: Container[CellKey]) -> "Stored":
        holds = {key: hold for key, hold in self.holds.items() if key not in cells}
        return Stored(replace(self.where, cells=tuple(holds)), holds)


async def reservation(
    rt: Runtime, caller: Caller, reservation_id: UUID
) -> Reservation | NotPermitted | None:
    """None if there is no such reservation, or none of it is the caller's to see; of one that is so
    in part, that part."""
    if no := barred(caller, Permission.READ_STOCK):
        return no
    stored = await stored_reservation(rt, reservation_id)
    if stored is None:
        return None
    for permission in (Permission.READ_STOCK, *beyond_theirs(caller, stored.where)):
        seen = sight_of(caller, permission).in_channel(stored.where.channel)
        hidden = await unseen(rt, seen, stored.where.cells)
        stored = stored.without(hidden) if hidden else stored
    return as_reservation(stored.where, stored.holds) if stored.holds else None


async def stored_reservation(rt: Runtime, reservation_id: UUID) -> Stored | None:
    rows = (await connection().execute_query(HOLDS, [reservation_id]))[1]
    if not rows:
        return None
    now = rt.clock.now()
    holds = {
        CellKey(row[0], row[1]): as_of(now, Hold(row[2], row[3], STATES[row[4]], *row[5:9]))
        for row in map(tuple, rows)
    }
    ordered = dict(sorted(holds.items()))
    caller, customer, channel, created_at = tuple(rows[0])[9:]
    where = Whereabout(reservation_id, tuple(ordered), caller, customer, channel, created_at)
    return Stored(where, ordered, tuple(holds))


def as_of(now: datetime, hold: Hold) -> Hold:
    if hold.deadline is None or hold.deadline > now:
        return hold
    return hold._replace(state=ReservationState.EXPIRED, deadline=None)


async def find(
    rt: Runtime,
    caller: Caller,
    permission: Permission,
    reservation_id: UUID,
    may_be_part: bool = False,
) -> Whereabout | NotFound | NotPermitted:
    """Where the reservation is, if the caller may do this with all of its cells, or with all that
    they see if that may be a part. Who sees nothing of it is answered as if there was none, for the
    same question."""
    seen = sight_of(caller, Permission.READ_STOCK)
    where = rt.whereabouts.get(reservation_id) if seen is EVERYTHING else None
    if where is None:
        stored = await stored_reservation(rt, reservation_id)
        if stored is None:
            return NotFound("reservation", str(reservation_id))
        where = stored.where
        rt.whereabouts.put(where)
    if hidden := await unseen(rt, seen.in_channel(where.channel), where.cells):
        if not may_be_part or len(hidden) == len(where.cells):
            return NotFound("reservation", str(reservation_id))
        left = tuple(key for key in where.cells if key not in hidden)
        where = replace(where, cells=left, hidden=hidden)
    for needed in (permission, *beyond_theirs(caller, where)):
        allowed = sight_of(caller, needed).in_channel(where.channel)
        if await unseen(rt, allowed, where.cells):
            return NotPermitted(needed)
    return where


def beyond_theirs(caller: Caller, where: Whereabout) -> tuple[Permission, ...]:
    """What it takes to see it, or act on it, besides the permission for the act."""
    return () if where.caller == caller.subject else (Permission.ANY_RESERVATION,)


def as_reservation(where: Whereabout, holds: Mapping[CellKey, Hold]) -> Reservation:
    """`holds` in the order of their cells, at least one."""
    state = reservation_state([hold.state for hold in holds.values()])
    deadlines = [hold.deadline for hold in holds.values() if hold.deadline is not None]
    return Reservation(
        where.reservation,
        state,
        tuple(
            ReservationLine(*key, hold.quantity, hold.deducted, hold.seq, hold.available_after)
            for key, hold in holds.items()
        ),
        where.customer,
        where.channel,
        sale_of(next(iter(holds.values())).pool),
        where.created_at,
        min(deadlines) if deadlines and state is ReservationState.HELD else None,
    )
