"""Deadlines of holds, to the microsecond: at the deadline itself the hold is over."""

from tests.domain.story import tell


def test_a_hold_lasts_until_just_before_its_deadline() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 3 for 15m    -> ok 6/3
        tick 14m59s999999us
        expire R1               -> same 6/3
        deduct R1 1             -> ok 6/2
        confirm R1              -> ok 6/2
        release R1              -> ok 8/0
    """)


def test_at_its_deadline_a_hold_is_over() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 3 for 15m    -> ok 6/3
        tick 15m
        confirm R1              -> expired
        deduct R1 1             -> expired
        deduct R1 all           -> expired
        release R1              -> expired
        hold R1                 -> held 3 of 3 until 15m    # the units come back with expire
        expire R1               -> ok 9/0
        last                    -> expire reserved > available 3
        hold R1                 -> expired 3 of 3
    """)


def test_a_late_deduct_above_its_hold_answers_expired() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 3            -> ok 6/3
        deduct R1 5             -> exceeds_reservation
        tick 16m
        deduct R1 5             -> expired
        release R1              -> expired
    """)


def test_a_hold_expires_once() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 3            -> ok 6/3
        tick 1h
        expire R1               -> ok 9/0
        expire R1               -> same 9/0
        release R1              -> expired
        confirm R1              -> expired
    """)


def test_a_paid_hold_has_no_deadline() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 3            -> ok 6/3
        confirm R1              -> ok 6/3
        tick 1h
        expire R1               -> same 6/3
        confirm R1              -> same 6/3
        deduct R1 all           -> ok 6/0
    """)


def test_only_the_rest_of_a_partly_deducted_hold_expires() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 5            -> ok 4/5
        deduct R1 2             -> ok 4/3
        tick 15m
        expire R1               -> ok 7/0
        hold R1                 -> expired 3 of 5
    """)


def test_closed_holds_do_not_expire() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 2            -> ok 7/2
        reserve R2 2            -> ok 5/4
        release R1              -> ok 7/2
        deduct R2 all           -> ok 7/0
        tick 1h
        expire R1               -> same 7/0
        expire R2               -> same 7/0
        release R1              -> same 7/0
    """)


def test_a_hold_that_is_past_its_deadline_can_still_be_withdrawn() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 2            -> ok 7/2
        tick 15m
        withdraw R1             -> ok 9/0
        last                    -> release reserved > available 2
        hold R1                 -> none
    """)


def test_an_adopted_hold_is_not_withdrawn_for_its_first_deadline() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 2 for 5m     -> ok 7/2
        adopt R1 for 10m        -> ok 7/2
        adopt R1 for 10m        -> same 7/2
        withdraw R1 for 5m      -> same 7/2
        hold R1                 -> held 2 of 2 until 10m
        tick 5m
        expire R1               -> same 7/2
        withdraw R1 for 5m      -> ok 9/0
        hold R1                 -> none
    """)


def test_what_is_paid_or_over_is_not_adopted() -> None:
    tell("""
        receive 9               -> ok 9/0
        adopt R1 for 5m         -> not_found
        reserve R1 2 for 5m     -> ok 7/2
        confirm R1              -> ok 7/2
        adopt R1 for 10m        -> same 7/2
        withdraw R1 for 5m      -> same 7/2
        hold R1                 -> confirmed 2 of 2
        reserve R2 2 for 5m     -> ok 5/4
        release R2              -> ok 7/2
        adopt R2 for 10m        -> released
        withdraw R2 for 5m      -> same 7/2
        reserve R3 2 for 5m     -> ok 5/4
        tick 5m
        adopt R3 for 10m        -> expired
    """)


def test_a_hold_made_at_its_deadline_is_over_at_once() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 2 for 0m     -> ok 7/2
        confirm R1              -> expired
        expire R1               -> ok 9/0
    """)


def test_each_hold_has_its_own_deadline() -> None:
    tell("""
        receive 9               -> ok 9/0
        reserve R1 2 for 5m     -> ok 7/2
        reserve R2 3 for 10m    -> ok 4/5
        tick 5m
        expire R1               -> ok 6/3
        expire R2               -> same 6/3
        tick 5m
        expire R2               -> ok 9/0
    """)
