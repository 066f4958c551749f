"""The servers of a run: PostgreSQL and Ray with its owners, in a temporary home, ended by id.

PostgreSQL runs as the product runs it, fsync on. Rivals get a copy of the migrated database on the
same server: the same tables, indexes and settings.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import getpid
from pathlib import Path

import asyncpg
import uvloop

from actors import cluster, owners
from actors.head import Head
from benchmarks.load import Roles, children_of
from domain.commands import CellKey
from infra.database import migrate
from infra.embedded.places import Places, prepare
from infra.embedded.postgres import Postgres
from infra.settings import Settings

WAREHOUSE = "BENCH"
LOG_FILES = 64
"""Of 16 MB: PostgreSQL's `min_wal_size`."""
HOME_MODE = 0o711
"""PostgreSQL may run as another user than the benchmark does."""


@dataclass(slots=True)
class Ground:
    settings: Settings
    postmaster: int
    owners: list[int]

    @property
    def rival_url(self) -> str:
        return self.settings.database_url.replace("/onhand?", "/rival?")

    def fresh_owners(self) -> None:
        """Owners that remember nothing, so that no round pays for the one before it."""
        owners.drain()
        self.owners = owners.start(self.settings)

    def roles(self, hot: int | None = None) -> Roles:
        """Who is at work: this process, PostgreSQL, and the owner of the hot cell."""
        backends = [child.pid for child in children_of(self.postmaster)]
        roles = {"client": [getpid()], "postgres": backends}
        return roles if hot is None else roles | {"owner": [self.owners[hot]]}


@contextmanager
def ground() -> Iterator[Ground]:
    with temporary_home() as home:
        places = prepare(home)
        settings = Settings.load({"ONHAND_HOME": str(home)})
        with postgres(places) as (url, postmaster):
            settings = replace(settings, database_url=url)
            uvloop.run(prepare_database(url))
            with ray(places, settings) as settings:
                yield Ground(settings, postmaster, owners.start(settings))
                owners.drain()


@contextmanager
def temporary_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="onhand-bench-") as folder:
        home = Path(folder)
        home.chmod(HOME_MODE)
        yield home


@contextmanager
def postgres(places: Places) -> Iterator[tuple[str, int]]:
    server = Postgres(places)
    try:
        url = server.start()
        assert server.child is not None
        yield url, server.child.popen.pid
    finally:
        server.stop()


@contextmanager
def ray(places: Places, settings: Settings) -> Iterator[Settings]:
    head = Head(places, settings.owners)
    try:
        settings = replace(settings, ray_address=head.start())
        cluster.connect(settings)
        yield settings
    finally:
        cluster.disconnect()
        head.stop()


async def prepare_database(url: str) -> None:
    await migrate(url)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO warehouse (code, name, region, priority, is_active)"
            " VALUES ($1, $1, 'X', 100, true)",
            WAREHOUSE,
        )
        await connection.execute("CREATE DATABASE rival TEMPLATE onhand")
        await use_log(connection)
    finally:
        await connection.close()


async def use_log(connection: asyncpg.Connection) -> None:
    """As of a server that has run for a while: no file of the log has to be made any more."""
    for _ in range(LOG_FILES):
        await connection.execute("SELECT pg_logical_emit_message(false, '', '')")
        await connection.execute("SELECT pg_switch_wal()")
    await connection.execute("CHECKPOINT")


async def new_cell(url: str, code: str, units: int = 0) -> tuple[CellKey, int]:
    """A cell of a new SKU that holds `units` out of nowhere; its key and id."""
    connection = await asyncpg.connect(url)
    try:
        cell: int = await connection.fetchval(
            "WITH made AS (INSERT INTO sku (code, name, is_active) VALUES ($1, $1, true)"
            " RETURNING id) INSERT INTO cell (sku_id, warehouse_id, available, version, seq,"
            " floor, reserved, quarantined, damaged, as_of)"
            " SELECT made.id, w.id, $2, 0, 0, 0, 0, 0, 0, now()"
            " FROM made, warehouse w WHERE w.code = $3 RETURNING id",
            code,
            units,
            WAREHOUSE,
        )
    finally:
        await connection.close()
    return CellKey(code, WAREHOUSE), cell
