"""Load that a shop is under while its servers are killed: buyers who reserve, and ask again with
the same id until they are answered; and the proof that each answer is in the ledger once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from domain.commands import CellKey
from tests.integration.books import Books
from tests.integration.caller import CONFIRM, DEDUCT, RELEASE, RESERVE, Caller, is_held, new_id
from tests.integration.caller import order as order_of
from tests.integration.whole import Whole

PATIENCE_SECONDS = 240.0
ENDINGS = 4  # of four orders one is handed over, one given back, two stay held


class Load:
    """Each buyer has one order after the other, of one to three lines."""

    def __init__(self, caller: Caller, keys: Sequence[CellKey], chance: Random) -> None:
        self.caller = caller
        self.keys = keys
        self.chance = chance
        self.answers: dict[str, Any] = {}
        self.handed_over: set[str] = set()
        self.given_back: set[str] = set()
        self.is_over = False
        self.progress = asyncio.Condition()

    async def buy(self) -> None:
        while not self.is_over:
            id = new_id()
            lines = min(self.chance.choice((1, 1, 2, 3)), len(self.keys))
            cells = self.chance.sample(self.keys, lines)
            wanted = order_of(id, *((*cell, 1) for cell in cells))
            self.answers[id] = await self.caller.ask(RESERVE, input=wanted)
            if is_held(self.answers[id]):
                await self.end(id)
            async with self.progress:
                self.progress.notify_all()

    async def end(self, id: str) -> None:
        way = self.chance.randrange(ENDINGS)
        if way == 0:
            confirmed = await self.caller.ask(CONFIRM, id=id)
            assert confirmed["state"] == "CONFIRMED", confirmed
            deducted = await self.caller.ask(DEDUCT, input={"id": new_id(), "reservationId": id})
            assert deducted["state"] == "DEDUCTED", deducted
            self.handed_over.add(id)
        elif way == 1:
            released = await self.caller.ask(RELEASE, id=id)
            assert released["state"] == "RELEASED", released
            self.given_back.add(id)

    async def more(self, orders: int) -> None:
        """Until so many more orders are answered from start to end."""
        wanted = len(self.answers) + orders
        async with self.progress, asyncio.timeout(PATIENCE_SECONDS):
            await self.progress.wait_for(lambda: len(self.answers) >= wanted)

    async def prove(self, books: Books, opening: int) -> None:
        """What was answered is what the ledger says, once each; and nothing else is there."""
        assert {answer["__typename"] for answer in self.answers.values()} <= {
            "Reservation",
            "InsufficientStock",
        }
        await books.balance(self.keys)
        for key in self.keys:
            told = self.told(key)
            assert await books.entries_of(key, "reserve") == {id: [seq] for id, seq in told.items()}
            gone = {id for id in told if id in self.handed_over}
            back = {id for id in told if id in self.given_back}
            assert len(await books.entries_of(key, "deduct")) == len(gone)
            assert set(await books.entries_of(key, "release")) == back
            cell = await books.cell(key)
            assert cell["reserved"] == len(told) - len(gone) - len(back)
            assert cell["available"] == opening - len(told) + len(back)

    def told(self, key: CellKey) -> dict[str, int]:
        """The seq that each buyer was told for this cell."""
        return {
            id: line["seq"]
            for id, answer in self.answers.items()
            if is_held(answer)
            for line in answer["lines"]
            if (line["sku"], line["warehouse"]) == key
        }


@asynccontextmanager
async def load(
    shop: Whole, keys: Sequence[CellKey], buyers: int, opening: int
) -> AsyncIterator[Load]:
    """At work when the block begins; all orders are answered when it ends."""
    async with Caller(shop, connections=buyers) as caller:
        await caller.furnish(dict.fromkeys(keys, opening))
        made = Load(caller, keys, Random(17))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(buyers):
                tasks.create_task(made.buy())
            try:
                await made.more(buyers)
                yield made
            finally:
                made.is_over = True
