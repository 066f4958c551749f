"""Garbage is looked for seldom, and when nobody waits."""

from infra.memory import LONGEST_SECONDS, QUIET_SECONDS, Garbage


def test_garbage_is_looked_for_in_a_quiet_moment_ten_minutes_after_the_last_look() -> None:
    garbage = Garbage(now=0.0)
    assert not garbage.is_due(done=5, now=QUIET_SECONDS + 1)
    assert garbage.is_due(done=5, now=QUIET_SECONDS + 2)
    assert not garbage.is_due(done=5, now=QUIET_SECONDS + 3)
    assert garbage.is_due(done=5, now=2 * QUIET_SECONDS + 3)


def test_garbage_is_looked_for_after_an_hour_without_a_quiet_moment() -> None:
    garbage = Garbage(now=0.0)
    looks = [garbage.is_due(done=now, now=now) for now in range(1, int(LONGEST_SECONDS) + 1)]
    assert looks.count(True) == 1
    assert looks[-1]
