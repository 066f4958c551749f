"""Tickets that are watched, and those that are joined by many at once."""

import asyncio
from dataclasses import replace

import pytest

from domain.waiting_room import TicketState
from services import tickets
from services.rooms import Pace, Rooms
from services.tickets import Ticket
from tests.schema.waiting import CALLER, SALE, Waiting


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


async def test_a_watched_ticket_is_told_news_until_it_can_change_no_more(waiting: Waiting) -> None:
    waiting.store.units = 1
    async with waiting.shop.client() as client:
        ids = [(await waiting.join(client, name))["id"] for name in ("ann", "bob")]
    news = tickets.ticket_changed(waiting.rt, ids[1])
    told = await anext(news)
    assert (told.state, told.ahead) == (TicketState.WAITING, 1)
    await waiting.later()
    told = await anext(news)
    assert (told.state, told.ahead) == (TicketState.WAITING, 0)
    await waiting.later(120)
    told = await anext(news)
    assert (told.state, told.token is not None) == (TicketState.ADMITTED, True)
    waiting.store.row = waiting.store.row._replace(state="closed")
    assert (await anext(news)).state is TicketState.CLOSED
    assert [one async for one in news] == []
    assert waiting.rt.rooms.watched == 0


async def test_one_reading_serves_all_who_watch(waiting: Waiting) -> None:
    pace = Pace(tick_seconds=0.01, fresh_seconds=60)
    rt = replace(waiting.rt, rooms=Rooms(waiting.store, waiting.queues, pace))
    made = [await tickets.join(rt, CALLER, SALE, f"C{number}") for number in range(50)]
    streams = [tickets.ticket_changed(rt, one.id) for one in made if isinstance(one, Ticket)]
    told = [await anext(news) for news in streams]
    assert [one.ahead for one in told] == list(range(50))
    assert waiting.store.readings == 1
    for news in streams:
        await news.aclose()
    assert rt.rooms.watched == 0


async def test_watchers_put_a_lost_queue_back(waiting: Waiting) -> None:
    made = [await tickets.join(waiting.rt, CALLER, SALE, f"C{number}") for number in range(3)]
    streams = [tickets.ticket_changed(waiting.rt, t.id) for t in made if isinstance(t, Ticket)]
    for news in streams:
        await anext(news)
    waiting.queues.lose()
    waiting.store.units = 0
    await waiting.later()
    for _ in range(3):
        await waiting.rt.rooms.by_sale[SALE].told.wait()
    assert waiting.queues.places == {"C0": 1, "C1": 2, "C2": 3}
    for news in streams:
        await news.aclose()


async def test_what_is_no_ticket_is_not_watched(waiting: Waiting) -> None:
    assert [one async for one in tickets.ticket_changed(waiting.rt, "odd")] == []


async def test_those_who_join_at_once_share_a_step(waiting: Waiting) -> None:
    asked = [tickets.join(waiting.rt, CALLER, SALE, f"C{n % 40}") for n in range(200)]
    made = [one for one in await asyncio.gather(*asked) if isinstance(one, Ticket)]
    assert sorted({one.place for one in made}) == list(range(1, 41))
    assert {(one.customer, one.place) for one in made} == set(waiting.queues.places.items())
    assert waiting.queues.steps < 10
