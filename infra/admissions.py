"""The waiting rooms of flash sales in PostgreSQL: the highest place given and who was let in.

What is here outlives Redis: no place is answered, and nobody is shown as let in, before it is here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.waiting_room import Admission, Standing
from infra.database import raw_connection

SKEW = timedelta(seconds=5)
"""Clocks of owners and of API processes are believed to differ by less."""
ROOM = """
SELECT s.opens_at, s.closes_at, s.closed_at, s.state, s.waiting_room, s.admitted_per_second,
  s.ttl_seconds,
  q.epoch, q.admitted_upto, q.is_sold_out
FROM flash_sale s LEFT JOIN flash_sale_queue q ON q.sale_id = s.id WHERE s.id = $1
"""
ADMISSIONS = """
SELECT min(place) AS first, max(place) AS upto, at FROM flash_sale_admission
WHERE sale_id = $1 AND place > $2 AND at > $3 GROUP BY at ORDER BY upto
"""
BEGIN = """
INSERT INTO flash_sale_queue (sale_id, epoch, admitted_upto, highest_place, is_sold_out)
VALUES ($1, 1, 0, 0, false)
ON CONFLICT (sale_id) DO UPDATE SET epoch = flash_sale_queue.epoch + 1
RETURNING epoch, highest_place
"""
MARK = "SELECT epoch, highest_place FROM flash_sale_queue WHERE sale_id = $1"
RAISE = """
UPDATE flash_sale_queue SET highest_place = greatest(highest_place, $3)
WHERE sale_id = $1 AND epoch = $2 RETURNING 1
"""
STANDING = """
SELECT q.admitted_upto, q.highest_place, q.is_sold_out, q.paced_at,
  (SELECT coalesce(sum((c.pools->>$2::text)::int), 0)::int FROM cell c
   JOIN sku s ON s.id = c.sku_id WHERE s.code = ANY($3::text[])) AS left_units,
  (SELECT count(*)::int FROM hold h WHERE h.pool = $2 AND h.state = 0) AS unpaid,
  (SELECT count(*)::int FROM flash_sale_admission a WHERE a.sale_id = $1 AND a.at > $4
   AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.pool = $2 AND h.customer = a.customer
                   AND h.created_at >= a.at - $5::interval)) AS pending
FROM flash_sale_queue q WHERE q.sale_id = $1
"""
ADMIT = """
WITH moved AS (
  UPDATE flash_sale_queue SET admitted_upto = $3, paced_at = $4, is_sold_out = $5
  WHERE sale_id = $1 AND admitted_upto = $2 RETURNING sale_id
)
INSERT INTO flash_sale_admission (sale_id, place, customer, at)
SELECT moved.sale_id, x.place, x.customer, $8
FROM moved, unnest($6::int[], $7::text[]) AS x (place, customer)
"""
NAME = """
UPDATE flash_sale_admission a SET customer = x.customer
FROM unnest($2::int[], $3::text[]) AS x (place, customer)
WHERE a.sale_id = $1 AND a.place = x.place AND a.customer IS NULL
"""


class SaleRow(NamedTuple):
    """A sale as its waiting room sees it; `epoch` is None while nobody has joined."""

    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    state: str
    waiting_room: bool
    admitted_per_second: int
    ttl_seconds: int
    epoch: int | None
    admitted_upto: int | None
    is_sold_out: bool | None


class Mark(NamedTuple):
    """The epoch of the queue, and the highest place that was answered."""

    epoch: int
    highest_place: int


class Progress(NamedTuple):
    """What the next admission is decided on."""

    standing: Standing
    was_sold_out: bool
    paced_at: datetime | None


class Admitted(NamedTuple):
    """The next state of a room that had let in `before` places, and who is let in now."""

    before: int
    upto: int
    paced_at: datetime
    is_sold_out: bool
    customers: Sequence[str | None]
    at: datetime


class Admissions:
    """Raises what asyncpg raises."""

    async def sale(self, sale_id: UUID) -> SaleRow | None:
        rows = await rows_of(ROOM, sale_id)
        return SaleRow(*rows[0]) if rows else None

    async def admissions(self, sale_id: UUID, after: int, since: datetime) -> list[Admission]:
        """Those of places above `after`, made after `since`, oldest first."""
        return [Admission(*row) for row in await rows_of(ADMISSIONS, sale_id, after, since)]

    async def begin(self, sale_id: UUID) -> Mark:
        """The next epoch: places of the one before can no longer be answered."""
        return Mark(*(await rows_of(BEGIN, sale_id))[0])

    async def mark(self, sale_id: UUID) -> Mark | None:
        rows = await rows_of(MARK, sale_id)
        return Mark(*rows[0]) if rows else None

    async def raise_highest(self, sale_id: UUID, epoch: int, place: int) -> bool:
        """Whether the place may be answered: False if another epoch has begun."""
        return bool(await rows_of(RAISE, sale_id, epoch, place))

    async def progress(
        self, sale_id: UUID, pool: str, skus: Sequence[str], since: datetime
    ) -> Progress | None:
        """Who was let in after `since` may still buy. None: nobody has joined."""
        asked = (sale_id, pool, list(skus), since, SKEW)
        rows = await rows_of(STANDING, *asked)
        if not rows:
            return None
        upto, highest, was_sold_out, paced_at, left, unpaid, pending = rows[0]
        return Progress(Standing(upto, highest, left, unpaid, pending), was_sold_out, paced_at)

    async def admit(self, sale_id: UUID, done: Admitted) -> None:
        """Nothing happens if another has let in somebody since."""
        before, upto, paced_at, is_sold_out, customers, at = done
        places = list(range(before + 1, upto + 1))
        asked = (sale_id, before, upto, paced_at, is_sold_out, places, list(customers), at)
        await rows_of(ADMIT, *asked)

    async def name(self, sale_id: UUID, places: Mapping[str, int]) -> None:
        """Tells the customers of places that were let in while Redis had forgotten them."""
        await rows_of(NAME, sale_id, list(places.values()), list(places))


async def rows_of(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    async with raw_connection() as raw:
        return [tuple(row) for row in await raw.fetch(statement, *values)]
