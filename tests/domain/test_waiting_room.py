"""Who is let in and when, and what a ticket says: tables, and a sale played at random."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.waiting_room import (
    ADMISSION_LEAST,
    ADMISSION_MOST,
    Admission,
    Room,
    Standing,
    TicketState,
    View,
    admission_of,
    is_news,
    paced,
    ticket_id,
    to_admit,
    view_of,
)

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SALE = UUID(int=7)
CLOSES = NOON + timedelta(hours=1)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


LETTING_IN = """
    upto  highest  left  pending  rate  seconds  admits  why
    0     100      50    0        10    1        10      the rate
    0     100      50    0        10    0.25     2       fractions wait for the next tick
    0     100      50    0        10    60       10      what was not used for long is lost
    0     4        50    0        10    1        4       nobody else waits
    0     100      3     0        10    1        3       no more than there are units
    20    100      9     7        10    1        2       those let in before may still buy
    20    100      5     7        10    1        0       units came to be fewer than buyers
    20    20       50    0        10    1        0       the queue is empty
    0     100      0     0        10    1        0       nothing is left
    0     100      50    0        10    -5       0       a clock that went back
"""


@pytest.mark.parametrize("row", LETTING_IN.strip().split("\n")[1:])
def test_as_many_are_let_in_as_rate_queue_and_units_allow(row: str) -> None:
    upto, highest, left, pending, rate, seconds, admits = row.split()[:7]
    standing = Standing(int(upto), int(highest), int(left), 0, int(pending))
    assert to_admit(standing, int(rate), NOON, after(float(seconds))) == int(admits)


def test_the_rate_is_kept_over_uneven_ticks() -> None:
    paced_at, admitted = NOON, 0
    for tick in range(1, 401):
        now = after(tick * 0.25)
        count = to_admit(Standing(admitted, 10_000, 10_000, 0, 0), 7, paced_at, now)
        paced_at = paced(7, paced_at, count, now)
        admitted += count
    assert 699 <= admitted <= 701


def test_a_rate_below_one_a_second_still_lets_in() -> None:
    standing = Standing(0, 9, 9, 0, 0)
    assert to_admit(standing, 1, NOON, after(1)) == 1


@pytest.mark.parametrize(
    ("left", "unpaid", "sold_out"), [(0, 0, True), (0, 1, False), (1, 0, False)]
)
def test_a_sale_is_sold_out_when_nothing_is_left_or_can_come_back(
    left: int, unpaid: int, sold_out: bool
) -> None:
    assert Standing(9, 9, left, unpaid, 0).is_sold_out is sold_out


def room(**changed: Any) -> Room:
    """Places 1 to 10 lapsed, 11 to 15 were let in at noon, 16 to 20 half a minute later."""
    admissions = (Admission(11, 15, NOON), Admission(16, 20, after(30)))
    base = Room(after(-600), CLOSES, False, 5, ADMISSION_MOST, False, 20, admissions)
    return base._replace(**changed)


W, A, L, S, C = TicketState
VIEWS = [
    (room(), 16, 40, View(A, 0, None, after(150))),
    (room(), 15, 40, View(A, 0, None, after(120))),
    (room(), 15, 120, View(L, 0, None, None)),
    (room(), 10, 40, View(L, 0, None, None)),
    (room(), 21, 40, View(W, 0, 1, None)),
    (room(), 31, 40, View(W, 10, 3, None)),
    (room(opens_at=after(60)), 31, 40, View(W, 10, 23, None)),
    (room(is_sold_out=True), 31, 40, View(S, 10, None, None)),
    (room(is_sold_out=True), 16, 40, View(A, 0, None, after(150))),
    (room(is_sold_out=True), 10, 40, View(S, 0, None, None)),
    (room(closes_at=after(40)), 16, 40, View(C, 0, None, None)),
    (room(closes_at=after(60)), 16, 40, View(A, 0, None, after(60))),
    (room(is_closed=True), 31, 40, View(C, 0, None, None)),
    (room(admissions=()), 16, 40, View(L, 0, None, None)),
]


@pytest.mark.parametrize(("seen", "place", "seconds", "view"), VIEWS)
def test_a_ticket_says_what_its_place_is_worth(
    seen: Room, place: int, seconds: float, view: View
) -> None:
    assert view_of(seen, place, after(seconds)) == view


@pytest.mark.parametrize(
    ("ttl_seconds", "admission"),
    [(1, ADMISSION_LEAST), (45, after(45) - NOON), (600, ADMISSION_MOST)],
)
def test_a_buyer_may_take_as_long_to_reserve_as_to_pay(
    ttl_seconds: int, admission: timedelta
) -> None:
    assert admission_of(ttl_seconds) == admission


NEWS = [
    (View(W, 100, 9, None), View(W, 99, 9, None), False),
    (View(W, 100, 9, None), View(W, 97, 9, None), True),
    (View(W, 3, 2, None), View(W, 2, 1, None), True),
    (View(W, 0, 2, None), View(A, 0, None, NOON), True),
    (View(A, 0, None, NOON), View(A, 0, None, NOON), False),
    (View(A, 0, None, NOON), View(A, 0, None, CLOSES), True),
    (View(W, 100, 9, None), View(W, 100, 8, None), False),
]


@pytest.mark.parametrize(("told", "view", "news"), NEWS)
def test_far_back_small_steps_are_no_news(told: View, view: View, news: bool) -> None:
    assert is_news(told, view) is news


def test_a_ticket_is_of_one_sale_one_customer_and_one_place() -> None:
    made = [
        ticket_id(SALE, "ann", 1),
        ticket_id(SALE, "ann", 2),
        ticket_id(SALE, "bob", 1),
        ticket_id(UUID(int=8), "ann", 1),
        ticket_id(SALE, "1/ann", 1),
    ]
    assert len(set(made)) == len(made)
    assert ticket_id(SALE, "ann", 1) == made[0]


EVENTS = st.lists(
    st.tuples(st.sampled_from(["join", "tick", "buy", "expire", "later"]), st.integers(0, 30)),
    max_size=60,
)


@given(EVENTS, st.integers(0, 12), st.integers(1, 20))
@settings(max_examples=300, deadline=None)
def test_whatever_happens_it_is_first_come_first_served_and_never_more_than_are_left(
    events: list[tuple[str, int]], units: int, rate: int
) -> None:
    """Every buyer takes one unit; a hold that expires gives it back."""
    joined = admitted = held = 0
    left, now, paced_at = units, NOON, NOON
    may_buy: dict[int, datetime] = {}
    for event, number in events:
        now += timedelta(seconds=0.25)
        may_buy = {place: at for place, at in may_buy.items() if now < at + ADMISSION_MOST}
        if event == "join":
            joined += number
        elif event == "later":
            now += timedelta(seconds=10 * number)
        elif event == "buy" and may_buy:
            assert left, "someone was let in for a unit that is not there"
            may_buy.pop(list(may_buy)[number % len(may_buy)])
            left, held = left - 1, held + 1
        elif event == "expire" and held:
            left, held = left + 1, held - 1
        elif event == "tick":
            may_buy = {place: at for place, at in may_buy.items() if now < at + ADMISSION_MOST}
            standing = Standing(admitted, joined, left, held, len(may_buy))
            count = to_admit(standing, rate, paced_at, now)
            paced_at = paced(rate, paced_at, count, now)
            may_buy |= dict.fromkeys(range(admitted + 1, admitted + count + 1), now)
            admitted += count
            assert count <= rate
        assert admitted <= joined
        assert len(may_buy) <= left
