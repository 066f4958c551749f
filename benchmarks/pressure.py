"""What an owner does at half of its own maximum and at twice of it: requests come at a fixed rate,
whether or not the ones before them are answered, as buyers do."""

import asyncio
from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple

from actors.wire import Done, Failed, Reply
from benchmarks.ground import Ground
from benchmarks.load import closed_loop
from benchmarks.stock import PLENTY, Owners
from domain.commands import Request
from infra.memory import settle_memory

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
    """So many requests per second, for so long, then the wait for the last answer. What this
    process spends the owner lacks, and a loop that is late cannot offer: so the requests are laid
    ready before, an answer that is there at once needs no callback, and garbage is looked for as
    seldom as in an API process."""
    ready = [owners.request() for _ in range(min(int(seconds * per_second), ARRIVALS_LIMIT))]
    settle_memory()
    accepted: list[float] = []
    busy: list[float] = []
    pending: set[asyncio.Future[Reply]] = set()
    inside = sent = 0
    until = 0.0

    def answered(due_at: float, future: asyncio.Future[Reply]) -> None:
        nonlocal inside
        reply = future.result()
        now = perf_counter()
        if isinstance(reply, Failed) and reply.code == "BUSY":
            busy.append(now - due_at)
        else:
            assert isinstance(reply, Done), reply
            accepted.append(now - due_at)
            inside += now <= until

    def came(due_at: float, future: asyncio.Future[Reply]) -> None:
        pending.discard(future)
        answered(due_at, future)

    def send(request: Request, due_at: float) -> None:
        future = owners.send(request)
        if future.done():
            answered(due_at, future)
            return
        pending.add(future)
        future.add_done_callback(partial(came, due_at))

    async with asyncio.timeout(seconds + PATIENCE_SECONDS):
        begun = perf_counter()
        until = begun + seconds
        while (now := perf_counter()) < until:
            for number in range(sent, min(int((now - begun) * per_second), len(ready))):
                send(ready[number], begun + number / per_second)
                sent = number + 1
            await asyncio.sleep(TICK_SECONDS)
        while pending:
            await asyncio.wait(list(pending)[:1])
    return Answered(sorted(accepted), sorted(busy), inside / seconds)


def percentile(latencies: Sequence[float], share: float) -> float:
    """In milliseconds; 0 if there are none."""
    if not latencies:
        return 0.0
    return latencies[min(int(len(latencies) * share), len(latencies) - 1)] * 1e3
