"""How many may wait: as many as are answered soon, and never so few that a burst is refused."""

from actors.pace import LEAST, MOST, WAIT_SECONDS, Pace

FRAME = 128


def busy(pace: Pace, per_second: float, calls: int = 60, begun: float = 0.0) -> float:
    """An owner that answers so many per second, while others wait; when it ended."""
    now = begun
    for _ in range(calls):
        pace.carried(FRAME, True, now)
        now += FRAME / per_second
    return now


def test_before_anything_is_known_many_may_wait() -> None:
    assert Pace().limit == MOST


def test_as_many_wait_as_are_answered_soon() -> None:
    pace = Pace()
    busy(pace, 30_000)
    assert abs(pace.limit - 30_000 * WAIT_SECONDS) < 100


def test_a_burst_of_a_thousand_may_wait_for_the_slowest_owner() -> None:
    pace = Pace()
    busy(pace, 100)
    assert pace.limit == LEAST > 1_000


def test_calls_that_end_together_do_not_make_an_owner_look_fast() -> None:
    """Two calls are under way at once: both frames came in the time between two pairs."""
    pace = Pace()
    for number in range(100):
        for after in (0.0, 0.000_01):
            pace.carried(FRAME, True, number * 0.02 + after)
    wanted = 2 * FRAME / 0.02 * WAIT_SECONDS
    assert 0.8 * wanted < pace.limit < 1.2 * wanted


def test_time_in_which_nobody_waits_does_not_count() -> None:
    pace = Pace()
    end = busy(pace, 30_000)
    before = pace.limit
    pace.carried(1, False, end)
    pace.carried(1, False, end + 3_600)
    assert abs(pace.limit - before) < before * 0.15


def test_an_owner_that_slows_down_is_noticed() -> None:
    pace = Pace()
    busy(pace, 10_000, begun=busy(pace, 40_000))
    assert abs(pace.limit - 10_000 * WAIT_SECONDS) < 250


def test_while_the_owner_is_lost_many_may_wait_for_the_next() -> None:
    pace = Pace()
    end = busy(pace, 30_000)
    pace.lost()
    assert pace.limit == MOST
    pace.carried(FRAME, True, end + 5)
    assert pace.limit < MOST
