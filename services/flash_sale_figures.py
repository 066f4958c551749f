"""What became of a flash sale's units, counted from the holds and the pools as they are stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.flash_sales import PREFIX
from domain.states import ReservationState
from infra.database import connection
from infra.ledger import STATE_CODE

HELD, CONFIRMED, DEDUCTED = (
    STATE_CODE[state]
    for state in (ReservationState.HELD, ReservationState.CONFIRMED, ReservationState.DEDUCTED)
)
LATELY = timedelta(seconds=2)
FIGURES = f"""
SELECT s.id, s.allotted, s.in_pools, h.held, h.sold, h.unpaid, h.paid, h.lately
FROM (
  SELECT f.sale_id AS id, sum(f.units)::int AS allotted,
    coalesce(sum((c.pools->>('{PREFIX}' || f.sale_id))::int), 0)::int AS in_pools
  FROM flash_sale_cell f JOIN sku k ON k.code = f.sku JOIN warehouse w ON w.code = f.warehouse
  LEFT JOIN cell c ON c.sku_id = k.id AND c.warehouse_id = w.id
  WHERE f.sale_id = ANY($1::uuid[]) GROUP BY f.sale_id
) s CROSS JOIN LATERAL (
  SELECT coalesce(sum(quantity - deducted) FILTER (WHERE state = {HELD}), 0)::int AS held,
    coalesce(sum(CASE WHEN state IN ({CONFIRMED}, {DEDUCTED}) THEN quantity ELSE deducted END),
      0)::int AS sold,
    count(*) FILTER (WHERE state = {HELD}) AS unpaid,
    count(*) FILTER (WHERE state = {CONFIRMED}) AS paid,
    count(DISTINCT reservation_id) FILTER (WHERE created_at > $2) AS lately
  FROM hold WHERE pool = '{PREFIX}' || s.id
) h
"""
REFUSALS = "SELECT code, times FROM flash_sale_refusal WHERE sale_id = $1 ORDER BY code"
COUNT_REFUSALS = """
INSERT INTO flash_sale_refusal (sale_id, code, times)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])
ON CONFLICT (sale_id, code) DO UPDATE SET times = flash_sale_refusal.times + excluded.times
"""


class Figures(NamedTuple):
    """Units, but for `unpaid` and `paid`, holds that may still come back, and `lately`, the
    reservations of the last two seconds. `left` lies in the sale's pools."""

    allotted: int
    left: int
    held: int
    sold: int
    unpaid: int
    paid: int
    lately: int


NOTHING = Figures(0, 0, 0, 0, 0, 0, 0)


class RefusedFor(NamedTuple):
    code: str
    times: int


async def figures_of(sales: Sequence[UUID], now: datetime) -> dict[UUID, Figures]:
    """One statement, whatever their number; a sale that has no units yet is left out."""
    rows = (await connection().execute_query(FIGURES, [list(sales), now - LATELY]))[1]
    return {row[0]: Figures(*row[1:]) for row in map(tuple, rows)}


async def refusals_of(sale_id: UUID) -> tuple[RefusedFor, ...]:
    rows = (await connection().execute_query(REFUSALS, [sale_id]))[1]
    return tuple(RefusedFor(*row) for row in map(tuple, rows))


async def count_refusals(counts: Mapping[tuple[UUID, str], int]) -> None:
    ordered = sorted(counts.items())
    sales = [sale for (sale, _), _ in ordered]
    codes = [code for (_, code), _ in ordered]
    await connection().execute_query(COUNT_REFUSALS, [sales, codes, [n for _, n in ordered]])
