"""The seat table as owners, clients and the keeper see it; every method raises Outage when the
database cannot say."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import asyncpg

from domain.commands import CellKey
from infra import seats
from infra.database import LOST, raw_connection
from infra.outage import Outage
from infra.seats import Address, HeatCounts, SeatRow

PLACE_ATTEMPTS = 3
"""A seat may be dropped as empty at the moment in which cells are placed in it."""
Connected = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]


class Book(Protocol):
    """What an owner needs of the seat table."""

    async def take(self, holder: UUID, at: Address) -> str | None: ...

    async def renew(self, holder: UUID, seat: str) -> int | None: ...

    async def leave(self, holder: UUID) -> None: ...

    async def placements(self) -> dict[CellKey, str]: ...


@asynccontextmanager
async def pooled() -> AsyncIterator[asyncpg.Connection]:
    """A connection out of this process's pool."""
    try:
        async with raw_connection() as raw:
            yield raw
    except LOST as error:
        raise Outage(f"the database does not answer: {type(error).__name__}") from error


class PostgresBook:
    def __init__(self, connected: Connected = pooled) -> None:
        self.connected = connected

    async def take(self, holder: UUID, at: Address) -> str | None:
        async with self.connected() as connection:
            return await seats.take(connection, holder, at)

    async def renew(self, holder: UUID, seat: str) -> int | None:
        async with self.connected() as connection:
            return await seats.renew(connection, holder, seat)

    async def leave(self, holder: UUID) -> None:
        async with self.connected() as connection:
            await seats.leave(connection, holder)

    async def placements(self) -> dict[CellKey, str]:
        async with self.connected() as connection:
            return await seats.load_placements(connection)

    async def rows(self) -> list[SeatRow]:
        async with self.connected() as connection:
            return await seats.load_seats(connection)

    async def find(self, seat: str) -> SeatRow | None:
        return next((row for row in await self.rows() if row.name == seat), None)

    async def make_shared(self, names: Collection[str]) -> None:
        async with self.connected() as connection:
            await seats.make_shared(connection, list(names))

    async def place(self, cells: Collection[CellKey], seat: str) -> None:
        for _ in range(PLACE_ATTEMPTS):
            try:
                async with self.connected() as connection:
                    return await seats.place(connection, cells, seat)
            except asyncpg.ForeignKeyViolationError:
                continue
        raise Outage(f"the seat {seat} is dropped again and again", "BUSY")

    async def unplace(self, cells: Collection[CellKey]) -> None:
        async with self.connected() as connection:
            await seats.unplace(connection, cells)

    async def promote(self, cell: CellKey, seat: str) -> bool:
        async with self.connected() as connection:
            try:
                return await seats.promote(connection, cell, seat)
            except asyncpg.ForeignKeyViolationError:
                return False

    async def demote(self, seat: str) -> list[CellKey]:
        async with self.connected() as connection:
            return await seats.demote(connection, seat)

    async def heat_counts(self) -> HeatCounts:
        async with self.connected() as connection:
            return await seats.load_heat_counts(connection)

    async def make(self, seat: str) -> None:
        async with self.connected() as connection:
            await seats.make(connection, seat)

    async def drop_empty(self, age: timedelta = timedelta(0)) -> None:
        async with self.connected() as connection:
            await seats.drop_empty(connection, age)
