"""Putting a reservation into its cells: its home's owner is asked first, the others together.

If one refuses, what this attempt made is withdrawn; if this process dies instead, the holds end at
their deadline. A deadline is the mark of the attempt that made or adopted a hold: only who made it
withdraws it, as long as it carries that mark."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from actors.client import Answer, Divided
from actors.wire import Done, Elsewhere, LineDone
from domain.cell import Hold
from domain.commands import Adopt, Buyer, CellKey, Command, Line, Request, Reserve, Withdraw
from domain.ledger import Note
from domain.refusals import Refusal
from services.runtime import Runtime

NOBODY = Buyer()
CUTS = 4
"""Times a request is cut again because its cells have moved to other owners meanwhile."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What all parts of one request share."""

    id: UUID
    fingerprint: int
    note: Note
    buyer: Buyer = NOBODY


@dataclass(frozen=True, slots=True)
class Placed:
    """The holds of a whole reservation as they were made, in the order of their cells. `own` are
    those that this attempt made; the others are of an earlier attempt or of a twin at work."""

    holds: dict[CellKey, Hold]
    own: frozenset[CellKey]
    owners: int


@dataclass(frozen=True, slots=True)
class Contested:
    """One owner refused, and the id was claimed by an earlier attempt or by a twin at work."""

    refusal: Refusal


def parts(
    rt: Runtime, asked: Asked, commands: Mapping[CellKey, Command], home: CellKey
) -> list[Request]:
    """One request per owner, the home's owner first."""
    by_owner: dict[str, list[Line]] = {}
    for key in sorted(commands, key=lambda key: (key != home, key)):
        by_owner.setdefault(rt.stock.seat_of(key), []).append(Line(key, commands[key]))
    return [
        Request(asked.id, asked.fingerprint, home, tuple(lines), asked.note, asked.buyer)
        for lines in by_owner.values()
    ]


async def recut(send: Callable[[], Awaitable[T]]) -> T:
    """`send` cuts its request into parts and sends them: again, with the same ids, while cells move
    from owner to owner. What was done already answers as it did."""
    for _ in range(CUTS):
        with suppress(Divided):
            return await send()
    return await send()


async def place(
    rt: Runtime, asked: Asked, plan: Mapping[CellKey, int], home: CellKey, deadline: datetime
) -> Placed | Elsewhere | Contested | Refusal:
    """Holds all of the plan or nothing. The deadline is this attempt's mark: it is computed once
    per attempt, and a hold that carries it was made by this attempt, even if the first answer was
    lost on the way."""
    commands = {key: Reserve(asked.id, units, deadline) for key, units in plan.items()}
    answers = await recut(lambda: claim(rt, asked, commands, home))
    if not isinstance(answers[0], Done):
        return answers[0]
    done = sorted(line for part in answers if isinstance(part, Done) for line in part.lines)
    holds = {line.cell: held(line) for line in done}
    own = frozenset(key for key, hold in holds.items() if hold.deadline == deadline)
    for answer in answers:
        if not isinstance(answer, Done):
            await withdraw(rt, asked, own, deadline)
            return answer if home in own or isinstance(answer, Elsewhere) else Contested(answer)
    return Placed(holds, own, len(answers))


async def claim(
    rt: Runtime, asked: Asked, commands: Mapping[CellKey, Command], home: CellKey
) -> list[Answer]:
    """The home's owner decides first; only if it says yes the others are asked."""
    first, *rest = parts(rt, asked, commands, home)
    claimed = await rt.stock.submit(first)
    if not isinstance(claimed, Done) or not rest:
        return [claimed]
    return [claimed, *await rt.stock.submit_many(rest)]


async def send_all(rt: Runtime, asked: Asked, commands: Mapping[CellKey, Command]) -> list[Answer]:
    """To their owners, all at once."""
    if not commands:
        return []
    return await recut(lambda: rt.stock.submit_many(parts(rt, asked, commands, min(commands))))


async def withdraw(rt: Runtime, asked: Asked, cells: Iterable[CellKey], deadline: datetime) -> None:
    """As if those holds of this attempt had never been asked for; adopted ones stay."""
    commands: dict[CellKey, Command] = {key: Withdraw(asked.id, deadline) for key in cells}
    await send_all(rt, asked, commands)


async def adopt(
    rt: Runtime, asked: Asked, holds: Mapping[CellKey, Hold], deadline: datetime
) -> bool:
    """Makes these holds of others ours, so that nobody withdraws them any more. False: one of them
    is gone, or is another by now."""
    commands: dict[CellKey, Command] = {key: Adopt(asked.id, deadline) for key in holds}
    answers = await send_all(rt, asked, commands)
    lines = [line for answer in answers if isinstance(answer, Done) for line in answer.lines]
    return {line.cell: held(line).seq for line in lines} == {k: h.seq for k, h in holds.items()}


def held(line: LineDone) -> Hold:
    assert line.hold is not None, "reservation commands answer with the hold"
    return line.hold
