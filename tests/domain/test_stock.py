"""Goods in, goods back, corrections and moves between the buckets of a cell."""

import pytest

from domain.cell import Cell, apply_entry
from domain.ledger import BY_CODE, Entry
from domain.refusals import Stale
from tests.domain.story import id_of, play, read, tell
from tests.domain.world import KEY, START, empty_cell


def test_goods_come_in_as_available() -> None:
    tell("""
        read           -> same 0/0
        receive 10     -> ok 10/0
        last           -> receive supplier > available 10
        receive 1      -> ok 11/0
    """)


def test_units_move_between_the_shelves() -> None:
    tell("""
        receive 9                          -> ok 9/0
        move available quarantined 4       -> ok 5/0 q4
        last                               -> quarantine available > quarantined 4
        move quarantined damaged 2         -> ok 5/0 q2 d2
        last                               -> damage quarantined > damaged 2
        move damaged quarantined 1         -> ok 5/0 q3 d1
        last                               -> quarantine damaged > quarantined 1
        move quarantined available 3       -> ok 8/0 d1
        last                               -> clear quarantined > available 3
        move available damaged 2           -> ok 6/0 d3
        last                               -> damage available > damaged 2
        move damaged available 3           -> ok 9/0
        last                               -> clear damaged > available 3
    """)


@pytest.mark.parametrize(
    "path",
    [
        "available available",
        "available reserved",
        "reserved available",
        "reserved quarantined",
        "quarantined reserved",
        "damaged damaged",
        "available customer",
        "damaged scrap",
        "available transit",
        "supplier available",
        "variance available",
    ],
)
def test_nothing_moves_on_other_paths(path: str) -> None:
    world = tell("""
        receive 9                          -> ok 9/0
        reserve R1 3                       -> ok 6/3
        move available damaged 2           -> ok 4/3 d2
    """)
    assert play(world, f"move {path} 1") == "invalid to"


def test_no_more_is_moved_than_is_there() -> None:
    tell("""
        receive 5                          -> ok 5/0
        reserve R1 2                       -> ok 3/2
        move available damaged 4           -> short 3
        move available damaged 3           -> ok 0/2 d3
        move damaged quarantined 4         -> short 3
        move quarantined available 1       -> short 0
    """)


def test_returned_goods_go_where_they_are_told() -> None:
    tell("""
        return quarantined 2               -> ok 0/0 q2
        last                               -> return customer > quarantined 2
        return available 3                 -> ok 3/0 q2
        last                               -> return customer > available 3
        return damaged 1                   -> ok 3/0 q2 d1
        last                               -> return customer > damaged 1
        return reserved 1                  -> invalid to
        return scrap 1                     -> invalid to
    """)


def test_a_correction_says_what_was_found_or_is_missing() -> None:
    tell("""
        adjust available +5                -> ok 5/0
        last                               -> count_gain variance > available 5
        adjust available -2                -> ok 3/0
        last                               -> count_loss available > variance 2
        adjust quarantined +4              -> ok 3/0 q4
        last                               -> count_gain variance > quarantined 4
        adjust quarantined -1              -> ok 3/0 q3
        last                               -> count_loss quarantined > variance 1
        adjust damaged +2                  -> ok 3/0 q3 d2
        last                               -> count_gain variance > damaged 2
        adjust damaged -2                  -> ok 3/0 q3
        last                               -> count_loss damaged > variance 2
    """)


def test_no_more_is_lost_than_is_there() -> None:
    tell("""
        receive 5                          -> ok 5/0
        reserve R1 3                       -> ok 2/3
        adjust available -3                -> short 2
        adjust damaged -1                  -> short 0
        adjust available -2                -> ok 0/3
    """)


def test_a_correction_of_what_somebody_saw_is_refused_when_it_changed() -> None:
    tell("""
        receive 5                          -> ok 5/0
        adjust available -1 if 4           -> stale 5
        adjust available -1 if 5           -> ok 4/0
        adjust available +1 if 5           -> stale 4
        adjust damaged +1 if 0             -> ok 4/0 d1
        adjust damaged +1 if 0             -> stale 1
    """)


def test_a_stale_correction_says_what_was_believed_and_what_is() -> None:
    world = tell("receive 5 -> ok 5/0")
    answer = world.ask(read("adjust available -1 if 4", world.now))
    assert answer == Stale(expected=4, actual=5)


def test_reserved_and_outside_buckets_are_not_corrected() -> None:
    tell("""
        receive 5                          -> ok 5/0
        reserve R1 2                       -> ok 3/2
        adjust reserved -1                 -> invalid bucket
        adjust reserved +1                 -> invalid bucket
        adjust supplier +1                 -> invalid bucket
        adjust variance -1                 -> invalid bucket
    """)


def test_corrections_are_refused_in_the_written_order() -> None:
    tell("""
        adjust reserved 0 if 9             -> invalid bucket
        adjust available 0 if 9            -> invalid delta
        adjust available -1000000001 if 9  -> invalid delta
        adjust available +1000000001 if 9  -> invalid delta
        adjust available -5 if 9           -> stale 0
        adjust available -5 if 0           -> short 0
        adjust available -1000000000       -> short 0
    """)


@pytest.mark.parametrize("quantity", [0, -1, 1_000_000_001])
@pytest.mark.parametrize(
    "command",
    [
        "receive",
        "move available quarantined",
        "move available scrap",
        "return quarantined",
        "return scrap",
        "allot web",
        "unallot web",
    ],
)
def test_a_bad_quantity_is_seen_first(command: str, quantity: int) -> None:
    world = tell("receive 9 -> ok 9/0")
    assert play(world, f"{command} {quantity}") == "invalid quantity"


def test_a_cell_never_holds_more_than_the_limit() -> None:
    """Once, buckets were bounded one by one, and moves could pile 4 billion units into one: more
    than the database's column holds, so the cell's whole batch failed."""
    tell("""
        receive 999999999                     -> ok 999999999/0
        receive 2                             -> too_full quantity
        receive 1                             -> ok 1000000000/0
        move available quarantined 1000000000 -> ok 0/0 q1000000000
        receive 1                             -> too_full quantity
        return damaged 1                      -> too_full quantity
        adjust damaged +1                     -> too_full delta
        adjust quarantined -1                 -> ok 0/0 q999999999
        return damaged 1                      -> ok 0/0 q999999999 d1
    """)


def test_pools_and_reserved_units_count_towards_the_limit() -> None:
    tell("""
        receive 1000000000     -> ok 1000000000/0
        allot web 600000000    -> ok 400000000/0 web=600000000
        reserve R1 400000000   -> ok 0/400000000 web=600000000
        receive 1              -> too_full quantity
        deduct R1 1            -> ok 0/399999999 web=600000000
        receive 1              -> ok 1/399999999 web=600000000
    """)


def test_a_level_is_what_the_cell_holds_at_a_seq() -> None:
    world = tell("""
        receive 20                         -> ok 20/0
        reserve R1 6                       -> ok 14/6
        move available quarantined 4       -> ok 10/6 q4
        move available damaged 3           -> ok 7/6 q4 d3
        allot web 2                        -> ok 5/6 q4 d3 web=2
        tick 1m
        allot shop 1                       -> ok 4/6 q4 d3 shop=1 web=2
    """)
    level = world.cell.level()
    assert level == (4, 6, 4, 3, 3, 6, world.now)
    assert level.on_hand == 20


def test_a_new_cell_is_empty_and_unknown_to_the_ledger() -> None:
    cell = Cell(KEY, START)
    assert (cell.id, cell.version, cell.seq, cell.floor) == (0, 0, 0, 0)
    assert (cell.units, cell.pools, cell.holds) == ([0, 0, 0, 0], {}, {})
    assert cell.units is not Cell(KEY, START).units


def test_an_entry_is_folded_in_its_turn_only() -> None:
    cell = empty_cell()
    for seq in (0, 2):
        with pytest.raises(AssertionError, match="skipped or repeated"):
            apply_entry(cell, Entry(seq, BY_CODE[1], 5, None, id_of("R1"), START))
    assert cell.level() == empty_cell().level()
