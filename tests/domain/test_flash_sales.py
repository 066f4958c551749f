"""A flash sale's pool, its life by the clock, and which units move for it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.commands import CellKey
from domain.flash_sales import (
    SaleState,
    Step,
    pool_of,
    sale_of,
    state_by_time,
    step_id,
    steps,
)

SALE = UUID(int=7)
TEA, CUP = CellKey("TEA", "BERLIN"), CellKey("CUP", "PARIS")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
ONE = timedelta(hours=1)


def test_a_pool_tells_its_sale() -> None:
    assert sale_of(pool_of(SALE)) == SALE


@pytest.mark.parametrize("pool", [None, "web shop", "quota:7"])
def test_other_pools_are_of_no_sale(pool: str | None) -> None:
    assert sale_of(pool) is None


def test_all_of_a_new_sale_is_set_aside() -> None:
    assert steps({}, {TEA: 3, CUP: 2}) == [Step(CUP, 2), Step(TEA, 3)]


def test_units_are_set_aside_before_any_is_given_back() -> None:
    assert steps({CUP: 5, TEA: 1}, {CUP: 2, TEA: 4}) == [Step(TEA, 3), Step(CUP, -3)]


def test_a_cell_that_left_the_sale_gives_all_back_and_one_that_stays_nothing() -> None:
    assert steps({CUP: 5, TEA: 1}, {TEA: 1}) == [Step(CUP, -5)]


def test_a_step_has_one_id_per_work_occasion_and_cell() -> None:
    made = step_id(SALE, "1", TEA)
    assert made == step_id(SALE, "1", TEA)
    others = [(UUID(int=8), "1", TEA), (SALE, "2", TEA), (SALE, "1", CUP)]
    assert len({made, *(step_id(*other) for other in others)}) == 4


LIFE = """
    scheduled  -1  scheduled
    scheduled   0  open
    scheduled   9  open
    open        0  open
    open        1  closed
    closed      9  closed
    preparing   9  preparing
    cancelled   9  cancelled
    finished    9  finished
"""


@pytest.mark.parametrize("row", [line.split() for line in LIFE.strip().splitlines()], ids=" ".join)
def test_a_sale_opens_and_closes_by_the_clock(row: list[str]) -> None:
    """It opens at noon and closes an hour later."""
    state, hours, expected = row
    now = NOON + int(hours) * ONE
    assert state_by_time(SaleState(state), NOON, NOON + ONE, now) is SaleState(expected)
