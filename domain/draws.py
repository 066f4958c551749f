"""Drawing on a flash sale: the window, the limit and the stock of all its cells in one step.

`decide_draw` looks and never touches; `note_draw` and `give_back` keep the tally. The guards come
in the order of domain.refusals.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.cell import Cell, Change, Hold, Tally
from domain.commands import CellKey, Draw
from domain.decisions import EXPIRE, RELEASE, RESERVE, bad_quantity
from domain.flash_sales import sale_of
from domain.ledger import Entry
from domain.refusals import (
    Conflict,
    InsufficientStock,
    Invalid,
    LimitReached,
    Refusal,
    SaleNotOpen,
    TicketRequired,
)
from domain.routing import Offer, Want, route_line
from domain.states import ReservationState

TICKET = "ticket:"
"""How the reference of an entry names the ticket that let it in."""


class Candidate(NamedTuple):
    """A cell that may give what `draw` asks of its SKU."""

    cell: Cell
    draw: Draw


def decide_draw(
    candidates: Sequence[Candidate], tally: Tally, customer: str | None, now: datetime
) -> list[tuple[Cell, Change]] | Refusal:
    """What changes in which cells, or why nothing does. The candidates, at least one, stand in the
    order of preference, and are of one reservation in one sale."""
    wanted = {cell.key.sku: draw.quantity for cell, draw in candidates}
    draw = candidates[0].draw
    refusal = (
        malformed(candidates, customer)
        or (Conflict(draw.reservation) if is_known(candidates) else None)
        or closed(draw, now)
        or used_ticket(draw, tally)
        or over_limit(draw, tally, customer, sum(wanted.values()))
    )
    if refusal is not None:
        return refusal
    chosen: dict[CellKey, int] = {}
    for sku, quantity in wanted.items():
        parts = routed(sku, quantity, candidates)
        if isinstance(parts, InsufficientStock):
            return parts
        chosen |= parts
    return [
        (cell, hold_of(cell, draw, chosen[cell.key], customer, now))
        for cell, draw in candidates
        if cell.key in chosen
    ]


def malformed(candidates: Sequence[Candidate], customer: str | None) -> Invalid | None:
    for _, draw in candidates:
        if bad := bad_quantity(draw.quantity):
            return bad
    if candidates[0].draw.limit is not None and customer is None:
        return Invalid("customer", "is needed where a sale has a limit per customer")
    return None


def is_known(candidates: Sequence[Candidate]) -> bool:
    return any(draw.reservation in cell.holds for cell, draw in candidates)


def closed(draw: Draw, now: datetime) -> SaleNotOpen | None:
    if now < draw.opens_at:
        return SaleNotOpen(draw.opens_at, None)
    return SaleNotOpen(draw.opens_at, draw.closes_at) if now >= draw.closes_at else None


def used_ticket(draw: Draw, tally: Tally) -> TicketRequired | None:
    """A ticket lets in one reservation."""
    sale = sale_of(draw.pool)
    if sale is None or draw.ticket is None:
        return None
    user = tally.tickets.get(draw.ticket, draw.reservation)
    return None if user == draw.reservation else TicketRequired(sale)


def over_limit(draw: Draw, tally: Tally, customer: str | None, wanted: int) -> LimitReached | None:
    if draw.limit is None or customer is None:
        return None
    taken = tally.taken.get(customer, 0)
    return LimitReached(draw.limit, taken) if taken + wanted > draw.limit else None


def routed(
    sku: str, quantity: int, candidates: Sequence[Candidate]
) -> dict[CellKey, int] | InsufficientStock:
    """The first candidate that has all of it; split only if none has."""
    offers = [
        Offer(cell.key.warehouse, "", rank, cell.in_pool(draw.pool))
        for rank, (cell, draw) in enumerate(candidates)
        if cell.key.sku == sku
    ]
    return route_line(Want(sku, None, quantity), offers, None, {})


def hold_of(cell: Cell, draw: Draw, units: int, customer: str | None, now: datetime) -> Change:
    entry = Entry(cell.seq + 1, RESERVE, units, draw.pool, draw.reservation, now)
    after = cell.in_pool(draw.pool) - units
    state = ReservationState.HELD
    hold = Hold(units, 0, state, draw.deadline, draw.pool, entry.seq, after, customer)
    return Change(entry, draw.reservation, hold)


def note_draw(
    tally: Tally, reservation: UUID, customer: str | None, units: int, ticket: UUID | None
) -> None:
    """An accepted reservation, or a part of it, or what is left of one that has ended."""
    tally.drawn[reservation] = None
    if customer is not None:
        tally.taken[customer] = tally.taken.get(customer, 0) + units
    if ticket is not None:
        tally.tickets[ticket] = reservation


def given_back(hold: Hold | None, entry: Entry | None) -> bool:
    """Whether this entry gives units of the hold back to a sale."""
    if hold is None or entry is None or sale_of(hold.pool) is None:
        return False
    return entry.movement in (RELEASE, EXPIRE)


def give_back(tally: Tally, customer: str | None, units: int) -> None:
    """A tally that another owner got ahead of may not know of them; then nothing is written."""
    if customer is None:
        return
    left = tally.taken.pop(customer, 0) - units
    if left > 0:
        tally.taken[customer] = left
