"""A small shop for the owners: a clock that is told, ids that count, and requests in one line."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from actors import questions, sold_out
from actors.drain import Owner
from actors.wire import Done, LineDone, Reply, decode_requests, encode_replies
from domain.cell import Hold
from domain.commands import Buyer, CellKey, Command, Line, Receive, Request, Reserve
from domain.ledger import BY_CODE, Note
from domain.states import ReservationState
from tests.actors.fake_store import FakeStore

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
BERLIN = CellKey("TEA", "BERLIN")
PARIS = CellKey("TEA", "PARIS")
ROME = CellKey("TEA", "ROME")
CUP = CellKey("CUP", "BERLIN")
SKUS = ("TEA", "CUP")
WAREHOUSES = ("BERLIN", "PARIS", "ROME")
TTL = timedelta(minutes=10)
INBOX_LIMIT = 20_000
PATIENCE_TURNS = 1_000


class FakeClock:
    """Stands still unless told, or goes on by `step` with every look at it; ids count up."""

    def __init__(self) -> None:
        self.time = NOON
        self.step = timedelta(0)
        self.ids = 0

    def now(self) -> datetime:
        self.time += self.step
        return self.time

    def new_id(self) -> UUID:
        self.ids += 1
        return UUID(int=10**9 + self.ids)

    def tick(self, **passed: float) -> None:
        self.time += timedelta(**passed)


def fake_store() -> FakeStore:
    return FakeStore(SKUS, WAREHOUSES)


def rid(number: int) -> UUID:
    return UUID(int=number)


def ask(
    number: int, *lines: tuple[CellKey, Command], content: int = 0, home: CellKey | None = None
) -> Request:
    """The request with that id. `content` is the fingerprint."""
    made = tuple(Line(*line) for line in lines)
    return Request(rid(number), content, home or made[0].cell, made, Note("ann"), Buyer("bob"))


def receive(number: int, quantity: int, cell: CellKey = BERLIN) -> Request:
    return ask(number, (cell, Receive(quantity)), content=quantity)


def reserve(number: int, quantity: int, cell: CellKey = BERLIN, content: int = 0) -> Request:
    return ask(number, (cell, Reserve(rid(number), quantity, NOON + TTL)), content=content)


def on(command: Callable[[UUID], Command], number: int, cell: CellKey = BERLIN) -> Request:
    """`on(Release, 7)`: about the hold of reservation 7."""
    return ask(number, (cell, command(rid(number))))


@asynccontextmanager
async def running(
    store: FakeStore, clock: FakeClock, inbox_limit: int = INBOX_LIMIT
) -> AsyncIterator[Owner]:
    """An owner at work; at the end its process dies."""
    owner = Owner(store, clock, inbox_limit)
    work = asyncio.create_task(owner.run())
    try:
        yield owner
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def one(owner: Owner, request: Request) -> Reply:
    return (await owner.submit([request]))[0]


async def answered(owner: Owner, frame: bytes) -> bytes:
    """A frame of requests, or the question whether something is sold out."""
    if frame.startswith(questions.SOLD_OUT):
        return await sold_out.answer(owner, frame)
    return encode_replies(await owner.submit(decode_requests(frame)))


async def until(happened: Callable[[], object]) -> None:
    """Lets everybody else work until it has happened."""
    for _ in range(PATIENCE_TURNS):
        if happened():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")


async def settled(owner: Owner) -> None:
    """Until the owner has nothing to do."""
    await asyncio.sleep(0)
    await owner.idle.wait()


def only(reply: Reply) -> LineDone:
    """The one line of an accepted request."""
    assert isinstance(reply, Done), reply
    assert len(reply.lines) == 1
    return reply.lines[0]


def hold_of(reply: Reply) -> Hold:
    hold = only(reply).hold
    assert hold is not None
    return hold


def available(reply: Reply) -> int:
    level = only(reply).level
    assert level is not None
    return level.available


def kinds(store: FakeStore, cell: CellKey = BERLIN) -> list[str]:
    """The cell's ledger, as words: `receive 10`."""
    if cell not in store.cells:
        return []
    rows = sorted(row for key, row in store.entries.items() if key[0] == store.cells[cell].id)
    return [f"{BY_CODE[row[2]].kind} {row[3]}" for row in rows]


def state_of(store: FakeStore, number: int, cell: CellKey = BERLIN) -> ReservationState:
    return store.holds[rid(number), store.cells[cell].id].state
