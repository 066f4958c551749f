"""A second factor's codes: which are good when, and how they are typed."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.second_factor import (
    ENROL_LIFE,
    Kind,
    grouped,
    is_over,
    kind_of,
    open_steps,
    plain,
    step_of,
)

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
STEP = step_of(NOON)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("later", "last_used", "steps"),
    [
        (0, -1, [STEP - 1, STEP, STEP + 1]),
        (29, -1, [STEP - 1, STEP, STEP + 1]),
        (30, -1, [STEP, STEP + 1, STEP + 2]),
        (0, STEP - 1, [STEP, STEP + 1]),
        (0, STEP, [STEP + 1]),
        (0, STEP + 1, []),
        (30, STEP + 1, [STEP + 2]),
    ],
)
def test_the_steps_around_now_are_open_and_each_only_once(
    later: int, last_used: int, steps: list[int]
) -> None:
    assert list(open_steps(NOON + later * SECOND, last_used)) == steps


@pytest.mark.parametrize(
    ("typed", "code", "kind"),
    [
        ("123456", "123456", Kind.ONE_TIME),
        (" 123 456 ", "123456", Kind.ONE_TIME),
        ("ABCD-efgh-ijkm-npqr", "abcdefghijkmnpqr", Kind.RECOVERY),
        ("12345", "12345", None),
        ("1234567", "1234567", None),
        ("\u0661\u0662\u0663\u0664\u0665\u0666", "\u0661\u0662\u0663\u0664\u0665\u0666", None),
        ("", "", None),
        ("a" * 1_000, "a" * 64, None),
    ],
)
def test_a_code_is_taken_however_it_is_typed(typed: str, code: str, kind: Kind | None) -> None:
    assert plain(typed) == code
    assert kind_of(code) is kind


def test_a_recovery_code_is_shown_in_groups() -> None:
    assert grouped("abcdefghijkmnpqr") == "abcd-efgh-ijkm-npqr"


def test_an_authenticator_waits_for_its_first_code_for_a_while() -> None:
    assert not is_over(NOON, NOON + ENROL_LIFE - SECOND)
    assert is_over(NOON, NOON + ENROL_LIFE)
