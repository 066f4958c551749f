"""An answer leaves after PostgreSQL has flushed its commit to the disk: whatever loses power then
loses nothing that was answered. Witnesses: the database's own log, and the kernel."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from domain.commands import CellKey
from infra.database import OWNER_SETTINGS, close_database, open_database, raw_connection
from infra.embedded.postgres import BINARIES
from tests.integration.books import books_of
from tests.integration.caller import Caller, is_held, new_code, new_id
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(300)
ORDERS = 20
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SET = "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])"
INSERTED = "SELECT pg_current_wal_insert_lsn()::text"
FLUSHED = "SELECT pg_current_wal_flush_lsn()::text"
WRITER = "SELECT xmin::text FROM hold WHERE reservation_id = $1"
APPENDS = """
SELECT pid FROM pg_stat_activity WHERE query LIKE 'WITH %moved AS%' AND pid <> pg_backend_pid()
ORDER BY query_start DESC LIMIT 1
"""
RECORD = re.compile(r"len \(rec/tot\):\s*\d+/\s*(\d+), tx:.*lsn: ([0-9A-F]+/[0-9A-F]+),.*COMMIT")
CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(fdatasync|sendto)\b.*= \d+$")
TRACED = "attached"


async def settings_of(connection: asyncpg.Connection) -> dict[str, str]:
    return {row["name"]: row["setting"] for row in await connection.fetch(SET, list(DURABLE))}


async def test_the_server_and_the_connection_that_appends_wait_for_the_disk(shop: Whole) -> None:
    await open_database(shop.settings.database_url, 1, OWNER_SETTINGS)
    try:
        async with raw_connection() as connection:
            assert await settings_of(connection) == DURABLE
    finally:
        await close_database()


async def test_the_commit_of_each_answer_was_flushed_when_it_came(shop: Whole) -> None:
    """Where its commit record lies is read from the log itself."""
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller, books_of(shop) as books:
        await caller.furnish({key: ORDERS})
        for _ in range(ORDERS):
            id = new_id()
            begin = await books.connection.fetchval(INSERTED)
            assert is_held(await caller.reserve(id, (*key, 1)))
            flushed = await books.connection.fetchval(FLUSHED)
            writer = await books.connection.fetchval(WRITER, UUID(id))
            end = await asyncio.to_thread(end_of_commit, shop, begin, flushed, writer)
            assert end <= place(flushed)


def end_of_commit(shop: Whole, begin: str, flushed: str, writer: str) -> int:
    """Of the transaction with this id; its record begins before what is flushed, or there is
    none."""
    log = shop.home / "postgres" / "data" / "pg_wal"
    told = subprocess.run(
        [BINARIES / "pg_waldump", "-p", log, "-s", begin, "-e", flushed, "-x", writer],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [RECORD.search(line) for line in told.stdout.splitlines()]
    commits = [match for match in found if match]
    assert len(commits) == 1, f"{told.stdout}{told.stderr}: no commit before {flushed}"
    return place(commits[0][2]) + int(commits[0][1])


def place(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


async def test_the_kernel_is_asked_to_sync_before_each_answer_goes_out(
    shop: Whole, tmp_path: Path
) -> None:
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller, books_of(shop) as books:
        await caller.furnish({key: ORDERS + 1})
        assert is_held(await caller.reserve(new_id(), (*key, 1)))
        backend = await books.connection.fetchval(APPENDS)
        with traced(shop, tmp_path / "calls") as calls:
            for _ in range(ORDERS):
                assert is_held(await caller.reserve(new_id(), (*key, 1)))
    done = [match for line in calls.read_text().splitlines() if (match := CALL.match(line))]
    answers = 0
    is_synced = False
    for pid, name in (match.groups() for match in done):
        if name == "fdatasync":
            is_synced = True
        elif int(pid) == backend:
            assert is_synced, f"answer {answers} left before the log was synced"
            answers += 1
            is_synced = False
    assert answers >= ORDERS


@contextmanager
def traced(shop: Whole, calls: Path) -> Iterator[Path]:
    """What PostgreSQL's processes ask of the kernel, in the order in which it was done."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: what the kernel was asked is not seen here")
    server = shop.server("postgres")
    pids = [server.pid, *(child.pid for child in server.children())]
    named = [part for pid in pids for part in ("-p", str(pid))]
    argv = [strace, "-f", "-e", "trace=fdatasync,sendto", "-o", str(calls), *named]
    tracer = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    try:
        for _ in pids:
            said = tracer.stderr.readline()
            if TRACED not in said:
                pytest.skip(f"strace may not look here: {said.strip()}")
        yield calls
    finally:
        tracer.terminate()
        tracer.communicate()
