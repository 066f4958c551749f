"""Reads stories about one cell and compares each line with what the domain answers.

The words a story may use stand in `tell`.
"""

import re
from datetime import datetime, timedelta
from uuid import UUID

from domain.cell import NO_CHANGE, Cell, Change
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
from domain.ledger import Bucket
from domain.refusals import (
    Conflict,
    InsufficientStock,
    Invalid,
    NotFound,
    Refusal,
    ReservationClosed,
    Stale,
)
from tests.domain.world import START, World

UNITS = {
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "us": timedelta(microseconds=1),
}


def tell(text: str) -> World:
    """Plays the story; fails with all of it, as it really went, if one answer is another.

    receive 10                      -> ok 10/0       available/reserved
    reserve R1 3 for 15m from web   -> short 0       15m and the open pool unless told
    move available damaged 1        -> ok 9/0 d1     also q for quarantined, web=2 for a pool
    hold R1                         -> held 3 of 3 until 15m
    last                            -> damage available > damaged 1
    tick 16m                        and `floor -5`: told, not asked

    `same` is an accepted repeat that changes nothing. `exceeds_reservation`, `not_found`,
    `conflict`, `invalid FIELD`, `too_full FIELD`, `short LEFT`, `stale ACTUAL` and the state of
    a closed reservation are refusals.
    """
    world = World()
    went, as_written = [], True
    for line in text.splitlines():
        said, _, written = (part.strip() for part in line.partition("#")[0].partition("->"))
        if not said:
            continue
        answer = play(world, said)
        mark = " " if answer == written else ">"
        as_written = as_written and answer == written
        went.append(f"{mark} {said:32} -> {answer}")
    assert went, "an empty story"
    assert as_written, "the story went another way:\n" + "\n".join(went)
    return world


def play(world: World, said: str) -> str:
    match said.split():
        case ["tick", time]:
            world.tick(duration(time))
            return ""
        case ["floor", units]:
            world.cell.floor = int(units)
            return ""
        case ["hold", name]:
            return hold_in_words(world.cell, name)
        case ["last"]:
            entry = world.entries[-1]
            _, kind, source, target = entry.movement
            pool = f" {entry.pool}" if entry.pool else ""
            return f"{kind} {source} > {target} {entry.quantity}{pool}"
        case _:
            return in_words(world.ask(read(said, world.now)), world.cell)


def read(said: str, now: datetime) -> Command:
    match said.split():
        case ["reserve", name, quantity, *options]:
            chosen = dict(zip(options[::2], options[1::2], strict=True))
            deadline = now + duration(chosen.pop("for", "15m"))
            pool = chosen.pop("from", None)
            assert not chosen, f"unknown options {chosen}"
            return Reserve(id_of(name), int(quantity), deadline, pool)
        case ["confirm", name]:
            return Confirm(id_of(name))
        case ["deduct", name, quantity]:
            return Deduct(id_of(name), None if quantity == "all" else int(quantity))
        case ["release", name]:
            return Release(id_of(name))
        case ["expire", name]:
            return Expire(id_of(name))
        case ["withdraw", name]:
            return Withdraw(id_of(name))
        case ["withdraw", name, "for", left]:
            return Withdraw(id_of(name), now + duration(left))
        case ["adopt", name, "for", left]:
            return Adopt(id_of(name), now + duration(left))
        case words:
            return read_goods(words)


def read_goods(words: list[str]) -> Command:
    match words:
        case ["receive", quantity]:
            return Receive(int(quantity))
        case ["adjust", bucket, delta]:
            return Adjust(Bucket(bucket), int(delta), None)
        case ["adjust", bucket, delta, "if", units]:
            return Adjust(Bucket(bucket), int(delta), int(units))
        case ["move", source, target, quantity]:
            return Move(Bucket(source), Bucket(target), int(quantity))
        case ["return", target, quantity]:
            return Return(Bucket(target), int(quantity))
        case ["allot", pool, quantity]:
            return Allot(pool, int(quantity))
        case ["unallot", pool, quantity]:
            return Unallot(pool, None if quantity == "all" else int(quantity))
        case ["read"]:
            return Read()
        case _:
            raise ValueError(f"a story cannot say: {' '.join(words)}")


def in_words(answer: Change | Refusal, cell: Cell) -> str:
    match answer:
        case Change():
            return f"{'same' if answer == NO_CHANGE else 'ok'} {balance(cell)}"
        case Invalid(field, message) if message.startswith("exceeds the reservation"):
            return "exceeds_reservation"
        case Invalid(field, message) if message.startswith("the cell would hold more"):
            return f"too_full {field}"
        case Invalid(field):
            return f"invalid {field}"
        case NotFound():
            return "not_found"
        case Conflict():
            return "conflict"
        case ReservationClosed(state):
            return str(state)
        case Stale(_, actual):
            return f"stale {actual}"
        case InsufficientStock():
            return f"short {answer.available}"
        case _:
            raise AssertionError(f"a cell does not refuse with {answer}")


def balance(cell: Cell) -> str:
    available, reserved, quarantined, damaged = cell.units
    words = [f"{available}/{reserved}"]
    words += [f"q{quarantined}"] * bool(quarantined) + [f"d{damaged}"] * bool(damaged)
    words += [f"{pool}={units}" for pool, units in sorted(cell.pools.items())]
    return " ".join(words)


def hold_in_words(cell: Cell, name: str) -> str:
    hold = cell.holds.get(id_of(name))
    if hold is None:
        return "none"
    until = "" if hold.deadline is None else f" until {(hold.deadline - START) / UNITS['m']:g}m"
    pool = "" if hold.pool is None else f" from {hold.pool}"
    return f"{hold.state} {hold.left} of {hold.quantity}{pool}{until}"


def duration(text: str) -> timedelta:
    """`16m`, `14m59s`, `1us`."""
    parts = re.findall(r"(\d+)([a-z]+)", text)
    assert "".join(number + unit for number, unit in parts) == text, f"not a duration: {text}"
    return sum((int(number) * UNITS[unit] for number, unit in parts), timedelta())


def id_of(name: str) -> UUID:
    return UUID(bytes=name.encode().rjust(16, b"\0"))
