"""Owners in bad weather: appends that fail before and after they are written, processes that die,
answers that are lost or come too late, and a second owner at work on the same cells."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

from actors.client import Answer
from actors.directory import owner_of, shared
from actors.drain import Owner
from actors.sweep import STRANDED_PAUSE, Sweep
from actors.wire import Reply, decode_replies, decode_requests, encode_replies, encode_requests
from actors.wire import unwrap as unwrapped
from domain.commands import CellKey, Request
from infra.ledger import Batch
from infra.outage import Outage
from tests.actors.fake_store import FakeStore, Fault
from tests.actors.world import FakeClock, settled
from tests.simulation.auditor import broken_rules

OWNERS = 3
INBOX_LIMIT = 3
TURNS = 4
"""Turns of the loop that a statement takes at most."""


class StormyStore(FakeStore):
    """A database that takes its time, and that is lost now and then unless it is calm."""

    def __init__(self, rng: Random, skus: Sequence[str], warehouses: Sequence[str]) -> None:
        super().__init__(skus, warehouses)
        self.rng = rng
        self.is_calm = False
        self.broken: list[str] = []

    async def append(self, batch: Batch) -> None:
        await self.pause()
        fault: Fault = None
        if not self.is_calm and self.rng.random() < 0.06:
            fault = self.rng.choice(["lost before", "lost after"])
        self.faults.append(fault)
        await super().append(batch)
        await self.pause()

    def write(self, batch: Batch) -> None:
        super().write(batch)
        if any(new.hold.pool for new in batch.made.values()):
            self.broken += broken_rules(self)

    async def read(self) -> None:
        await self.pause()
        if not self.is_calm and self.rng.random() < 0.02:
            raise Outage("the connection was lost")
        await super().read()

    async def pause(self) -> None:
        for _ in range(self.rng.randrange(TURNS)):
            await asyncio.sleep(0)


class Ship:
    """One process of an owner; when it sinks, nobody hears from it again."""

    def __init__(self, store: FakeStore, clock: FakeClock, index: int) -> None:
        self.index = index
        self.owner = Owner(store, clock, INBOX_LIMIT)
        self.sweep = Sweep(self.owner, store, clock, lambda key: owner_of(key, OWNERS) == index)
        self.work = asyncio.create_task(self.owner.run())
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def sink(self) -> None:
        self.work.cancel()
        if not self.lost.done():
            self.lost.set_result(None)


class Fleet:
    """Stands where the stock client stands: `submit`, `submit_many` and `seat_of`. Orders over
    several cells go to the newest owner; others may meet the one it has replaced."""

    def __init__(self, rng: Random, store: StormyStore, clock: FakeClock) -> None:
        self.rng = rng
        self.store = store
        self.clock = clock
        self.ships = [Ship(store, clock, index) for index in range(OWNERS)]
        self.ghosts: list[Ship] = []
        self.sunk: list[Ship] = []
        self.late: set[asyncio.Task[list[Reply]]] = set()

    def owner_of(self, cell: CellKey) -> int:
        return owner_of(cell, OWNERS)

    def seat_of(self, cell: CellKey) -> str:
        return shared(self.owner_of(cell))

    async def submit(self, request: Request) -> Answer:
        return unwrapped((await self.call(self.ship_of(request), [request]))[0])

    async def submit_many(self, requests: Sequence[Request]) -> list[Answer]:
        calls = [self.call(self.ship_of(request), [request]) for request in requests]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return [unwrapped(answer[0]) for answer in answers if not isinstance(answer, BaseException)]

    def ship_of(self, request: Request) -> Ship:
        return self.ships[self.owner_of(request.at[0])]

    async def anyhow(self, requests: list[Request]) -> list[Reply]:
        """To the owner, or to the one it has replaced; the caller may leave before the answer."""
        ship = self.ship_of(requests[0])
        choices = [ghost for ghost in self.ghosts if ghost.index == ship.index]
        if choices and self.rng.random() < 0.5:
            ship = self.rng.choice(choices)
        if not self.store.is_calm and self.rng.random() < 0.03:
            self.late.add(asyncio.create_task(ship.owner.submit(requests)))
            raise Outage("nobody waited for the answer")
        return await self.call(ship, requests)

    async def call(self, ship: Ship, requests: list[Request]) -> list[Reply]:
        sent = decode_requests(encode_requests(requests))
        answer = asyncio.create_task(ship.owner.submit(sent))
        both: set[asyncio.Future[Any]] = {answer, ship.lost}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            raise Outage("the owner died")
        if not self.store.is_calm and self.rng.random() < 0.04:
            raise Outage("the answer was lost")
        return decode_replies(encode_replies(answer.result()))

    def crash(self) -> None:
        index = self.rng.randrange(OWNERS)
        self.sink(self.ships[index])
        self.ships[index] = Ship(self.store, self.clock, index)

    def replace(self) -> None:
        """A new owner takes over, and the old one does not know."""
        index = self.rng.randrange(OWNERS)
        self.ghosts.append(self.ships[index])
        self.ships[index] = Ship(self.store, self.clock, index)
        if len(self.ghosts) > 2:
            self.sink(self.ghosts.pop(0))

    def sink(self, ship: Ship) -> None:
        ship.sink()
        self.sunk.append(ship)

    def evict(self) -> None:
        ship = self.rng.choice(self.ships)
        if not ship.owner.turn.locked() and ship.owner.ahead is None:
            ship.owner.host.rotate()
        ship.owner.host.recent.limit = self.rng.choice([200, 1_000])

    async def tick(self, **passed: float) -> None:
        """Time passes; deadlines are kept, and one owner sweeps."""
        self.clock.tick(**passed)
        for ship in (*self.ships, *self.ghosts):
            ship.owner.end(ship.owner.host.due(self.clock.now()))
        try:
            await self.rng.choice(self.ships).sweep.look()
        except Outage:
            return

    async def calm_down(self) -> None:
        """The weather is fine again: all settles, and all deadlines pass."""
        self.store.is_calm = True
        while self.ghosts:
            self.sink(self.ghosts.pop())
        await self.settle()

    async def settle(self) -> None:
        for ship in self.ships:
            await settled(ship.owner)

    async def let_all_end(self) -> None:
        """What has a deadline ends, what is stranded too."""
        self.clock.tick(days=30)
        for _ in range(4):
            self.clock.time += STRANDED_PAUSE
            for ship in self.ships:
                ship.owner.end(ship.owner.host.due(self.clock.now()))
                await ship.sweep.look()
            await self.settle()

    async def scuttle(self) -> None:
        for ship in (*self.ships, *self.ghosts):
            ship.sink()
        for task in self.late:
            task.cancel()
        works = [ship.work for ship in (*self.ships, *self.ghosts, *self.sunk)]
        await asyncio.gather(*works, *self.late, return_exceptions=True)
