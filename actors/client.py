"""How everybody else reaches the owners. If a call returns, the change is in the ledger and
survives any crash. If it raises Outage, it may or may not have happened: send it again with the
same id. Callers coalesce: per owner one call is under way, or two if there is much to carry, with
what waited meanwhile, so an idle system answers at the speed of one commit, a busy one shares them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, cast

from actors.directory import owner_of, seat_of, shared
from actors.marks import Marks
from actors.seating import Seated, Seating
from actors.wire import (
    Done,
    Elsewhere,
    Failed,
    Moved,
    Reply,
    decode_replies,
    encode_requests,
    unwrap,
)
from domain.commands import CellKey, Draw, Request
from domain.refusals import InsufficientStock, Refusal
from infra.outage import Outage

FRAME_LIMIT = 128
"""Requests in one call. More at once are slower: they leave the processor's caches."""
CALLS_LIMIT = 2
"""Calls under way to one owner, which decides one while it writes the other."""
SHARE_LEAST = 64
"""Requests worth a call while another is under way; fewer wait for it, and share a commit."""
WAITING_LIMIT = 20_000
"""Requests of this process that wait for one owner; more are answered BUSY at once."""
GIVE_UP_SECONDS = 15.0
"""From the first failed call: an owner that Ray starts again is back well before."""
PAUSES_SECONDS = (0.02, 0.03, 0.05, 0.05, 0.1, 0.1, 0.1, 0.2, 0.4)
"""Between two calls that failed: a spare takes over in a moment."""
HOPS_SECONDS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.4, 0.4)
"""Before a request follows its cells to the next owner; after the last it is given up as BUSY."""
MOVED_LIMIT = 100_000
"""Cells outside their usual seats that a client remembers."""
STOPPING = Failed("UNAVAILABLE", "this process is stopping")
log = logging.getLogger(__name__)

Answer = Done | Elsewhere | Refusal


class Gone(Outage):
    """There is no such seat any more."""


class Divided(Outage):
    """The request's cells have no common owner any more. No part of it was decided: cut it again
    with `seat_of`."""

    def __init__(self) -> None:
        super().__init__("the request's cells have moved apart", "BUSY")


class Channel(Protocol):
    """One owner as the client sees it; `call` raises Outage when it cannot say."""

    async def call(self, frame: bytes) -> bytes: ...

    def close(self) -> None: ...


class Waiting(NamedTuple):
    request: Request
    answered: asyncio.Future[Reply]


class Lane:
    """What waits for one owner, and the calls that are under way."""

    def __init__(self, channel: Channel, give_up_seconds: float = GIVE_UP_SECONDS) -> None:
        self.channel = channel
        self.give_up_seconds = give_up_seconds
        self.waiting: deque[Waiting] = deque()
        self.carriers: set[asyncio.Task[None]] = set()
        self.under_way = 0

    def send(self, request: Request) -> asyncio.Future[Reply]:
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if len(self.waiting) >= WAITING_LIMIT:
            answered.set_result(Failed("BUSY", "too many requests wait for the owner"))
            return answered
        self.waiting.append(Waiting(request, answered))
        if not self.carriers or self.is_worth_another_call():
            self.carriers.add(asyncio.get_running_loop().create_task(self.pump()))
        return answered

    def is_worth_another_call(self) -> bool:
        return len(self.carriers) < CALLS_LIMIT and len(self.waiting) >= SHARE_LEAST

    async def pump(self) -> None:
        try:
            while self.waiting:
                items = self.take()
                self.under_way += len(items)
                try:
                    await self.carry(items)
                finally:
                    self.under_way -= len(items)
        finally:
            self.carriers.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            if not self.carriers:
                answer(self.waiting, [STOPPING] * len(self.waiting))
                self.waiting.clear()

    def take(self) -> list[Waiting]:
        """Half of what has no answer yet: the other call has as much to carry."""
        half = -(-(len(self.waiting) + self.under_way) // CALLS_LIMIT)
        size = min(len(self.waiting), max(half, SHARE_LEAST), FRAME_LIMIT)
        return [self.waiting.popleft() for _ in range(size)]

    async def carry(self, items: list[Waiting]) -> None:
        """Answers all of them, whatever happens. Of a frame that breaks the halves go apart, so
        that one bad request fails alone."""
        replies: list[Reply] = [STOPPING] * len(items)
        try:
            replies = await self.call(encode_requests([item.request for item in items]), len(items))
        except Exception:  # tidy: allow broad-except: the pump goes on, whatever one request did
            if len(items) > 1:
                half = len(items) // 2
                await self.carry(items[:half])
                await self.carry(items[half:])
            else:
                log.exception("a request to an owner broke")
                replies = [Failed("INTERNAL", "internal error")]
        finally:
            answer(items, replies)

    async def call(self, frame: bytes, size: int) -> list[Reply]:
        """Sends the frame, again and again with the same ids while the owner cannot be reached."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self.give_up_seconds
        attempt = 0
        while True:
            try:
                replies = decode_replies(await self.channel.call(frame))
                if len(replies) != size:
                    raise ValueError(f"{len(replies)} replies to {size} requests")
                if replies and replies[-1] == Moved(()):
                    self.channel.close()
                return replies
            except Gone:
                return [Moved(())] * size
            except Outage as outage:
                if loop.time() > give_up:
                    return [Failed(outage.code, outage.message)] * size
            await asyncio.sleep(PAUSES_SECONDS[min(attempt, len(PAUSES_SECONDS) - 1)])
            attempt += 1


def answer(items: Iterable[Waiting], replies: Sequence[Reply]) -> None:
    for item, reply in zip(items, replies, strict=True):
        if not item.answered.done():
            item.answered.set_result(reply)


class StockClient:
    """Requests go to the owner of their cells. All lines of one request must have one owner; use
    `seat_of` to see which do."""

    def __init__(
        self, channels: Sequence[Channel], ask: "Ask", seating: Seating | None = None
    ) -> None:
        self.lanes = [Lane(channel) for channel in channels]
        self.dedicated: dict[str, Lane] = {}
        self.moved: dict[CellKey, str] = {}
        self.ask = ask
        self.seating = seating
        self.marks = Marks(self.ask_owner_of)

    def owner_of(self, cell: CellKey) -> int:
        """The index of the shared seat that the cell falls to."""
        return owner_of(cell, len(self.lanes))

    def seat_of(self, cell: CellKey) -> str:
        """Where the cell is, as far as this client has heard."""
        return seat_of(cell, len(self.lanes), self.moved)

    async def submit(self, request: Request) -> Answer:
        reply = await self.lane_of(request).send(request)
        if isinstance(reply, Moved):
            reply = await self.follow(request, reply)
        if isinstance(reply, InsufficientStock) and type(request.lines[0][1]) is Draw:
            self.marks.heard(request)
        return unwrap(reply)

    def sold_out(self, request: Request) -> InsufficientStock | None:
        """The answer to a draw in its sale's window, if it is known without asking."""
        return self.marks.refusal(request)

    async def ask_owner_of(self, cell: CellKey, question: bytes) -> bytes:
        return await self.lane_at(cell).channel.call(question)

    async def submit_many(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers in order, when all are there. Raises Outage if any of them is one."""
        sent = [lane.send(r) for lane, r in zip(map(self.lane_of, requests), requests, strict=True)]
        replies = await asyncio.gather(*sent)
        for index, reply in enumerate(replies):
            if isinstance(reply, Moved):
                replies[index] = await self.follow(requests[index], reply)
        return [unwrap(reply) for reply in replies]

    def lane_of(self, request: Request) -> Lane:
        """Raises Divided."""
        cell, *others = request.at
        if self.moved and others:
            seat = self.seat_of(cell)
            if any(self.seat_of(other) != seat for other in others):
                raise Divided
        return self.lane_at(cell)

    def lane_at(self, cell: CellKey) -> Lane:
        if not self.moved:
            return self.lanes[self.owner_of(cell)]
        seat = self.seat_of(cell)
        if seat == shared(index := self.owner_of(cell)):
            return self.lanes[index]
        if seat not in self.dedicated:
            assert self.seating is not None, "only real owners move cells"
            self.dedicated[seat] = Lane(self.seating.channel(seat))
        return self.dedicated[seat]

    async def follow(self, request: Request, reply: Reply) -> Reply:
        """The same request, with the same id, to the owner that its cells have moved to."""
        for pause in HOPS_SECONDS:
            assert isinstance(reply, Moved)
            self.learn(request, reply)
            await asyncio.sleep(pause)
            reply = await self.lane_of(request).send(request)
            if not isinstance(reply, Moved):
                return reply
        return reply

    def learn(self, request: Request, reply: Moved) -> None:
        """An owner without a seat cannot say: then the cells are where they usually are."""
        if len(self.moved) > MOVED_LIMIT:
            self.moved.clear()
        self.learn_seats(reply.cells or [(cell, "") for cell in request.at])

    def learn_seats(self, seats: Iterable[tuple[CellKey, str]]) -> None:
        for cell, seat in seats:
            if seat in ("", shared(self.owner_of(cell))):
                self.moved.pop(cell, None)
            else:
                self.moved[cell] = seat
        used = set(self.moved.values())
        for seat in [seat for seat in self.dedicated if seat not in used]:
            self.dedicated.pop(seat).channel.close()

    async def place(self, cells: Collection[CellKey], seat: str) -> None:
        """Gives these cells an owner of their own, in the seat of that name, while traffic flows.
        Repeating it is safe. Raises Outage, also when no process is free to sit there."""
        if self.seating is not None:
            await self.seating.place(cells, seat)
            self.learn_seats((cell, seat) for cell in cells)

    async def unplace(self, cells: Collection[CellKey]) -> None:
        """The cells go back to the seats that they fall to; a seat without cells is no more."""
        if self.seating is not None:
            await self.seating.unplace(cells)
            self.learn_seats((cell, "") for cell in cells)

    async def ownership(self) -> list[Seated]:
        """Who sits where, with the placed cells."""
        return await self.seating.ownership() if self.seating is not None else []

    async def stats(self) -> list[dict[str, Any]]:
        """What every owner counts; an owner that does not answer in time is left out."""
        return await self.ask.stats()

    async def resident(self) -> list[bytes]:
        """Per owner, the encoded levels of its resident cells."""
        return await self.ask.resident()

    async def ready(self) -> bool:
        return await self.ask.ready()

    def close(self) -> None:
        self.marks.close()
        for lane in (*self.lanes, *self.dedicated.values()):
            lane.channel.close()
        if self.seating is not None:
            self.seating.close()


class Ask(NamedTuple):
    """Questions to all owners, outside the flow of requests."""

    stats: Callable[[], Awaitable[list[dict[str, Any]]]]
    resident: Callable[[], Awaitable[list[bytes]]]
    ready: Callable[[], Awaitable[bool]]
