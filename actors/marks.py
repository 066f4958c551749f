"""A client's marks: what is sold out, so that a buyer is refused without asking anybody.

The first refusal by the owner begins a watch, which asks the owner for a mark again and again, as
long as something is sold out and buyers come. Without a mark every request goes to the owner."""

import asyncio
from collections.abc import Awaitable, Callable

from actors.host import Shut
from actors.sold_out import MARK_SECONDS, Asked, decode_told, encode_question, split, which_of
from domain.commands import CellKey, Draw, Request
from domain.refusals import InsufficientStock
from infra.outage import Outage

RENEW_SECONDS = 0.05
"""Between two questions: before the mark is over."""
IDLE_SECONDS = 2.0
"""Without a buyer the owner is not asked any more."""
WATCHES_LIMIT = 1_000
"""Things that are watched at once."""
IDS_LIMIT = 200_000
"""Accepted reservations remembered per watch: of a larger sale the owner tells itself."""


def loop_time() -> float:
    return asyncio.get_running_loop().time()


AskOwner = Callable[[CellKey, bytes], Awaitable[bytes]]
"""Of the owner of that cell. Raises Outage."""


class Watch:
    def __init__(self, which: Shut, anchor: CellKey, now: float) -> None:
        self.which = which
        self.anchor = anchor
        self.wanted_at = now
        self.until = 0.0
        self.tally = 0
        self.drawn: set[bytes] = set()
        self.task: asyncio.Task[None] | None = None


class Marks:
    def __init__(self, ask: AskOwner) -> None:
        self.ask = ask
        self.watches: dict[Shut, Watch] = {}
        self.told = 0
        self.time: Callable[[], float] = loop_time

    def refusal(self, request: Request) -> InsufficientStock | None:
        """For a draw in its sale's window. None: the owner has to be asked."""
        if not self.watches:
            return None
        now = self.time()
        for which in which_of(request):
            watch = self.watches.get(which)
            if watch is None:
                continue
            watch.wanted_at = now
            if now < watch.until and request.id.bytes not in watch.drawn:
                self.told += 1
                return shortage(request, which)
        return None

    def heard(self, request: Request) -> None:
        """The owner refused this draw for want of units."""
        now = self.time()
        for which in which_of(request):
            if which not in self.watches and len(self.watches) < WATCHES_LIMIT:
                watch = self.watches[which] = Watch(which, request.home, now)
                watch.task = asyncio.get_running_loop().create_task(self.keep(watch))

    async def keep(self, watch: Watch) -> None:
        try:
            while self.time() - watch.wanted_at < IDLE_SECONDS and await self.renew(watch):
                if watch.until:
                    await asyncio.sleep(RENEW_SECONDS)
        finally:
            del self.watches[watch.which]

    async def renew(self, watch: Watch) -> bool:
        """Whether it is still sold out. The mark lives from before it was asked for, and not until
        all accepted ids are known."""
        asked_at = self.time()
        asked = Asked(watch.anchor, watch.which, watch.tally, len(watch.drawn))
        try:
            async with asyncio.timeout(MARK_SECONDS):
                told = decode_told(await self.ask(watch.anchor, encode_question(asked)))
        except (Outage, TimeoutError):
            return False
        if told is None or told.total > IDS_LIMIT:
            return False
        if told.tally != watch.tally:
            watch.tally, watch.drawn, watch.until = told.tally, set(), 0.0
        watch.drawn.update(split(told.ids))
        watch.until = asked_at + MARK_SECONDS if len(watch.drawn) == told.total else 0.0
        return True

    def close(self) -> None:
        for watch in self.watches.values():
            if watch.task is not None:
                watch.task.cancel()


def shortage(request: Request, which: Shut) -> InsufficientStock:
    """As the owner says it: of all cells that might give."""
    sku = which.cells[0].sku
    quantity = next(
        command.quantity
        for key, command in request.lines
        if key.sku == sku and isinstance(command, Draw)
    )
    return InsufficientStock(sku, None, quantity, 0)
