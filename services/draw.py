"""Reserving out of a flash sale: one request to the owner of the sale's anchor, which decides all
of it in one step, and chooses among the sale's cells."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from actors.wire import Done, Elsewhere
from domain.commands import CellKey, Draw, Line, Request
from domain.refusals import InsufficientStock, Invalid, Refusal
from domain.routing import Want
from infra.outage import Outage
from services.catalogue_cache import WarehouseInfo
from services.holding import Asked, Placed, held
from services.runtime import Runtime


class SaleTerms(NamedTuple):
    """`anchor` is the first of the sale's cells: what each customer has taken is counted there."""

    id: UUID
    anchor: CellKey
    cells: tuple[CellKey, ...]
    pool: str
    opens_at: datetime
    closes_at: datetime
    limit_per_customer: int | None
    ttl_seconds: int
    waiting_room: bool


async def draw(
    rt: Runtime,
    asked: Asked,
    wants: Sequence[Want],
    terms: SaleTerms,
    region: str | None,
    ticket: UUID | None,
) -> Placed | Refusal:
    """All wants or none, until the sale's ttl has passed. The wants are `fitting`."""
    known = await rt.catalogue.warehouses({cell.warehouse for cell in terms.cells})
    deadline = rt.clock.now() + timedelta(seconds=terms.ttl_seconds)
    lines: list[Line] = []
    for want in wants:
        command = Draw(
            asked.id,
            want.quantity,
            deadline,
            terms.pool,
            terms.limit_per_customer,
            terms.opens_at,
            terms.closes_at,
            ticket,
        )
        cells = candidates(want, terms, known, region)
        if not cells:
            return InsufficientStock(want.sku, want.warehouse, want.quantity, 0)
        lines += [Line(cell, command) for cell in cells]
    request = Request(
        asked.id, asked.fingerprint, terms.anchor, tuple(lines), asked.note, asked.buyer
    )
    is_open = terms.opens_at <= rt.clock.now() < terms.closes_at
    if is_open and (no := rt.stock.sold_out(request)):
        return no
    answer = await rt.stock.submit(request)
    if isinstance(answer, Elsewhere):
        raise Outage("an equal request is being placed at this moment", "BUSY")
    if not isinstance(answer, Done):
        return answer
    holds = {line.cell: held(line) for line in sorted(answer.lines, key=lambda line: line.cell)}
    return Placed(holds, frozenset(), 1)


def unfitting(wants: Sequence[Want], terms: SaleTerms, customer: str | None) -> Invalid | None:
    """What no stock could mend."""
    if terms.limit_per_customer is not None and customer is None:
        return Invalid("customer", "is needed: the sale has a limit per customer")
    if len({want.sku for want in wants}) < len(wants):
        return Invalid("lines", "a sale takes one line for each SKU")
    for want in wants:
        if not any(is_wanted(cell, want) for cell in terms.cells):
            return Invalid("lines", f"{want.sku} is not in the sale, or not in that warehouse")
    return None


def is_wanted(cell: CellKey, want: Want) -> bool:
    return cell.sku == want.sku and want.warehouse in (None, cell.warehouse)


def candidates(
    want: Want, terms: SaleTerms, known: Mapping[str, WarehouseInfo], region: str | None
) -> list[CellKey]:
    """The active ones, in the order in which domain.routing would ask them."""

    def preference(cell: CellKey) -> tuple[int, bool, str]:
        warehouse = known[cell.warehouse]
        return (warehouse.priority, warehouse.region != region, cell.warehouse)

    cells = [
        cell for cell in terms.cells if is_wanted(cell, want) and known[cell.warehouse].is_active
    ]
    return sorted(cells, key=preference)
