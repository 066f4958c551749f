"""Sessions: a sign-in begins a family of refresh tokens of which only the newest is good.

Each use of a refresh token gives the next one. A token that is shown a second time was copied by
somebody, and who of the two is the thief cannot be told: the whole family ends. Only the same
request, sent again because its answer was lost, gets the same answer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

ACCESS_LIFE = timedelta(minutes=10)
"""Of an access token; it dies sooner with its family."""
IDLE_LIFE = timedelta(days=14)
"""A family that was not refreshed for so long is over."""
WHOLE_LIFE = timedelta(days=90)
"""After that the person signs in anew, however often it was refreshed."""
RETRY = timedelta(seconds=60)
"""So long the same request gets the same answer."""


@dataclass(frozen=True, slots=True)
class Family:
    """`generation` counts its refresh tokens; the hashes are of the newest and the one before."""

    id: UUID
    person: UUID
    generation: int
    token_hash: bytes
    previous_hash: bytes | None
    last_request: UUID | None
    began_at: datetime
    rotated_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class Turn(StrEnum):
    ROTATE = "rotate"
    REPEAT = "repeat"
    REUSED = "reused"
    OVER = "over"


def turn(family: Family, shown_hash: bytes, request_id: UUID, now: datetime) -> Turn:
    """What a refresh token of this family, made by us at some time, is worth."""
    if is_over(family, now):
        return Turn.OVER
    if shown_hash == family.token_hash:
        return Turn.ROTATE
    is_retry = shown_hash == family.previous_hash and request_id == family.last_request
    if is_retry and now < family.rotated_at + RETRY:
        return Turn.REPEAT
    return Turn.REUSED


def is_over(family: Family, now: datetime) -> bool:
    return family.ended_at is not None or now >= family.expires_at


def expiry(began_at: datetime, now: datetime) -> datetime:
    """Of a family that is refreshed now."""
    return min(now + IDLE_LIFE, began_at + WHOLE_LIFE)
