"""Closing a flash sale before its time takes what is left in it away from its buyers: whether that
is much, and what a second person is shown of it."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from domain.access import Caller
from domain.approvals import Policy, Sensitive, is_much
from domain.flash_sales import SaleState, pool_of
from domain.refusals import NotFound
from infra.database import connection
from services.approvals import Change, Proposal, mark_of, plain
from services.flash_sale_rows import stored_sale
from services.flash_sales import WHAT
from services.runtime import Runtime

LEFT = """
SELECT coalesce(sum(units), 0)::bigint, coalesce(sum(units * price), 0)::bigint FROM (
  SELECT (c.pools->>$2)::bigint AS units, coalesce(s.last_price_cents, 0) AS price
  FROM flash_sale_cell f JOIN sku s ON s.code = f.sku JOIN warehouse w ON w.code = f.warehouse
  JOIN cell c ON c.sku_id = s.id AND c.warehouse_id = w.id
  WHERE f.sale_id = $1 AND c.pools->>$2 IS NOT NULL
) l
"""
GOING = (SaleState.SCHEDULED, SaleState.OPEN)


class Left(NamedTuple):
    units: int
    value_cents: int


@dataclass(frozen=True, slots=True)
class CloseFlashSale:
    """`id` is the request's."""

    id: UUID
    sale: UUID


async def takes_much(rt: Runtime, policy: Policy, sale_id: UUID) -> bool:
    """Whether the sale sells now, and has much left."""
    sale = await stored_sale(sale_id)
    if sale is None or sale.state not in GOING or not sale.opens_at <= rt.clock.now():
        return False
    left = await left_in(sale_id)
    return rt.clock.now() < sale.closes_at and is_much(policy, *left)


async def proposal(caller: Caller, command: CloseFlashSale) -> Proposal | NotFound:
    """The units go on being sold while the request waits: they are told as they are now."""
    sale = await stored_sale(command.sale)
    if sale is None:
        return NotFound(WHAT, str(command.sale))
    left = await left_in(command.sale)
    changes = (
        Change("closesAt", f"{sale.closes_at:%Y-%m-%dT%H:%M:%SZ}", "when it is granted"),
        Change("units that can still be had", str(left.units), "0"),
    )
    mark = mark_of(caller, Sensitive.CLOSE_SALE, command)
    return Proposal(command.id, Sensitive.CLOSE_SALE, sale.name, plain(command), changes, mark)


async def left_in(sale_id: UUID) -> Left:
    _, rows = await connection().execute_query(LEFT, [sale_id, pool_of(sale_id)])
    return Left(*tuple(rows[0]))
