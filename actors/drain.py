"""The drain loop: take what is waiting, decide it, append once, answer all.

Nothing is answered before its transaction commits. While one batch is written the next is decided;
if an append fails, all memory that is ahead of the ledger is dropped. One bad request never fails
its neighbours: when a batch breaks, its requests are settled one by one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import NamedTuple, cast
from uuid import UUID

from actors.frames import Frame, Waiting
from actors.guard import Guard, NoGuard
from actors.host import Host
from actors.reading import Reading, is_draw
from actors.round import Round
from actors.stats import OwnerStats
from actors.store import Store
from actors.wire import Done, Elsewhere, Failed, Moved, Reply
from domain.commands import (
    REMEMBERED,
    CellKey,
    Expire,
    Line,
    Release,
    Request,
    Withdraw,
)
from domain.ledger import Note
from domain.refusals import NotFound
from infra.clock import Clock
from infra.ledger import DuplicateRequest, StaleAppend
from infra.outage import Outage

ROUNDS = 2
"""Under way at once: one is written, one is decided meanwhile."""
BATCH_LIMIT = 1_024
"""Requests decided and appended together."""
LINE_LIMIT = 8_192
"""Lines in a batch, unless a single request has more."""
SETTLE_ATTEMPTS = 4
"""Times a batch is decided again after another owner or an earlier run got ahead of it."""
EXPIRER = Note(caller="onhand")
CERTAIN = (Done, Elsewhere, NotFound)
"""Replies that no stored outcome can change."""
log = logging.getLogger(__name__)


class Decided(NamedTuple):
    """A round that is not written yet. Doubtful replies are still to be looked up."""

    work: Round
    replies: list[Reply | None]


class Owner:
    """Hosts cells, and is the only one to append to them as long as nobody takes over."""

    def __init__(
        self, store: Store, clock: Clock, inbox_limit: int, guard: Guard | None = None
    ) -> None:
        self.store = store
        self.clock = clock
        self.guard = guard or NoGuard()
        self.inbox_limit = inbox_limit
        self.host = Host()
        self.reading = Reading(store, self.host, clock)
        self.inbox: deque[Waiting] = deque()
        self.ending: set[tuple[CellKey, UUID]] = set()
        self.filled = asyncio.Event()
        self.draining = False
        self.idle = asyncio.Event()
        self.idle.set()
        self.at_work = 0
        self.turn = asyncio.Lock()
        self.visitors = 0
        self.writing: Round | None = None
        self.ahead: Decided | None = None
        self.stats = OwnerStats()

    async def submit(self, requests: list[Request]) -> list[Reply]:
        """The replies in the order of the requests, each after its transaction."""
        if self.draining:
            return [Failed("UNAVAILABLE", "the owner is stopping")] * len(requests)
        if len(self.inbox) + len(requests) > self.inbox_limit:
            self.stats.busy += len(requests)
            return [Failed("BUSY", "the owner's inbox is full")] * len(requests)
        if not requests:
            return []
        frame = Frame(requests)
        self.inbox.extend(Waiting(r, frame, i) for i, r in enumerate(requests))
        self.wake()
        await frame.done
        return [reply for reply in frame.replies if reply is not None]

    def wake(self) -> None:
        self.idle.clear()
        self.filled.set()

    def end(
        self, holds: Iterable[tuple[CellKey, UUID]], how: type[Expire | Release] = Expire
    ) -> None:
        """Puts the end of holds into the inbox; nobody waits for the answer. What finds no room
        there, or cannot be settled, is looked at again in a moment."""
        for hold in holds:
            key, reservation = hold
            if hold in self.ending:
                continue
            if len(self.inbox) >= self.inbox_limit:
                self.host.watch(key, self.clock.now())
                continue
            self.ending.add(hold)
            request = Request(reservation, 0, key, (Line(key, how(reservation)),), EXPIRER)
            self.inbox.append(Waiting(request, None, 0))
        if self.inbox:
            self.wake()

    def ended(self, request: Request, reply: Reply) -> None:
        self.ending.discard((request.home, request.id))
        if isinstance(reply, Failed | Moved):
            self.host.watch(request.home, self.clock.now())

    async def run(self) -> None:
        """Drains until cancelled."""
        async with asyncio.TaskGroup() as rounds:
            for _ in range(ROUNDS):
                rounds.create_task(self.work())

    async def work(self) -> None:
        while True:
            await self.filled.wait()
            waiting = self.take()
            if not self.inbox:
                self.filled.clear()
            if not waiting:
                self.rest()
                continue
            self.at_work += 1
            requests = [item.request for item in waiting]
            self.decide_ahead(requests)
            async with self.turn:
                replies = await self.settle(requests)
            if self.at_work > 1:
                await asyncio.sleep(0)  # first the next round goes to the database
            self.answer(waiting, replies)
            self.at_work -= 1
            self.rest()

    def rest(self) -> None:
        if not self.at_work and not self.inbox:
            self.idle.set()

    def answer(self, waiting: list[Waiting], replies: list[Reply]) -> None:
        self.stats.count([item.request for item in waiting], replies)
        for (request, frame, place), reply in zip(waiting, replies, strict=True):
            if frame is None:
                self.ended(request, reply)
            else:
                frame.settle(place, reply)

    @asynccontextmanager
    async def between_rounds(self) -> AsyncIterator[None]:
        """While this is entered memory is what the ledger is, and no round begins."""
        self.visitors += 1
        try:
            async with self.turn:
                yield
        finally:
            self.visitors -= 1

    async def drain(self) -> None:
        """Takes no more requests, and settles what is waiting."""
        self.draining = True
        await self.idle.wait()

    def take(self) -> list[Waiting]:
        """The next batch. A withdraw is the last word on its id there: the outcome that it deletes
        cannot be written again in the same append."""
        taken: list[Waiting] = []
        withdrawn: set[UUID] = set()
        lines = 0
        while self.inbox and len(taken) < BATCH_LIMIT:
            request = self.inbox[0].request
            if self.inbox[0].frame and (no := self.guard.turn_away(request)):
                self.answer([self.inbox.popleft()], [no])
                continue
            lines += len(request.lines)
            if (taken and lines > LINE_LIMIT) or request.id in withdrawn:
                break
            if type(request.lines[0][1]) is Withdraw:
                withdrawn.add(request.id)
            taken.append(self.inbox.popleft())
        return taken

    async def settle(self, requests: list[Request]) -> list[Reply]:
        for _ in range(SETTLE_ATTEMPTS):
            try:
                return await self.attempt(requests)
            except StaleAppend:
                self.stats.stale += 1
                if not self.guard.holds():
                    return [Moved(())] * len(requests)
            except DuplicateRequest:
                self.stats.duplicates += 1
            except Outage as outage:
                return [Failed(outage.code, outage.message)] * len(requests)
            except Exception:  # tidy: allow broad-except: the drain loop goes on
                log.exception("a batch of %d requests broke", len(requests))
                if len(requests) == 1:
                    return [Failed("INTERNAL", "internal error")]
                break
        if len(requests) == 1:
            return [Failed("UNAVAILABLE", "another owner is at work on these cells")]
        return [(await self.settle([request]))[0] for request in requests]

    def decide_ahead(self, requests: list[Request]) -> None:
        """While the round before is being written, if nothing has to be read for it."""
        if self.writing is None or self.ahead is not None or self.visitors:
            return
        if self.reading.is_needed(requests):
            return
        work = Round(self.host, {}, self.clock.now(), self.writing)
        self.ahead = Decided(work, [])
        try:
            self.ahead.replies.extend(work.settle(request) for request in requests)
        except Exception:  # tidy: allow broad-except: it is decided again, and judged, in its turn
            self.drop_ahead()

    def drop_ahead(self) -> None:
        ahead, self.ahead = self.ahead, None
        if ahead is not None:
            ahead.work.abandon()

    async def attempt(self, requests: list[Request]) -> list[Reply]:
        """Only who has the turn comes here, so `ahead` can only be his own."""
        decided, self.ahead = self.ahead, None
        if decided is None:
            decided = await self.decide(requests)
        work = decided.work
        try:
            replies = await self.resolve(decided, requests)
            if work.batch:
                await self.append(work)
        except BaseException as error:
            work.abandon()
            self.drop_ahead()
            if isinstance(error, DuplicateRequest):
                await self.reading.outcomes(requests)
            raise
        work.commit()
        if self.ahead is None:
            self.reading.forget_guests(requests, self.guard.is_mine)
        return replies

    async def append(self, work: Round) -> None:
        started = perf_counter()
        work.batch.seal()
        self.writing = work
        try:
            await self.store.append(work.batch)
        finally:
            self.writing = None
        self.stats.appended(len(work.batch), perf_counter() - started)

    async def decide(self, requests: list[Request]) -> Decided:
        now = self.clock.now()
        work = Round(self.host, await self.reading.cells(requests), now)
        await self.reading.tallies(requests)
        work.closed += await self.reading.closed_holds(requests)
        try:
            return Decided(work, [work.settle(request) for request in requests])
        except BaseException:
            work.abandon()
            raise

    async def resolve(self, decided: Decided, requests: list[Request]) -> list[Reply]:
        """A request that is refused, or finds its hold made already, may be the repetition of one
        that was done long ago: the stored outcome, not today's stock, is its answer. One statement
        for all of the round. Not for a draw: its sale's tally knows all that were accepted."""
        work, replies = decided
        doubtful = [
            index
            for index, reply in enumerate(replies)
            if not isinstance(reply, CERTAIN)
            and isinstance(requests[index].lines[0][1], REMEMBERED)
            and not (reply is not None and is_draw(requests[index]))
        ]
        if doubtful:
            learnt = await self.reading.outcomes([requests[index] for index in doubtful])
            for index in doubtful:
                if replies[index] is None or requests[index].id in learnt:
                    replies[index] = work.settle(requests[index], is_learnt=True)
        return cast(list[Reply], replies)
