"""Digests of the ledger's entries as they are taken, kept and looked at again: PostgreSQL hashes
where the entries lie. A stretch is kept in one transaction with the record that tells of it.
"""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from domain.digests import Stretch
from domain.trail import Link, Record
from infra import trail
from infra.database import connection

STRETCH_LIMIT = 10_000
"""Entries in one stretch."""
ENTRIES_LIMIT = 50_000
"""Entries hashed by one statement, or one stretch if that has more."""
CELLS_LIMIT = 1_000
PAGE = 50
"""Stretches that are looked at again by one statement."""
PROOFS_PAGE = 5_000

ENTRY = """json_build_array(e.seq, e.movement, e.quantity, e.pool, e.request_id, e.caller,
  e.reference, e.reason, e.lot, (extract(epoch FROM e.at) * 1000000)::bigint)::text"""
"""Every field of an entry, as text that can be read in one way only."""
HASH = f"""sha256(coalesce({{before}}, '\\x'::bytea)
  || convert_to(string_agg({ENTRY}, E'\\n' ORDER BY e.seq), 'UTF8'))"""
LAST = """
LEFT JOIN LATERAL (
  SELECT last_seq, hash FROM ledger_digest
  WHERE cell_id = c.id ORDER BY last_seq DESC LIMIT 1
) d ON true
"""
DUE = f"""
WITH due AS (
  SELECT c.id, coalesce(d.last_seq, 0) AS before, d.hash,
    least(c.seq - coalesce(d.last_seq, 0), $2) AS entries
  FROM cell c {LAST}
  WHERE c.id > $1 AND c.seq > coalesce(d.last_seq, 0) ORDER BY c.id LIMIT {CELLS_LIMIT}
), counted AS (SELECT *, sum(entries) OVER (ORDER BY id) AS upto FROM due)
SELECT id, before + 1 AS first_seq, before + entries AS last_seq, (
  SELECT {HASH.format(before="t.hash")} FROM entry e
  WHERE e.cell_id = t.id AND e.seq > before AND e.seq <= before + entries
  HAVING count(*) = t.entries
) AS hash FROM counted t WHERE upto <= {ENTRIES_LIMIT} OR upto = entries
ORDER BY id
"""
KEEP = """
INSERT INTO ledger_digest (cell_id, first_seq, last_seq, hash, record_seq)
SELECT *, $5::bigint FROM unnest($1::int[], $2::int[], $3::int[], $4::bytea[])
"""
PROOFS = f"""
SELECT record_seq, cell_id, first_seq, last_seq, hash FROM ledger_digest
WHERE (record_seq, cell_id) > ($1, $2) ORDER BY record_seq, cell_id LIMIT {PROOFS_PAGE}
"""
AGAIN = f"""
SELECT d.cell_id, d.first_seq, d.last_seq, d.hash, s.code, w.code, coalesce(p.last_seq, 0),
  f.entries, coalesce(f.hash, '\\x'::bytea)
FROM ledger_digest d
LEFT JOIN cell c ON c.id = d.cell_id
LEFT JOIN sku s ON s.id = c.sku_id LEFT JOIN warehouse w ON w.id = c.warehouse_id
LEFT JOIN LATERAL (
  SELECT last_seq, hash FROM ledger_digest
  WHERE cell_id = d.cell_id AND last_seq < d.last_seq ORDER BY last_seq DESC LIMIT 1
) p ON true
CROSS JOIN LATERAL (
  SELECT count(*)::int AS entries, {HASH.format(before="p.hash")} AS hash FROM entry e
  WHERE e.cell_id = d.cell_id AND e.seq BETWEEN d.first_seq AND d.last_seq
) f
WHERE (d.cell_id, d.last_seq) > ($1, $2) ORDER BY d.cell_id, d.last_seq LIMIT {PAGE}
"""
UNPROVED = f"SELECT coalesce(sum(c.seq - coalesce(d.last_seq, 0)), 0)::bigint FROM cell c {LAST}"


class Looked(NamedTuple):
    """A stretch beside what is there now. `before` is where the one before it ended."""

    stretch: Stretch
    sku: str
    warehouse: str
    before: int
    found: int
    again: bytes


class Taken(NamedTuple):
    """`upto` is the last cell that was looked at; None: there was nothing to take. Of a cell whose
    entries are not all there nothing is taken."""

    stretches: list[Stretch]
    upto: int | None


async def taken(after_cell: int, stretch_limit: int) -> Taken:
    """The entries behind the last stretch of each cell, some cells at a time."""
    _, rows = await connection().execute_query(DUE, [after_cell, stretch_limit])
    whole = [Stretch(*tuple(row)) for row in rows if row["hash"] is not None]
    return Taken(whole, rows[-1]["id"] if rows else None)


async def keep(stretches: Sequence[Stretch], record: Record) -> None:
    """All of them with the record, or none. Raises UniqueViolationError where somebody else has
    kept one of them."""
    await trail.append([record], partial(insert, stretches))


async def insert(stretches: Sequence[Stretch], raw: Any, links: Sequence[Link]) -> None:
    await raw.execute(KEEP, *map(list, zip(*stretches, strict=True)), links[0].seq)


async def proofs() -> AsyncIterator[list[tuple[int, Stretch]]]:
    """All stretches with the number of their record, in the order of records and cells."""
    after = (0, 0)
    while True:
        _, rows = await connection().execute_query(PROOFS, list(after))
        if not rows:
            return
        page = [(row[0], Stretch(*tuple(row)[1:])) for row in rows]
        yield page
        after = (page[-1][0], page[-1][1].cell)


async def looked_again() -> AsyncIterator[list[Looked]]:
    """All stretches beside what is there now, a cell's in their order."""
    after = (0, 0)
    while True:
        _, rows = await connection().execute_query(AGAIN, list(after))
        if not rows:
            return
        page = [Looked(Stretch(*tuple(row)[:4]), *tuple(row)[4:]) for row in rows]
        yield page
        after = (page[-1].stretch.cell, page[-1].stretch.last)


async def unproved() -> int:
    """Entries that no stretch has yet."""
    _, rows = await connection().execute_query(UNPROVED)
    entries: int = next(iter(rows[0]))
    return entries
