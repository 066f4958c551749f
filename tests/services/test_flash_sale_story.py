"""A flash sale's crowd against a fake server: what it does, and what is noted of it."""

import asyncio
from contextlib import suppress

import pytest

from domain.states import ReservationState as State
from domain.waiting_room import TicketState
from services.door import DoorError
from services.flash_sale_story import (
    ASKS_LIMIT,
    LET_IN_SECONDS,
    LOOK_SECONDS,
    LOOKS_PER_SECOND,
    Story,
    Telling,
    play,
    prepare,
)
from services.sale_buyers import Buyer, Temper
from services.sale_door import Place
from services.sale_history import ACCEPTED, UNKNOWN, Did, History
from tests.services.sale_world import FakeDoor, buyer, offer, verdict

LONG = Telling(60.0, lambda _: None)


async def played(door: FakeDoor, *buyers: Buyer) -> History:
    history = History()
    await play(door, door.sale, buyers, LONG, history)
    return history


async def test_all_who_wait_look_no_more_often_together_than_is_said() -> None:
    history = History(arrived=4_000, ended=1_000)
    story = Story(FakeDoor(offer()), offer(), history, ends=0.0)
    waiting = Place("ticket", TicketState.WAITING, None, None)
    assert story.pause(waiting, 0) == 3_000 / LOOKS_PER_SECOND
    history.arrived = 1_000_000
    assert story.pause(waiting, 99) == LET_IN_SECONDS
    history.ended = history.arrived - 1
    assert story.pause(waiting, 0) == LOOK_SECONDS[0]
    assert story.pause(waiting._replace(wait_seconds=6), 0) == 3.0
    assert story.pause(waiting._replace(wait_seconds=3_600), 0) == LOOK_SECONDS[1]


@pytest.mark.parametrize(
    ("temper", "state", "asked"),
    [
        (Temper.PAYS, State.CONFIRMED, ["buy", "confirm"]),
        (Temper.LEAVES, State.RELEASED, ["buy", "release"]),
        (Temper.FORGETS, State.HELD, ["buy"]),
        (Temper.DOUBLE_CLICKS, State.CONFIRMED, ["buy", "buy", "confirm"]),
        (Temper.RETRIES, State.CONFIRMED, ["buy", "buy", "confirm"]),
    ],
)
async def test_each_temper_does_as_it_is_called(
    temper: Temper, state: State, asked: list[str]
) -> None:
    door = FakeDoor(offer())
    one = buyer(1, temper)
    history = await played(door, one)
    assert door.asked == asked
    assert door.kept[one.reservation][1] is state
    assert (await verdict(door, history)).is_clean


async def test_who_is_told_that_it_is_sold_out_buys_nothing() -> None:
    door = FakeDoor(offer(units=2))
    history = await played(door, *(buyer(number) for number in range(5)))
    assert (history.accepted, history.arrived, history.ended) == (2, 5, 5)
    assert len(history.seconds[Did.RESERVE, "INSUFFICIENT_STOCK"]) == 3
    told = await verdict(door, history)
    assert told.is_clean
    assert (told.sold, told.held, told.left) == (2, 0, 0)


async def test_an_answer_that_did_not_come_is_asked_for_again_with_the_same_id() -> None:
    door = FakeDoor(offer())
    door.silent = 1
    history = await played(door, buyer(1))
    assert door.asked == ["buy", "buy", "confirm"]
    assert [t.code for t in history.cases[buyer(1).reservation].told] == [
        UNKNOWN,
        ACCEPTED,
        ACCEPTED,
    ]
    assert (await verdict(door, history)).is_clean


async def test_a_server_that_stays_silent_is_given_up() -> None:
    door = FakeDoor(offer())
    door.silent = 99
    history = await played(door, buyer(1))
    assert door.asked == ["buy"] * ASKS_LIMIT
    assert history.accepted == 0


async def test_with_a_waiting_room_a_buyer_joins_waits_and_shows_the_token() -> None:
    door = FakeDoor(offer(admitted_per_second=5))
    door.early = 1
    await played(door, buyer(1))
    assert door.asked == ["join", "ticket", "buy", "confirm"]
    assert next(iter(door.kept.values()))[0].ticket == "token of C1"


@pytest.mark.parametrize("state", [TicketState.SOLD_OUT, TicketState.CLOSED])
async def test_who_is_not_let_in_goes_home(state: TicketState) -> None:
    door = FakeDoor(offer(admitted_per_second=5))
    door.room = state
    history = await played(door, buyer(1))
    assert (history.gone, history.ended) == ({state.value: 1}, 1)
    assert door.asked == ["join"]


async def test_when_the_time_is_over_nobody_arrives_any_more() -> None:
    door = FakeDoor(offer())
    history = History()
    late = buyer(2)._replace(arrives=60.0)
    steps: list[int] = []
    telling = Telling(0.05, lambda told: steps.append(told.ended))
    await play(door, door.sale, [buyer(1), late], telling, history)
    assert (history.arrived, history.ended) == (1, 1)
    assert steps[-1] == 1


async def test_a_story_that_is_broken_off_keeps_what_was_told() -> None:
    door = FakeDoor(offer())
    history = History()
    slow = buyer(2)._replace(thinks=60.0)
    task = asyncio.create_task(play(door, door.sale, [buyer(1), slow], LONG, history))
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(door.kept) == 2
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert history.accepted == 2
    assert (await verdict(door, history)).is_clean


async def test_a_sale_that_is_refused_is_told_in_a_line() -> None:
    door = FakeDoor(offer())
    await prepare(door, door.sale)
    door.is_closed = True
    with pytest.raises(DoorError, match="INVALID"):
        await prepare(door, door.sale)
