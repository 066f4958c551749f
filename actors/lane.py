"""What waits for one owner, and the calls that carry it there: one is under way, or two if there is
much to carry, with what waited meanwhile. An idle system answers at the speed of one commit, a busy
one shares them; a flooded one says BUSY at once to whom it could not serve soon.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, cast

from actors.pace import Pace
from actors.wire import Failed, Moved, Reply, decode_replies, encode_requests
from domain.commands import Request
from infra.outage import Outage

FRAME_LIMIT = 128
"""Requests in one call. More at once are slower: they leave the processor's caches."""
CALLS_LIMIT = 2
"""Calls under way to one owner, which decides one while it writes the other."""
SHARE_LEAST = 64
"""Requests worth a call while another is under way; fewer wait for it, and share a commit."""
GIVE_UP_SECONDS = 15.0
"""From the first failed call: an owner that Ray starts again is back well before."""
PAUSES_SECONDS = (0.02, 0.03, 0.05, 0.05, 0.1, 0.1, 0.1, 0.2, 0.4)
"""Between two calls that failed: a spare takes over in a moment."""
STOPPING = Failed("UNAVAILABLE", "this process is stopping")
log = logging.getLogger(__name__)


class Gone(Outage):
    """There is no such seat any more."""


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
        self.pace = Pace()

    def send(self, request: Request) -> asyncio.Future[Reply]:
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if len(self.waiting) >= self.pace.limit:
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
                    decided = await self.carry(items)
                finally:
                    self.under_way -= len(items)
                is_full = decided == FRAME_LIMIT and len(self.waiting) >= SHARE_LEAST
                self.pace.carried(decided, is_full, asyncio.get_running_loop().time())
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

    async def carry(self, items: list[Waiting]) -> int:
        """Answers all of them, whatever happens. Of a frame that breaks the halves go apart, so
        that one bad request fails alone. How many the owner decided."""
        replies: list[Reply] = [STOPPING] * len(items)
        try:
            replies = await self.call(encode_requests([item.request for item in items]), len(items))
        except Exception:  # tidy: allow broad-except: the pump goes on, whatever one request did
            if len(items) > 1:
                half = len(items) // 2
                return await self.carry(items[:half]) + await self.carry(items[half:])
            else:
                log.exception("a request to an owner broke")
                replies = [Failed("INTERNAL", "internal error")]
        finally:
            answer(items, replies)
        return sum(not isinstance(reply, Failed | Moved) for reply in replies)

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
                self.pace.lost()
                if loop.time() > give_up:
                    return [Failed(outage.code, outage.message)] * size
            await asyncio.sleep(PAUSES_SECONDS[min(attempt, len(PAUSES_SECONDS) - 1)])
            attempt += 1


def answer(items: Iterable[Waiting], replies: Sequence[Reply]) -> None:
    for item, reply in zip(items, replies, strict=True):
        if not item.answered.done():
            item.answered.set_result(reply)
