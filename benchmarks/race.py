"""Contenders in alternating rounds: each round visits every number in flight, and at each number
every contender in turn, so that a noisy minute of the machine falls on all of them."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple, Protocol

import uvloop

from benchmarks.load import Reading, Roles, Spread, closed_loop, spread

WARM_UP_SECONDS = 0.3
WARM_UP_IN_FLIGHT = 16


class Contender(Protocol):
    name: str

    async def open(self, code: str) -> Roles: ...

    async def once(self) -> bool: ...

    async def close(self) -> None: ...


class Plan(NamedTuple):
    rounds: int
    seconds: float
    in_flight: tuple[int, ...]


class Result(NamedTuple):
    """All rounds of one contender at one number in flight."""

    name: str
    in_flight: int
    readings: list[Reading]

    def of(self, field: str) -> Spread:
        return spread([getattr(reading, field) for reading in self.readings])

    def cpu_us(self) -> dict[str, float]:
        roles = self.readings[0].cpu_us
        return {role: spread([r.cpu_us[role] for r in self.readings]).median for role in roles}


def run(
    contenders: Sequence[Contender],
    plan: Plan,
    between: Callable[[], None],
    say: Callable[[str], None],
) -> list[Result]:
    """`between` runs before every round; `say` is told where we are."""
    results = {
        (contender.name, number): Result(contender.name, number, [])
        for number in plan.in_flight
        for contender in contenders
    }
    for index in range(plan.rounds):
        between()
        turn = index % len(contenders)
        order = [*contenders[turn:], *contenders[:turn]]
        for key, reading in uvloop.run(one_round(order, plan, index, say)).items():
            results[key].readings.append(reading)
    return list(results.values())


async def one_round(
    order: Sequence[Contender], plan: Plan, index: int, say: Callable[[str], None]
) -> dict[tuple[str, int], Reading]:
    async with AsyncExitStack() as opened:
        roles: dict[str, Roles] = {}
        for c in order:
            roles[c.name] = await c.open(f"{c.name} {index}")
            opened.push_async_callback(c.close)
        for c in order:
            await closed_loop(c.once, WARM_UP_IN_FLIGHT, WARM_UP_SECONDS, roles[c.name])
        readings = {}
        for number in plan.in_flight:
            for c in order:
                say(f"round {index + 1} of {plan.rounds}: {c.name}, {number} in flight")
                reading = await closed_loop(c.once, number, plan.seconds, roles[c.name])
                readings[c.name, number] = reading
        return readings
