"""The trail in a real database: one chain for all who append, and nothing in it gives way."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from domain.trail import Fault, Finding, Head, Inspection, Link
from infra import trail
from infra.database import close_database, migrate, open_database
from infra.embedded.places import prepare
from infra.embedded.postgres import Postgres
from infra.outage import Outage
from infra.trail import Trail
from tests.domain.test_trail import record

WRITERS = 4
EACH = 50
UNGUARD = "ALTER TABLE audit_record DISABLE TRIGGER USER"
GUARD = "ALTER TABLE audit_record ENABLE TRIGGER USER"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    postgres = Postgres(prepare(tmp_path_factory.mktemp("home")))
    try:
        asyncio.run(migrate(postgres.start()))
        yield postgres
    finally:
        postgres.stop()


@pytest.fixture
async def database(server: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """Another's hand on the tables, with the trail empty."""
    await open_database(server.url, WRITERS)
    other = await asyncpg.connect(server.url)
    await other.execute(f"{UNGUARD}; DELETE FROM audit_record; {GUARD}")
    yield other
    await other.close()
    await close_database()


async def kept() -> list[Link]:
    return [link async for page in trail.links() for link in page]


async def found(heads: list[Head] | None = None) -> list[Finding]:
    inspection = Inspection(heads or [])
    seen = [finding async for page in trail.links() for finding in inspection.look(page)]
    return [*seen, *inspection.end()]


async def fill(length: int) -> list[Link]:
    ours = Trail()
    await asyncio.gather(*(ours.keep(record(number)) for number in range(length)))
    return await kept()


async def test_what_is_kept_is_read_again_as_it_was(database: asyncpg.Connection) -> None:
    links = await fill(3)
    assert [link.record for link in links] == [record(number) for number in range(3)]
    assert await found([Head(link.seq, link.hash) for link in links]) == []
    assert await trail.head() == Head(3, links[2].hash)


async def test_before_the_first_record_there_is_no_head(database: asyncpg.Connection) -> None:
    assert await trail.head() is None


async def test_several_writers_make_one_chain(database: asyncpg.Connection) -> None:
    writers = [Trail() for _ in range(WRITERS)]
    await asyncio.gather(
        *(
            writer.keep(record(number)._replace(subject=f"w{index}"))
            for index, writer in enumerate(writers)
            for number in range(EACH)
        )
    )
    links = await kept()
    assert [link.seq for link in links] == list(range(1, WRITERS * EACH + 1))
    assert await found() == []
    for index in range(WRITERS):
        own = [link.record.target for link in links if link.record.subject == f"w{index}"]
        assert own == [record(number).target for number in range(EACH)]


async def test_a_chain_longer_than_a_page_is_read_whole(database: asyncpg.Connection) -> None:
    links = await fill(5)
    pages = [page async for page in trail.links(page_size=2)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [link for page in pages for link in page] == links


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET subject = 'bob' WHERE seq = 2",
        "DELETE FROM audit_record WHERE seq = 2",
        "TRUNCATE audit_record",
    ],
)
async def test_the_table_refuses_to_change_or_forget(
    database: asyncpg.Connection, statement: str
) -> None:
    await fill(3)
    with pytest.raises(asyncpg.PostgresError, match="not changed and not deleted"):
        await database.execute(statement)
    assert await found() == []
    assert len(await kept()) == 3


FORGERIES = {
    "UPDATE audit_record SET subject = 'bob' WHERE seq = 2": Finding(Fault.CHANGED, 2, 2),
    "UPDATE audit_record SET after = NULL WHERE seq = 2": Finding(Fault.CHANGED, 2, 2),
    "UPDATE audit_record SET at = at + interval '1us' WHERE seq = 2": Finding(Fault.CHANGED, 2, 2),
    "DELETE FROM audit_record WHERE seq = 2": Finding(Fault.MISSING, 2, 2),
    "DELETE FROM audit_record WHERE seq = 4": Finding(Fault.MISSING, 4, 4),
    "UPDATE audit_record SET seq = seq + 10 WHERE seq = 4": Finding(Fault.MISSING, 4, 13),
}


@pytest.mark.parametrize("statement", FORGERIES)
async def test_who_owns_the_database_is_found_out(
    database: asyncpg.Connection, statement: str
) -> None:
    links = await fill(4)
    await database.execute(f"{UNGUARD}; {statement}; {GUARD}")
    assert FORGERIES[statement] in await found([Head(4, links[3].hash)])


async def test_a_record_that_cannot_be_kept_fails_alone_and_leaves_no_gap(
    database: asyncpg.Connection,
) -> None:
    ours = Trail()
    records = [record(1), record(2)._replace(act="x" * 65), record(3)]
    answers = await asyncio.gather(*map(ours.keep, records), return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None), Outage, type(None)]
    assert [link.record for link in await kept()] == [records[0], records[2]]
    assert await found() == []
