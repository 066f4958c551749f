"""The client's talk with all owners at once: questions, and telling them who hosts what."""

import asyncio
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from actors import questions
from actors.book import PostgresBook
from actors.directory import shared
from actors.lane import Gone
from actors.seating import Seated
from actors.stream import BrokenFrame, StreamChannel
from domain.commands import CellKey
from infra.outage import Outage
from infra.seats import SHARED, Address, HeatCounts, SeatRow

ASK_TIMEOUT_SECONDS = 5.0
HELD_SECONDS = 10.0
"""How long a new seat waits for a spare: one that must be started first takes some seconds."""
POLL_SECONDS = 0.05


async def address(book: PostgresBook, seat: str) -> Address:
    row = await book.find(seat)
    if row is None and not seat.startswith(SHARED):
        raise Gone(f"there is no seat {seat}")
    if row is None or row.address is None:
        raise Outage(f"nobody sits at {seat}")
    return row.address


class Asking:
    """Has connections of its own: an answer must not wait behind requests."""

    def __init__(self, book: PostgresBook, owners: int) -> None:
        self.book = book
        self.owners = owners
        self.channels: dict[str, StreamChannel] = {}

    def channel(self, seat: str) -> StreamChannel:
        return StreamChannel(partial(address, self.book, seat))

    async def ask(self, seat: str, question: bytes) -> bytes | None:
        """None: no answer in time."""
        channel = self.channels.setdefault(seat, self.channel(seat))
        try:
            async with asyncio.timeout(ASK_TIMEOUT_SECONDS):
                return await channel.call(question)
        except (Outage, BrokenFrame, TimeoutError):
            return None

    async def ask_all(self, question: bytes) -> dict[str, bytes | None]:
        """By seat, of those that somebody has taken."""
        names = [row.name for row in await self.book.rows() if row.holder is not None]
        for gone in self.channels.keys() - set(names):
            self.channels.pop(gone).close()
        answers = await asyncio.gather(*(self.ask(name, question) for name in names))
        return dict(zip(names, answers, strict=True))

    async def stats(self) -> list[dict[str, Any]]:
        try:
            answers = await self.ask_all(questions.STATS)
        except Outage:
            return []
        told = [questions.decode_stats(answer) for answer in answers.values() if answer]
        return [stats for stats in told if stats["owner"] is not None]

    async def resident(self) -> list[bytes]:
        answers = list((await self.ask_all(questions.RESIDENT)).values())
        found = [answer for answer in answers if answer is not None]
        if len(found) < len(answers):
            raise Outage("an owner does not answer")
        return found

    async def ready(self) -> bool:
        seated = {stats["owner"] for stats in await self.stats()}
        return seated >= {shared(index) for index in range(self.owners)}

    async def place(self, cells: Collection[CellKey], seat: str) -> None:
        """The cells move when somebody sits there, and not before."""
        if seat.startswith(SHARED):
            raise ValueError(f"cells fall to {seat} by themselves")
        await self.seated(seat)
        if cells:
            await self.book.place(cells, seat)
            await self.ask_all(questions.LOOK)

    async def seated(self, seat: str) -> None:
        """Until there is such a seat and somebody sits there."""
        await self.book.make(seat)
        try:
            async with asyncio.timeout(HELD_SECONDS):
                await self.held(seat)
        except TimeoutError:
            raise Outage(f"no owner is free for the seat {seat}", "BUSY") from None

    async def held(self, seat: str) -> SeatRow:
        while True:
            row = await self.book.find(seat)
            if row is not None and row.holder is not None:
                return row
            await asyncio.sleep(POLL_SECONDS)

    async def unplace(self, cells: Collection[CellKey]) -> None:
        if cells:
            await self.book.unplace(cells)
            await self.ask_all(questions.LOOK)
        await self.book.drop_empty()

    async def promote(self, cell: CellKey, seat: str) -> bool:
        await self.seated(seat)
        done = await self.book.promote(cell, seat)
        await self.ask_all(questions.LOOK)
        return done

    async def demote(self, seat: str) -> list[CellKey]:
        cells = await self.book.demote(seat)
        await self.ask_all(questions.LOOK)
        await self.book.drop_empty()
        return cells

    async def heat_counts(self) -> HeatCounts:
        return await self.book.heat_counts()

    async def ownership(self) -> list[Seated]:
        placed = await self.book.placements()
        told = {stats["owner"]: stats for stats in await self.stats()}
        return [seated(row, placed, told.get(row.name, {})) for row in await self.book.rows()]

    def close(self) -> None:
        for channel in self.channels.values():
            channel.close()


def seated(row: SeatRow, placed: Mapping[CellKey, str], told: Mapping[str, Any]) -> Seated:
    return Seated(
        name=row.name,
        is_dedicated=not row.name.startswith(SHARED),
        cells=tuple(sorted(cell for cell, seat in placed.items() if seat == row.name)),
        holder=row.holder,
        node=row.host,
        pid=told.get("pid"),
        inbox=told.get("inbox"),
        resident_cells=told.get("resident_cells"),
        taken_at=row.taken_at,
        takeovers=row.takeovers,
        commands_per_second=told.get("commands_per_second"),
        busiest=tuple((CellKey(s, w), rate) for s, w, rate in told.get("busiest_cells", ())),
    )
