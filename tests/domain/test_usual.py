"""The short road of the usual reservation, held equal to the long one."""

from copy import deepcopy
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.cell import Cell, Change, apply
from domain.commands import Reserve
from domain.decisions import QUANTITY_LIMIT, decide
from domain.usual import reserve_at_once
from tests.domain.story import id_of
from tests.domain.world import START, empty_cell

NOW = START + timedelta(minutes=1)
IDS = st.sampled_from([id_of("R1"), id_of("R2")])
COMMANDS = st.builds(
    Reserve,
    IDS,
    st.one_of(st.integers(-1, 12), st.just(QUANTITY_LIMIT + 1)),
    st.just(NOW + timedelta(minutes=5)),
    st.sampled_from([None, "web"]),
)


def furnished(available: int, floor: int) -> Cell:
    """Ten units more lie in a pool, and R1 has a hold already."""
    cell = empty_cell()
    cell.floor = floor
    cell.units[0] = available + 1
    cell.pools["web"] = 10
    change = decide(cell, Reserve(id_of("R1"), 1, NOW), id_of("R1"), START)
    assert isinstance(change, Change)
    apply(cell, change)
    return cell


def facts(cell: Cell) -> tuple[object, ...]:
    return cell.seq, cell.as_of, cell.units, cell.pools, cell.holds


@given(st.integers(0, 10), st.sampled_from([0, -3]), COMMANDS, IDS)
def test_the_short_road_has_the_effect_of_the_long_one_or_none(
    available: int, floor: int, command: Reserve, request_id: UUID
) -> None:
    short, long = furnished(available, floor), furnished(available, floor)
    before = deepcopy(facts(short))
    hold = reserve_at_once(short, command, request_id, NOW)
    if hold is None:
        assert facts(short) == before
        return
    change = decide(long, command, request_id, NOW)
    assert isinstance(change, Change)
    assert change.hold == hold
    apply(long, change)
    assert facts(short) == facts(long)


def test_the_usual_reservation_does_take_the_short_road() -> None:
    cell = furnished(5, 0)
    command = Reserve(id_of("R2"), 5, NOW)
    hold = reserve_at_once(cell, command, id_of("R2"), NOW)
    assert hold is not None
    assert (hold.quantity, hold.available_after, cell.units[:2]) == (5, 0, [0, 6])
    assert reserve_at_once(cell, Reserve(id_of("R3"), 1, NOW), id_of("R3"), NOW) is None
