"""Sensitive acts, as tables that an auditor can check."""

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from domain.access import Permission, Role
from domain.approvals import (
    BY_ASKER,
    LIFE,
    NEEDED,
    Asker,
    Policy,
    Sensitive,
    goes_on,
    is_much,
    is_own,
    is_sensitive_role,
    is_written_off,
    revaluation,
    state_of,
    value_of,
)
from domain.ledger import Bucket
from domain.states import ApprovalState

POLICY = Policy(100, 50_000, 20, 1_000, frozenset({Role.OWNER, Role.ADMIN}), frozenset())
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
ANN, BOB = UUID(int=1), UUID(int=2)
SIZES = """
    units  price  much
    1      -      no
    100    -      no
    101    -      yes
    100    500    no
    100    501    yes
    1      50000  no
    1      50001  yes
    2      50000  yes
    101    0      yes
"""


@pytest.mark.parametrize("row", [line.split() for line in SIZES.strip().split("\n")[1:]])
def test_much_is_many_units_or_much_value(row: list[str]) -> None:
    units, price, much = row
    value = value_of(int(units), None if price == "-" else int(price))
    assert is_much(POLICY, int(units), value) == (much == "yes")


@pytest.mark.parametrize(
    ("before", "after", "value"),
    [(100, 30, 700), (30, 100, 700), (100, 100, 0), (None, 100, 0), (100, None, 0), (0, 5, 50)],
)
def test_a_new_price_changes_what_ten_on_hand_are_worth(
    before: int | None, after: int | None, value: int
) -> None:
    assert revaluation(10, before, after) == value


def test_what_is_moved_to_the_damaged_is_written_off() -> None:
    assert [bucket for bucket in Bucket if is_written_off(bucket)] == [Bucket.DAMAGED]


def test_a_request_that_nobody_decides_expires_and_a_decided_one_does_not() -> None:
    end = NOON + LIFE
    before, after = end - timedelta(seconds=1), end
    for act, state in product(Sensitive, ApprovalState):
        assert state_of(act, state, end, before) is state
        waits = state is ApprovalState.PENDING or (
            act in BY_ASKER and state is ApprovalState.GRANTED
        )
        assert state_of(act, state, end, after) is (ApprovalState.EXPIRED if waits else state)


@pytest.mark.parametrize(
    ("asker", "subject", "person", "own"),
    [
        (Asker("ann@x", ANN), "ann@x", ANN, True),
        (Asker("ann@x", ANN), "bob@x", BOB, False),
        (Asker("key:7", ANN), "ann@x", ANN, True),
        (Asker("key:7", ANN), "bob@x", BOB, False),
        (Asker("dev", None), "dev", None, True),
        (Asker("dev", None), "bob@x", BOB, False),
        (Asker("ann@x", None), "bob@x", None, False),
    ],
)
def test_nobody_decides_on_their_own_request(
    asker: Asker, subject: str, person: UUID | None, own: bool
) -> None:
    assert is_own(asker, subject, person) == own


def test_what_is_granted_goes_on_and_an_export_only_while_its_request_lives() -> None:
    end = NOON + LIFE
    for act, state in product(Sensitive, ApprovalState):
        on = state in (ApprovalState.GRANTED, ApprovalState.DONE)
        assert goes_on(act, state, end, end - timedelta(seconds=1)) is on
        late = act in BY_ASKER and state is ApprovalState.GRANTED
        assert goes_on(act, state, end, end) is (
            on and not late and act is not Sensitive.EXPORT_TRAIL
        )


def test_roles_that_two_people_give() -> None:
    assert is_sensitive_role(POLICY.roles, [Role.ANALYST, Role.ADMIN])
    assert not is_sensitive_role(POLICY.roles, [Role.WAREHOUSE])
    assert not is_sensitive_role(POLICY.roles, [])
    assert not is_sensitive_role(POLICY.key_roles, [Role.ADMIN])


def test_every_act_says_what_it_takes_to_grant_it() -> None:
    assert NEEDED.keys() == set(Sensitive)
    assert Permission.APPROVE not in NEEDED.values()
