"""The workload: people who do everything that can be asked of a cell, ask again after an outage,
give up sometimes, repeat what was done long ago, and use an id for something else."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID
from zlib import crc32

from actors.wire import Done, Elsewhere, Failed, Reply, unwrap
from domain.cell import Hold
from domain.commands import (
    Adjust,
    Allot,
    Buyer,
    CellKey,
    Command,
    Confirm,
    Deduct,
    Draw,
    Line,
    Move,
    Read,
    Receive,
    Release,
    Request,
    Return,
    Unallot,
)
from domain.flash_sales import pool_of
from domain.ledger import Bucket, Note
from domain.refusals import Conflict
from infra.outage import Outage
from services.holding import Asked, Placed, place
from services.runtime import Runtime
from tests.simulation.auditor import LIMIT, Story
from tests.simulation.fleet import Fleet

SKUS = ("TEA", "CUP")
WAREHOUSES = ("BERLIN", "PARIS", "ROME")
CELLS = [CellKey(sku, warehouse) for sku in SKUS for warehouse in WAREHOUSES]
ATTEMPTS = 5
SALE = pool_of(UUID(int=77))
ANCHOR = min(CELLS)
NOTE = Note("crowd")
SHELVES = (Bucket.AVAILABLE, Bucket.QUARANTINED, Bucket.DAMAGED)
MOVEMENTS = {
    (Bucket.AVAILABLE, Bucket.QUARANTINED): 9,
    (Bucket.DAMAGED, Bucket.QUARANTINED): 10,
    (Bucket.QUARANTINED, Bucket.AVAILABLE): 11,
    (Bucket.DAMAGED, Bucket.AVAILABLE): 12,
    (Bucket.AVAILABLE, Bucket.DAMAGED): 13,
    (Bucket.QUARANTINED, Bucket.DAMAGED): 14,
}
RETURNS = {Bucket.QUARANTINED: 6, Bucket.AVAILABLE: 7, Bucket.DAMAGED: 8}
GAINS = dict(zip(SHELVES, (18, 19, 20), strict=True))
LOSSES = dict(zip(SHELVES, (21, 22, 23), strict=True))


def content_of(*parts: object) -> int:
    return crc32(repr(parts).encode())


class Crowd:
    """`stories` is what the auditor will want to know."""

    def __init__(self, rng: Random, fleet: Fleet) -> None:
        self.rng = rng
        self.fleet = fleet
        self.rt = cast(Runtime, SimpleNamespace(stock=fleet))
        self.stories: dict[UUID, Story] = {}
        self.sent: list[Request] = []
        self.orders: list[tuple[Asked, dict[CellKey, int]]] = []
        self.placed: dict[UUID, dict[CellKey, Hold]] = {}
        self.under_way: set[UUID] = set()

    def begin(self, what: str) -> tuple[UUID, Story]:
        request_id = UUID(int=self.rng.getrandbits(128))
        self.stories[request_id] = Story(what)
        return request_id, self.stories[request_id]

    async def person(self, actions: int) -> None:
        choices: list[tuple[Callable[[], Any], int]] = [
            (self.change, 30),
            (self.order, 25),
            (self.draw, 15),
            (self.pay, 12),
            (self.hand_over, 12),
            (self.give_back, 8),
            (self.repeat, 10),
            (self.repeat_order, 8),
            (self.misuse, 5),
        ]
        names, weights = zip(*choices, strict=True)
        for _ in range(actions):
            (act,) = self.rng.choices(names, weights)
            await act()

    async def ask(self, request: Request, story: Story) -> Reply | None:
        """Again and again with the same id; None: given up."""
        for _ in range(self.rng.randrange(1, ATTEMPTS)):
            try:
                (reply,) = await self.fleet.anyhow([request])
                unwrap(reply)
            except Outage:
                story.is_unsure = True
                await asyncio.sleep(0)
                continue
            return reply
        return None

    async def do(self, request: Request, story: Story, cells: dict[CellKey, int]) -> Reply | None:
        """Asks, and notes what was told."""
        reply = await self.ask(request, story)
        if isinstance(reply, Done):
            story.is_done = True
            story.cells = cells
            if isinstance(request.lines[0].command, Draw):
                story.cells = {line.cell: 2 for line in reply.lines}
                self.placed[request.id] = {r.cell: r.hold for r in reply.lines if r.hold}
            story.told.append([(line.cell, line.level, line.hold) for line in reply.lines])
        assert not isinstance(reply, Elsewhere), "nobody routes here"
        return reply

    async def change(self) -> None:
        """Goods in, corrections, moves, returns, ring-fences, reads: one cell, or two at once."""
        rng = self.rng
        quantity = rng.randrange(1, 9)
        source, target = rng.choice(list(MOVEMENTS))
        shelf, pool = rng.choice(SHELVES), rng.choice(["web", "app", SALE, SALE])
        delta = rng.choice([1, -1]) * quantity
        command, code = rng.choice(
            [
                (Receive(quantity), 1),
                (Receive(quantity), 1),
                (
                    Adjust(shelf, delta, rng.choice([None, None, 3])),
                    (GAINS if delta > 0 else LOSSES)[shelf],
                ),
                (Move(source, target, quantity), MOVEMENTS[source, target]),
                (Return(shelf, quantity), RETURNS[shelf]),
                (Allot(pool, quantity), 24),
                (Unallot(pool, quantity), 25),
                (Read(), 0),
            ]
        )
        keys = self.neighbours(rng.randrange(1, 3))
        request_id, story = self.begin(type(command).__name__.lower())
        content = content_of(keys, command)
        lines = tuple(Line(key, cast(Command, command)) for key in keys)
        request = Request(request_id, content, keys[0], lines, NOTE)
        if not isinstance(command, Read):
            self.sent.append(request)
            await self.do(request, story, dict.fromkeys(keys, code))
        else:
            await self.ask(request, story)

    def neighbours(self, number: int) -> list[CellKey]:
        """Cells of one owner."""
        first = self.rng.choice(CELLS)
        same = [key for key in CELLS if self.fleet.owner_of(key) == self.fleet.owner_of(first)]
        return sorted({first, *self.rng.sample(same, min(len(same), number))})[:number]

    async def order(self) -> None:
        """Over up to three cells, of any owners."""
        plan = {
            key: self.rng.randrange(1, 6)
            for key in self.rng.sample(CELLS, self.rng.randrange(1, 4))
        }
        request_id, _ = self.begin("reserve")
        asked = Asked(request_id, content_of(sorted(plan.items())), NOTE, Buyer("bob"))
        self.orders.append((asked, plan))
        await self.place(asked, plan)

    async def draw(self) -> None:
        """Out of the sale, from up to three cells of any owners, with a ticket now and then."""
        sku = self.rng.choice(SKUS)
        cells = [key for key in CELLS if key.sku == sku]
        giving = self.rng.sample(cells, self.rng.randrange(1, 4))
        now = self.fleet.clock.now()
        request_id, story = self.begin("reserve")
        command = Draw(
            request_id,
            self.rng.randrange(1, 3),
            now + timedelta(seconds=self.rng.choice([5, 60, 900])),
            SALE,
            LIMIT,
            now,
            now + timedelta(days=1),
            self.rng.choice([None, UUID(int=self.rng.randrange(1, 4))]),
        )
        lines = tuple(Line(key, command) for key in giving)
        buyer = Buyer(self.rng.choice(["ann", "bob"]))
        content = content_of(giving, command, buyer)
        request = Request(request_id, content, ANCHOR, lines, NOTE, buyer)
        self.sent.append(request)
        await self.do(request, story, {})

    async def place(self, asked: Asked, plan: dict[CellKey, int]) -> None:
        """One attempt after the other: what two at once find is told in services/route.py."""
        if asked.id in self.under_way:
            return
        self.under_way.add(asked.id)
        await self.try_to_place(asked, plan, self.stories[asked.id])
        self.under_way.remove(asked.id)

    async def try_to_place(self, asked: Asked, plan: dict[CellKey, int], story: Story) -> None:
        for _ in range(self.rng.randrange(1, ATTEMPTS)):
            deadline = self.fleet.clock.now() + timedelta(seconds=self.rng.choice([5, 60, 900]))
            try:
                answer = await place(self.rt, asked, plan, min(plan), deadline)
            except Outage:
                story.is_unsure = True
                continue
            if isinstance(answer, Placed):
                story.is_done = True
                story.cells = dict.fromkeys(plan, 2)
                story.told.append(answer.holds)
                self.placed[asked.id] = answer.holds
            return

    async def pay(self) -> None:
        await self.about_holds(Confirm)

    async def give_back(self) -> None:
        await self.about_holds(Release)

    async def about_holds(self, command: type[Confirm | Release]) -> None:
        """Some of the holds only, now and then: its maker died."""
        if not self.placed:
            return
        reservation = self.rng.choice(list(self.placed))
        for key in self.placed[reservation]:
            if self.rng.random() < 0.9:
                line = Line(key, command(reservation))
                request = Request(reservation, 0, key, (line,), NOTE)
                await self.ask(request, Story("", is_unsure=True))

    async def hand_over(self) -> None:
        if not self.placed:
            return
        reservation = self.rng.choice(list(self.placed))
        key = self.rng.choice(list(self.placed[reservation]))
        command = Deduct(reservation, self.rng.choice([None, 1, 2]))
        request_id, story = self.begin("deduct")
        request = Request(request_id, content_of(key, command), key, (Line(key, command),), NOTE)
        self.sent.append(request)
        await self.do(request, story, {key: 5})

    async def repeat(self) -> None:
        """The same again, perhaps twice at once: the first answer, or the first effect."""
        if not self.sent:
            return
        request = self.rng.choice(self.sent)
        story = self.stories[request.id]
        codes = story.cells or self.codes_of(request)
        await asyncio.gather(
            *(self.do(request, story, codes) for _ in range(self.rng.randrange(1, 3)))
        )

    def codes_of(self, request: Request) -> dict[CellKey, int]:
        """What the request would do, had it been refused until now."""
        code = {Receive: 1, Draw: 2, Allot: 24, Unallot: 25, Deduct: 5}.get(
            type(request.lines[0].command)
        )
        command = request.lines[0].command
        if isinstance(command, Adjust):
            code = (GAINS if command.delta > 0 else LOSSES)[command.bucket]
        elif isinstance(command, Move):
            code = MOVEMENTS[command.source, command.target]
        elif isinstance(command, Return):
            code = RETURNS[command.target]
        assert code is not None
        return {line.cell: code for line in request.lines}

    async def repeat_order(self) -> None:
        if self.orders:
            await self.place(*self.rng.choice(self.orders))

    async def misuse(self) -> None:
        """An id that was accepted, for something else."""
        done = [request for request in self.sent if self.stories[request.id].is_done]
        if not done:
            return
        request = self.rng.choice(done)
        key = self.rng.choice(CELLS)
        other = Request(request.id, 1, key, (Line(key, Receive(1)),), NOTE)
        reply = await self.ask(other, Story("", is_unsure=True))
        assert reply is None or reply == Conflict(request.id), reply
        assert not isinstance(reply, Failed)
