"""Ends the holds that no memory keeps: overdue ones, also of an owner that is not there for the
moment, and stranded ones.

Stranded is a confirmed hold whose sibling has ended: whoever confirmed it died before the others
followed. The reservation can never be whole again, and nobody would give this part back.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

from actors.drain import Owner
from actors.store import Store
from domain.commands import CellKey, Release
from infra.cells import FIRST_HOLD
from infra.clock import Clock

OVERDUE_LIMIT = 2_000
"""Overdue holds, of all owners, in one look."""
STRANDED_LIMIT = 2_000
"""Confirmed holds, of all owners, in one look."""
STRANDED_PAUSE = timedelta(seconds=10)
"""Between the end of one pass over all confirmed holds and the next."""


def for_nobody(key: CellKey, present: Collection[str]) -> bool:
    return False


class Sweep:
    """The sweep of one owner. `store` is not the owner's own: a look must not wait for appends.
    `stands_in` says whether this owner keeps the deadlines of a cell while those are present."""

    def __init__(
        self,
        owner: Owner,
        store: Store,
        clock: Clock,
        is_mine: Callable[[CellKey], bool],
        stands_in: Callable[[CellKey, Collection[str]], bool] = for_nobody,
    ) -> None:
        self.owner = owner
        self.store = store
        self.clock = clock
        self.is_mine = is_mine
        self.stands_in = stands_in
        self.borrowed: set[CellKey] = set()
        self.unknown: set[tuple[CellKey, UUID]] = set()
        self.after = FIRST_HOLD
        self.next_pass = clock.now()

    async def look(self) -> None:
        """One bounded look at each; raises Outage when the database does not answer."""
        await self.end_overdue()
        if self.clock.now() >= self.next_pass:
            await self.end_stranded()

    async def end_overdue(self) -> None:
        """Those of resident cells are kept by memory. If memory does not know one, and again not at
        the next look, then another owner made it: memory is dropped."""
        due = await self.store.load_due(self.clock.now(), OVERDUE_LIMIT)
        mine = [hold for hold in due if self.is_mine(hold[0])]
        host = self.owner.host
        unknown = {(key, rid) for key, rid in mine if (c := host.peek(key)) and rid not in c.holds}
        missed = unknown & self.unknown
        self.unknown = unknown - missed
        if missed:
            async with self.owner.between_rounds():
                host.forget({key for key, _ in missed})
        self.owner.end(hold for hold in mine if host.peek(hold[0]) is None)
        await self.give_back()
        if len(due) > len(mine):
            await self.stand_in([hold for hold in due if not self.is_mine(hold[0])])

    async def stand_in(self, due: list[tuple[CellKey, UUID]]) -> None:
        """Ends what is due with owners that are not there: they may need longer than a second to
        come back. The fence keeps it safe if one is back already."""
        present = await self.store.load_present()
        theirs = [hold for hold in due if self.stands_in(hold[0], present)]
        self.owner.end(theirs)
        self.borrowed |= {key for key, _ in theirs}

    async def give_back(self) -> None:
        """Their cells leave memory once their holds have ended: who is back changes them."""
        busy = {key for key, _ in self.owner.ending}
        done = self.borrowed - busy
        if done:
            async with self.owner.between_rounds():
                self.owner.host.forget(done)
            self.borrowed -= done

    async def end_stranded(self) -> None:
        stranded, last = await self.store.load_stranded(self.after, STRANDED_LIMIT)
        self.owner.end([hold for hold in stranded if self.is_mine(hold[0])], Release)
        if last is None:
            self.next_pass = self.clock.now() + STRANDED_PAUSE
        self.after = last or FIRST_HOLD
