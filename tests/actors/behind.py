"""A batch that waits to be written, and the next that an owner decides meanwhile."""

import asyncio
from typing import Literal

from actors.drain import Owner
from actors.wire import Reply
from domain.commands import Request
from tests.actors.fake_store import FakeStore
from tests.actors.world import PARIS, receive, until


class Behind:
    """`write` gets a batch to the gate, `decide` the next one ready, `finish` lets both through."""

    def __init__(self, owner: Owner, store: FakeStore) -> None:
        self.owner = owner
        self.store = store
        self.asked: list[asyncio.Task[list[Reply]]] = []

    async def write(self, *requests: Request) -> None:
        """The batch that is held at the gate."""
        self.store.gate.clear()
        self.asked.append(asyncio.create_task(self.owner.submit(list(requests))))
        await until(lambda: self.store.at_gate == 1)

    async def decide(self, *requests: Request, is_ahead: bool = True) -> None:
        self.asked.append(asyncio.create_task(self.owner.submit(list(requests))))
        await until(lambda: self.owner.at_work == 2)
        assert (self.owner.ahead is not None) == is_ahead

    async def finish(self) -> list[Reply]:
        self.store.gate.set()
        replies = [await asked for asked in self.asked]
        self.asked.clear()
        return [reply for of_frame in replies for reply in of_frame]


class Turnstile(asyncio.Event):
    """Lets one append through each time that it is opened."""

    async def wait(self) -> Literal[True]:
        await super().wait()
        self.clear()
        return True


async def stocked(owner: Owner, units: int = 10) -> None:
    await owner.submit([receive(1, units), receive(2, units, PARIS)])
