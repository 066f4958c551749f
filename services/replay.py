"""Plays invoices in time order through a shop's public door, as its customers would.

A sale has one reservation id, derived from the invoice number, whatever became of its lines: so the
server sees to it that it is sold once. A replay that runs again is told what was, or Conflict where
short lines had been dropped, and goes on from there.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

from domain.ledger import Kind
from domain.refusals import Conflict, InsufficientStock
from domain.states import ReservationState
from services.abreast import abreast
from services.door import Done, Door, Holding, Refused
from services.figures import Call, Ending, Figures
from services.gate import Gate
from services.orders_in import Invoice, ReturnLine

REPLAY_IDS = UUID("b9a4c1d7-52e6-5f38-8d0b-6e1f7c3a9042")
ROUNDS_AMONG_OTHERS = 3
ROUNDS_ALONE = 3
"""Times an invoice's lines are tried, short lines being dropped in between: first beside the other
invoices, which may take what was just seen, at last while these wait."""
LAPSES = 5
"""Holds of one invoice that may have ended unpaid before it is given up: one per broken-off run."""
CONCURRENCY_LIMIT = 1_024
LAPSED = (ReservationState.RELEASED, ReservationState.EXPIRED)


class Playing(NamedTuple):
    """`per_second` None plays as fast as it goes. `step` is told of each invoice that ended."""

    concurrency: int
    step: Callable[[Figures], None]
    per_second: float | None = None


async def replay(door: Door, invoices: Sequence[Invoice], playing: Playing) -> Figures:
    """`invoices` in time order. Raises Outage or DoorError; running it again then goes on."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    played = Replay(door, Figures())

    async def play(invoice: Invoice, due: float) -> None:
        if (early := due - loop.time()) > 0:
            await asyncio.sleep(early)
        await played.play(invoice)
        played.figures.elapsed_seconds = loop.time() - begun
        playing.step(played.figures)

    def due_times() -> Iterator[float]:
        for place in range(len(invoices)):
            yield begun + place / playing.per_second if playing.per_second else begun

    await abreast(playing.concurrency, map(play, invoices, due_times()))
    return played.figures


class Replay:
    """One run through a door."""

    def __init__(self, door: Door, figures: Figures) -> None:
        self.door = door
        self.figures = figures
        self.gate = Gate()

    async def play(self, invoice: Invoice) -> None:
        self.figures.input_lines += invoice.lines
        if invoice.wants:
            self.figures.endings[await self.sell(invoice)] += 1
        if invoice.returns:
            self.figures.endings[await self.take_back(invoice)] += 1

    async def sell(self, invoice: Invoice) -> Ending:
        for lapse in range(LAPSES):
            reservation = derived(invoice, f"reserve/{lapse}")
            holding = await self.hold(reservation, invoice)
            if holding is None:
                break
            state = await self.deliver(derived(invoice, f"deduct/{lapse}"), reservation, holding)
            if state is ReservationState.DEDUCTED:
                self.count_dropped(invoice, holding)
                short = holding.lines < len(invoice.wants)
                return Ending.DELIVERED_SHORT if short else Ending.DELIVERED
            if state not in LAPSED:
                break
            self.figures.lapsed_holds += 1
        self.count_dropped(invoice, None)
        return Ending.REFUSED

    async def hold(self, reservation: UUID, invoice: Invoice) -> Holding | None:
        """Reserves all lines, or those that are left without the short ones; None: nothing."""
        async with self.gate.among_others():
            held = await self.rounds(reservation, invoice, invoice.wants, ROUNDS_AMONG_OTHERS)
        if isinstance(held, dict):
            async with self.gate.alone():
                held = await self.rounds(reservation, invoice, held, ROUNDS_ALONE)
        return None if isinstance(held, dict) else held

    async def rounds(
        self, reservation: UUID, invoice: Invoice, wants: dict[str, int], rounds: int
    ) -> Holding | dict[str, int] | None:
        """What is held, or what is left to try again; None if nothing can be."""
        for _ in range(rounds):
            asked = self.door.reserve(reservation, invoice.warehouse, wants, invoice.customer)
            answer = await self.figures.timed(Call.RESERVE, asked)
            if isinstance(answer, Done):
                state = answer.state or ReservationState.HELD
                return Holding(state, sum(wants.values()), len(wants))
            if answer.code == Conflict.code:
                return await self.figures.timed(Call.HOLDING, self.door.holding(reservation))
            if answer.code != InsufficientStock.code:
                return None
            wants = await self.without_short(invoice.warehouse, wants, answer.sku)
            if not wants:
                return None
        return wants

    async def without_short(
        self, warehouse: str, wants: dict[str, int], named: str | None
    ) -> dict[str, int]:
        """Drops the line that was named, and all that the levels now show to be short too."""
        left = {sku: quantity for sku, quantity in wants.items() if sku != named}
        if not left:
            return left
        asked = self.door.available(warehouse, list(left))
        levels = await self.figures.timed(Call.LEVELS, asked)
        return {sku: units for sku, units in left.items() if units <= levels.get(sku, units)}

    async def deliver(
        self, id: UUID, reservation: UUID, holding: Holding
    ) -> ReservationState | None:
        """The state it ended in; None if it was refused for another reason than its state."""
        if holding.state in LAPSED:
            return holding.state
        if holding.state is not ReservationState.DEDUCTED:
            paid = await self.figures.timed(Call.CONFIRM, self.door.confirm(reservation))
            if isinstance(paid, Refused) and paid.state is not ReservationState.DEDUCTED:
                return paid.state
        self.figures.units[Kind.RESERVE] += holding.units
        handed = await self.figures.timed(Call.DEDUCT, self.door.deduct(id, reservation))
        if isinstance(handed, Refused) and handed.state is not ReservationState.DEDUCTED:
            return handed.state
        self.figures.units[Kind.DEDUCT] += holding.units
        return ReservationState.DEDUCTED

    def count_dropped(self, invoice: Invoice, holding: Holding | None) -> None:
        lines, units = (holding.lines, holding.units) if holding else (0, 0)
        self.figures.dropped_lines += len(invoice.wants) - lines
        self.figures.dropped_units += sum(invoice.wants.values()) - units

    async def take_back(self, invoice: Invoice) -> Ending:
        accepted = [
            await self.take_back_line(invoice, place, line)
            for place, line in enumerate(invoice.returns)
        ]
        return Ending.RETURNED if all(accepted) else Ending.RETURN_REFUSED

    async def take_back_line(self, invoice: Invoice, place: int, line: ReturnLine) -> bool:
        where = (line.sku, invoice.warehouse, line.quantity)
        asked = self.door.take_back(derived(invoice, f"return/{place}"), *where, invoice.number)
        if isinstance(await self.figures.timed(Call.RETURN, asked), Refused):
            return False
        self.figures.units[Kind.RETURN] += line.quantity
        asked = self.door.clear(derived(invoice, f"clear/{place}"), *where)
        if isinstance(await self.figures.timed(Call.CLEAR, asked), Refused):
            return False
        self.figures.units[Kind.CLEAR] += line.quantity
        return True


def derived(invoice: Invoice, part: str) -> UUID:
    return uuid5(REPLAY_IDS, f"{invoice.number}/{part}")
