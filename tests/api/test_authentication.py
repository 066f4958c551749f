"""The gate: from a header to a caller, looked at again and again."""

from datetime import timedelta

import pytest

from api.authentication import TRUST_SECONDS, TRUSTED_LIMIT, Gate
from api.tokens import sign
from domain.access import Role, everywhere
from tests.api.shop import SECRET, StillClock, bearer


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def gate(clock: StillClock) -> Gate:
    return Gate(SECRET, clock)


def forget_trust(gate: Gate) -> None:
    """As if TRUST_SECONDS had passed."""
    gate.trusted = {t: (until - TRUST_SECONDS, c) for t, (until, c) in gate.trusted.items()}


async def test_a_good_token_names_its_caller(gate: Gate) -> None:
    token = bearer(Role.OPERATIONS, "ann")
    assert await gate.caller_of(token) == everywhere("ann", Role.OPERATIONS)
    assert await gate.caller_of(token) == everywhere("ann", Role.OPERATIONS)


async def test_a_token_that_ran_out_is_not_taken_much_longer(gate: Gate, clock: StillClock) -> None:
    token = bearer(Role.OPERATIONS, days=1)
    assert await gate.caller_of(token) is not None
    clock.time += timedelta(days=2)
    forget_trust(gate)
    assert await gate.caller_of(token) is None
    assert await gate.caller_of(token) is None


async def test_a_bad_token_is_never_trusted(gate: Gate) -> None:
    for _ in range(2):
        assert await gate.caller_of(f"Bearer {'x' * 20}") is None
    assert gate.trusted == {}


async def test_what_is_trusted_has_a_bound(gate: Gate, clock: StillClock) -> None:
    for number in range(TRUSTED_LIMIT + 1):
        token = sign(SECRET, str(number), Role.STOREFRONT, 1, clock.now())
        assert await gate.caller_of(f"Bearer {token}") is not None
    assert len(gate.trusted) <= TRUSTED_LIMIT
