"""The client's lanes: a call or two under way per owner, and every caller gets its own answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from actors.client import Ask, StockClient
from actors.directory import owner_of
from actors.lane import CALLS_LIMIT, FRAME_LIMIT, SHARE_LEAST, Channel, Lane
from actors.pace import MOST
from actors.wire import Done, Failed, LineDone, Reply, decode_requests, encode_replies
from domain.commands import CellKey, Receive, Request
from domain.refusals import InsufficientStock, NotFound
from infra.outage import Outage
from tests.actors.world import BERLIN, PARIS, ask, receive, rid, until

Answerer = Callable[[Request], Reply]


def done(request: Request) -> Reply:
    return Done((LineDone(CellKey(*request.lines[0][0]), None, None, True),))


def by_id(request: Request) -> Reply:
    """An answer that tells for whom it was."""
    return NotFound("request", str(request.id.int))


class FakeChannel:
    """An owner that answers what it is told to. `outages` fail as many calls that come, after the
    owner has seen the frame; `gate` holds the answers back."""

    def __init__(self, answerer: Answerer = by_id) -> None:
        self.answerer = answerer
        self.frames: list[list[int]] = []
        self.outages = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.under_way = 0

    async def call(self, frame: bytes) -> bytes:
        requests = decode_requests(frame)
        self.frames.append([request.id.int for request in requests])
        self.under_way += 1
        assert self.under_way <= CALLS_LIMIT, "one call too many is under way"
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if self.outages:
            self.outages -= 1
            raise Outage("the owner does not answer")
        return encode_replies([self.answerer(request) for request in requests])

    def close(self) -> None:
        """Holds nothing."""


async def nothing() -> list[bytes]:
    return []


async def nobody() -> list[dict[str, object]]:
    return []


async def yes() -> bool:
    return True


def client_of(*channels: Channel) -> StockClient:
    return StockClient(channels, Ask(nobody, nothing, yes))


@asynccontextmanager
async def asking(stock: StockClient, *requests: Request) -> AsyncIterator[list[Awaitable[object]]]:
    tasks = [asyncio.create_task(stock.submit(request)) for request in requests]
    try:
        yield list(tasks)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, Outage, RuntimeError):
                await task


async def test_what_waits_during_a_call_goes_together_in_the_next() -> None:
    channel = FakeChannel()
    stock = client_of(channel)
    channel.gate.clear()
    async with asking(stock, *(receive(n, 1) for n in range(5))) as answers:
        await until(lambda: channel.frames)
        async with asking(stock, *(receive(n, 1) for n in range(5, 9))) as more:
            await until(lambda: len(stock.lanes[0].waiting) == 4)
            channel.gate.set()
            await asyncio.gather(*answers, *more)
    assert channel.frames == [[0, 1, 2, 3, 4], [5, 6, 7, 8]]


async def test_every_caller_gets_the_reply_to_its_own_request() -> None:
    stock = client_of(FakeChannel())
    asked = [receive(n, 1) for n in range(300)]
    replies = await asyncio.gather(*(stock.submit(request) for request in asked))
    assert replies == [by_id(request) for request in asked]
    assert await stock.submit_many(asked) == replies


async def test_a_frame_is_bounded() -> None:
    channel = FakeChannel()
    stock = client_of(channel)
    asked = 5 * FRAME_LIMIT + 1
    await stock.submit_many([receive(n, 1) for n in range(asked)])
    assert max(len(frame) for frame in channel.frames) == FRAME_LIMIT
    assert sorted(n for frame in channel.frames for n in frame) == list(range(asked))


async def test_many_that_wait_are_shared_by_two_calls() -> None:
    channel = FakeChannel()
    stock = client_of(channel)
    channel.gate.clear()
    async with asking(stock, *(receive(n, 1) for n in range(2 * SHARE_LEAST))) as answers:
        await until(lambda: channel.under_way == 2)
        channel.gate.set()
        await asyncio.gather(*answers)
    assert [len(frame) for frame in channel.frames] == [SHARE_LEAST, SHARE_LEAST]


async def test_few_that_wait_beside_a_call_do_not_make_another() -> None:
    channel = FakeChannel()
    stock = client_of(channel)
    channel.gate.clear()
    async with asking(stock, receive(0, 1)) as first:
        await until(lambda: channel.frames)
        async with asking(stock, *(receive(n, 1) for n in range(1, SHARE_LEAST))) as more:
            await until(lambda: len(stock.lanes[0].waiting) == SHARE_LEAST - 1)
            assert channel.under_way == 1
            channel.gate.set()
            await asyncio.gather(*first, *more)
    assert [len(frame) for frame in channel.frames] == [1, SHARE_LEAST - 1]


async def test_each_owner_has_a_lane_of_its_own() -> None:
    channels = [FakeChannel(), FakeChannel()]
    stock = client_of(*channels)
    slow, quick = owner_of(BERLIN, 2), owner_of(PARIS, 2)
    assert {slow, quick} == {0, 1}
    channels[slow].gate.clear()
    async with asking(stock, receive(1, 1, BERLIN)):
        assert await stock.submit(receive(2, 1, PARIS)) == NotFound("request", "2")
    assert stock.owner_of(PARIS) == quick


async def test_a_call_that_failed_is_made_again_with_the_same_ids() -> None:
    channel = FakeChannel()
    channel.outages = 2
    assert await client_of(channel).submit(receive(7, 1)) == NotFound("request", "7")
    assert channel.frames == [[7]] * 3


async def test_an_owner_that_stays_away_is_given_up_and_asked_again_by_the_next() -> None:
    channel = FakeChannel()
    channel.outages = 1
    lane = Lane(channel, give_up_seconds=-1.0)
    away: Reply = Failed("UNAVAILABLE", "the owner does not answer")
    sent = [lane.send(receive(7, 1)), lane.send(receive(8, 1))]
    assert [await reply for reply in sent] == [away, away]
    assert await lane.send(receive(7, 1)) == NotFound("request", "7")


async def test_too_many_waiting_are_answered_busy_at_once() -> None:
    channel = FakeChannel()
    lane = Lane(channel)
    channel.gate.clear()
    first = lane.send(receive(0, 1))
    await until(lambda: not lane.waiting)
    waiting = [lane.send(receive(n, 1)) for n in range(MOST)]
    busy = lane.send(receive(1, 1))
    assert busy.result() == Failed("BUSY", "too many requests wait for the owner")
    channel.gate.set()
    assert {type(reply) for reply in await asyncio.gather(first, *waiting)} == {NotFound}


async def test_the_owners_failures_are_raised_and_its_refusals_returned() -> None:
    answers: dict[int, Reply] = {
        1: Failed("BUSY", "full"),
        2: Failed("INTERNAL", "a bug"),
        3: InsufficientStock("TEA", "BERLIN", 1, 0),
    }
    stock = client_of(FakeChannel(lambda request: answers[request.id.int]))
    with pytest.raises(Outage, match="full"):
        await stock.submit(receive(1, 1))
    with pytest.raises(RuntimeError, match="a bug"):
        await stock.submit(receive(2, 1))
    assert await stock.submit(receive(3, 1)) == answers[3]
    with pytest.raises(Outage, match="full"):
        await stock.submit_many([receive(3, 1), receive(1, 1)])
    assert await stock.submit_many([]) == []


async def test_a_request_that_cannot_be_sent_fails_alone() -> None:
    channel = FakeChannel()
    stock = client_of(channel)
    bad = ask(2, (BERLIN, Receive(2**70)))
    sent = [stock.lanes[0].send(r) for r in (receive(1, 1), bad, receive(3, 1), receive(4, 1))]
    replies = await asyncio.gather(*sent)
    assert replies[1] == Failed("INTERNAL", "internal error")
    assert [replies[n] for n in (0, 2, 3)] == [NotFound("request", n) for n in ("1", "3", "4")]


async def test_a_request_that_the_owner_chokes_on_fails_alone() -> None:
    def choke(request: Request) -> Reply:
        if request.id == rid(2):
            raise ValueError("what is this?")
        return by_id(request)

    stock = client_of(FakeChannel(choke))
    sent = [stock.lanes[0].send(receive(n, 1)) for n in range(1, 6)]
    replies = await asyncio.gather(*sent)
    assert [type(reply) for reply in replies] == [NotFound, Failed, NotFound, NotFound, NotFound]
    assert await stock.submit(receive(9, 1)) == NotFound("request", "9")


async def test_an_answer_that_is_not_ours_breaks_its_frame_and_not_the_lane() -> None:
    answers = [b"\xc1", encode_replies([]), encode_replies([done(receive(1, 1))])]

    class Babbling:
        async def call(self, frame: bytes) -> bytes:
            return answers.pop(0)

        def close(self) -> None:
            """Holds nothing."""

    stock = client_of(Babbling())
    for _ in range(2):
        with pytest.raises(RuntimeError, match="internal error"):
            await stock.submit(receive(1, 1))
    assert isinstance(await stock.submit(receive(1, 1)), Done)


async def test_a_caller_who_left_is_skipped() -> None:
    channel = FakeChannel()
    stock = client_of(channel)
    channel.gate.clear()
    async with asking(stock, receive(1, 1), receive(2, 1)) as (gone, stays):
        await until(lambda: channel.frames)
        assert isinstance(gone, asyncio.Task)
        gone.cancel()
        channel.gate.set()
        assert await stays == NotFound("request", "2")


async def test_when_the_pump_is_cancelled_everybody_is_told() -> None:
    channel = FakeChannel()
    channel.gate.clear()
    lane = Lane(channel)
    under_way = lane.send(receive(1, 1))
    await until(lambda: channel.frames)
    waiting = lane.send(receive(2, 1))
    (carrier,) = lane.carriers
    carrier.cancel()
    told: Reply = Failed("UNAVAILABLE", "this process is stopping")
    assert [await under_way, await waiting] == [told, told]
    channel.gate.set()
    assert await lane.send(receive(3, 1)) == NotFound("request", "3")


async def test_questions_to_all_owners_go_past_the_lanes() -> None:
    stock = client_of(FakeChannel())
    assert (await stock.stats(), await stock.resident(), await stock.ready()) == ([], [], True)
