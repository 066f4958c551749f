"""Real servers in a folder of their own, with migrated tables and a few cells, for tests of what
comes after the commit."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from infra.database import migrate
from infra.embedded.nats import Nats
from infra.embedded.places import prepare
from infra.embedded.postgres import Postgres
from infra.embedded.redis import Redis
from infra.levels import CellLevel, encode_levels
from infra.settings import Settings
from tests.infra.fakes import NOON

CELLS = 20
FILL = """
INSERT INTO sku (code, name, category, is_active)
  SELECT 'S' || n, 'Thing ' || n, CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END, true
  FROM generate_series(1, $1) n;
"""
WAREHOUSE = """
INSERT INTO warehouse (code, name, region, priority, is_active) VALUES ('W', 'West', 'EU', 1, true)
"""
MAKE_CELLS = """
INSERT INTO cell (id, sku_id, warehouse_id, version, seq, floor, available, reserved, quarantined,
  damaged, as_of)
SELECT s.id, s.id, w.id, 0, 0, 0, 0, 0, 0, 0, $1 FROM sku s, warehouse w
"""
EMPTY = "TRUNCATE outbox, cell, sku, warehouse RESTART IDENTITY CASCADE"
CHANGE = """
UPDATE cell SET seq = x.seq, available = x.available
FROM unnest($1::int[], $2::int[], $3::int[]) AS x (id, seq, available) WHERE cell.id = x.id
"""
TELL = "INSERT INTO outbox (levels, made_at) VALUES ($1, clock_timestamp())"


@dataclass(frozen=True, slots=True)
class Servers:
    postgres: Postgres
    nats: Nats
    redis: Redis
    settings: Settings


@contextmanager
def servers(home: Path) -> Iterator[Servers]:
    places = prepare(home)
    started = Postgres(places), Nats(places), Redis(places)
    try:
        urls = [server.start() for server in started]
        names = ("ONHAND_DATABASE_URL", "ONHAND_NATS_URL", "ONHAND_REDIS_URL")
        environ = dict(zip(names, urls, strict=True)) | {"ONHAND_HOME": str(home)}
        yield Servers(*started, Settings.load(environ))
    finally:
        for server in started:
            server.stop()


async def furnish(settings: Settings) -> asyncpg.Connection:
    """CELLS cells that nothing has happened in, and a connection to change them."""
    await migrate(settings.database_url)
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(EMPTY)
    await connection.execute(FILL, CELLS)
    await connection.execute(WAREHOUSE)
    await connection.execute(MAKE_CELLS, NOON)
    return connection


async def commit(connection: asyncpg.Connection, *levels: CellLevel) -> None:
    """What an owner's append does to cells and outbox."""
    ids, seqs, available = zip(
        *((item.cell_id, item.seq, item.available) for item in levels), strict=True
    )
    async with connection.transaction():
        await connection.execute(CHANGE, ids, seqs, available)
        await connection.execute(TELL, encode_levels(list(levels)))


@contextmanager
def relay_process(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.relay"],
            env={**os.environ, **settings.environ()},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
