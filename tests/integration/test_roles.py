"""What the role of the shop may do in the database, and that the shop works as that role."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from infra.embedded.ledger_server import ROLE, LedgerServer
from infra.embedded.places import prepare
from infra.migrate import prepared
from infra.settings import Settings
from tests.integration.whole import Whole

FORBIDDEN = [
    "UPDATE entry SET quantity = 1",
    "DELETE FROM entry",
    "TRUNCATE entry",
    "UPDATE audit_record SET subject = 'nobody'",
    "DELETE FROM audit_record",
    "TRUNCATE audit_record",
    "UPDATE ledger_digest SET hash = ''",
    "DELETE FROM ledger_digest",
    "TRUNCATE ledger_digest",
    "DROP TABLE cell",
    "ALTER TABLE audit_record DISABLE TRIGGER ALL",
    "CREATE TABLE mine (id int)",
    "CREATE ROLE another",
    "COPY cell TO PROGRAM 'true'",
]
ALLOWED = [
    "SELECT count(*) FROM entry",
    "SELECT count(*) FROM audit_record",
    "UPDATE cell SET available = 0",
    "DELETE FROM outbox",
    "INSERT INTO warehouse (code, name, region, priority, is_active)"
    " VALUES ('W', 'W', 'EU', 1, true)",
]
OWNED = "SELECT count(*) FROM pg_tables WHERE tableowner = $1"
AT_WORK = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name LIKE 'onhand%'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerServer]:
    made = LedgerServer(prepare(tmp_path_factory.mktemp("home")))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def url(server: LedgerServer) -> str:
    given = {"ONHAND_DATABASE_URL": server.start(), "ONHAND_MIGRATION_URL": server.owner_url}
    for _ in range(2):
        asyncio.run(prepared(Settings.load(given)))
    return given["ONHAND_DATABASE_URL"]


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_role_of_the_shop_may_not(url: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(url, statement)


@pytest.mark.parametrize("statement", ALLOWED)
async def test_the_role_of_the_shop_may(url: str, statement: str) -> None:
    await run(url, statement)


async def test_it_owns_nothing(url: str) -> None:
    connection = await asyncpg.connect(url)
    assert await connection.fetchval(OWNED, ROLE) == 0
    await connection.close()


async def test_an_owner_who_is_no_superuser_migrates_and_gives_the_rights(
    url: str, server: LedgerServer
) -> None:
    await run(server.owner_url, "CREATE ROLE landlord LOGIN PASSWORD 'by-hand'")
    await run(server.owner_url, "CREATE DATABASE external OWNER landlord")
    there = url.replace("/onhand?", "/external?")
    landlord = there.replace(f"{ROLE}:{server.password}", "landlord:by-hand")
    given = {"ONHAND_DATABASE_URL": there, "ONHAND_MIGRATION_URL": landlord}
    await prepared(Settings.load(given))
    await run(there, ALLOWED[-1])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(there, FORBIDDEN[1])


async def test_a_whole_shop_works_as_that_role_and_knows_no_other(shop: Whole) -> None:
    connection = await asyncpg.connect(shop.settings.database_url)
    roles = {row[0] for row in await connection.fetch(AT_WORK)}
    await connection.close()
    assert roles == {ROLE}
    key = (shop.home / "postgres.key").read_text().strip()
    assert [part for part in shop.parts() if key in told(part)] == []


def told(part: psutil.Process) -> str:
    """Its arguments and its environment."""
    folder = Path(f"/proc/{part.pid}")
    try:
        return str([(folder / name).read_bytes() for name in ("cmdline", "environ")])
    except OSError:
        return ""
