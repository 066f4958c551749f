"""Pairs that become hot without a sale get an owner of their own, until they have cooled.

Every API process runs this, one at a time is at work. What it has promoted stands in the seat
table alone, so whoever is at work next knows it and takes it back in its time.
"""

import asyncio
import logging
from collections.abc import Callable

from actors.seating import Seated
from domain.commands import CellKey
from domain.heat import NEVER, Bounds, Moves, Warmth, judge
from infra.database import LOST
from infra.locks import leading
from infra.outage import Outage
from infra.seats import HOT
from services.runtime import Runtime

LOOK_SECONDS = 0.5
HEAT_LOCK = 0x6F6E_6861_6E64_4865
log = logging.getLogger(__name__)


class HotPairs:
    def __init__(self, rt: Runtime, time: Callable[[], float] | None = None) -> None:
        self.rt = rt
        self.time = time or asyncio.get_running_loop().time
        self.since = NEVER
        settings = rt.settings
        self.bounds = Bounds(
            settings.hot_per_second,
            settings.hot_seconds,
            settings.cool_seconds,
            settings.hot_seats,
        )

    async def run(self) -> None:
        """Until cancelled. Who begins to lead knows nothing of what was hot before."""
        while True:
            try:
                self.since = NEVER
                await leading(HEAT_LOCK, LOOK_SECONDS, self.look)
            except (Outage, *LOST) as error:
                log.warning("hot pairs cannot be found: %r", error)
            except Exception:  # tidy: allow broad-except: the next look may do better
                log.exception("hot pairs cannot be kept now")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        seats = await self.rt.stock.ownership()
        self.since, moves = judge(self.since, list(map(warmth, seats)), self.time(), self.bounds)
        await self.move(moves)

    async def move(self, moves: Moves) -> None:
        for seat in moves.demote:
            for cell in await self.rt.stock.demote(seat):
                log.info("a pair that has cooled is demoted", extra=cell._asdict())
        for cell in moves.promote:
            await self.promote(cell)

    async def promote(self, cell: CellKey) -> None:
        """Without a process for it the pair stays where it is, and is tried again if it is still
        hot after as long as the first time."""
        try:
            done = await self.rt.stock.promote(cell, f"{HOT}{cell.sku}@{cell.warehouse}")
        except Outage as outage:
            self.since = NEVER
            log.warning("a hot pair has no owner of its own yet: %s", outage, extra=cell._asdict())
        else:
            if done:
                log.info("a hot pair is promoted", extra=cell._asdict())


def warmth(seat: Seated) -> Warmth:
    return Warmth(seat.name, seat.reason, seat.cells, seat.commands_per_second, seat.busiest)
