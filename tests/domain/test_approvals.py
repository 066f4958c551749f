"""Sensitive acts, as tables that an auditor can check."""

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from domain.access import Role
from domain.approvals import (
    LIFE,
    Asker,
    Policy,
    Sensitive,
    is_much,
    is_own,
    is_written_off,
    needs_second,
    state_of,
)
from domain.ledger import Bucket
from domain.states import ApprovalState

POLICY = Policy(100, 50_000, frozenset({Role.OWNER, Role.ADMIN}))
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
    assert is_much(POLICY, int(units), None if price == "-" else int(price)) == (much == "yes")


def test_what_is_moved_to_the_damaged_is_written_off() -> None:
    assert [bucket for bucket in Bucket if is_written_off(bucket)] == [Bucket.DAMAGED]


def test_a_request_that_nobody_decides_expires_and_a_decided_one_does_not() -> None:
    end = NOON + LIFE
    before, after = end - timedelta(seconds=1), end
    for act, state in product(Sensitive, ApprovalState):
        assert state_of(act, state, end, before) is state
        waits = state is ApprovalState.PENDING or (
            (act, state) == (Sensitive.CREATE_KEY, ApprovalState.GRANTED)
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


def test_powerful_roles_are_given_by_two_once_there_are_two() -> None:
    assert needs_second(POLICY, [Role.ANALYST, Role.ADMIN], [BOB])
    assert not needs_second(POLICY, [Role.ADMIN], [])
    assert not needs_second(POLICY, [Role.WAREHOUSE], [BOB])
    assert not needs_second(POLICY, [], [BOB])
