"""kill -9 of an owner under load: how long until its cells are sold again. With the warm spare, and
beside it without one, where Ray starts the killed actor again and that sits down."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import NamedTuple
from uuid import UUID, uuid4

import uvloop

from actors import owners, pool
from actors.book import PostgresBook
from actors.client import StockClient
from actors.directory import shared
from actors.wire import Done
from benchmarks.figures import Row, Section, at_most
from benchmarks.ground import Ground, new_cell
from benchmarks.load import spread
from benchmarks.stock import CALLER, FINGERPRINT, PLENTY
from domain.commands import Buyer, CellKey, Line, Receive, Release, Request, Reserve
from domain.ledger import Note
from infra.database import close_database, open_database

BUYERS_PER_CELL = 16
HELD = 20_000
"""Open holds of a cell: the successor takes them up before it sells."""
SETTLE_SECONDS = 0.3
"""Of plain load before a kill."""
PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.05
TTL = timedelta(hours=1)


class Crowd:
    """Buyers of each cell, one request after the other; tells when one was answered."""

    def __init__(self, stock: StockClient) -> None:
        self.stock = stock
        self.deadline = datetime.now(UTC) + TTL
        self.answered: dict[CellKey, tuple[float, float]] = {}
        self.told = asyncio.Condition()

    @asynccontextmanager
    async def buying(self, keys: list[CellKey]) -> AsyncIterator[None]:
        buyers = [
            asyncio.create_task(self.buy(key)) for key in keys for _ in range(BUYERS_PER_CELL)
        ]
        try:
            yield
        finally:
            for buyer in buyers:
                buyer.cancel()
            await asyncio.gather(*buyers, return_exceptions=True)

    async def buy(self, key: CellKey) -> None:
        """What is held longest is given back when all buyers of the cell hold HELD."""
        held: deque[UUID] = deque()
        while True:
            id = uuid4()
            asked_at = perf_counter()
            await self.ask(key, Reserve(id, 1, self.deadline), id)
            held.append(id)
            if len(held) > HELD // BUYERS_PER_CELL:
                given_back = held.popleft()
                await self.ask(key, Release(given_back), given_back)
            async with self.told:
                self.answered[key] = (asked_at, perf_counter())
                self.told.notify_all()

    async def ask(self, key: CellKey, command: Reserve | Release, id: UUID) -> None:
        request = Request(id, FINGERPRINT, key, (Line(key, command),), Note(CALLER), Buyer())
        done = await self.stock.submit(request)
        assert isinstance(done, Done), done

    async def sold(self, key: CellKey, after: float) -> float:
        """When a reservation that was asked after that moment was answered."""
        async with self.told:
            await self.told.wait_for(lambda: self.answered.get(key, (0.0, 0.0))[0] > after)
            return self.answered[key][1]


class Found(NamedTuple):
    """Milliseconds since a kill: when somebody sat in the seat, when its cell was sold again."""

    seated: float
    sold: float


def section(ground: Ground, kills: int, about: dict[str, str]) -> Section:
    """Without a spare first: a process more is easily started, and hard to be rid of."""
    restarted = uvloop.run(take_overs(ground, 0, kills))
    spared = uvloop.run(take_overs(ground, 1, kills))
    rows = [
        *rows_of("a spare takes over, seated", [each.seated for each in spared]),
        *rows_of("a spare takes over, sold", [each.sold for each in spared]),
        *rows_of("Ray restarts the actor, sold", [each.sold for each in restarted]),
    ]
    worst = percentile([each.sold for each in spared], 0.99)
    floor = at_most("kill -9 to the next reservation, p99", worst, 3_000, "ms")
    goal = at_most("the goal for it", worst, 1_000, "ms")
    remark = (
        f"{kills} kills each, {BUYERS_PER_CELL} buyers at each owner's cell; from the kill to the"
        f" answer of a reservation that was asked after it; up to {HELD:,} open holds in each cell"
    )
    return Section("Take-over", about, [remark], rows, [floor, goal])


def rows_of(what: str, found: list[float]) -> list[Row]:
    values = median(found), percentile(found, 0.99), max(found)
    names = "median", "p99", "worst"
    return [
        Row(f"{what}: {name}", None, spread([value]), "ms")
        for name, value in zip(names, values, strict=True)
    ]


def percentile(found: list[float], share: float) -> float:
    return sorted(found)[min(len(found) - 1, int(len(found) * share))]


async def take_overs(ground: Ground, spares: int, kills: int) -> list[Found]:
    await staffed(ground, spares)
    async with stock_of(ground) as stock:
        keys = await cells_by_owner(ground, stock, f"take over {spares}")
        crowd = Crowd(stock)
        async with crowd.buying(keys):
            found = []
            for number in range(kills):
                index = number % len(keys)
                pids = await staffed(ground, spares)
                await asyncio.sleep(SETTLE_SECONDS)
                found.append(await take_over(crowd, keys[index], index, pids[index]))
        return found


async def take_over(crowd: Crowd, key: CellKey, index: int, pid: int) -> Found:
    """By the clock of this machine, which is PostgreSQL's too."""
    killed, killed_at = datetime.now(UTC), perf_counter()
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        sold = (await crowd.sold(key, killed_at) - killed_at) * 1e3
    seat = await PostgresBook().find(shared(index))
    assert seat is not None
    assert seat.taken_at is not None
    return Found((seat.taken_at - killed) / timedelta(milliseconds=1), sold)


async def staffed(ground: Ground, spares: int) -> list[int]:
    """The process ids by seat, when every seat is taken and so many processes stand by."""
    wanted = ground.settings.owners + spares
    seats = [shared(index) for index in range(ground.settings.owners)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            names = pool.names()
            if len(names) < wanted:
                pool.begin(ground.settings, wanted - len(names))
            members = [m for m in await asyncio.gather(*map(pool.member, names)) if m]
            pids = {member.seat: member.pid for member in members}
            alive = [member for member in members if member.pid and is_alive(member.pid)]
            if len(alive) == wanted and pids.keys() >= set(seats):
                return [pids[seat] for seat in seats]
            await asyncio.sleep(POLL_SECONDS)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def stock_of(ground: Ground) -> AsyncIterator[StockClient]:
    await open_database(ground.settings.database_url)
    stock = owners.client(ground.settings)
    try:
        yield stock
    finally:
        stock.close()
        await close_database()


async def cells_by_owner(ground: Ground, stock: StockClient, code: str) -> list[CellKey]:
    """One full cell of each owner."""
    found: dict[int, CellKey] = {}
    number = 0
    while len(found) < ground.settings.owners:
        number += 1
        key, _ = await new_cell(ground.settings.database_url, f"{code} {number}")
        found.setdefault(stock.owner_of(key), key)
    for key in found.values():
        lines = (Line(key, Receive(PLENTY)),)
        done = await stock.submit(Request(uuid4(), FINGERPRINT, key, lines, Note(CALLER)))
        assert isinstance(done, Done), done
    return [found[index] for index in sorted(found)]
