"""A flash sale played against a running server through its public door, as browsers would.

Buyers arrive, join, wait, reserve; some pay, some leave, some let it expire, some click twice, some
lose patience and ask again with the same id. What each was told is kept for services/sale_verdict.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import NamedTuple, TypeVar
from uuid import uuid5

from domain.waiting_room import TicketState
from infra.outage import Outage
from services.door import Done, DoorError, Refused, SkuRow, WarehouseRow
from services.sale_buyers import Buyer, Temper
from services.sale_door import Place, SaleDoor, SaleOffer, Wish
from services.sale_history import ACCEPTED, UNKNOWN, Case, Did, History

LOOK_SECONDS = (0.5, 8.0)
"""A waiting buyer looks again after half of the estimate, later each time, within these."""
LATER = 1.4
LOOKS_PER_SECOND = 400
"""Of all who wait together: a crowd that asks faster measures only its own queue of questions."""
LET_IN_SECONDS = 20.0
"""Nobody looks later than that: who was let in meanwhile can still reserve."""
ASKS_LIMIT = 6
"""Times that an answer that did not come is asked for with the same id."""
AGAIN_SECONDS = 0.2
IMPATIENT_SECONDS = 0.03
STEP_SECONDS = 0.25
T = TypeVar("T")


class Telling(NamedTuple):
    """`step` is told now and then; nobody arrives or looks again after `seconds`."""

    seconds: float
    step: Callable[[History], None]


async def prepare(door: SaleDoor, offer: SaleOffer) -> None:
    """Warehouses, SKU, stock and the sale. Raises DoorError if any is refused."""
    rows = [WarehouseRow(code, code, "EU", 100) for code in offer.allotments]
    told: list[Done | Refused | None] = [*await door.upsert_warehouses(rows)]
    told += await door.upsert_skus([SkuRow(offer.sku, offer.name)])
    for warehouse, units in offer.allotments.items():
        id = uuid5(offer.id, f"stock/{warehouse}")
        told.append(await door.receive(id, offer.sku, warehouse, units, offer.name))
    told.append(await door.create_sale(offer))
    for answer in told:
        if isinstance(answer, Refused):
            raise DoorError(f"the sale cannot be made: {answer.message} ({answer.code})")


async def play(
    door: SaleDoor, offer: SaleOffer, buyers: Sequence[Buyer], telling: Telling, history: History
) -> None:
    """Until the last buyer has gone or the time is over. Cancelled, it leaves what was told."""
    story = Story(door, offer, history, asyncio.get_running_loop().time() + telling.seconds)
    telling_all = asyncio.create_task(tell(history, telling))
    try:
        await story.visited(buyers)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    finally:
        telling_all.cancel()
        with suppress(asyncio.CancelledError):
            await telling_all
        telling.step(history)


async def tell(history: History, telling: Telling) -> None:
    while True:
        telling.step(history)
        await asyncio.sleep(STEP_SECONDS)


@dataclass
class Story:
    """`ends` is a time of the loop."""

    door: SaleDoor
    offer: SaleOffer
    history: History
    ends: float

    def __post_init__(self) -> None:
        self.began = asyncio.get_running_loop().time()

    async def visited(self, buyers: Sequence[Buyer]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for buyer in buyers:
                await self.until(buyer.arrives)
                if self.is_over():
                    break
                tasks.create_task(self.visit(buyer))

    def is_over(self) -> bool:
        return asyncio.get_running_loop().time() >= self.ends

    async def until(self, seconds: float) -> None:
        early = min(self.began + seconds, self.ends) - asyncio.get_running_loop().time()
        if early > 0:
            await asyncio.sleep(early)

    async def visit(self, buyer: Buyer) -> None:
        self.history.arrived += 1
        token = None
        if self.offer.admitted_per_second is not None:
            token, ending = await self.wait(buyer)
            if token is None:
                self.history.gone[ending] += 1
        if token is not None or self.offer.admitted_per_second is None:
            await self.shop(buyer, token)
        self.history.ended += 1

    async def wait(self, buyer: Buyer) -> tuple[str | None, str]:
        """The token of a buyer who was let in, or how the wait ended."""
        joined = await self.asked(None, Did.JOIN, lambda: self.join(buyer))
        looks = 0
        while isinstance(joined, Place):
            if joined.token is not None or joined.state is not TicketState.WAITING:
                return joined.token, joined.state.value
            await asyncio.sleep(self.pause(joined, looks))
            looks += 1
            if self.is_over():
                return None, "still waiting at the end"
            look = partial(self.door.ticket, joined.id)
            joined = await self.asked(None, Did.WAIT, look) or joined
        return None, UNKNOWN if joined is None else joined.code

    def pause(self, place: Place, looks: int) -> float:
        least, most = LOOK_SECONDS
        inside = self.history.arrived - self.history.ended
        crowded = min(inside / LOOKS_PER_SECOND, LET_IN_SECONDS)
        wanted = max(least * LATER**looks, (place.wait_seconds or 0) / 2)
        return max(min(wanted, most), crowded)

    async def join(self, buyer: Buyer) -> Place | Refused:
        return await self.door.join(self.offer.id, buyer.customer)

    async def shop(self, buyer: Buyer, token: str | None) -> None:
        case = self.history.case(buyer)
        if not await self.reserve(case, token):
            return
        await asyncio.sleep(buyer.thinks)
        if buyer.temper is Temper.LEAVES:
            await self.asked(case, Did.RELEASE, lambda: self.door.release(buyer.reservation))
        elif buyer.temper is not Temper.FORGETS:
            await self.asked(case, Did.CONFIRM, lambda: self.door.confirm(buyer.reservation))

    async def reserve(self, case: Case, token: str | None) -> bool:
        """Whether it is held, by the last answer that came."""
        buyer = case.buyer
        wish = Wish(buyer.reservation, buyer.customer, buyer.units, token)

        def ask() -> Awaitable[Done | Refused | None]:
            return self.asked(case, Did.RESERVE, lambda: self.door.buy(self.offer, wish))

        if buyer.temper is Temper.DOUBLE_CLICKS:
            answers = await asyncio.gather(ask(), ask())
            return any(isinstance(answer, Done) for answer in answers)
        if buyer.temper is Temper.RETRIES:
            with suppress(TimeoutError):
                async with asyncio.timeout(IMPATIENT_SECONDS):
                    await ask()
        answer = await ask()
        return isinstance(answer, Done)

    async def asked(self, case: Case | None, did: Did, ask: Callable[[], Awaitable[T]]) -> T | None:
        """None: no answer came, however often it was asked for."""
        for _ in range(ASKS_LIMIT):
            began, code = perf_counter(), UNKNOWN
            try:
                answer = await ask()
                code = answer.code if isinstance(answer, Refused) else ACCEPTED
            except Outage:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return answer
            finally:
                self.history.note(case, did, code, began)
        return None
