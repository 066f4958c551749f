"""Levels as they travel: what every pool has left, also for who reads what was written before."""

import msgspec

from domain.cell import Cell
from infra.ledger import cell_level
from infra.levels import decode_level, decode_levels, encode_level, encode_levels
from tests.actors.world import BERLIN, NOON


def test_a_level_tells_what_is_left_in_each_pool() -> None:
    cell = Cell(BERLIN, NOON, 7, seq=3, units=[5, 0, 0, 0], pools={"sale:1": 4, "web": 2})
    level = cell_level(cell)
    cell.pools["web"] = 0
    assert (level.pools, level.pooled) == ({"sale:1": 4, "web": 2}, 6)
    assert decode_levels(encode_levels([level])) == [level]


def test_without_pools_nothing_is_told() -> None:
    assert cell_level(Cell(BERLIN, NOON)).pools is None


def test_a_level_that_was_written_before_pools_were_told_is_read() -> None:
    level = cell_level(Cell(BERLIN, NOON, 7, seq=3, units=[5, 0, 0, 0]))
    old = msgspec.msgpack.encode(tuple(level)[:-1])
    assert decode_level(old) == level == decode_level(encode_level(level))
