"""What an owner needs of the database, and PostgreSQL as the one that gives it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from typing import Protocol
from uuid import UUID

import asyncpg

from domain.cell import Cell, Hold, Tally
from domain.commands import CellKey
from domain.refusals import NotFound
from infra import cells, ledger, seats
from infra.database import LOST, raw_connection
from infra.ledger import Batch, StoredOutcome
from infra.outage import Outage


class Store(Protocol):
    """Every method raises Outage when it cannot say; `append` also StaleAppend and
    DuplicateRequest, and then has written nothing."""

    async def append(self, batch: Batch) -> None: ...

    async def load_cells(
        self, keys: Sequence[CellKey], now: datetime
    ) -> dict[CellKey, Cell | NotFound]: ...

    async def load_holds(
        self, wanted: Sequence[tuple[UUID, int]]
    ) -> dict[tuple[UUID, int], Hold]: ...

    async def load_outcomes(self, requests: Iterable[UUID]) -> list[StoredOutcome]: ...

    async def load_tallies(self, pools: Sequence[str]) -> dict[str, Tally]: ...

    async def load_due(self, now: datetime, limit: int) -> list[tuple[CellKey, UUID]]: ...

    async def load_stranded(
        self, after: tuple[UUID, int], limit: int
    ) -> tuple[list[tuple[CellKey, UUID]], tuple[UUID, int] | None]: ...

    async def load_present(self) -> set[str]: ...


class PostgresStore:
    """One connection at a time, kept while it works and thrown away when it does not."""

    def __init__(self) -> None:
        self.stack = AsyncExitStack()
        self.raw: asyncpg.Connection | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            if self.raw is None:
                self.raw = await self.stack.enter_async_context(raw_connection())
            yield self.raw
        except LOST as error:
            if isinstance(error, ValueError):
                raise  # an argument that asyncpg cannot encode; nothing was sent
            await self.close()
            raise Outage(f"the database does not answer: {type(error).__name__}") from error

    async def close(self) -> None:
        raw, self.raw = self.raw, None
        stack, self.stack = self.stack, AsyncExitStack()
        with suppress(*LOST):
            if raw is not None:
                raw.terminate()
        with suppress(*LOST):
            await stack.aclose()

    async def append(self, batch: Batch) -> None:
        async with self.connected() as connection:
            await ledger.append(connection, batch)

    async def load_cells(
        self, keys: Sequence[CellKey], now: datetime
    ) -> dict[CellKey, Cell | NotFound]:
        async with self.connected() as connection:
            return await cells.load_cells(connection, keys, now)

    async def load_holds(self, wanted: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], Hold]:
        async with self.connected() as connection:
            return await cells.load_holds(connection, wanted)

    async def load_outcomes(self, requests: Iterable[UUID]) -> list[StoredOutcome]:
        async with self.connected() as connection:
            return await cells.load_outcomes(connection, requests)

    async def load_tallies(self, pools: Sequence[str]) -> dict[str, Tally]:
        async with self.connected() as connection:
            return await cells.load_tallies(connection, pools)

    async def load_due(self, now: datetime, limit: int) -> list[tuple[CellKey, UUID]]:
        async with self.connected() as connection:
            return await cells.load_due(connection, now, limit)

    async def load_stranded(
        self, after: tuple[UUID, int], limit: int
    ) -> tuple[list[tuple[CellKey, UUID]], tuple[UUID, int] | None]:
        async with self.connected() as connection:
            return await cells.load_stranded(connection, after, limit)

    async def load_present(self) -> set[str]:
        async with self.connected() as connection:
            return await seats.load_present(connection)
