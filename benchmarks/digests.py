"""What proving the ledger costs PostgreSQL: entries hashed as `services/ledger_digests.py` has it
done, beside the same entries read and added up only, in turns."""

from collections.abc import Callable
from time import perf_counter

from benchmarks.figures import Row, Section, at_least
from benchmarks.ground import WAREHOUSE, Ground
from benchmarks.load import spread
from infra import ledger_digests
from infra.database import close_database, connection, open_database
from services.ledger_digests import SHARE

EACH = 5_000
"""Entries of a cell."""
MICROSECONDS = 1_000_000
MAKE = """
WITH made AS (
  INSERT INTO sku (code, name, is_active)
  SELECT 'DIGEST-' || n, 'digested ' || n, true FROM generate_series(1, $1::int) n RETURNING id
), cells AS (
  INSERT INTO cell (sku_id, warehouse_id, available, version, seq, floor, reserved, quarantined,
    damaged, as_of)
  SELECT made.id, w.id, 0, 1, $2::int, 0, 0, 0, 0, now() FROM made, warehouse w WHERE w.code = $3
  RETURNING id
)
INSERT INTO entry (cell_id, seq, movement, quantity, request_id, caller, reference, at)
SELECT c.id, n, 2, 1, gen_random_uuid(), 'key:' || gen_random_uuid(), 'order ' || n, now()
FROM cells c, generate_series(1, $2::int) n
"""
READ = """
SELECT sum(e.quantity) FROM entry e
WHERE e.cell_id = ANY($1::int[]) AND e.seq <= $2
"""


async def section(
    made: Ground, rounds: int, cells: int, about: dict[str, str], say: Callable[[str], None]
) -> Section:
    say("digests of the ledger")
    await open_database(made.settings.database_url, 2)
    try:
        await connection().execute_query(MAKE, [cells, EACH, WAREHOUSE])
        await connection().execute_query("ANALYZE entry, cell")
        hashed, read = [], []
        for _ in range(rounds):
            began = perf_counter()
            stretches, _upto = await ledger_digests.taken(0, EACH)
            hashed.append((perf_counter() - began) / len(stretches) / EACH * MICROSECONDS)
            began = perf_counter()
            await connection().execute_query(READ, [[one.cell for one in stretches], EACH])
            read.append((perf_counter() - began) / len(stretches) / EACH * MICROSECONDS)
    finally:
        await close_database()
    rows = [
        Row("hashed", None, spread(hashed), "µs per entry"),
        Row("read and added up", None, spread(read), "µs per entry"),
        Row(
            "kept up with at its share of a core",
            None,
            spread([MICROSECONDS / one / (SHARE + 1) for one in hashed]),
            "entries/s",
        ),
    ]
    kept_up = rows[-1].result.median
    floors = [at_least("entries proved at a twentieth of a core", kept_up, 10_000, "per s")]
    remarks = [f"{rounds} rounds, {EACH:,} entries a cell, {cells} cells"]
    return Section("Digests of the ledger", about, remarks, rows, floors)
