"""What happens to a reservation after it was made: confirm, deduct, release.

All holds of a reservation are asked at once. Only when one of them is closed already is the
database asked which still are open; so the usual call needs no look-up.
"""

from collections.abc import Mapping
from uuid import UUID

from actors.wire import Done
from domain.access import Caller, Permission
from domain.cell import Hold
from domain.commands import CellKey, Command, Confirm, Deduct, Release
from domain.ledger import Note
from domain.refusals import Invalid, Refusal, ReservationClosed
from domain.routing import Want
from domain.states import OPEN_STATES, ReservationState
from services.checks import denied, fingerprint
from services.holding import Asked, held, parts
from services.reservations import (
    DeductReservation,
    Reservation,
    Stored,
    as_reservation,
    find,
    stored_reservation,
)
from services.reserve import LINES_LIMIT
from services.runtime import Runtime
from services.whereabouts import Whereabout

ENDED = (ReservationState.EXPIRED, ReservationState.RELEASED)


async def confirm(rt: Runtime, caller: Caller, reservation_id: UUID) -> Reservation | Refusal:
    """Paid: the holds have no deadline any more. Confirming twice is the same as once."""
    if no := denied(caller, Permission.RESERVE):
        return no
    where = await find(rt, caller, reservation_id)
    if not isinstance(where, Whereabout):
        return where
    asked = Asked(reservation_id, 0, Note(caller.subject))
    answer = await ask(rt, asked, where, {key: Confirm(reservation_id) for key in where.cells})
    if not isinstance(answer, ReservationClosed):
        return answer
    stored = await reload(reservation_id)
    still_open = open_cells(stored)
    if any(hold.state in ENDED for hold in stored.holds.values()) or not still_open:
        await give_back(rt, asked, still_open)
        return answer if not still_open else ReservationClosed(ReservationState.EXPIRED)
    return await ask(rt, asked, where, {key: Confirm(reservation_id) for key in still_open})


async def release(rt: Runtime, caller: Caller, reservation_id: UUID) -> Reservation | Refusal:
    """Gives back what is still held. Releasing twice is the same as once."""
    if no := denied(caller, Permission.RESERVE):
        return no
    where = await find(rt, caller, reservation_id)
    if not isinstance(where, Whereabout):
        return where
    asked = Asked(reservation_id, 0, Note(caller.subject))
    answer = await ask(rt, asked, where, {key: Release(reservation_id) for key in where.cells})
    if not isinstance(answer, ReservationClosed):
        return answer
    still_open = open_cells(await reload(reservation_id))
    if not still_open:
        return answer
    return await ask(rt, asked, where, {key: Release(reservation_id) for key in still_open})


async def deduct(rt: Runtime, caller: Caller, command: DeductReservation) -> Reservation | Refusal:
    """Hands over the named lines, or all that is left. Lines with different owners are handed over
    independently: each is exact, and the same id finishes what was begun."""
    if no := denied(caller, Permission.DEDUCT) or bad_lines(command.lines):
        return no
    where = await find(rt, caller, command.reservation_id)
    if not isinstance(where, Whereabout):
        return where
    reservation = command.reservation_id
    lines = None if command.lines is None else sorted(command.lines, key=str)
    content = fingerprint("deduct", reservation, lines, caller.subject)
    asked = Asked(command.id, content, Note(caller.subject))
    if command.lines is not None:
        units = await share_out(command.lines, where)
        if not isinstance(units, dict):
            return units
        wanted = {key: Deduct(reservation, quantity) for key, quantity in units.items()}
        return await ask(rt, asked, where, wanted)
    answer = await ask(rt, asked, where, {key: Deduct(reservation, None) for key in where.cells})
    if not isinstance(answer, ReservationClosed):
        return answer
    still_open = open_cells(await reload(reservation))
    if not still_open:
        return answer
    return await ask(rt, asked, where, {key: Deduct(reservation, None) for key in still_open})


async def ask(
    rt: Runtime, asked: Asked, where: Whereabout, commands: Mapping[CellKey, Command]
) -> Reservation | Refusal:
    """Sends the commands to their owners; the reservation as it then is, or the first refusal."""
    answers = await rt.stock.submit_many(parts(rt, asked, commands, min(where.cells)))
    holds: dict[CellKey, Hold] = {}
    for answer in answers:
        if not isinstance(answer, Done):
            assert isinstance(answer, Refusal), "holds do not move"
            return answer
        holds |= {line.cell: held(line) for line in answer.lines}
    if len(holds) < len(where.cells):
        holds = (await reload(where.reservation)).holds | holds
    return as_reservation(where, dict(sorted(holds.items())))


async def give_back(rt: Runtime, asked: Asked, cells: list[CellKey]) -> None:
    """A reservation that lost some of its holds cannot be paid for: the others end too."""
    commands: dict[CellKey, Command] = {key: Release(asked.id) for key in cells}
    if commands:
        await rt.stock.submit_many(parts(rt, asked, commands, cells[0]))


async def reload(reservation_id: UUID) -> Stored:
    stored = await stored_reservation(reservation_id)
    assert stored is not None, "holds are never deleted once they were answered"
    return stored


def open_cells(stored: Stored) -> list[CellKey]:
    return [key for key, hold in stored.holds.items() if hold.state in OPEN_STATES]


def bad_lines(lines: tuple[Want, ...] | None) -> Invalid | None:
    if lines is not None and not 1 <= len(lines) <= LINES_LIMIT:
        return Invalid("lines", f"must have between 1 and {LINES_LIMIT} lines")
    return None


async def share_out(lines: tuple[Want, ...], where: Whereabout) -> dict[CellKey, int] | Invalid:
    """Units per cell. A line that names no warehouse takes from the reservation's cells of its
    SKU, in their order, as far as they hold something."""
    units: dict[CellKey, int] = {}
    for index, line in enumerate(lines):
        if line.quantity < 1:
            return Invalid(f"lines[{index}].quantity", "must be at least 1")
        cells = [
            key
            for key in where.cells
            if key.sku == line.sku and line.warehouse in (None, key.warehouse)
        ]
        if not cells:
            return Invalid(f"lines[{index}].sku", f"{line.sku} is not in the reservation")
        if len(cells) > 1:
            missing = await spread(line, cells, where, units)
            if missing:
                return Invalid(f"lines[{index}].quantity", f"{missing} more than is left")
            continue
        units[cells[0]] = units.get(cells[0], 0) + line.quantity
    return units


async def spread(
    line: Want, cells: list[CellKey], where: Whereabout, units: dict[CellKey, int]
) -> int:
    """Adds the line's units to `units` over several cells; how many found no room."""
    holds = (await reload(where.reservation)).holds
    missing = line.quantity
    for key in cells:
        take = min(missing, holds[key].left - units.get(key, 0))
        if take > 0:
            units[key] = units.get(key, 0) + take
            missing -= take
    return missing
