"""What a resident cell weighs: cells loaded by the owner's own code into the owner's own host, in a
fresh process, once to see the process grow and once to count what Python allocated.

`python -m benchmarks.memory CELLS rss|traced` is that process; the URL comes on its stdin.
"""

import asyncio
import gc
import json
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg
import psutil
import uvloop

from actors.host import Host
from benchmarks.ground import WAREHOUSE, Ground
from domain.cell import Cell
from domain.commands import CellKey
from infra.cells import load_cells

PAGE = 1_000
PATIENCE_SECONDS = 300.0
CODE = "RESIDENT-"
MAKE = """
WITH made AS (
  INSERT INTO sku (code, name, is_active)
  SELECT $1 || n, 'resident ' || n, true FROM generate_series(1, $2::int) n RETURNING id
)
INSERT INTO cell (sku_id, warehouse_id, available, version, seq, floor, reserved, quarantined,
  damaged, as_of)
SELECT made.id, w.id, 100, 1, 1, 0, 0, 0, 0, now() FROM made, warehouse w WHERE w.code = $3
"""
HOLD = """
INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, seq,
  available_after, caller, created_at)
SELECT gen_random_uuid(), c.id, 1, 0, 0, now() + interval '1 hour', 1, 99, 'bench', now()
FROM cell c JOIN sku s ON s.id = c.sku_id WHERE starts_with(s.code, $1)
"""


class Weight(NamedTuple):
    """Bytes per cell: by how much the process grew, and what Python allocated."""

    resident: float
    allocated: float


def weigh(ground: Ground, cells: int) -> dict[str, Weight]:
    """Of a cell that nobody holds anything of, and of one with an open hold."""
    url = ground.settings.database_url
    uvloop.run(execute(url, MAKE, CODE, cells, WAREHOUSE))
    bare = Weight(grown(url, cells, "rss"), grown(url, cells, "traced"))
    uvloop.run(execute(url, HOLD, CODE))
    held = Weight(grown(url, cells, "rss"), grown(url, cells, "traced"))
    return {"a cell": bare, "a cell with one open hold": held}


async def execute(url: str, sql: str, *arguments: object) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql, *arguments)
    finally:
        await connection.close()


def grown(url: str, cells: int, how: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", str(cells), how],
        input=url,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    return float(json.loads(done.stdout)) / cells


async def fill(url: str, cells: int, how: str) -> int:
    """The bytes by which this process grew when the cells became resident."""
    connection = await asyncpg.connect(url)
    host = Host()
    await load(connection, host, range(1, PAGE + 1))
    host.forget([cell.key for cell in list(host.cells())])
    gc.collect()
    if how == "traced":
        tracemalloc.start()
    before = size(how)
    for first in range(1, cells + 1, PAGE):
        await load(connection, host, range(first, min(first + PAGE, cells + 1)))
    gc.collect()
    after = size(how)
    assert len(host) == cells
    await connection.close()
    return after - before


async def load(connection: asyncpg.Connection, host: Host, numbers: range) -> None:
    keys = [CellKey(f"{CODE}{number}", WAREHOUSE) for number in numbers]
    loaded = await load_cells(connection, keys, datetime.now(UTC))
    for cell in loaded.values():
        assert isinstance(cell, Cell)
        host.put(cell)


def size(how: str) -> int:
    if how == "traced":
        return tracemalloc.get_traced_memory()[0]
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    asked = sys.stdin.read().strip(), int(sys.argv[1]), sys.argv[2]
    sys.stdout.write(json.dumps(asyncio.run(fill(*asked))))
