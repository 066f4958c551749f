"""kill -9 of an API process while it carries out what a second person has just granted: the shop
goes on, and what was granted is done once, without anybody asking for it again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from time import monotonic
from uuid import UUID

import asyncpg
import pytest

from domain.commands import CellKey
from domain.states import ApprovalState
from infra.embedded.process import open_many_files
from infra.trail import TRAIL_LOCK
from tests.integration.api_workers import worker_of
from tests.integration.books import Books
from tests.integration.caller import Unanswered
from tests.integration.owner_pids import owner_pids
from tests.integration.two_people import ANN, BOB, DECIDE, LOST, UNITS, TwoPeople, two_people, until
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(600)
RANDOM_ROUNDS = 3
LONGER = 1.2
"""Kills at random fall within so many times what a grant usually takes."""
CELL = """SELECT c.id FROM cell c JOIN sku s ON s.id = c.sku_id
JOIN warehouse w ON w.id = c.warehouse_id WHERE s.code = $1 AND w.code = $2 FOR UPDATE OF c"""
APPROVAL = "SELECT id FROM approval WHERE id = $1 FOR UPDATE"
TRAIL = "SELECT pg_advisory_xact_lock($1)"
NOTHING = "SELECT"
BEHIND = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
Reached = Callable[[], Awaitable[None]]
"""Waits until the process is there."""


class Moment:
    """One request that is about to be granted, and what keeps its act from going further."""

    def __init__(self, people: TwoPeople, url: str, id: str, key: CellKey) -> None:
        self.people = people
        self.url = url
        self.id = id
        self.key = key

    @asynccontextmanager
    async def lock(self, statement: str, *values: object) -> AsyncIterator[asyncpg.Connection]:
        """Until the block ends, or the lock is closed."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("BEGIN")
            await connection.execute(statement, *values)
            yield connection
        finally:
            await connection.close()

    async def behind(self, lock: asyncpg.Connection) -> list[int]:
        """Who waits for the lock, once somebody does."""
        own = lock.get_server_pid()
        rows = await until(lambda: self.people.books.fetch(BEHIND, own))
        return [row["pid"] for row in rows]


@asynccontextmanager
async def decided(moment: Moment) -> AsyncIterator[Reached]:
    """Nothing but the decision has happened: not even the trail has it."""
    async with moment.lock(TRAIL, TRAIL_LOCK) as lock:

        async def reached() -> None:
            await moment.people.until(moment.id, ApprovalState.GRANTED)
            await moment.behind(lock)

        yield reached


@asynccontextmanager
async def taken_up(moment: Moment) -> AsyncIterator[Reached]:
    """The trail has the decision, and no owner takes up anything."""
    pids = (await owner_pids(moment.people.office)).values()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)

    async def reached() -> None:
        await until(lambda: moment.people.records(moment.id))

    try:
        yield reached
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def being_entered(moment: Moment) -> AsyncIterator[Reached]:
    """The owner is about to write the entry."""
    async with moment.lock(CELL, *moment.key) as lock:

        async def reached() -> None:
            await moment.behind(lock)

        yield reached


@asynccontextmanager
async def entered(moment: Moment) -> AsyncIterator[Reached]:
    """The entry is in the ledger, and not yet in the trail."""
    async with moment.lock(CELL, *moment.key) as first, moment.lock(NOTHING) as second:

        async def reached() -> None:
            await moment.behind(first)
            await second.execute(TRAIL, TRAIL_LOCK)
            await first.close()
            await moment.people.until_entered(moment.id)
            await moment.behind(second)

        yield reached


@asynccontextmanager
async def recorded(moment: Moment) -> AsyncIterator[Reached]:
    """The trail has the act, and the request does not know yet that it is done. The database would
    still do what the dead process has sent: it is told that there is nobody any more."""
    async with moment.lock(CELL, *moment.key) as first, moment.lock(NOTHING) as second:

        async def reached() -> None:
            await moment.behind(first)
            await second.execute(APPROVAL, UUID(moment.id))
            await first.close()
            await moment.behind(second)

        yield reached
        for pid in await moment.behind(second):
            await moment.people.books.execute("SELECT pg_terminate_backend($1)", pid)


MOMENTS = (decided, taken_up, being_entered, entered, recorded)


@pytest.fixture
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """A shop that has nobody yet."""
    open_many_files()
    whole = Whole(tmp_path_factory.mktemp("peopled") / "home")
    try:
        whole.start()
        yield whole
    finally:
        whole.stop()


async def test_what_was_granted_is_done_once_wherever_its_process_is_killed(
    peopled: Whole,
) -> None:
    asked: dict[str, CellKey] = {}
    async with two_people(peopled) as people:
        url = peopled.settings.database_url
        seconds = await usual_seconds(people, asked)
        for moment in MOMENTS:
            id, key = await people.asked()
            asked[id] = key
            async with moment(Moment(people, url, id, key)) as reached:
                await kill_while_granting(people, id, reached)
                assert await people.state(id) is ApprovalState.GRANTED
        chance = Random(17)
        for _ in range(RANDOM_ROUNDS):
            id, key = await people.asked()
            asked[id] = key
            pause = chance.uniform(0, LONGER * seconds)
            await kill_while_granting(people, id, partial(asyncio.sleep, pause))
            if await people.state(id) is ApprovalState.PENDING:
                assert (await people.granted(id))["__typename"] == "Approval"
        for id, key in asked.items():
            await people.until(id, ApprovalState.DONE)
            await prove(people, id, key)
        await Books(people.books).balance(asked.values())
    for command in (["audit"], ["audit", "--trail"]):
        audited = await asyncio.to_thread(peopled.run, *command)
        assert audited.returncode == 0, audited.stdout


async def usual_seconds(people: TwoPeople, asked: dict[str, CellKey]) -> float:
    """What a grant takes that nobody disturbs."""
    id, key = await people.asked()
    asked[id] = key
    code, begun = await people.code(), monotonic()
    done = await people.bob.ask(DECIDE, id=id, code=code)
    assert done == {"__typename": "Approval", "state": "DONE", "outcome": "DONE"}
    return monotonic() - begun


async def kill_while_granting(people: TwoPeople, id: str, reached: Reached) -> None:
    """The worker that Bob has asked; it may have been quicker than we."""
    code, pid = await people.code(), int(await worker_of(people.bob))
    granting = asyncio.create_task(people.bob.once(DECIDE, id=id, code=code))
    await reached()
    os.kill(pid, signal.SIGKILL)
    try:
        assert (await granting)["state"] == "DONE"
    except Unanswered:
        return


async def prove(people: TwoPeople, id: str, key: CellKey) -> None:
    """Granted by Bob and done once, in Ann's name; asked again, it says what was."""
    books = Books(people.books)
    assert await people.records(id) == [("grantApproval", BOB), ("adjustStock", ANN)]
    assert await books.entries_of(key, "count_loss") == {id: [2]}
    assert (await books.cell(key))["available"] == UNITS - LOST
    again = await people.adjust(id, key)
    assert again == {"__typename": "StockLevel", "available": UNITS - LOST, "seq": 2}
    assert (await books.cell(key))["seq"] == 2
