"""The buyers of a flash sale: the same for everybody, of every kind, and when they arrive."""

from collections import Counter
from itertools import pairwise
from uuid import UUID

import pytest

from services.sale_buyers import (
    THINKS_SECONDS,
    Temper,
    busiest,
    buyers_of,
    poisson_arrivals,
    shaped_arrivals,
)

SALE = UUID(int=7)


def test_a_seed_makes_the_same_buyers_again_and_another_makes_others() -> None:
    arrivals = poisson_arrivals(200, 50.0, 1)
    first = list(buyers_of(SALE, arrivals, 1))
    assert list(buyers_of(SALE, poisson_arrivals(200, 50.0, 1), 1)) == first
    assert list(buyers_of(SALE, arrivals, 2)) != first


def test_every_buyer_has_an_id_of_their_own_and_some_have_been_here_before() -> None:
    made = list(buyers_of(SALE, [0.0] * 2_000, 1))
    assert len({one.reservation for one in made}) == 2_000
    customers = Counter(one.customer for one in made)
    assert 100 < 2_000 - len(customers) < 220
    assert {one.units for one in made} == {1, 2}
    assert {one.temper for one in made} == set(Temper)
    least, most = THINKS_SECONDS
    assert all(least <= one.thinks <= most for one in made)


def test_a_crowd_arrives_at_its_rate_and_not_in_step() -> None:
    arrivals = poisson_arrivals(5_000, 100.0, 3)
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] == pytest.approx(50.0, rel=0.1)
    gaps = [b - a for a, b in pairwise(arrivals)]
    assert max(gaps) > 5 * (sum(gaps) / len(gaps))


def test_a_shaped_crowd_follows_its_curve() -> None:
    arrivals = shaped_arrivals(6_000, 100.0, [1.0, 0.0, 4.0, 1.0], 3)
    assert arrivals == sorted(arrivals)
    parts = Counter(int(moment // 15) for moment in arrivals)
    assert [round(parts[part] / 1_000) for part in range(4)] == [1, 0, 4, 1]


@pytest.mark.parametrize(
    ("weights", "parts", "found"),
    [
        ([1, 2, 9, 2, 1, 1], 3, [1, 2, 9]),
        ([9, 1, 1, 1], 3, [9, 1, 1]),
        ([1, 1, 1, 9], 3, [1, 1, 9]),
        ([1, 9], 60, [1, 9]),
    ],
)
def test_the_stretch_around_the_peak_is_taken(
    weights: list[float], parts: int, found: list[float]
) -> None:
    assert busiest(weights, parts) == found
