"""Which cells of a reservation a deduct takes from: its lines may leave the warehouse open."""

from collections.abc import Sequence
from uuid import UUID

from domain.commands import CellKey
from domain.refusals import Invalid
from domain.routing import Want
from domain.states import OPEN_STATES
from services.outcomes import handed_over
from services.reservations import stored_reservation
from services.reserve import LINES_LIMIT
from services.runtime import Runtime
from services.whereabouts import Whereabout


def bad_lines(lines: Sequence[Want] | None) -> Invalid | None:
    if lines is None:
        return None
    if not 1 <= len(lines) <= LINES_LIMIT:
        return Invalid("lines", f"must have between 1 and {LINES_LIMIT} lines")
    for index, line in enumerate(lines):
        if line.quantity < 1:
            return Invalid(f"lines[{index}].quantity", "must be at least 1")
    return None


async def share_out(
    rt: Runtime, request_id: UUID, lines: Sequence[Want], where: Whereabout
) -> dict[CellKey, int] | Invalid:
    """Units per cell, the request's home first. A line that names no warehouse takes from the
    reservation's cells of its SKU as far as the other lines leave room there."""
    units: dict[CellKey, int] = {}
    spread: list[tuple[int, Want, list[CellKey]]] = []
    for index, line in enumerate(lines):
        cells = [
            key
            for key in where.cells
            if key.sku == line.sku and line.warehouse in (None, key.warehouse)
        ]
        if not cells:
            return Invalid(f"lines[{index}].sku", f"{line.sku} is not in the reservation")
        if len(cells) > 1:
            spread.append((index, line, cells))
        else:
            units[cells[0]] = units.get(cells[0], 0) + line.quantity
    if not spread:
        return dict(sorted(units.items()))
    room = await room_of(rt, request_id, where)
    order = {key: place for place, key in enumerate(room)}
    for index, line, cells in spread:
        missing = line.quantity
        for key in sorted(cells, key=order.__getitem__):
            take = max(0, min(missing, room[key] - units.get(key, 0)))
            units[key] = units.get(key, 0) + take
            missing -= take
        if missing:
            return Invalid(f"lines[{index}].quantity", f"{missing} more than is left")
    return {key: units[key] for key in room if units.get(key)}


async def room_of(rt: Runtime, request_id: UUID, where: Whereabout) -> dict[CellKey, int]:
    """Units that the request may take from each cell. Where it has been before, that is what it
    took then: so the same request is shared out in the same way again."""
    begun = await handed_over(request_id, where.reservation)
    stored = await stored_reservation(rt, where.reservation)
    holds = stored.holds if stored else {}
    left = {key: hold.left for key, hold in holds.items() if hold.state in OPEN_STATES}
    return begun | {key: left.get(key, 0) for key in where.cells if key not in begun}
