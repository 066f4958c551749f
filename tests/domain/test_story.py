"""The reader of stories: what went another way must fail, or no story proves anything."""

from datetime import timedelta

import pytest

from tests.domain.story import duration, tell


@pytest.mark.parametrize(
    "story",
    [
        "receive 10 -> ok 9/0",
        "receive 10 -> ok",
        "receive 10",
        "receive 10 -> short 0",
        "tick 1m    -> ok 0/0",
        "hold R1    -> held 1 of 1",
    ],
)
def test_a_story_with_a_wrong_answer_fails(story: str) -> None:
    with pytest.raises(AssertionError, match="the story went another way"):
        tell(story)


def test_a_failed_story_shows_how_it_went_and_marks_the_wrong_line() -> None:
    with pytest.raises(AssertionError, match=r"  receive 5 +-> ok 5/0\n> reserve R1 3 +-> ok 2/3"):
        tell("""
            receive 5     -> ok 5/0
            reserve R1 3  -> ok 2/2
        """)


@pytest.mark.parametrize("story", ["", "# nothing happens"])
def test_an_empty_story_fails(story: str) -> None:
    with pytest.raises(AssertionError, match="an empty story"):
        tell(story)


@pytest.mark.parametrize(
    "line", ["steal 3", "confirm", "move available 3", "adjust available +1 so"]
)
def test_a_line_that_nobody_understands_fails(line: str) -> None:
    with pytest.raises(ValueError, match="a story cannot say"):
        tell(line)


@pytest.mark.parametrize("line", ["reserve R1 3 for 5", "reserve R1 3 until 5m"])
def test_a_reserve_with_odd_options_fails(line: str) -> None:
    with pytest.raises(AssertionError, match=r"not a duration|unknown options"):
        tell(line)


def test_durations_add_their_parts() -> None:
    assert duration("1h14m59s1us") == timedelta(minutes=74, seconds=59, microseconds=1)
