"""A process that does not answer for long is none, whatever Ray says."""

from actors.keeper import SILENT_SECONDS, RollCall

NAMES = ["owner-0", "owner-1"]


def test_who_is_silent_for_too_long_is_told() -> None:
    roll = RollCall()
    assert roll.note(NAMES, ["owner-0"], 50) == []
    assert roll.note(NAMES, ["owner-0"], 50 + SILENT_SECONDS - 1) == []
    assert roll.note(NAMES, ["owner-0"], 50 + SILENT_SECONDS) == ["owner-1"]


def test_an_answer_in_between_begins_the_silence_anew() -> None:
    roll = RollCall()
    roll.note(NAMES, ["owner-0"], 50)
    roll.note(NAMES, NAMES, 60)
    assert roll.note(NAMES, ["owner-0"], 50 + SILENT_SECONDS) == []


def test_one_that_is_gone_and_back_under_its_name_is_given_its_time() -> None:
    roll = RollCall()
    roll.note(NAMES, ["owner-0"], 50)
    roll.note(["owner-0"], ["owner-0"], 60)
    assert roll.note(NAMES, ["owner-0"], 50 + SILENT_SECONDS) == []
