"""Ring-fences inside the available bucket, and floors below 0 for backorder."""

import pickle

from domain.cell import apply_entry
from domain.refusals import InsufficientStock
from tests.domain.story import read, tell
from tests.domain.world import empty_cell


def test_units_are_ring_fenced_and_given_back() -> None:
    tell("""
        receive 9                 -> ok 9/0
        allot web 4               -> ok 5/0 web=4
        last                      -> allot available > available 4 web
        allot web 1               -> ok 4/0 web=5
        unallot web 2             -> ok 6/0 web=3
        last                      -> unallot available > available 2 web
        unallot web 3             -> ok 9/0
    """)


def test_all_that_is_left_is_given_back_whatever_it_is() -> None:
    tell("""
        receive 9                 -> ok 9/0
        allot web 4               -> ok 5/0 web=4
        reserve R1 1 from web     -> ok 5/1 web=3
        unallot web all           -> ok 8/1
        last                      -> unallot available > available 3 web
        unallot web all           -> same 8/1
        unallot web 0             -> invalid quantity
    """)


def test_no_more_is_ring_fenced_or_given_back_than_is_there() -> None:
    tell("""
        unallot web 1             -> short 0
        receive 3                 -> ok 3/0
        allot web 4               -> short 3
        allot web 3               -> ok 0/0 web=3
        allot shop 1              -> short 0
        unallot web 4             -> short 3
        unallot shop 1            -> short 0
    """)


def test_a_reservation_draws_on_its_pool_only() -> None:
    tell("""
        receive 9                 -> ok 9/0
        allot web 4               -> ok 5/0 web=4
        allot shop 3              -> ok 2/0 shop=3 web=4
        reserve R1 5 from web     -> short 4
        reserve R1 3              -> short 2
        reserve R1 4 from web     -> ok 2/4 shop=3
        reserve R2 1 from web     -> short 0
        reserve R2 1 from nowhere -> short 0
        reserve R2 2              -> ok 0/6 shop=3
        reserve R3 1              -> short 0
    """)


def test_released_expired_and_withdrawn_units_return_to_their_pool() -> None:
    tell("""
        receive 9                 -> ok 9/0
        allot web 9               -> ok 0/0 web=9
        reserve R1 3 from web     -> ok 0/3 web=6
        hold R1                   -> held 3 of 3 from web until 15m
        reserve R2 3 from web     -> ok 0/6 web=3
        reserve R3 3 from web     -> ok 0/9
        release R1                -> ok 0/6 web=3
        last                      -> release reserved > available 3 web
        withdraw R2               -> ok 0/3 web=6
        tick 15m
        expire R3                 -> ok 0/0 web=9
        last                      -> expire reserved > available 3 web
    """)


def test_units_return_to_a_pool_that_was_dissolved() -> None:
    tell("""
        receive 5                 -> ok 5/0
        allot web 5               -> ok 0/0 web=5
        reserve R1 2 from web     -> ok 0/2 web=3
        unallot web 3             -> ok 3/2
        release R1                -> ok 3/0 web=2
        unallot web 2             -> ok 5/0
    """)


def test_a_deduct_takes_reserved_units_whatever_their_pool() -> None:
    tell("""
        receive 5                 -> ok 5/0
        allot web 3               -> ok 2/0 web=3
        reserve R1 2 from web     -> ok 2/2 web=1
        deduct R1 1               -> ok 2/1 web=1
        last                      -> deduct reserved > customer 1 web
        release R1                -> ok 2/0 web=2
    """)


def test_moves_and_corrections_leave_pools_alone() -> None:
    tell("""
        receive 5                     -> ok 5/0
        allot web 4                   -> ok 1/0 web=4
        move available damaged 2      -> short 1
        adjust available -2           -> short 1
        adjust available -1 if 5      -> stale 1
        adjust available -1 if 1      -> ok 0/0 web=4
    """)


def test_with_a_floor_below_0_units_are_promised_before_they_come() -> None:
    tell("""
        floor -3
        reserve R1 4      -> short 3
        reserve R1 2      -> ok -2/2
        reserve R2 2      -> short 1
        reserve R2 1      -> ok -3/3
        reserve R3 1      -> short 0
        receive 3         -> ok 0/3
        release R2        -> ok 1/2
    """)


def test_the_floor_is_the_open_pools_only() -> None:
    tell("""
        floor -3
        receive 2                    -> ok 2/0
        allot web 2                  -> ok 0/0 web=2
        reserve R1 3 from web        -> short 2
        unallot web 3                -> short 2
        move damaged quarantined 1   -> short 0
        move quarantined available 1 -> short 0
        adjust damaged -1            -> short 0
        adjust available -3          -> ok -3/0 web=2
        adjust available -1          -> short 0
    """)


def test_a_lifted_floor_leaves_promises_alone_and_allows_no_new_ones() -> None:
    world = tell("""
        floor -3
        reserve R1 3      -> ok -3/3
    """)
    world.cell.floor = 0
    answer = world.ask(read("reserve R2 1", world.now))
    assert answer == InsufficientStock("MUG", "BER", requested=1, available=0)


def test_entries_that_went_through_a_wire_fold_alike() -> None:
    """Once, allot was known by identity, and a copy of its entry moved units from pool to pool."""
    world = tell("""
        receive 9                 -> ok 9/0
        allot web 4               -> ok 5/0 web=4
        reserve R1 1 from web     -> ok 5/1 web=3
        unallot web 1             -> ok 6/1 web=2
    """)
    fold = empty_cell()
    for entry in pickle.loads(pickle.dumps(world.entries)):
        apply_entry(fold, entry)
    assert fold.level() == world.cell.level()
    assert fold.pools == {"web": 2}
