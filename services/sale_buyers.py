"""The buyers of a flash sale: when each arrives, what they want and how they behave.

The same seed makes the same buyers, so that a run that went wrong can be run again.
"""

import random  # tidy: allow random: a generator seeded by the caller, the same for everybody
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID, uuid5


class Temper(StrEnum):
    PAYS = "pays"
    LEAVES = "leaves"
    FORGETS = "lets it expire"
    DOUBLE_CLICKS = "double-clicks, pays"
    RETRIES = "gives up waiting, asks again, pays"


SHARES = {
    Temper.PAYS: 60.0,
    Temper.LEAVES: 12.0,
    Temper.FORGETS: 8.0,
    Temper.DOUBLE_CLICKS: 10.0,
    Temper.RETRIES: 10.0,
}
COMES_AGAIN_SHARE = 0.08
"""Buyers who have been here before under the same name: the limit is there for them."""
TWO_UNITS_SHARE = 0.25
THINKS_SECONDS = (0.2, 2.0)


class Buyer(NamedTuple):
    """`arrives` and `thinks` are seconds: from the opening, and before paying or leaving."""

    number: int
    arrives: float
    reservation: UUID
    customer: str
    units: int
    temper: Temper
    thinks: float


def buyers_of(sale_id: UUID, arrivals: Sequence[float], seed: int) -> Iterator[Buyer]:
    """One for each arrival, in that order."""
    chance = random.Random(seed)
    tempers, shares = list(SHARES), list(SHARES.values())
    for number, arrives in enumerate(arrivals):
        again = number > 0 and chance.random() < COMES_AGAIN_SHARE
        name = chance.randrange(number) if again else number
        yield Buyer(
            number,
            arrives,
            uuid5(sale_id, f"buyer/{seed}/{number}"),
            f"buyer-{name}",
            2 if chance.random() < TWO_UNITS_SHARE else 1,
            chance.choices(tempers, shares)[0],
            chance.uniform(*THINKS_SECONDS),
        )


def poisson_arrivals(count: int, per_second: float, seed: int) -> list[float]:
    """Independent of each other, so many a second in the mean."""
    chance = random.Random(seed)
    return list(accumulate(chance.expovariate(per_second) for _ in range(count)))


def shaped_arrivals(
    count: int, per_second: float, weights: Sequence[float], seed: int
) -> list[float]:
    """As a curve of equally long parts rises and falls: over the time that so many a second take in
    the mean. `weights` are not negative and not all 0."""
    chance = random.Random(seed)
    heights = list(accumulate(weights))
    part = count / per_second / len(weights)

    def moment() -> float:
        drawn = chance.uniform(0, heights[-1])
        place = bisect_left(heights, drawn)
        below = heights[place - 1] if place else 0.0
        return (place + (drawn - below) / max(weights[place], 1e-9)) * part

    return sorted(moment() for _ in range(count))


def busiest(weights: Sequence[float], parts: int) -> Sequence[float]:
    """The stretch of so many parts that ends a third after the highest."""
    peak = max(range(len(weights)), key=weights.__getitem__)
    first = max(0, min(peak - parts * 2 // 3, len(weights) - parts))
    return weights[first : first + parts]
