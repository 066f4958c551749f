"""What happens to a reservation after it was made: confirm, deduct, release.

All holds of a reservation are asked at once. Only when one of them refuses is the database asked
what stands there; so the usual call needs no look-up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from actors.client import Answer
from actors.wire import Done, Elsewhere
from domain.access import Caller, Permission
from domain.cell import Hold
from domain.commands import CellKey, Command, Confirm, Deduct, Release
from domain.ledger import Note
from domain.refusals import Refusal, ReservationClosed
from domain.states import OPEN_STATES, ReservationState
from infra.outage import Outage
from services.checks import barred, fingerprint
from services.holding import Asked, claim, held, recut, send_all
from services.outcomes import handed_over
from services.reservations import (
    DeductReservation,
    Reservation,
    Stored,
    as_reservation,
    find,
    stored_reservation,
)
from services.runtime import Runtime
from services.share_out import bad_lines, share_out
from services.whereabouts import Whereabout

ATTEMPTS = 2
"""Times the holds are asked: all of them, and then those that the database says are open."""
HANDED_OVER = ReservationClosed(ReservationState.DEDUCTED)
OVER = ReservationClosed(ReservationState.EXPIRED)


@dataclass(slots=True)
class Heard:
    """What the owners answered: the holds as they are now, and why others are not among them."""

    holds: dict[CellKey, Hold] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    is_elsewhere: bool = False

    def add(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            if isinstance(answer, Done):
                self.holds |= {line.cell: held(line) for line in answer.lines}
            elif isinstance(answer, Elsewhere):
                self.is_elsewhere = True
            else:
                self.refusals.append(answer)


async def confirm(rt: Runtime, caller: Caller, reservation_id: UUID) -> Reservation | Refusal:
    """Paid: the holds have no deadline any more. Confirming twice is the same as once. A
    reservation that has lost a hold cannot be paid for: the others are given back."""
    if no := barred(caller, Permission.RESERVE):
        return no
    where = await find(rt, caller, Permission.RESERVE, reservation_id)
    if not isinstance(where, Whereabout):
        return where
    asked = Asked(reservation_id, 0, Note(caller.subject))
    cells, heard = list(where.cells), Heard()
    for _ in range(ATTEMPTS):
        heard = await ask(rt, asked, {key: Confirm(reservation_id) for key in cells})
        if not heard.refusals:
            return await whole(rt, where, heard)
        cells = open_cells(await reload(rt, where))
        lost = [refusal for refusal in heard.refusals if refusal != HANDED_OVER]
        if lost:
            await ask(rt, asked, {key: Release(reservation_id) for key in cells})
            return OVER if OVER in lost else lost[0]
        if not cells:
            break
    return heard.refusals[0]


async def release(rt: Runtime, caller: Caller, reservation_id: UUID) -> Reservation | Refusal:
    """Gives back what is still held. Releasing twice is the same as once."""
    if no := barred(caller, Permission.RESERVE):
        return no
    where = await find(rt, caller, Permission.RESERVE, reservation_id)
    if not isinstance(where, Whereabout):
        return where
    asked = Asked(reservation_id, 0, Note(caller.subject))
    cells, heard = list(where.cells), Heard()
    for _ in range(ATTEMPTS):
        heard = await ask(rt, asked, {key: Release(reservation_id) for key in cells})
        if not heard.refusals:
            return await whole(rt, where, heard)
        cells = open_cells(await reload(rt, where))
        if not cells:
            break
    stored = await reload(rt, where)
    if any(hold.state is ReservationState.RELEASED for hold in stored.holds.values()):
        return as_reservation(stored.where, stored.holds)
    return heard.refusals[0]


async def deduct(rt: Runtime, caller: Caller, command: DeductReservation) -> Reservation | Refusal:
    """Hands over the named lines, or all that is left and the caller sees. Lines with different
    owners are handed over independently: each is exact, and the same id finishes what was begun."""
    if no := barred(caller, Permission.DEDUCT) or bad_lines(command.lines):
        return no
    where = await find(rt, caller, Permission.DEDUCT, command.reservation_id, may_be_part=True)
    if not isinstance(where, Whereabout):
        return where
    lines = None if command.lines is None else sorted(command.lines, key=str)
    content = fingerprint("deduct", command.reservation_id, lines, caller.subject)
    asked = Asked(command.id, content, Note(caller.subject))
    if command.lines is None:
        return await deduct_all(rt, asked, where)
    units = await share_out(rt, command.id, command.lines, where)
    if not isinstance(units, dict):
        return units
    heard = await hand_over(rt, asked, where, units)
    if heard.is_elsewhere:
        raise Outage("an equal request is handing over at this moment", "BUSY")
    return heard.refusals[0] if heard.refusals else await whole(rt, where, heard)


async def deduct_all(rt: Runtime, asked: Asked, where: Whereabout) -> Reservation | Refusal:
    """All that is left in open holds, and what this id has handed over before."""
    cells, heard = list(where.cells), Heard()
    for _ in range(ATTEMPTS):
        heard = await hand_over(rt, asked, where, dict.fromkeys(cells))
        if not heard.refusals and not heard.is_elsewhere:
            return await whole(rt, where, heard)
        other = [no for no in heard.refusals if not isinstance(no, ReservationClosed)]
        if other:
            return other[0]
        begun = await handed_over(asked.id, where.reservation)
        still_open = open_cells(await reload(rt, where))
        cells = [*begun, *(key for key in still_open if key not in begun)]
        if not cells:
            break
    if not heard.refusals:
        raise Outage("an equal request is handing over at this moment", "BUSY")
    return heard.refusals[0]


async def hand_over(
    rt: Runtime, asked: Asked, where: Whereabout, units: Mapping[CellKey, int | None]
) -> Heard:
    """The first cell is the home: its owner is asked before the others, so that whatever this id
    does can be found there."""
    commands = {key: Deduct(where.reservation, quantity) for key, quantity in units.items()}
    heard = Heard()
    heard.add(await recut(lambda: claim(rt, asked, commands, next(iter(units)))))
    return heard


async def ask(rt: Runtime, asked: Asked, commands: Mapping[CellKey, Command]) -> Heard:
    """Sends the commands to their owners, all at once."""
    heard = Heard()
    heard.add(await send_all(rt, asked, commands))
    return heard


async def whole(rt: Runtime, where: Whereabout, heard: Heard) -> Reservation:
    """The reservation with what was answered, and as stored where nothing was asked."""
    holds = heard.holds
    if len(holds) < len(where.cells):
        holds = (await reload(rt, where)).holds | holds
    return as_reservation(where, dict(sorted(holds.items())))


async def reload(rt: Runtime, where: Whereabout) -> Stored:
    """The holds as they are stored; a whereabout that proves wrong is not used again."""
    stored = await stored_reservation(rt, where.reservation)
    if stored is not None and where.hidden:
        stored = stored.without(where.hidden)
    if stored is None or stored.where.cells != where.cells:
        rt.whereabouts.forget(where.reservation)
    return stored or Stored(where, {})


def open_cells(stored: Stored) -> list[CellKey]:
    return [key for key, hold in stored.holds.items() if hold.state in OPEN_STATES]
