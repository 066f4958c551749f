"""Clients of the public API who write down what they see: they reserve, pay, fetch, give back,
bring goods, click twice, and ask again with the same id; some give up, and ask at the end."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from time import monotonic
from typing import Any

from domain.commands import CellKey
from tests.integration.caller import (
    CONFIRM,
    DEDUCT,
    RECEIVE,
    RELEASE,
    RESERVE,
    Caller,
    Unanswered,
    new_id,
    order,
)
from tests.soak.history import ENDED, HELD, Call, Over, Short, Told

PATIENCE_SECONDS = 120.0
"""Of one question, then nobody knows; the last look at the end has the same."""
PAUSE_SECONDS = 0.1
REST_SECONDS = (0.02, 0.2)
TTLS_SECONDS = (3, 600, 600)
PARTS_TTL_SECONDS = 5
"""Of an order over several cells: where it is broken off, and refused when it is asked for again,
the part that is held ends at its deadline. The checker waits for that."""
SHORTS = """... on InsufficientStock { sku warehouse requested available }
  ... on LimitReached { limit alreadyTaken }"""
RESERVE_AND_WHY = RESERVE.replace("... on InsufficientStock { sku available }", SHORTS)


class Buyers:
    """`calls` are all that were answered or given up; `cells` the hot ones first."""

    def __init__(self, caller: Caller, hot: Sequence[CellKey], cold: Sequence[CellKey]) -> None:
        self.caller = caller
        self.hot = hot
        self.cells = [*hot, *cold]
        self.calls: list[Call] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.is_over = False
        self.progress = asyncio.Condition()

    async def buy(self, chance: Random) -> None:
        while not self.is_over:
            await self.one_order(chance)
            async with self.progress:
                self.progress.notify_all()
            await asyncio.sleep(chance.uniform(*REST_SECONDS))

    async def supply(self, chance: Random) -> None:
        """Goods come in, so that what was sold out is there again."""
        while not self.is_over:
            await self.receive(chance.choice(self.cells), chance.randrange(1, 40))
            await asyncio.sleep(chance.uniform(0.5, 2))

    async def receive(self, cell: CellKey, quantity: int) -> None:
        wanted = {**cell._asdict(), "id": new_id(), "quantity": quantity}
        call = await self.ask(Call("receive", wanted["id"], 0, None, None), RECEIVE, input=wanted)
        self.calls.append(call)

    async def one_order(self, chance: Random) -> None:
        cells = [chance.choice(self.hot)]
        if chance.random() < 0.3:
            cells = chance.sample(self.cells, chance.choice((1, 2, 2, 3)))
        lines = tuple((*cell, chance.choice((1, 1, 2, 3))) for cell in cells)
        id = new_id()
        ttl = chance.choice(TTLS_SECONDS) if len(lines) == 1 else PARTS_TTL_SECONDS
        self.orders[id] = order(id, *lines, ttl=ttl)
        call = Call("reserve", id, 0, None, None, wanted=lines)
        clicks = 2 if chance.random() < 0.05 else 1
        patience = 1.0 if chance.random() < 0.02 else PATIENCE_SECONDS
        asked = [self.reserve(call, patience) for _ in range(clicks)]
        calls = await asyncio.gather(*asked)
        self.calls += calls
        if calls[0].answer == HELD:
            await self.end(id, chance.random())

    async def reserve(self, call: Call, patience: float) -> Call:
        wanted = self.orders[call.id]
        return await self.ask(call, RESERVE_AND_WHY, patience=patience, input=wanted)

    async def end(self, id: str, way: float) -> None:
        """A part is fetched, a part given back, and a part left to its deadline."""
        if way < 0.3:
            paid = await self.ask(Call("confirm", id, 0, None, None), CONFIRM, id=id)
            self.calls.append(paid)
            if paid.answer == HELD:
                fetched = Call("deduct", new_id(), 0, None, None, reservation=id)
                wanted = {"id": fetched.id, "reservationId": id}
                self.calls.append(await self.ask(fetched, DEDUCT, input=wanted))
        elif way < 0.8:
            self.calls.append(await self.ask(Call("release", id, 0, None, None), RELEASE, id=id))

    async def ask(
        self, call: Call, document: str, patience: float = PATIENCE_SECONDS, **variables: Any
    ) -> Call:
        return (await self.told(call, document, patience, **variables))[0]

    async def told(
        self, call: Call, document: str, patience: float = PATIENCE_SECONDS, **variables: Any
    ) -> tuple[Call, Any]:
        """The call with its answer, from the first question to the last answer, and that answer
        word by word; None: there was none."""
        invoked = call.invoked or monotonic()
        call = replace(call, invoked=invoked)
        give_up = monotonic() + patience
        while monotonic() < give_up:
            try:
                async with asyncio.timeout(give_up - monotonic()):
                    answer = await self.caller.once(document, **variables)
            except (Unanswered, TimeoutError):
                self.caller.unanswered += 1
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            return answered(call, answer, variables), answer
        return call, None

    async def more(self, orders: int) -> None:
        """Until so many more calls are answered."""
        wanted = len(self.calls) + orders
        async with self.progress, asyncio.timeout(PATIENCE_SECONDS * 2):
            await self.progress.wait_for(lambda: len(self.calls) >= wanted)

    async def settle(self) -> int:
        """Asks again for the orders that nobody answered; how many there were. What is answered
        now takes the place of not knowing, over the whole time."""
        unknown = [call for call in self.calls if call.what == "reserve" and call.answer is None]
        now = await asyncio.gather(*(self.reserve(call, PATIENCE_SECONDS) for call in unknown))
        known = {id(old): new for old, new in zip(unknown, now, strict=True)}
        self.calls = [known.get(id(call), call) for call in self.calls]
        return len(unknown)


def answered(call: Call, answer: Any, variables: dict[str, Any]) -> Call:
    kind = answer["__typename"]
    call = replace(call, returned=monotonic(), answer=kind)
    if kind == "InsufficientStock":
        figures = (answer[name] for name in ("sku", "warehouse", "requested", "available"))
        return replace(call, short=Short(*figures))
    if kind == "StockLevel":
        wanted = variables["input"]
        cell = (wanted["sku"], wanted["warehouse"])
        return replace(
            call, told=(Told(cell, wanted["quantity"], answer["seq"], answer["available"]),)
        )
    if kind == "LimitReached":
        return replace(call, over=Over(answer["limit"], answer["alreadyTaken"]))
    if kind == "Ticket":
        return replace(call, place=answer["place"])
    if kind == HELD and call.what == "reserve":
        kind = ENDED if answer["state"] == ENDED else HELD
        return replace(call, answer=kind, told=tuple(told_lines(answer["lines"])))
    return call


def told_lines(lines: Iterable[Any]) -> Iterable[Told]:
    for line in lines:
        cell = (line["sku"], line["warehouse"])
        yield Told(cell, line["quantity"], line["seq"], line["availableAfter"])
