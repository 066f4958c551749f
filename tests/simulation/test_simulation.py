"""Seeded storms over owners and ledger, with an auditor as oracle.

ONHAND_SIMULATION_SEEDS says how many seeds are played; `make test` and `make soak` play many.
"""

import os
from collections import Counter

import pytest

from domain.ledger import BY_CODE
from tests.simulation.seeds import Failure, play_all, play_many, report
from tests.simulation.storm import LONG, play

SEEDS = int(os.environ.get("ONHAND_SIMULATION_SEEDS", "400"))


@pytest.mark.timeout(1_800)
def test_whatever_happens_the_books_balance_and_answers_are_kept() -> None:
    failures = play_many(range(SEEDS))
    assert not failures, report(failures)


async def breaks(seed: int) -> None:
    assert seed != 3, "the books are wrong"


def test_a_seed_that_fails_is_told_with_the_line_that_plays_it_again() -> None:
    (failure,) = play_all(range(6), breaks)
    assert failure.seed == 3
    assert "the books are wrong" in failure.reason
    assert "PYTHONHASHSEED=0 python -m tests.simulation 3\n" in report([failure])
    assert [failure.seed for failure in play_many(range(120), breaks)] == [3]


def test_of_many_failures_some_are_told() -> None:
    told = report([Failure(seed, "broken") for seed in range(9)])
    assert told.startswith("9 seeds fail")
    assert told.count("play it again") == 5


async def test_the_storms_are_storms() -> None:
    seen: Counter[str] = Counter()
    for seed in range(5):
        crowd = await play(seed, LONG)
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
        "LIMIT_REACHED",
        "TICKET_REQUIRED",
        "busy",
        "INSUFFICIENT_STOCK",
        "UNAVAILABLE",
        "expire",
        "deduct",
    }
    assert crowd.fleet.store.entries
    assert expected <= {name for name, number in seen.items() if number}, seen


async def test_a_seed_is_played_the_same_way_each_time() -> None:
    first, second = await play(7), await play(7)
    assert first.fleet.store.entries == second.fleet.store.entries
    assert first.stories == second.stories
