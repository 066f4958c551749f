"""The life of a reservation in one cell: reserve, confirm, deduct, release, withdraw."""

from domain.cell import Change
from domain.commands import Reserve
from domain.refusals import InsufficientStock
from tests.domain.story import id_of, read, tell
from tests.domain.world import START


def test_a_reservation_is_held_paid_and_handed_over() -> None:
    tell("""
        receive 10     -> ok 10/0
        reserve R1 3   -> ok 7/3
        last           -> reserve available > reserved 3
        hold R1        -> held 3 of 3 until 15m
        confirm R1     -> ok 7/3
        hold R1        -> confirmed 3 of 3
        deduct R1 all  -> ok 7/0
        last           -> deduct reserved > customer 3
        hold R1        -> deducted 0 of 3
    """)


def test_a_released_reservation_gives_its_units_back() -> None:
    tell("""
        receive 10     -> ok 10/0
        reserve R1 3   -> ok 7/3
        release R1     -> ok 10/0
        last           -> release reserved > available 3
        hold R1        -> released 3 of 3
    """)


def test_the_last_unit_can_be_promised_and_not_one_more() -> None:
    tell("""
        receive 3      -> ok 3/0
        reserve R1 4   -> short 3
        reserve R1 2   -> ok 1/2
        reserve R2 2   -> short 1
        reserve R2 1   -> ok 0/3
        reserve R3 1   -> short 0
        hold R3        -> none
    """)


def test_a_shortage_says_what_was_wanted_where_and_how_many_are_left() -> None:
    world = tell("receive 2 -> ok 2/0")
    answer = world.ask(read("reserve R1 5", world.now))
    assert answer == InsufficientStock("MUG", "BER", requested=5, available=2)


def test_a_part_of_a_hold_can_be_handed_over() -> None:
    tell("""
        receive 10     -> ok 10/0
        reserve R1 5   -> ok 5/5
        deduct R1 2    -> ok 5/3
        hold R1        -> held 3 of 5 until 15m
        confirm R1     -> ok 5/3
        deduct R1 1    -> ok 5/2
        hold R1        -> confirmed 2 of 5
        deduct R1 all  -> ok 5/0
        hold R1        -> deducted 0 of 5
    """)


def test_no_more_is_handed_over_than_is_held() -> None:
    tell("""
        receive 10     -> ok 10/0
        reserve R1 3   -> ok 7/3
        deduct R1 4    -> exceeds_reservation
        deduct R1 2    -> ok 7/1
        deduct R1 2    -> exceeds_reservation
        deduct R1 1    -> ok 7/0
        deduct R1 1    -> deducted
    """)


def test_a_release_after_a_partial_deduct_gives_back_only_the_rest() -> None:
    tell("""
        receive 10     -> ok 10/0
        reserve R1 5   -> ok 5/5
        deduct R1 2    -> ok 5/3
        release R1     -> ok 8/0
        last           -> release reserved > available 3
        hold R1        -> released 3 of 5
    """)


def test_a_paid_reservation_can_still_be_released() -> None:
    tell("""
        receive 10     -> ok 10/0
        reserve R1 3   -> ok 7/3
        confirm R1     -> ok 7/3
        release R1     -> ok 10/0
    """)


def test_goods_can_be_handed_over_before_they_are_paid() -> None:
    tell("""
        receive 10     -> ok 10/0
        reserve R1 3   -> ok 7/3
        deduct R1 all  -> ok 7/0
        confirm R1     -> deducted
    """)


def test_repeats_change_nothing() -> None:
    tell("""
        receive 10     -> ok 10/0
        reserve R1 3   -> ok 7/3
        reserve R1 3   -> same 7/3
        confirm R1     -> ok 7/3
        confirm R1     -> same 7/3
        reserve R1 3   -> same 7/3
        release R1     -> ok 10/0
        release R1     -> same 10/0
        reserve R1 3   -> same 10/0     # the id is spent: its first answer stands
        withdraw R1    -> same 10/0
        expire R1      -> same 10/0
        read           -> same 10/0
    """)


def test_a_reserve_is_repeated_without_stock_and_after_its_deadline() -> None:
    tell("""
        receive 3      -> ok 3/0
        reserve R1 3   -> ok 0/3
        reserve R1 3   -> same 0/3
        tick 16m
        reserve R1 3   -> same 0/3
    """)


def test_an_id_with_other_content_is_a_conflict() -> None:
    tell("""
        receive 10             -> ok 10/0
        allot web 5            -> ok 5/0 web=5
        reserve R1 3           -> ok 2/3 web=5
        reserve R1 2           -> conflict
        reserve R1 3 from web  -> conflict
        release R1             -> ok 5/0 web=5
        reserve R1 2           -> conflict
    """)


def test_a_conflict_is_seen_before_a_shortage() -> None:
    tell("""
        receive 3      -> ok 3/0
        reserve R1 1   -> ok 2/1
        reserve R1 9   -> conflict
    """)


def test_nothing_is_done_with_a_reservation_that_nobody_made() -> None:
    tell("""
        receive 3      -> ok 3/0
        confirm R1     -> not_found
        deduct R1 1    -> not_found
        deduct R1 all  -> not_found
        release R1     -> not_found
        expire R1      -> same 3/0
        withdraw R1    -> same 3/0
    """)


def test_a_closed_reservation_says_how_it_was_closed() -> None:
    tell("""
        receive 9              -> ok 9/0
        reserve R1 1           -> ok 8/1
        reserve R2 1           -> ok 7/2
        reserve R3 1           -> ok 6/3
        deduct R1 all          -> ok 6/2
        release R2             -> ok 7/1
        tick 16m
        expire R3              -> ok 8/0
        confirm R1             -> deducted
        deduct R1 1            -> deducted
        release R1             -> deducted
        withdraw R1            -> same 8/0
        confirm R2             -> released
        deduct R2 all          -> released
        confirm R3             -> expired
        deduct R3 1            -> expired
        release R3             -> expired
        withdraw R3            -> same 8/0
    """)


def test_a_bad_quantity_is_seen_before_all_else() -> None:
    tell("""
        reserve R1 0             -> invalid quantity
        reserve R1 -1            -> invalid quantity
        reserve R1 1000000001    -> invalid quantity
        reserve R1 1000000000    -> short 0
        deduct R1 0              -> invalid quantity
        deduct R1 -1             -> invalid quantity
        deduct R1 1000000001     -> invalid quantity
        receive 3                -> ok 3/0
        reserve R1 3             -> ok 0/3
        reserve R1 0             -> invalid quantity
        release R1               -> ok 3/0
        deduct R1 0              -> invalid quantity
        deduct R1 9              -> released
    """)


def test_a_withdrawn_hold_is_as_if_it_had_not_been_asked_for() -> None:
    tell("""
        receive 5      -> ok 5/0
        reserve R1 3   -> ok 2/3
        withdraw R1    -> ok 5/0
        last           -> release reserved > available 3
        hold R1        -> none
        withdraw R1    -> same 5/0
        release R1     -> not_found
        reserve R1 4   -> ok 1/4         # no conflict
    """)


def test_a_paid_or_partly_deducted_hold_can_be_withdrawn() -> None:
    tell("""
        receive 5      -> ok 5/0
        reserve R1 3   -> ok 2/3
        confirm R1     -> ok 2/3
        deduct R1 1    -> ok 2/2
        withdraw R1    -> ok 4/0
        hold R1        -> none
    """)


def test_a_hold_remembers_its_entry_and_what_it_left_behind() -> None:
    world = tell("""
        receive 9              -> ok 9/0
        allot web 4            -> ok 5/0 web=4
        reserve R1 3           -> ok 2/3 web=4
        reserve R2 3 from web  -> ok 2/6 web=1
        confirm R1             -> ok 2/6 web=1
        receive 5              -> ok 7/6 web=1
    """)
    holds = world.cell.holds
    assert [(holds[id_of(n)].seq, holds[id_of(n)].available_after) for n in ("R1", "R2")] == [
        (3, 2),
        (4, 1),
    ]


def test_a_confirm_writes_no_entry() -> None:
    world = tell("""
        receive 9      -> ok 9/0
        reserve R1 3   -> ok 6/3
    """)
    answer = world.ask(read("confirm R1", world.now))
    assert isinstance(answer, Change)
    assert answer.entry is None
    assert world.cell.seq == 2


def test_an_entry_names_its_request_and_its_time() -> None:
    world = tell("""
        receive 9      -> ok 9/0
        tick 3s
    """)
    answer = world.ask(Reserve(id_of("R1"), 2, deadline=START))
    assert isinstance(answer, Change)
    assert answer.entry is not None
    assert (answer.entry.at, answer.entry.seq) == (world.now, 2)
    assert world.cell.as_of == world.now
