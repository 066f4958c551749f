"""Putting a reservation into its cells when several owners are concerned.

The owner of the first cell (the request's home) is asked first: whoever claims the id there is the
one that goes on. The others are asked together. If one of them refuses, what this attempt placed
is withdrawn; if this process dies instead, the holds end at their deadline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from actors.wire import Done, Elsewhere, LineDone
from domain.cell import Hold
from domain.commands import Buyer, CellKey, Command, Line, Request, Reserve, Withdraw
from domain.ledger import Note
from domain.refusals import Refusal
from services.runtime import Runtime

NOBODY = Buyer()


@dataclass(frozen=True, slots=True)
class Asked:
    """What all parts of one request share."""

    id: UUID
    fingerprint: int
    note: Note
    buyer: Buyer = NOBODY


@dataclass(frozen=True, slots=True)
class Placed:
    """The holds of a whole reservation, in the order of their cells."""

    holds: dict[CellKey, Hold]
    fresh: bool


def parts(
    rt: Runtime, asked: Asked, commands: Mapping[CellKey, Command], home: CellKey
) -> list[Request]:
    """One request per owner, the first cell's owner first."""
    by_owner: dict[int, list[Line]] = {}
    for key in sorted(commands):
        by_owner.setdefault(rt.stock.owner_of(key), []).append(Line(key, commands[key]))
    return [
        Request(asked.id, asked.fingerprint, home, tuple(lines), asked.note, asked.buyer)
        for lines in by_owner.values()
    ]


async def place(
    rt: Runtime, asked: Asked, plan: Mapping[CellKey, int], deadline: datetime
) -> Placed | Elsewhere | Refusal:
    """Holds all of the plan or nothing."""
    commands = {key: Reserve(asked.id, units, deadline) for key, units in plan.items()}
    first, *rest = parts(rt, asked, commands, min(commands))
    claimed = await rt.stock.submit(first)
    if not isinstance(claimed, Done):
        return claimed
    answers = await rt.stock.submit_many(rest)
    done = [claimed, *(answer for answer in answers if isinstance(answer, Done))]
    for answer in answers:
        if not isinstance(answer, Done):
            await withdraw(rt, asked, [line for part in done for line in part.lines])
            return answer
    lines = sorted(line for part in done for line in part.lines)
    return Placed({line.cell: held(line) for line in lines}, any(line.fresh for line in lines))


async def withdraw(rt: Runtime, asked: Asked, lines: list[LineDone]) -> None:
    """Only what this attempt placed: the rest belongs to a twin that was here before."""
    placed: dict[CellKey, Command] = {line.cell: Withdraw(asked.id) for line in lines if line.fresh}
    if placed:
        await rt.stock.submit_many(parts(rt, asked, placed, min(placed)))


def held(line: LineDone) -> Hold:
    assert line.hold is not None, "reservation commands answer with the hold"
    return line.hold
