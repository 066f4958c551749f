"""What time does to flash sales: they open and close by the clock, what is left goes home, and
what a crash left half done is finished. Every API process runs a keeper, one at a time is at work;
each of its steps may be taken twice, and is taken again after a restart."""

import asyncio
import logging
from datetime import datetime, timedelta
from uuid import UUID

from domain.flash_sales import SaleState, state_by_time
from infra.database import LOST
from infra.locks import trying
from infra.models import FlashSale as SaleRow
from infra.outage import Outage
from services import tickets
from services.flash_sale_figures import NOTHING, Figures, count_refusals, figures_of
from services.flash_sale_work import carry_out, lock_key, return_left, told
from services.runtime import Runtime
from services.sale_seats import dedicate, undedicate

TICK_SECONDS = 0.25
GRACE = timedelta(seconds=2)
"""After closing: by then no process lets anybody in any more."""
WARM_UP = timedelta(seconds=30)
"""So long before it opens a sale gets an owner of its own."""
PLACE_AGAIN_SECONDS = 5.0
"""After there was none for it."""
SWEEP_SECONDS = 10.0
"""Between two looks at a finished sale whose paid holds may still be released."""
SALES_LIMIT = 1_000
"""Sales looked at in one tick, those that open first."""
KEEPER_LOCK = 0x6F6E_6861_6E64_5361
NAME = "onhand"
log = logging.getLogger(__name__)


class Keeper:
    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.under_way: dict[UUID, asyncio.Task[None]] = {}
        self.letting_in: dict[UUID, asyncio.Task[None]] = {}
        self.swept: dict[UUID, float] = {}
        self.placing: dict[UUID, asyncio.Task[None]] = {}
        self.placed: dict[UUID, float] = {}

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self.lead()
                except Exception:  # tidy: allow broad-except: the keeper goes on
                    log.exception("flash sales cannot be kept now")
                await asyncio.sleep(TICK_SECONDS)
        finally:
            tasks = [*self.under_way.values(), *self.letting_in.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def lead(self) -> None:
        """Keeps the sales as long as this process is the one; the refusals it counted are written
        down in any case."""
        async with trying(KEEPER_LOCK) as lock:
            while lock is not None and await lock.is_held():
                await write_refusals(self.rt)
                await self.tick()
                await asyncio.sleep(TICK_SECONDS)
        await write_refusals(self.rt)

    async def tick(self) -> None:
        """One look at all sales. A sale whose step takes long holds back no other, and one that
        waits for an owner of its own opens meanwhile."""
        rows = await SaleRow.filter(is_settled=False).order_by("opens_at").limit(SALES_LIMIT)
        for row in rows:
            if row.id not in self.under_way and self.is_due(row):
                self.under_way[row.id] = asyncio.create_task(self.attend(row.id))
            if row.id not in self.placing and self.is_to_be_placed(row):
                self.placing[row.id] = asyncio.create_task(self.place(row))
            is_open = row.waiting_room and row.state == SaleState.OPEN
            if is_open and row.id not in self.letting_in:
                self.letting_in[row.id] = asyncio.create_task(self.let_in(row.id))

    def is_due(self, row: SaleRow) -> bool:
        """Whether there may be something to do."""
        now = self.rt.clock.now()
        state = SaleState(row.state)
        if row.work is not None or state_by_time(state, row.opens_at, row.closes_at, now) != state:
            return True
        if state is SaleState.CLOSED:
            return row.closed_at is None or now >= row.closed_at + GRACE
        if state not in (SaleState.CANCELLED, SaleState.FINISHED):
            return False
        time = asyncio.get_running_loop().time()
        if row.finished_at is not None and time < self.swept.get(row.id, 0.0) + SWEEP_SECONDS:
            return False
        self.swept[row.id] = time
        return True

    async def let_in(self, sale_id: UUID) -> None:
        """From the waiting room, as many as may come now."""
        try:
            sale = await self.rt.sales.get(sale_id)
            if sale is not None:
                await tickets.advance(self.rt, sale)
        except (Outage, *LOST) as error:
            log.warning("a waiting room waits: %r", error, extra={"saleId": str(sale_id)})
        except Exception:  # tidy: allow broad-except: the keeper goes on, this is tried again
            log.exception("letting in broke", extra={"saleId": str(sale_id)})
        finally:
            self.letting_in.pop(sale_id, None)

    async def attend(self, sale_id: UUID) -> None:
        try:
            async with trying(lock_key(sale_id)) as lock:
                row = None if lock is None else await SaleRow.get_or_none(id=sale_id)
                if row is not None:
                    await take_step(self.rt, row)
                    self.rt.sales.forget(sale_id)
        except (Outage, *LOST) as error:
            log.warning("a flash sale waits: %r", error, extra={"saleId": str(sale_id)})
        except Exception:  # tidy: allow broad-except: the keeper goes on, this is tried again
            log.exception("a flash sale's step broke", extra={"saleId": str(sale_id)})
        finally:
            self.under_way.pop(sale_id, None)

    def is_to_be_placed(self, row: SaleRow) -> bool:
        """Whether it is time for an owner of its own, which it has not got yet."""
        is_coming = row.state in (SaleState.SCHEDULED, SaleState.OPEN)
        if not is_coming or row.seat or self.rt.clock.now() < row.opens_at - WARM_UP:
            return False
        return asyncio.get_running_loop().time() >= self.placed.get(row.id, 0.0)

    async def place(self, row: SaleRow) -> None:
        try:
            await dedicate(self.rt, row)
        except (Outage, *LOST) as error:
            told("a flash sale has no owner of its own yet", row.id, why=repr(error))
        except Exception:  # tidy: allow broad-except: the keeper goes on, this is tried again
            log.exception("a flash sale is not placed", extra={"saleId": str(row.id)})
        finally:
            self.placed[row.id] = asyncio.get_running_loop().time() + PLACE_AGAIN_SECONDS
            self.placing.pop(row.id, None)


async def take_step(rt: Runtime, row: SaleRow) -> None:
    """The next step of a sale; nobody else is at work on it."""
    now = rt.clock.now()
    state = SaleState(row.state)
    if row.work is not None:
        await carry_out(rt, row)
    elif (new := state_by_time(state, row.opens_at, row.closes_at, now)) is not state:
        await turn(row, new, now)
    elif state is SaleState.CLOSED:
        await finish(rt, row, now)
    elif state is SaleState.CANCELLED and row.finished_at is None:
        units = await return_left(rt, row.id, NAME)
        await undedicate(rt, row)
        await SaleRow.filter(id=row.id).update(finished_at=now)
        told("a cancelled flash sale is cleared away", row.id, units=units)
    elif state in (SaleState.CANCELLED, SaleState.FINISHED):
        await sweep(rt, row)


async def turn(row: SaleRow, state: SaleState, now: datetime) -> None:
    """Buyers are let in and out by the owners' clocks; this is for people."""
    stamp = "opened_at" if state is SaleState.OPEN else "closed_at"
    await SaleRow.filter(id=row.id).update(**{"state": state, stamp: now})
    told(f"a flash sale is {state}", row.id, name_of_sale=row.name)


async def finish(rt: Runtime, row: SaleRow, now: datetime) -> None:
    """When the last unpaid hold has ended, what is left goes to the open pool."""
    if (await figures(rt, row)).unpaid:
        return
    units = await return_left(rt, row.id, NAME)
    after = await figures(rt, row)
    if after.left or after.unpaid:
        return
    await undedicate(rt, row)
    await SaleRow.filter(id=row.id).update(state=SaleState.FINISHED, finished_at=now)
    told("a flash sale is finished", row.id, sold=after.sold, returned=units)


async def sweep(rt: Runtime, row: SaleRow) -> None:
    """What comes back later, out of paid holds that are released, goes to the open pool too."""
    units = await return_left(rt, row.id, NAME)
    if units:
        told("units came back to a finished flash sale", row.id, units=units)
    after = await figures(rt, row)
    if not (after.left or after.unpaid or after.paid):
        await SaleRow.filter(id=row.id).update(is_settled=True)


async def figures(rt: Runtime, row: SaleRow) -> Figures:
    return (await figures_of([row.id], rt.clock.now())).get(row.id, NOTHING)


async def write_refusals(rt: Runtime) -> None:
    counts = rt.sales.take_refused()
    if not counts:
        return
    try:
        await count_refusals(counts)
    except LOST:
        rt.sales.put_back(counts.items())
        raise
