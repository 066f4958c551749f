"""What an owner does at half of its own maximum and at twice of it: requests come at a fixed rate,
whether or not the ones before them are answered, as buyers do."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

from benchmarks.ground import Ground
from benchmarks.load import closed_loop
from benchmarks.stock import PLENTY, Owners
from infra.outage import Outage

TICK_SECONDS = 0.002
"""Requests due in one tick are sent together; a loop cannot wake for each."""
MAXIMUM_IN_FLIGHT = 1_024
MAXIMUM_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
ARRIVALS_LIMIT = 400_000


class Answered(NamedTuple):
    """Latencies in seconds, sorted. `goodput` is accepted per second while requests came: what was
    taken in and answered later is left out."""

    accepted: list[float]
    busy: list[float]
    goodput: float


class Pressure(NamedTuple):
    """`maximum` is the accepted rate of a closed loop in the same round."""

    maximum: float
    half: Answered
    twice: Answered


async def press(ground: Ground, code: str, seconds: float) -> Pressure:
    owners = Owners(ground, "owners", PLENTY)
    roles = await owners.open(code)
    try:
        await closed_loop(owners.once, MAXIMUM_IN_FLIGHT, MAXIMUM_SECONDS, roles)
        reading = await closed_loop(owners.once, MAXIMUM_IN_FLIGHT, MAXIMUM_SECONDS, roles)
        half = await offered(owners, reading.accepted / 2, seconds)
        twice = await offered(owners, reading.accepted * 2, seconds)
        return Pressure(reading.accepted, half, twice)
    finally:
        await owners.close()


async def offered(owners: Owners, per_second: float, seconds: float) -> Answered:
    """So many requests per second, for so long, then the wait for the last answer."""
    accepted: list[float] = []
    busy: list[float] = []
    inside = 0
    begun = perf_counter()
    until = begun + seconds

    async def one(sent: float) -> None:
        nonlocal inside
        try:
            if await owners.once():
                accepted.append(perf_counter() - sent)
                inside += perf_counter() <= until
        except Outage as outage:
            if outage.code != "BUSY":
                raise
            busy.append(perf_counter() - sent)

    sent = 0
    async with asyncio.timeout(seconds + PATIENCE_SECONDS), asyncio.TaskGroup() as requests:
        while (now := perf_counter()) < until and sent < ARRIVALS_LIMIT:
            due = int((now - begun) * per_second)
            for number in range(sent, due):
                requests.create_task(one(begun + number / per_second))
            sent = max(sent, due)
            await asyncio.sleep(TICK_SECONDS)
    return Answered(sorted(accepted), sorted(busy), inside / seconds)


def percentile(latencies: Sequence[float], share: float) -> float:
    """In milliseconds; 0 if there are none."""
    if not latencies:
        return 0.0
    return latencies[min(int(len(latencies) * share), len(latencies) - 1)] * 1e3
