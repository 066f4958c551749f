"""The drain loop: take what is waiting, decide it, append once, answer all.

Nothing is answered before its transaction commits. If the append fails, memory is dropped. One bad
request never fails its neighbours: when a batch breaks, its requests are settled one by one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from time import perf_counter
from typing import NamedTuple, cast
from uuid import UUID

from actors.host import Host, Remembered
from actors.round import Round
from actors.stats import OwnerStats
from actors.store import Store
from actors.wire import Done, Elsewhere, Failed, Reply, decode_line_done
from domain.cell import Cell
from domain.commands import (
    REMEMBERED,
    Adopt,
    CellKey,
    Confirm,
    Deduct,
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

BATCH_LIMIT = 1_024
"""Requests decided and appended together."""
LINE_LIMIT = 8_192
"""Lines in a batch, unless a single request has more."""
SETTLE_ATTEMPTS = 4
"""Times a batch is decided again after another owner or an earlier run got ahead of it."""
EXPIRER = Note(caller="onhand")
ABOUT_A_HOLD = (Confirm, Deduct, Release, Withdraw, Adopt)
CERTAIN = (Done, Elsewhere, NotFound)
"""Replies that no stored outcome can change."""
log = logging.getLogger(__name__)


class Frame:
    """Requests that came in one call, and the call's answer when all are settled."""

    def __init__(self, requests: list[Request]) -> None:
        self.replies: list[Reply | None] = [None] * len(requests)
        self.missing = len(requests)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, index: int, reply: Reply) -> None:
        self.replies[index] = reply
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)


class Waiting(NamedTuple):
    request: Request
    frame: Frame | None
    place: int


class Owner:
    """Hosts cells, and is the only one to append to them as long as nobody takes over."""

    def __init__(self, store: Store, clock: Clock, inbox_limit: int) -> None:
        self.store = store
        self.clock = clock
        self.inbox_limit = inbox_limit
        self.host = Host()
        self.inbox: deque[Waiting] = deque()
        self.ending: set[tuple[CellKey, UUID]] = set()
        self.filled = asyncio.Event()
        self.draining = False
        self.idle = asyncio.Event()
        self.idle.set()
        self.between_rounds = asyncio.Event()
        self.between_rounds.set()
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
        if isinstance(reply, Failed):
            self.host.watch(request.home, self.clock.now())

    async def run(self) -> None:
        """Drains until cancelled."""
        while True:
            await self.filled.wait()
            self.between_rounds.clear()
            waiting = self.take()
            replies = await self.settle([item.request for item in waiting])
            for item, reply in zip(waiting, replies, strict=True):
                self.stats.count(item.request, reply)
                if item.frame is None:
                    self.ended(item.request, reply)
                else:
                    item.frame.settle(item.place, reply)
            self.between_rounds.set()
            if self.inbox:
                await asyncio.sleep(0)  # who waits for the moment between two rounds has it here
            else:
                self.filled.clear()
                self.idle.set()

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

    async def attempt(self, requests: list[Request]) -> list[Reply]:
        now = self.clock.now()
        absent = await self.load(requests)
        work = Round(self.host, absent, now)
        try:
            work.closed += await self.recall_holds(requests)
            replies = await self.decide(work, requests)
            if work.batch:
                started = perf_counter()
                await self.store.append(work.batch)
                self.stats.appended(len(work.batch.entries), perf_counter() - started)
        except DuplicateRequest:
            work.abandon()
            await self.learn(requests)
            raise
        except BaseException:
            work.abandon()
            raise
        work.commit()
        return replies

    async def load(self, requests: list[Request]) -> dict[CellKey, NotFound]:
        """Makes the requests' cells resident; gives the refusals of those that cannot exist."""
        get = self.host.get
        missing = {key for r in requests for key, _ in r.lines if get(key) is None}
        if not missing:
            return {}
        loaded = await self.store.load_cells(list(missing), self.clock.now())
        absent: dict[CellKey, NotFound] = {}
        for key, cell in loaded.items():
            if isinstance(cell, Cell):
                self.host.put(cell)
            else:
                absent[key] = cell
        return absent

    async def recall_holds(self, requests: list[Request]) -> list[tuple[Cell, UUID]]:
        """Brings back closed holds that the requests speak of."""
        wanted: dict[tuple[UUID, int], Cell] = {}
        for request in requests:
            for key, command in request.lines:
                if not isinstance(command, ABOUT_A_HOLD):
                    break
                cell = self.host.get(key)
                if cell is not None and command.reservation not in cell.holds:
                    wanted[command.reservation, cell.id] = cell
        if not wanted:
            return []
        found = await self.store.load_holds(list(wanted))
        for (reservation, cell_id), hold in found.items():
            wanted[reservation, cell_id].holds[reservation] = hold
        return [(wanted[key], key[0]) for key in found]

    async def decide(self, work: Round, requests: list[Request]) -> list[Reply]:
        """A request that is refused, or finds its hold made already, may be the repetition of one
        that was done long ago: the stored outcome, not today's stock, is its answer. One statement
        for all of the round."""
        replies = [work.settle(request) for request in requests]
        doubtful = [
            index
            for index, reply in enumerate(replies)
            if not isinstance(reply, CERTAIN)
            and isinstance(requests[index].lines[0][1], REMEMBERED)
        ]
        if doubtful:
            learnt = await self.learn([requests[index] for index in doubtful])
            for index in doubtful:
                if replies[index] is None or requests[index].id in learnt:
                    replies[index] = work.settle(requests[index], is_learnt=True)
        return cast(list[Reply], replies)

    async def learn(self, requests: list[Request]) -> set[UUID]:
        """Reads the outcomes of these requests into memory; the ids that have one."""
        outcomes = await self.store.load_outcomes({request.id for request in requests})
        self.host.recent.update(
            {
                (o.request_id, o.slot): Remembered(o.fingerprint, decode_line_done(o.answer))
                for o in outcomes
            }
        )
        return {outcome.request_id for outcome in outcomes}
