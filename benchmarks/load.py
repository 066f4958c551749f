"""A closed loop: so many requests in flight, each answered before its place is used again.

Bounded in time and in count. What the requests cost is read from the processes' own CPU clocks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple

import psutil

ANSWERS_LIMIT = 1_000_000
"""Requests in one reading."""

Once = Callable[[], Awaitable[bool]]
"""One request: True if it was accepted, False if it was refused. If it raises, the run ends."""
Roles = Mapping[str, Sequence[int]]
"""Process ids by what the processes are for."""


class Reading(NamedTuple):
    """One run of the loop: answers per second, their latencies, and CPU per answer by role."""

    accepted: float
    refused: float
    p50_ms: float
    p99_ms: float
    cpu_us: dict[str, float]


class Spread(NamedTuple):
    median: float
    low: float
    high: float


async def closed_loop(once: Once, in_flight: int, seconds: float, roles: Roles) -> Reading:
    latencies: list[float] = []
    accepted = 0

    async def place(until: float) -> None:
        nonlocal accepted
        begun = perf_counter()
        while begun < until and len(latencies) < ANSWERS_LIMIT:
            is_accepted = await once()
            accepted += is_accepted
            ended = perf_counter()
            latencies.append(ended - begun)
            begun = ended

    before = cpu_seconds(roles)
    started = perf_counter()
    async with asyncio.TaskGroup() as places:
        for _ in range(in_flight):
            places.create_task(place(started + seconds))
    elapsed = perf_counter() - started
    spent = {role: after - before[role] for role, after in cpu_seconds(roles).items()}
    latencies.sort()
    answers = len(latencies)
    return Reading(
        accepted / elapsed,
        (answers - accepted) / elapsed,
        latencies[answers // 2] * 1e3,
        latencies[int(answers * 0.99)] * 1e3,
        {role: cpu / answers * 1e6 for role, cpu in spent.items()},
    )


def cpu_seconds(roles: Roles) -> dict[str, float]:
    return {role: sum(map(cpu_of, pids)) for role, pids in roles.items()}


def cpu_of(pid: int) -> float:
    """User and system time of one process; nothing for one that has ended."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def children_of(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))
