"""The trail as it is kept: appended by all processes to one chain, read in pages.

What waits in a process is appended together, so the chain costs one transaction per batch and not
one per record. The table refuses to change or forget what it holds (migration 0017).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import asyncpg

from domain.trail import Head, Link, Record, linked
from infra.database import LOST, connection, raw_connection
from infra.outage import Outage

TRAIL_LOCK = 0x6F6E_6861_6E64_7472
"""The advisory lock of who appends: onhandtr in ASCII."""
BATCH_LIMIT = 256
"""Records appended together."""
WAITING_LIMIT = 10_000
"""Records of this process that wait; more are an outage at once."""
PAGE = 2_000
SEQ_LIMIT = 2**63 - 1

LOCK = "SELECT pg_advisory_xact_lock($1)"
COLUMNS = ", ".join(("seq", "previous", "hash", *Record._fields))
HEAD = "SELECT seq, hash FROM audit_record ORDER BY seq DESC LIMIT 1"
APPEND = f"INSERT INTO audit_record ({COLUMNS}) VALUES ({{}})".format(
    ", ".join(f"${number}" for number in range(1, 4 + len(Record._fields)))
)
READ = f"SELECT {COLUMNS} FROM audit_record WHERE seq > $1 ORDER BY seq LIMIT $2"


Also = Callable[[asyncpg.Connection, Sequence[Link]], Awaitable[None]]


class Waiting(NamedTuple):
    record: Record
    kept: asyncio.Future[None]


async def append(records: Sequence[Record], also: Also | None = None) -> None:
    """Behind the newest of all processes, all of them or none, together with what else shall be
    written if they are."""
    async with raw_connection() as raw, raw.transaction():
        await raw.execute(LOCK, TRAIL_LOCK)
        links = linked(as_head(await raw.fetchrow(HEAD)), records)
        await raw.executemany(APPEND, [(*link[:3], *link.record) for link in links])
        if also is not None:
            await also(raw, links)


class Trail:
    """Of one process. Of a batch that is not taken each record is tried alone, so that a bad one
    fails alone."""

    def __init__(self, append: Callable[[Sequence[Record]], Awaitable[None]] = append) -> None:
        self.append = append
        self.waiting: deque[Waiting] = deque()
        self.writer: asyncio.Task[None] | None = None

    async def keep(self, record: Record) -> None:
        """Returns when the record is in the chain and survives any crash; raises Outage when that
        cannot be said."""
        if len(self.waiting) >= WAITING_LIMIT:
            raise Outage("too many records wait for the trail", "BUSY")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(Waiting(record, kept))
        if self.writer is None:
            self.writer = asyncio.create_task(self.write())
        await kept

    async def write(self) -> None:
        try:
            while self.waiting:
                size = min(len(self.waiting), BATCH_LIMIT)
                batch = [self.waiting.popleft() for _ in range(size)]
                failure = await self.attempt([item.record for item in batch])
                if failure is None or len(batch) == 1:
                    settle(batch, failure)
                    continue
                for item in batch:
                    settle([item], await self.attempt([item.record]))
        finally:
            self.writer = None

    async def attempt(self, records: Sequence[Record]) -> Outage | None:
        try:
            await self.append(records)
        except (*LOST, asyncpg.PostgresError) as error:
            return Outage(f"the trail does not take what was done: {error!r}")
        return None


def settle(batch: Sequence[Waiting], failure: Outage | None) -> None:
    for item in batch:
        if item.kept.done():
            continue
        if failure is None:
            item.kept.set_result(None)
        else:
            item.kept.set_exception(failure)


async def head() -> Head | None:
    """The newest record; None before the first."""
    _, rows = await connection().execute_query(HEAD)
    return as_head(rows[0]) if rows else None


def as_head(row: Any) -> Head | None:
    return None if row is None else Head(row["seq"], row["hash"])


async def links(page_size: int = PAGE) -> AsyncIterator[list[Link]]:
    """The whole chain, a page at a time."""
    after = 0
    while True:
        _, rows = await connection().execute_query(READ, [after, page_size])
        if not rows:
            return
        page = [as_link(tuple(row)) for row in rows]
        yield page
        after = page[-1].seq


async def newest(
    conditions: Sequence[tuple[str, Any]], before: int | None, limit: int
) -> list[Link]:
    """Links that meet all conditions (SQL with a place for its value), newest first."""
    wanted = [*conditions, ("seq < {}", SEQ_LIMIT if before is None else before)]
    sql = f"SELECT {COLUMNS} FROM audit_record WHERE {where(wanted)} ORDER BY seq DESC"
    _, rows = await connection().execute_query(
        f"{sql} LIMIT {limit:d}", [value for _, value in wanted]
    )
    return [as_link(tuple(row)) for row in rows]


async def count(conditions: Sequence[tuple[str, Any]], limit: int) -> int:
    """Links that meet all conditions, `limit` at most."""
    wanted = [*conditions, ("seq < {}", SEQ_LIMIT)]
    sql = f"SELECT 1 FROM audit_record WHERE {where(wanted)} LIMIT {limit:d}"
    _, rows = await connection().execute_query(
        f"SELECT count(*) FROM ({sql}) l", [value for _, value in wanted]
    )
    counted: int = next(iter(rows[0]))
    return counted


def where(wanted: Sequence[tuple[str, Any]]) -> str:
    return " AND ".join(sql.format(f"${number}") for number, (sql, _) in enumerate(wanted, 1))


def as_link(row: tuple[Any, ...]) -> Link:
    seq, previous, kept, *record = row
    return Link(seq, previous, kept, Record(*record))
