"""What may happen to a cell: each command becomes a change or a refusal.

`decide` looks and never touches; domain.cell touches. Guards come first, in the order of
domain.refusals, except that an Invalid which only the balance can tell (a deduct above its hold,
a cell above its limit) is looked for last.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.cell import ALLOT, NO_CHANGE, SLOT, UNALLOT, Cell, Change, Hold
from domain.commands import (
    Adjust,
    Adopt,
    Allot,
    Command,
    Confirm,
    Deduct,
    Expire,
    Move,
    Read,
    Receive,
    Release,
    Reserve,
    Return,
    Unallot,
    Withdraw,
)
from domain.ledger import BY_PATH, MOVES, Bucket, Entry, Kind, Movement
from domain.refusals import (
    Conflict,
    InsufficientStock,
    Invalid,
    NotFound,
    Refusal,
    ReservationClosed,
    Stale,
)
from domain.states import OPEN_STATES, ReservationState

QUANTITY_LIMIT = 1_000_000_000
"""Units, per command and on hand in a cell: so no bucket outgrows a 32-bit column."""

RECEIVE = BY_PATH[Kind.RECEIVE, Bucket.SUPPLIER, Bucket.AVAILABLE]
RESERVE = BY_PATH[Kind.RESERVE, Bucket.AVAILABLE, Bucket.RESERVED]
RELEASE = BY_PATH[Kind.RELEASE, Bucket.RESERVED, Bucket.AVAILABLE]
EXPIRE = BY_PATH[Kind.EXPIRE, Bucket.RESERVED, Bucket.AVAILABLE]
DEDUCT = BY_PATH[Kind.DEDUCT, Bucket.RESERVED, Bucket.CUSTOMER]


def decide(cell: Cell, command: Command, request_id: UUID, now: datetime) -> Change | Refusal:
    return DECISIONS[type(command)](cell, command, request_id, now)


def decide_reserve(
    cell: Cell, command: Reserve, request_id: UUID, now: datetime
) -> Change | Refusal:
    reservation, quantity, deadline, pool = command
    if bad := bad_quantity(quantity):
        return bad
    known = cell.holds.get(reservation)
    if known is not None:
        same = known.quantity == quantity and known.pool == pool
        return NO_CHANGE if same else Conflict(reservation)
    left = free(cell, pool)
    if quantity > left:
        return shortage(cell, quantity, left)
    entry = Entry(cell.seq + 1, RESERVE, quantity, pool, request_id, now)
    after = cell.in_pool(pool) - quantity
    hold = Hold(quantity, 0, ReservationState.HELD, deadline, pool, entry.seq, after)
    return Change(entry, reservation, hold)


def decide_confirm(
    cell: Cell, command: Confirm, request_id: UUID, now: datetime
) -> Change | Refusal:
    hold = open_hold(cell, command.reservation, now)
    if not isinstance(hold, Hold):
        return hold
    if hold.state is ReservationState.CONFIRMED:
        return NO_CHANGE
    paid = hold._replace(state=ReservationState.CONFIRMED, deadline=None)
    return Change(None, command.reservation, paid)


def decide_deduct(cell: Cell, command: Deduct, request_id: UUID, now: datetime) -> Change | Refusal:
    if command.quantity is not None and (bad := bad_quantity(command.quantity)):
        return bad
    hold = open_hold(cell, command.reservation, now)
    if not isinstance(hold, Hold):
        return hold
    quantity = hold.left if command.quantity is None else command.quantity
    if quantity > hold.left:
        return Invalid("quantity", f"exceeds the reservation: {hold.left} of {cell.key.sku} left")
    entry = Entry(cell.seq + 1, DEDUCT, quantity, hold.pool, request_id, now)
    hold = hold._replace(deducted=hold.deducted + quantity)
    if not hold.left:
        hold = hold._replace(state=ReservationState.DEDUCTED, deadline=None)
    return Change(entry, command.reservation, hold)


def decide_release(
    cell: Cell, command: Release, request_id: UUID, now: datetime
) -> Change | Refusal:
    known = cell.holds.get(command.reservation)
    if known is not None and known.state is ReservationState.RELEASED:
        return NO_CHANGE
    hold = open_hold(cell, command.reservation, now)
    if not isinstance(hold, Hold):
        return hold
    return close(cell, command.reservation, hold, RELEASE, request_id, now)


def decide_expire(cell: Cell, command: Expire, request_id: UUID, now: datetime) -> Change | Refusal:
    hold = cell.holds.get(command.reservation)
    if hold is None or hold.state not in OPEN_STATES:
        return NO_CHANGE
    if hold.deadline is None or hold.deadline > now:
        return NO_CHANGE
    return close(cell, command.reservation, hold, EXPIRE, request_id, now)


def decide_withdraw(
    cell: Cell, command: Withdraw, request_id: UUID, now: datetime
) -> Change | Refusal:
    hold = cell.holds.get(command.reservation)
    if hold is None or hold.state not in OPEN_STATES:
        return NO_CHANGE
    if command.deadline is not None and command.deadline != hold.deadline:
        return NO_CHANGE
    entry = close(cell, command.reservation, hold, RELEASE, request_id, now).entry
    return Change(entry, command.reservation, None)


def decide_adopt(cell: Cell, command: Adopt, request_id: UUID, now: datetime) -> Change | Refusal:
    hold = open_hold(cell, command.reservation, now)
    if not isinstance(hold, Hold):
        return hold
    if hold.deadline in (None, command.deadline):
        return NO_CHANGE
    return Change(None, command.reservation, hold._replace(deadline=command.deadline))


def decide_receive(
    cell: Cell, command: Receive, request_id: UUID, now: datetime
) -> Change | Refusal:
    if bad := bad_quantity(command.quantity):
        return bad
    return gained(cell, RECEIVE, "quantity", command.quantity, request_id, now)


def decide_adjust(cell: Cell, command: Adjust, request_id: UUID, now: datetime) -> Change | Refusal:
    if command.bucket is Bucket.RESERVED or command.bucket not in SLOT:
        return Invalid("bucket", "only available, quarantined and damaged stock can be adjusted")
    if not command.delta or abs(command.delta) > QUANTITY_LIMIT:
        return Invalid("delta", f"must be between 1 and {QUANTITY_LIMIT}, up or down")
    held = cell.units[SLOT[command.bucket]]
    if command.change_from is not None and command.change_from != held:
        return Stale(command.change_from, held)
    if command.delta > 0:
        gain = BY_PATH[Kind.COUNT_GAIN, Bucket.VARIANCE, command.bucket]
        return gained(cell, gain, "delta", command.delta, request_id, now)
    loss = BY_PATH[Kind.COUNT_LOSS, command.bucket, Bucket.VARIANCE]
    return moved(cell, loss, -command.delta, request_id, now)


def decide_move(cell: Cell, command: Move, request_id: UUID, now: datetime) -> Change | Refusal:
    if bad := bad_quantity(command.quantity):
        return bad
    movement = MOVES.get((command.source, command.target))
    if movement is None:
        return Invalid("to", f"nothing moves from {command.source} to {command.target}")
    return moved(cell, movement, command.quantity, request_id, now)


def decide_return(cell: Cell, command: Return, request_id: UUID, now: datetime) -> Change | Refusal:
    if bad := bad_quantity(command.quantity):
        return bad
    movement = BY_PATH.get((Kind.RETURN, Bucket.CUSTOMER, command.target))
    if movement is None:
        return Invalid("to", f"returned goods do not go to {command.target}")
    return gained(cell, movement, "quantity", command.quantity, request_id, now)


def decide_allot(cell: Cell, command: Allot, request_id: UUID, now: datetime) -> Change | Refusal:
    if bad := bad_quantity(command.quantity):
        return bad
    return moved(cell, ALLOT, command.quantity, request_id, now, command.pool)


def decide_unallot(
    cell: Cell, command: Unallot, request_id: UUID, now: datetime
) -> Change | Refusal:
    if command.quantity is not None and (bad := bad_quantity(command.quantity)):
        return bad
    quantity = command.quantity or cell.in_pool(command.pool)
    if not quantity:
        return NO_CHANGE
    return moved(cell, UNALLOT, quantity, request_id, now, command.pool)


def decide_read(cell: Cell, command: Read, request_id: UUID, now: datetime) -> Change | Refusal:
    return NO_CHANGE


def moved(
    cell: Cell,
    movement: Movement,
    quantity: int,
    request_id: UUID,
    now: datetime,
    pool: str | None = None,
) -> Change | Refusal:
    """The one rule for all: the source, a tracked bucket, may not go below its floor. `pool` is the
    ring-fence of an allot or unallot; no other movement here draws on one."""
    if movement.source is Bucket.AVAILABLE:
        left = free(cell, pool if movement is UNALLOT else None)
    else:
        left = cell.units[SLOT[movement.source]]
    if quantity > left:
        return shortage(cell, quantity, left)
    return Change(Entry(cell.seq + 1, movement, quantity, pool, request_id, now))


def gained(
    cell: Cell, movement: Movement, field: str, quantity: int, request_id: UUID, now: datetime
) -> Change | Invalid:
    """Goods from outside; `field` is what the caller named their quantity."""
    if cell.level().on_hand + quantity > QUANTITY_LIMIT:
        return Invalid(field, f"the cell would hold more than {QUANTITY_LIMIT}")
    return Change(Entry(cell.seq + 1, movement, quantity, None, request_id, now))


def open_hold(cell: Cell, reservation: UUID, now: datetime) -> Hold | NotFound | ReservationClosed:
    hold = cell.holds.get(reservation)
    if hold is None:
        return NotFound("reservation", str(reservation))
    if hold.state not in OPEN_STATES:
        return ReservationClosed(hold.state)
    if hold.deadline is not None and hold.deadline <= now:
        return ReservationClosed(ReservationState.EXPIRED)
    return hold


def close(
    cell: Cell, reservation: UUID, hold: Hold, movement: Movement, request_id: UUID, now: datetime
) -> Change:
    entry = Entry(cell.seq + 1, movement, hold.left, hold.pool, request_id, now)
    expired = movement is EXPIRE
    state = ReservationState.EXPIRED if expired else ReservationState.RELEASED
    return Change(entry, reservation, hold._replace(state=state, deadline=None))


def free(cell: Cell, pool: str | None) -> int:
    """Units that may leave the pool; the floor (0 or negative: backorder) is the open pool's."""
    return cell.in_pool(pool) - (cell.floor if pool is None else 0)


def shortage(cell: Cell, requested: int, left: int) -> InsufficientStock:
    """`left` is below zero where a floor was lifted under units already promised: nothing left."""
    return InsufficientStock(cell.key.sku, cell.key.warehouse, requested, max(left, 0))


def bad_quantity(quantity: int) -> Invalid | None:
    if 1 <= quantity <= QUANTITY_LIMIT:
        return None
    return Invalid("quantity", f"must be between 1 and {QUANTITY_LIMIT}")


Decision = Callable[[Cell, Any, UUID, datetime], Change | Refusal]
DECISIONS: dict[type[Command], Decision] = {
    Reserve: decide_reserve,
    Confirm: decide_confirm,
    Deduct: decide_deduct,
    Release: decide_release,
    Expire: decide_expire,
    Withdraw: decide_withdraw,
    Adopt: decide_adopt,
    Receive: decide_receive,
    Adjust: decide_adjust,
    Move: decide_move,
    Return: decide_return,
    Allot: decide_allot,
    Unallot: decide_unallot,
    Read: decide_read,
}
