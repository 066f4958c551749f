"""Every life of a small cell: all commands in all states that can be reached, not only random ones.

Two reservations, one pool, at most 3 units. A state that differs only in the date or in seq is the
same state, so the search ends by itself: what it has seen is all there is.
"""

from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest

from domain.cell import Hold
from domain.commands import REMEMBERED
from tests.domain.model import Model
from tests.domain.story import play, read
from tests.domain.world import World, empty_cell

FINISHING = ("confirm {}", "deduct {} 1", "deduct {} all", "release {}", "expire {}", "withdraw {}")
LINES = (
    *(line.format(name) for line in FINISHING for name in ("R1", "R2")),
    "reserve R1 1 for 1m",
    "reserve R1 2 for 1m",
    "reserve R2 2 for 1m",
    "reserve R2 1 for 1m from web",
    "allot web 1",
    "unallot web 1",
    "move available damaged 1",
    "move damaged available 1",
    "adjust damaged -1",
    "tick 1m",
)
State = tuple[object, ...]


class Life(NamedTuple):
    world: World
    model: Model
    story: tuple[str, ...] = ()


def state(world: World) -> State:
    holds = [
        (name.int, hold.quantity, hold.deducted, hold.state, hold.pool, time_left(world, hold))
        for name, hold in world.cell.holds.items()
    ]
    return (*world.cell.units, *sorted(world.cell.pools.items()), *sorted(holds))


def time_left(world: World, hold: Hold) -> timedelta | None:
    return None if hold.deadline is None else max(hold.deadline - world.now, timedelta())


def branch(life: Life, line: str) -> Life:
    """Another life with the same past, so that each line can be tried in the same state."""
    old = life.world.cell
    cell = replace(old, units=[*old.units], pools={**old.pools}, holds={**old.holds})
    model = copy(life.model)
    model.units = life.model.units.copy()
    model.holds = {name: {**hold} for name, hold in life.model.holds.items()}
    world = World(cell, [*life.world.entries], life.world.now)
    return Life(world, model, (*life.story, line))


def go_on(life: Life) -> None:
    """The last line of the story happens, here and in the auditor's book."""
    line = life.story[-1]
    answer = play(life.world, line)
    assert answer == life.model.ask(line), life.story
    if answer.startswith("ok") and not isinstance(read(line, life.world.now), REMEMBERED):
        again = play(life.world, line)
        assert again == answer.replace("ok", "same"), f"repeated: {life.story}"


@pytest.mark.parametrize(("floor", "on_hand_limit"), [(0, 3), (-1, 1)])
def test_in_every_state_the_auditor_agrees_and_a_repeat_is_harmless(
    floor: int, on_hand_limit: int
) -> None:
    start = Life(World(empty_cell(floor)), Model(floor))
    seen, ahead = {state(start.world)}, [start]
    for life in ahead:
        gains = ("receive 1",) if life.world.cell.level().on_hand < on_hand_limit else ()
        for line in (*LINES, *gains):
            next_life = branch(life, line)
            go_on(next_life)
            if state(next_life.world) not in seen:
                seen.add(state(next_life.world))
                ahead.append(next_life)
    assert len(seen) > 1_000, "a world too small to prove anything"
