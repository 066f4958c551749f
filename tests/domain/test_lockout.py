"""Lock-out: what wrong guesses cost."""

from datetime import timedelta

import pytest

from domain.lockout import (
    ACCOUNT,
    ADDRESS,
    Failures,
    Patience,
    booked,
    forgiven,
    lock,
    neighbourhood,
)
from domain.refusals import LockedOut
from tests.domain.world import START

SECOND = timedelta(seconds=1)
TWO_FREE = Patience(2, 10 * SECOND, 60 * SECOND, timedelta(hours=1))


def failing(times: int, patience: Patience = TWO_FREE) -> Failures:
    """So many failures, each as soon as it is let through."""
    seen, now = None, START
    for _ in range(times):
        answer = booked(seen, patience, now)
        assert isinstance(answer, Failures)
        seen, now = answer, answer.locked_until or now
    assert seen is not None
    return seen


def test_the_first_failures_are_free() -> None:
    assert failing(1) == Failures(1, START, None)
    assert failing(2) == Failures(2, START, None)


def test_each_further_failure_locks_twice_as_long_up_to_a_limit() -> None:
    locks = []
    for times in range(3, 8):
        seen = failing(times)
        assert seen.locked_until is not None
        locks.append((seen.locked_until - seen.last_at) // SECOND)
    assert locks == [10, 20, 40, 60, 60]


def test_nobody_is_looked_at_while_it_is_locked() -> None:
    seen = failing(3)
    until = seen.locked_until
    assert until is not None
    assert booked(seen, TWO_FREE, until - SECOND) == LockedOut(until)
    assert booked(seen, TWO_FREE, until) == Failures(4, until, until + 20 * SECOND)


def test_failures_are_forgotten_after_a_time() -> None:
    seen = failing(7)
    late = seen.last_at + TWO_FREE.forgotten_after
    assert booked(seen, TWO_FREE, late - SECOND) != Failures(1, late - SECOND, None)
    assert booked(seen, TWO_FREE, late) == Failures(1, late, None)


@pytest.mark.parametrize("patience", [ACCOUNT, ADDRESS])
def test_a_lock_never_grows_beyond_its_limit(patience: Patience) -> None:
    assert lock(1, patience) == patience.first
    assert lock(10**6, patience) == patience.longest < patience.forgotten_after


def test_what_was_right_is_struck_out() -> None:
    assert forgiven(failing(1), TWO_FREE) == Failures(0, START, None)
    assert forgiven(Failures(0, START, None), TWO_FREE) == Failures(0, START, None)
    locked = failing(4)
    assert forgiven(locked, TWO_FREE) == Failures(3, locked.last_at, locked.locked_until)
    assert forgiven(failing(3), TWO_FREE).locked_until is None


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("a pipe", "a pipe"),
    ],
)
def test_the_addresses_of_one_customer_count_as_one(address: str, counted: str) -> None:
    assert neighbourhood(address) == counted
