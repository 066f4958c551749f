"""How the state of a reservation follows from its holds."""

from itertools import permutations

import pytest

from domain.states import OPEN_STATES, ReservationState, reservation_state

TABLE = """
    held                                 -> held
    deducted                             -> deducted
    held confirmed                       -> held
    confirmed confirmed                  -> confirmed
    confirmed deducted                   -> confirmed
    held deducted expired                -> held
    deducted deducted                    -> deducted
    deducted released                    -> deducted
    deducted expired                     -> deducted
    released expired                     -> released
    expired expired                      -> expired
    expired released deducted confirmed  -> confirmed
"""


@pytest.mark.parametrize("row", [row.strip() for row in TABLE.split("\n") if row])
def test_the_state_of_a_reservation_follows_from_its_holds_in_any_order(row: str) -> None:
    holds, _, state = row.partition("->")
    for order in permutations(holds.split()):
        assert reservation_state([ReservationState(hold) for hold in order]) == state.strip()


def test_the_states_are_those_of_the_contract_and_two_of_them_hold_units() -> None:
    assert list(ReservationState) == ["held", "confirmed", "deducted", "released", "expired"]
    assert OPEN_STATES == ("held", "confirmed")
