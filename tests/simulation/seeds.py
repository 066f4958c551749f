"""Many seeds over all cores. A seed that fails is told with the line that plays it again. The order
of a set is part of a storm, so the seed of Python's hashes is fixed as well."""

import asyncio
import multiprocessing
import os
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from tests.simulation.storm import play

CHUNK = 50
"""Seeds that a process takes at a time."""
FAILURES_LIMIT = 5
"""Told in full; more are only counted."""
HASHES = ("PYTHONHASHSEED", "0")
Play = Callable[[int], Awaitable[Any]]


class Failure(NamedTuple):
    seed: int
    reason: str

    def __str__(self) -> str:
        again = f"play it again: {'='.join(HASHES)} python -m tests.simulation {self.seed}"
        return f"seed {self.seed} fails; {again}\n{self.reason}"


def play_all(seeds: range, play_one: Play = play) -> list[Failure]:
    """In this process, one seed after the other."""
    failures = []
    for seed in seeds:
        try:
            asyncio.run(whole(play_one, seed))
        except Exception:  # tidy: allow broad-except: whatever breaks a seed is told with it
            failures.append(Failure(seed, traceback.format_exc(limit=-6)))
    return failures


async def whole(play_one: Play, seed: int) -> None:
    await play_one(seed)


def play_many(seeds: range, play_one: Play = play) -> list[Failure]:
    """On all cores. A pool of processes that start afresh: none inherits what this one has open."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    cores = len(os.sched_getaffinity(0))
    afresh = multiprocessing.get_context("spawn")
    with fixed_hashes(), ProcessPoolExecutor(min(cores, len(chunks)), mp_context=afresh) as pool:
        found = pool.map(partial(play_all, play_one=play_one), chunks)
        return [failure for failures in found for failure in failures]


@contextmanager
def fixed_hashes() -> Iterator[None]:
    """For processes that are started meanwhile."""
    name, value = HASHES
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        os.environ.update({name: before} if before is not None else {})


def report(failures: list[Failure]) -> str:
    told = "\n".join(map(str, failures[:FAILURES_LIMIT]))
    return f"{len(failures)} seeds fail\n{told}"
