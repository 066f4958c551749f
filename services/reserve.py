"""Reserving an order's lines: checked, routed where they name no warehouse, all or none.

The same id and content again gives the first answer again. A call that died half-way is finished
by the same call; what nobody finishes ends at its deadline.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.access import Caller, Permission
from domain.commands import Buyer
from domain.decisions import QUANTITY_LIMIT
from domain.ledger import Note
from domain.refusals import Invalid, NotFound, NotPermitted, Refusal, TicketRequired
from domain.routing import Want
from infra.models import TEXT_LENGTH
from services.catalogue_cache import SkuInfo, WarehouseInfo
from services.checks import bad_text, barred, denied, fingerprint
from services.draw import SaleTerms, draw, unfitting
from services.flash_sales import terms_of
from services.holding import Asked, Placed
from services.outcomes import was_begun
from services.reservations import Reservation, ReserveStock, Stored, as_reservation
from services.route import Destination, place_wants
from services.runtime import Runtime
from services.sight import Sight, sight_of
from services.tickets import admitted
from services.whereabouts import Whereabout

LINES_LIMIT = 2_000
"""Lines of one reservation."""
TTL_LIMIT_SECONDS = 7 * 86_400
SHOWN_CHANNELS = 10
"""Of the caller's own, in a refusal."""


async def reserve(rt: Runtime, caller: Caller, command: ReserveStock) -> Reservation | Refusal:
    """All lines or none, until `ttl_seconds` from now."""
    held = sight_of(caller, Permission.RESERVE)
    allowed = held.in_channel(command.channel)
    if no := barred(caller, Permission.RESERVE) or bad_order(command):
        return no
    if allowed.scopes == ():
        return bad_channel(held, command.channel)
    known = await known_of(rt, command.lines, sight_of(caller, Permission.READ_STOCK))
    if bad := bad_lines(command.lines, known, allowed):
        return bad
    if (closed := closed_lines(command.lines, known)) and not await was_begun(command.id):
        return closed
    wants = merged(command.lines)
    if command.sale_id is not None:
        if no := denied(caller, Permission.RESERVE):
            return no
        answer = await reserve_in_sale(rt, caller, command, wants, command.sale_id)
        if not isinstance(answer, Reservation):
            rt.sales.count_refusal(command.sale_id, answer.code)
        return answer
    content = (wants, command.ttl_seconds, command.customer, command.channel, command.region)
    asked = Asked(
        command.id,
        fingerprint("reserve", content, caller.subject),
        Note(caller.subject),
        Buyer(command.customer, command.channel),
    )
    deadline = rt.clock.now() + timedelta(seconds=command.ttl_seconds)
    destination = Destination(command.region, allowed.of_cells())
    placed = await place_wants(rt, asked, wants, destination, deadline)
    if isinstance(placed, Stored):
        return as_reservation(placed.where, placed.holds)
    if not isinstance(placed, Placed):
        return placed
    return kept(rt, caller, command, placed, deadline, command.ttl_seconds)


async def reserve_in_sale(
    rt: Runtime, caller: Caller, command: ReserveStock, wants: list[Want], sale_id: UUID
) -> Reservation | Refusal:
    """Until the sale's own ttl has passed. Who was served once is answered again, although the
    ticket that let them in is of no use any more."""
    terms = await terms_of(rt, sale_id)
    if not isinstance(terms, SaleTerms):
        return terms
    if no := unfitting(wants, terms, command.customer):
        return no
    ticket = admitted(rt, terms, command.customer, command.ticket) if terms.waiting_room else None
    if isinstance(ticket, TicketRequired):
        if not await was_begun(command.id):
            return ticket
        ticket = None
    content = (wants, str(sale_id), command.customer, command.channel, command.region)
    asked = Asked(
        command.id,
        fingerprint("draw", content, caller.subject),
        Note(caller.subject),
        Buyer(command.customer, command.channel),
    )
    drawn = await draw(rt, asked, wants, terms, command.region, ticket)
    if not isinstance(drawn, Placed):
        return drawn
    deadline = rt.clock.now() + timedelta(seconds=terms.ttl_seconds)
    return kept(rt, caller, command, drawn, deadline, terms.ttl_seconds)


def kept(
    rt: Runtime,
    caller: Caller,
    command: ReserveStock,
    placed: Placed,
    deadline: datetime,
    ttl_seconds: int,
) -> Reservation:
    deadlines = [hold.deadline for hold in placed.holds.values() if hold.deadline is not None]
    where = Whereabout(
        command.id,
        tuple(placed.holds),
        caller.subject,
        command.customer,
        command.channel,
        min(deadlines, default=deadline) - timedelta(seconds=ttl_seconds),
    )
    rt.whereabouts.put(where)
    return as_reservation(where, placed.holds)


def merged(lines: Sequence[Want]) -> list[Want]:
    """Lines of one SKU and warehouse are one line; the order does not matter."""
    units: dict[tuple[str, str | None], int] = {}
    for line in lines:
        units[line.sku, line.warehouse] = units.get((line.sku, line.warehouse), 0) + line.quantity
    ordered = sorted(units.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    return [Want(sku, warehouse, quantity) for (sku, warehouse), quantity in ordered]


def bad_order(command: ReserveStock) -> Invalid | None:
    if not 1 <= len(command.lines) <= LINES_LIMIT:
        return Invalid("lines", f"must have between 1 and {LINES_LIMIT} lines")
    if not 1 <= command.ttl_seconds <= TTL_LIMIT_SECONDS:
        return Invalid("ttlSeconds", f"must be between 1 and {TTL_LIMIT_SECONDS}")
    return (
        bad_text("customer", command.customer, TEXT_LENGTH)
        or bad_text("channel", command.channel, TEXT_LENGTH)
        or bad_text("region", command.region, TEXT_LENGTH)
    )


def bad_channel(held: Sight, channel: str | None) -> Invalid | NotPermitted:
    """Who reserves for some channels only names one of these: none is put in its place, so that
    the same id means the same when there are others."""
    if channel is not None:
        return NotPermitted(Permission.RESERVE)
    own = sorted(frozenset[str]().union(*(scope.channels or () for scope in held.scopes or ())))
    more = f" and {len(own) - SHOWN_CHANNELS} more" if len(own) > SHOWN_CHANNELS else ""
    return Invalid("channel", f"must be one of {', '.join(own[:SHOWN_CHANNELS])}{more}")


class Known(NamedTuple):
    """What the catalogue knows of the lines, by code."""

    skus: dict[str, SkuInfo]
    warehouses: dict[str, WarehouseInfo]


async def known_of(rt: Runtime, lines: Sequence[Want], seen: Sight) -> Known:
    skus = await rt.catalogue.skus({line.sku for line in lines}, seen.skus)
    named = {line.warehouse for line in lines if line.warehouse is not None}
    return Known(skus, await rt.catalogue.warehouses(named, seen.warehouses) if named else {})


def bad_lines(
    lines: Sequence[Want], known: Known, allowed: Sight
) -> Invalid | NotFound | NotPermitted | None:
    """The first line that cannot be right, whatever the stock."""
    for index, line in enumerate(lines):
        if not 1 <= line.quantity <= QUANTITY_LIMIT:
            return Invalid(f"lines[{index}].quantity", f"must be between 1 and {QUANTITY_LIMIT}")
        if line.sku not in known.skus:
            return NotFound("sku", line.sku)
        if line.warehouse is not None and line.warehouse not in known.warehouses:
            return NotFound("warehouse", line.warehouse)
        sku, named = known.skus[line.sku], known.warehouses.get(line.warehouse or "")
        if not (allowed.sees_sku(sku) if named is None else allowed.sees(sku, named)):
            return NotPermitted(Permission.RESERVE)
    return None


def closed_lines(lines: Sequence[Want], known: Known) -> Invalid | None:
    """The first line whose SKU or warehouse is not active any more."""
    for index, line in enumerate(lines):
        if not known.skus[line.sku].is_active:
            return Invalid(f"lines[{index}].sku", f"{line.sku} is not active")
        if line.warehouse is not None and not known.warehouses[line.warehouse].is_active:
            return Invalid(f"lines[{index}].warehouse", f"{line.warehouse} is not active")
    return None
