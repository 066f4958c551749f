"""Seeded storms over owners and ledger, with an auditor as oracle.

ONHAND_SIMULATION_SEEDS says how many seeds are played; `make soak` plays many.
"""

import asyncio
import os
from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from domain.ledger import BY_CODE
from tests.actors.world import FakeClock
from tests.simulation.auditor import OPEN, Auditor
from tests.simulation.crowd import SKUS, WAREHOUSES, Crowd
from tests.simulation.fleet import Fleet, StormyStore

SEEDS = int(os.environ.get("ONHAND_SIMULATION_SEEDS", "40"))
PEOPLE = 8
ACTIONS = 25
WEATHER = 60
"""Times that something happens to the owners."""


async def weather(rng: Random, fleet: Fleet) -> None:
    for _ in range(WEATHER):
        for _ in range(rng.randrange(12)):
            await asyncio.sleep(0)
        happens = rng.choices(
            [fleet.crash, fleet.replace, fleet.evict, None], weights=[3, 2, 4, 12]
        )[0]
        if happens is not None:
            happens()
        await fleet.tick(seconds=rng.choice([0.2, 1, 4, 20]))


async def play(seed: int) -> Crowd:
    rng = Random(seed)
    store = StormyStore(rng, SKUS, WAREHOUSES)
    clock = FakeClock()
    clock.step = timedelta(microseconds=1)
    fleet = Fleet(rng, store, clock)
    crowd = Crowd(rng, fleet)
    try:
        people = [crowd.person(ACTIONS) for _ in range(PEOPLE)]
        await asyncio.gather(weather(rng, fleet), *people)
        await fleet.calm_down()
        Auditor(store).check(crowd.stories)
        await fleet.let_all_end()
        Auditor(store).check(crowd.stories)
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


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_happens_the_books_balance_and_answers_are_kept(seed: int) -> None:
    crowd = await play(seed)
    store = crowd.fleet.store
    assert leftovers(store) == []
    assert store.entries


async def test_the_storms_are_storms() -> None:
    seen: Counter[str] = Counter()
    for seed in range(5):
        crowd = await play(seed)
        seen["repeated"] += sum(len(story.told) > 1 for story in crowd.stories.values())
        seen["told in the end"] += sum(s.is_done and s.is_unsure for s in crowd.stories.values())
        seen["given up"] += sum(s.is_unsure and not s.is_done for s in crowd.stories.values())
        for ship in crowd.fleet.sunk + crowd.fleet.ships:
            stats = ship.owner.stats
            seen.update(stale=stats.stale, duplicates=stats.duplicates, busy=stats.busy)
            seen.update(stats.refusals.keys())
        seen.update(BY_CODE[row[2]].kind for row in crowd.fleet.store.entries.values())
    expected = {"repeated", "told in the end", "given up", "stale", "duplicates", "CONFLICT"}
    expected |= {
        "RESERVATION_CLOSED",
        "busy",
        "INSUFFICIENT_STOCK",
        "UNAVAILABLE",
        "expire",
        "deduct",
    }
    assert expected <= {name for name, number in seen.items() if number}, seen


async def test_a_seed_is_played_the_same_way_each_time() -> None:
    first, second = await play(7), await play(7)
    assert first.fleet.store.entries == second.fleet.store.entries
    assert first.stories == second.stories
