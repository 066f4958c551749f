"""The rules of a waiting room: who is let in and when, and what a ticket is worth.

Places are numbers from 1 in the order of joining. All places up to a mark were let in; who does not
buy in time has lapsed, and the next is let in instead.
"""

from bisect import bisect_left
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import NamedTuple
from uuid import UUID, uuid5

ADMISSION_LEAST, ADMISSION_MOST = timedelta(seconds=30), timedelta(seconds=120)
"""A buyer who was let in may take as long to reserve as to pay, within these."""
BURST = timedelta(seconds=1)
"""No more are let in at once than the sale's rate lets in during this."""
NEWS_SHARE = 0.02
"""A buyer is told again when the queue before them is shorter by this share."""


class TicketState(StrEnum):
    """waiting -> admitted -> lapsed; or sold out, which an expiry may undo; or closed."""

    WAITING = "waiting"
    ADMITTED = "admitted"
    LAPSED = "lapsed"
    SOLD_OUT = "sold_out"
    CLOSED = "closed"


class Standing(NamedTuple):
    """How a sale is: `left` units that nobody holds, `unpaid` holds that may still come back, and
    `pending` buyers who were let in, have not reserved, and still may."""

    admitted_upto: int
    highest_place: int
    left: int
    unpaid: int
    pending: int

    @property
    def is_sold_out(self) -> bool:
        return self.left <= 0 and self.unpaid == 0


class Admission(NamedTuple):
    """The places from `first` to `upto` were let in at `at`."""

    first: int
    upto: int
    at: datetime


class Room(NamedTuple):
    """What a ticket is read against. `admissions` are those that may still be of use, oldest first;
    whatever else was let in has lapsed."""

    opens_at: datetime
    closes_at: datetime
    is_closed: bool
    per_second: int
    admission: timedelta
    is_sold_out: bool
    admitted_upto: int
    admissions: tuple[Admission, ...]


class View(NamedTuple):
    """What a ticket says. `ahead` are the buyers before this one who still wait."""

    state: TicketState
    ahead: int
    wait_seconds: int | None
    expires_at: datetime | None


def ticket_id(sale_id: UUID, customer: str, place: int) -> UUID:
    return uuid5(sale_id, f"{place}/{customer}")


def admission_of(ttl_seconds: int) -> timedelta:
    """How long a buyer who was let in may take, in a sale with this ttl."""
    return max(ADMISSION_LEAST, min(timedelta(seconds=ttl_seconds), ADMISSION_MOST))


def to_admit(standing: Standing, per_second: int, paced_at: datetime, now: datetime) -> int:
    """How many may be let in now. `paced_at` is the moment up to which the rate is used up."""
    seconds = (now - max(paced_at, now - burst(per_second))) / timedelta(seconds=1)
    waiting = standing.highest_place - standing.admitted_upto
    places = standing.left - standing.pending
    return max(0, min(int(seconds * per_second + 1e-6), waiting, places))


def paced(per_second: int, paced_at: datetime, admitted: int, now: datetime) -> datetime:
    """The next `paced_at`: fractions are kept, what was not used for long is not made up for."""
    begun = max(paced_at, now - burst(per_second))
    return min(begun + timedelta(seconds=admitted / per_second), now)


def burst(per_second: int) -> timedelta:
    return max(BURST, timedelta(seconds=1 / per_second))


def view_of(room: Room, place: int, now: datetime) -> View:
    """What the holder of this place is told."""
    ahead = max(0, place - room.admitted_upto - 1)
    if room.is_closed or now >= room.closes_at:
        return View(TicketState.CLOSED, 0, None, None)
    if place > room.admitted_upto:
        if room.is_sold_out:
            return View(TicketState.SOLD_OUT, ahead, None, None)
        return View(TicketState.WAITING, ahead, wait_seconds(room, ahead, now), None)
    admitted_at = when_admitted(room, place)
    if admitted_at is None or now >= admitted_at + room.admission:
        state = TicketState.SOLD_OUT if room.is_sold_out else TicketState.LAPSED
        return View(state, 0, None, None)
    return View(TicketState.ADMITTED, 0, None, min(admitted_at + room.admission, room.closes_at))


def when_admitted(room: Room, place: int) -> datetime | None:
    """None if it was too long ago to matter."""
    found = room.admissions
    index = bisect_left(found, place, key=lambda admission: admission.upto)
    return found[index].at if index < len(found) and found[index].first <= place else None


def wait_seconds(room: Room, ahead: int, now: datetime) -> int:
    """An estimate: as if everybody before were let in at the sale's rate."""
    doors = max(0.0, (room.opens_at - now) / timedelta(seconds=1))
    return ceil(doors + (ahead + 1) / room.per_second)


def is_news(told: View, view: View) -> bool:
    """Whether a buyer who was told one view should be told the other. Far back, small steps are
    none: thousands wait there."""
    if told.state is not view.state or told.expires_at != view.expires_at:
        return True
    return abs(told.ahead - view.ahead) > told.ahead * NEWS_SHARE
