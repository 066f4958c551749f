"""How everybody else reaches the owners. If a call returns, the change is in the ledger and
survives any crash. If it raises Outage, it may or may not have happened: send it again with the
same id. Callers coalesce: per owner one call is under way, or two if there is much to carry, with
what waited meanwhile, so an idle system answers at the speed of one commit, a busy one shares them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from actors.directory import owner_of, seat_of, shared
from actors.lane import Channel, Lane
from actors.marks import Marks
from actors.seating import Seated, Seating
from actors.wire import (
    Done,
    Elsewhere,
    Moved,
    Reply,
    unwrap,
)
from domain.commands import CellKey, Draw, Request
from domain.refusals import InsufficientStock, Refusal
from infra.outage import Outage
from infra.seats import HeatCounts

HOPS_SECONDS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.4, 0.4)
"""Before a request follows its cells to the next owner; after the last it is given up as BUSY."""
MOVED_LIMIT = 100_000
"""Cells outside their usual seats that a client remembers."""

Answer = Done | Elsewhere | Refusal


class Divided(Outage):
    """The request's cells have no common owner any more. No part of it was decided: cut it again
    with `seat_of`."""

    def __init__(self) -> None:
        super().__init__("the request's cells have moved apart", "BUSY")


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

    async def promote(self, cell: CellKey, seat: str) -> bool:
        """As `place`, and counted; False: it was placed by somebody already, and stays there."""
        assert self.seating is not None, "only real owners move cells"
        done = await self.seating.promote(cell, seat)
        if done:
            self.learn_seats([(cell, seat)])
        return done

    async def demote(self, seat: str) -> list[CellKey]:
        """The cells in that seat, which went back; counted."""
        assert self.seating is not None, "only real owners move cells"
        cells = await self.seating.demote(seat)
        self.learn_seats((cell, "") for cell in cells)
        return cells

    async def heat_counts(self) -> HeatCounts | None:
        """None: the database does not answer."""
        try:
            return await self.seating.heat_counts() if self.seating is not None else None
        except Outage:
            return None

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
