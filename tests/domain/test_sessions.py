"""Families of refresh tokens: what one that is shown is worth."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.sessions import IDLE_LIFE, RETRY, WHOLE_LIFE, Family, Turn, expiry, turn
from tests.domain.story import id_of
from tests.domain.world import START

NEW, BEFORE, OLDER = b"new", b"before", b"older"
REQUEST, OTHER = id_of("R1"), id_of("R2")
SECOND = timedelta(seconds=1)
FAMILY = Family(
    id=id_of("F"),
    person=id_of("P"),
    generation=2,
    token_hash=NEW,
    previous_hash=BEFORE,
    last_request=REQUEST,
    began_at=START,
    rotated_at=START + SECOND,
    expires_at=START + IDLE_LIFE,
    ended_at=None,
)


def test_the_newest_token_is_exchanged_for_the_next() -> None:
    assert turn(FAMILY, NEW, OTHER, START + 2 * SECOND) is Turn.ROTATE


def test_the_same_request_again_gets_the_same_answer_for_a_minute() -> None:
    end = FAMILY.rotated_at + RETRY
    assert turn(FAMILY, BEFORE, REQUEST, end - SECOND) is Turn.REPEAT
    assert turn(FAMILY, BEFORE, REQUEST, end) is Turn.REUSED


@pytest.mark.parametrize(("shown", "request_id"), [(BEFORE, OTHER), (OLDER, REQUEST)])
def test_an_old_token_in_any_other_request_was_copied(shown: bytes, request_id: UUID) -> None:
    assert turn(FAMILY, shown, request_id, START + 2 * SECOND) is Turn.REUSED


def test_a_family_that_ended_or_ran_out_gives_nothing() -> None:
    ended = replace(FAMILY, ended_at=START + SECOND)
    assert turn(ended, NEW, OTHER, START + 2 * SECOND) is Turn.OVER
    assert turn(FAMILY, NEW, OTHER, FAMILY.expires_at) is Turn.OVER


def test_a_family_that_is_used_lives_on_but_not_for_ever() -> None:
    assert expiry(START, START + SECOND) == START + SECOND + IDLE_LIFE
    assert expiry(START, START + WHOLE_LIFE - SECOND) == START + WHOLE_LIFE
