"""The books: does everything that knows about stock tell the same story?

Per cell: the fold of the ledger, the stored balance, the open holds, the owner's memory and the
read model. Per SKU: what came in equals what is on hand plus what went out. Reads in pages of
cells, so the size of the ledger does not matter for memory.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.client import StockClient
from domain.ledger import MOVEMENTS, OUTSIDE, TRACKED, Bucket, Kind
from infra.cache import Cache
from infra.database import connection
from infra.levels import CellLevel, decode_levels
from infra.models import Cell

CELLS_PER_PAGE = 2_000
DIFFERENCES_LIMIT = 1_000
"""Differences kept for showing; all are counted."""
SETTLE_SECONDS = 30.0
"""How long to wait for the relay to tell everything that is committed."""
SHOWN = ("available", "reserved", "quarantined", "damaged", "pooled")
RECHECKS = 3
RECHECK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Difference:
    check: str
    sku: str
    warehouse: str
    expected: str
    actual: str


@dataclass(slots=True)
class Books:
    """What was checked, and what did not agree."""

    cells: int = 0
    entries: int = 0
    units_in: int = 0
    units_out: int = 0
    on_hand: int = 0
    resident: int = 0
    cached: int = 0
    count: int = 0
    differences: list[Difference] = field(default_factory=list)

    def differ(self, check: str, sku: str, warehouse: str, expected: Any, actual: Any) -> None:
        self.count += 1
        if len(self.differences) < DIFFERENCES_LIMIT:
            found = Difference(check, sku, warehouse, str(expected), str(actual))
            self.differences.append(found)


MOVEMENT_ROWS = ", ".join(f"({m.code}, '{m.kind}', '{m.source}', '{m.target}')" for m in MOVEMENTS)
OUTSIDE_LIST = ", ".join(f"'{bucket}'" for bucket in OUTSIDE)
OPEN_IN = f"target = '{Bucket.AVAILABLE}' AND (pool IS NULL OR kind = '{Kind.UNALLOT}')"
OPEN_OUT = f"source = '{Bucket.AVAILABLE}' AND (pool IS NULL OR kind = '{Kind.ALLOT}')"


def net(bucket: Bucket) -> str:
    return (
        f"coalesce(sum(quantity) FILTER (WHERE target = '{bucket}'), 0)"
        f" - coalesce(sum(quantity) FILTER (WHERE source = '{bucket}'), 0) AS {bucket}"
    )


PAGE = f"""
WITH cells AS (
  SELECT c.*, s.code AS sku, w.code AS warehouse,
    coalesce((SELECT sum(p.value::int) FROM jsonb_each_text(c.pools) p), 0) AS pooled
  FROM cell c JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
  WHERE c.id > $1 ORDER BY c.id LIMIT $2
), moved AS (
  SELECT e.cell_id, e.seq, e.quantity, e.pool, m.kind, m.source, m.target
  FROM entry e JOIN (VALUES {MOVEMENT_ROWS}) AS m (code, kind, source, target)
    ON m.code = e.movement
  WHERE e.cell_id IN (SELECT id FROM cells)
), folded AS (
  SELECT cell_id, count(*) AS entries, max(seq) AS last,
    coalesce(sum(quantity) FILTER (WHERE {OPEN_IN}), 0)
      - coalesce(sum(quantity) FILTER (WHERE {OPEN_OUT}), 0) AS open,
    {", ".join(net(bucket) for bucket in TRACKED)},
    coalesce(sum(quantity) FILTER (WHERE source IN ({OUTSIDE_LIST})), 0) AS units_in,
    coalesce(sum(quantity) FILTER (WHERE target IN ({OUTSIDE_LIST})), 0) AS units_out
  FROM moved GROUP BY cell_id
), held AS (
  SELECT cell_id, sum(quantity - deducted) AS units FROM hold
  WHERE state <= 1 AND cell_id IN (SELECT id FROM cells) GROUP BY cell_id
)
SELECT c.id, c.sku, c.warehouse, c.available, c.reserved, c.quarantined, c.damaged,
  c.pooled::int AS pooled, c.seq, c.as_of,
  coalesce(f.entries, 0) AS entries, coalesce(f.last, 0) AS last, coalesce(f.open, 0) AS f_open,
  coalesce(f.available - f.open, 0) AS f_pooled, coalesce(f.reserved, 0) AS f_reserved,
  coalesce(f.quarantined, 0) AS f_quarantined, coalesce(f.damaged, 0) AS f_damaged,
  coalesce(f.units_in, 0) AS units_in, coalesce(f.units_out, 0) AS units_out,
  coalesce(h.units, 0) AS held
FROM cells c LEFT JOIN folded f ON f.cell_id = c.id LEFT JOIN held h ON h.cell_id = c.id
ORDER BY c.id
"""
LEVELS = """
SELECT c.id, s.code, w.code, c.available, c.reserved, c.quarantined, c.damaged,
  coalesce((SELECT sum(p.value::int) FROM jsonb_each_text(c.pools) p), 0)::int, c.seq, c.as_of
FROM cell c JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
WHERE c.id = ANY($1::int[])
"""


async def audit(
    stock: StockClient, cache: Cache, progress: Callable[[int, int], object] = lambda *_: None
) -> Books:
    """Checks all cells. `progress` is told how many of how many. Raises Outage or CacheDown when a
    witness cannot be heard."""
    books = Books()
    cells = await Cell.all().count()
    flows: dict[str, list[int]] = {}
    written: set[int] = set()
    async for row in stored_cells():
        books.cells += 1
        if row["seq"]:
            written.add(row["id"])
        check_cell(books, row)
        flow = flows.setdefault(row["sku"], [0, 0, 0])
        flow[0] += int(row["units_in"])
        flow[1] += int(row["units_out"])
        flow[2] += on_hand(row)
        if books.cells % CELLS_PER_PAGE == 0:
            progress(books.cells, max(books.cells, cells))
    progress(books.cells, books.cells)
    for sku, (units_in, units_out, held) in flows.items():
        books.units_in += units_in
        books.units_out += units_out
        books.on_hand += held
        if units_in != units_out + held:
            books.differ("flow", sku, "", f"{units_in} in", f"{held} on hand, {units_out} out")
    await told()
    await check_owners(books, stock)
    await check_cache(books, cache, written)
    return books


async def stored_cells() -> AsyncIterator[Any]:
    last = 0
    while True:
        rows = (await connection().execute_query(PAGE, [last, CELLS_PER_PAGE]))[1]
        for row in rows:
            yield row
        if len(rows) < CELLS_PER_PAGE:
            return
        last = rows[-1]["id"]


def check_cell(books: Books, row: Any) -> None:
    books.entries += row["entries"]
    stored = [row[name] for name in SHOWN]
    folded = [
        int(row[name])
        for name in ("f_open", "f_reserved", "f_quarantined", "f_damaged", "f_pooled")
    ]
    place = (row["sku"], row["warehouse"])
    if stored != folded:
        books.differ("ledger and balance", *place, buckets(folded), buckets(stored))
    if not row["entries"] == row["last"] == row["seq"]:
        books.differ("sequence", *place, f"{row['entries']} entries to {row['last']}", row["seq"])
    if int(row["held"]) != row["reserved"]:
        books.differ("holds and reserved", *place, int(row["held"]), row["reserved"])


def buckets(units: Sequence[int]) -> str:
    return ", ".join(f"{number} {name}" for number, name in zip(units, SHOWN, strict=True))


def on_hand(row: Any) -> int:
    units: int = row["available"] + row["reserved"] + row["quarantined"] + row["damaged"]
    return units + int(row["pooled"])


async def told() -> None:
    """Waits until the relay has told everything, or long enough to call it a difference."""
    give_up = asyncio.get_running_loop().time() + SETTLE_SECONDS
    while asyncio.get_running_loop().time() < give_up:
        if not (await connection().execute_query("SELECT 1 FROM outbox LIMIT 1", []))[1]:
            return
        await asyncio.sleep(RECHECK_SECONDS)


async def check_owners(books: Books, stock: StockClient) -> None:
    levels = [level for page in await stock.resident() for level in decode_levels(page)]
    books.resident = len(levels)

    async def again(cells: set[int]) -> list[CellLevel]:
        pages = await stock.resident()
        return [x for page in pages for x in decode_levels(page) if x.cell_id in cells]

    await compare(books, "owner's memory", levels, again)


async def check_cache(books: Books, cache: Cache, written: set[int]) -> None:
    async def again(cells: set[int]) -> list[CellLevel]:
        keys = [(level.sku, level.warehouse) for level in (await stored_levels(cells)).values()]
        return [level for level in await cache.levels(keys) if level is not None]

    seen: set[int] = set()
    async for page in cache.scan_levels():
        fresh = [level for level in page if level.cell_id not in seen]
        seen |= {level.cell_id for level in fresh}
        await compare(books, "read model", fresh, again)
    books.cached = len(seen)
    for level in (await stored_levels(written - seen)).values():
        books.differ("read model", level.sku, level.warehouse, in_words(level), in_words(None))


async def compare(books: Books, check: str, levels: list[CellLevel], again: Any) -> None:
    """Against the stored balances. What differs is read again: stock moves while we look."""
    different = await differing(levels)
    for _ in range(RECHECKS):
        if not different:
            return
        await asyncio.sleep(RECHECK_SECONDS)
        different = await differing(await again({level.cell_id for level, _ in different}))
    for level, stored in different:
        books.differ(check, level.sku, level.warehouse, in_words(stored), in_words(level))


def in_words(level: CellLevel | None) -> str:
    if level is None:
        return "nothing"
    return f"{buckets([getattr(level, name) for name in SHOWN])}, seq {level.seq}"


async def differing(levels: list[CellLevel]) -> list[tuple[CellLevel, CellLevel | None]]:
    stored = await stored_levels({level.cell_id for level in levels})
    bare = [level._replace(pools=None) for level in levels]
    return [
        (level, stored.get(level.cell_id))
        for level in bare
        if level != stored.get(level.cell_id) and (level.seq or stored.get(level.cell_id) is None)
    ]


async def stored_levels(cells: set[int]) -> dict[int, CellLevel]:
    rows = (await connection().execute_query(LEVELS, [list(cells)]))[1]
    return {row[0]: CellLevel(*tuple(row)) for row in map(tuple, rows)}
