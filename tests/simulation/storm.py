"""One seed is one storm over owners and ledger, from start to audit. Most storms are short, and
every thirty-second is long: many short ones meet more orders of events than a few long ones."""

import asyncio
from datetime import timedelta
from random import Random
from typing import NamedTuple

from tests.actors.world import FakeClock
from tests.simulation.auditor import OPEN, Auditor
from tests.simulation.crowd import SKUS, WAREHOUSES, Crowd
from tests.simulation.fleet import Fleet, StormyStore


class Size(NamedTuple):
    """`weather` counts the times that something happens to the owners."""

    people: int
    actions: int
    weather: int


SHORT = Size(6, 10, 24)
LONG = Size(8, 25, 60)
LONG_EVERY = 32


def size_of(seed: int) -> Size:
    return SHORT if seed % LONG_EVERY else LONG


async def weather(rng: Random, fleet: Fleet, times: int) -> None:
    for _ in range(times):
        for _ in range(rng.randrange(12)):
            await asyncio.sleep(0)
        happens = rng.choices(
            [fleet.crash, fleet.replace, fleet.evict, None], weights=[3, 2, 4, 12]
        )[0]
        if happens is not None:
            happens()
        await fleet.tick(seconds=rng.choice([0.2, 1, 4, 20]))


async def play(seed: int, size: Size | None = None) -> Crowd:
    """The crowd, after the audit; raises AssertionError where the books are wrong."""
    size = size or size_of(seed)
    rng = Random(seed)
    store = StormyStore(rng, SKUS, WAREHOUSES)
    clock = FakeClock()
    clock.step = timedelta(microseconds=1)
    fleet = Fleet(rng, store, clock)
    crowd = Crowd(rng, fleet)
    try:
        people = [crowd.person(size.actions) for _ in range(size.people)]
        await asyncio.gather(weather(rng, fleet, size.weather), *people)
        await fleet.calm_down()
        Auditor(store).check(crowd.stories)
        await fleet.let_all_end()
        Auditor(store).check(crowd.stories)
        assert leftovers(store) == []
        assert store.broken == []
    finally:
        await fleet.scuttle()
    return crowd


def leftovers(store: StormyStore) -> list[object]:
    """Holds that nobody would ever end: those with a deadline, and stranded ones."""
    lost = {key[0] for key, hold in store.holds.items() if hold.state in ("expired", "released")}
    return [
        key
        for key, hold in store.holds.items()
        if hold.state == "held" or (hold.state in OPEN and key[0] in lost)
    ]
