"""Reserving an order's lines: checked, routed where they name no warehouse, all or none.

The same id and content again gives the first answer again. A call that died half-way is finished
by the same call; what nobody finishes ends at its deadline.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from actors.wire import Elsewhere
from domain.access import Caller, Permission
from domain.commands import Buyer, CellKey
from domain.decisions import QUANTITY_LIMIT
from domain.ledger import Note
from domain.refusals import Conflict, InsufficientStock, Invalid, NotFound, Refusal
from domain.routing import Offer, Want, route
from infra.models import TEXT_LENGTH, Cell
from infra.outage import Outage
from services.checks import bad_text, denied, fingerprint
from services.holding import Asked, Placed, place
from services.reservations import Reservation, ReserveStock, as_reservation, stored_reservation
from services.runtime import Runtime
from services.whereabouts import Whereabout

LINES_LIMIT = 2_000
"""Lines of one reservation."""
TTL_LIMIT_SECONDS = 7 * 86_400
ROUTE_ATTEMPTS = 3
"""Times an order is routed before its refusal is final: stock moves while we look."""
OFFER_COLUMNS = (
    "sku__code",
    "warehouse__code",
    "warehouse__region",
    "warehouse__priority",
    "available",
)


async def reserve(rt: Runtime, caller: Caller, command: ReserveStock) -> Reservation | Refusal:
    """All lines or none, until `ttl_seconds` from now."""
    if no := denied(caller, Permission.RESERVE) or bad_order(command):
        return no
    if no := await bad_lines(rt, command.lines):
        return no
    wants = merged(command.lines)
    content = (wants, command.ttl_seconds, command.customer, command.channel, command.region)
    asked = Asked(
        command.id,
        fingerprint("reserve", content, caller.subject),
        Note(caller.subject),
        Buyer(command.customer, command.channel),
    )
    deadline = rt.clock.now() + timedelta(seconds=command.ttl_seconds)
    placed = await place_wants(rt, asked, wants, command.region, deadline)
    if not isinstance(placed, Placed):
        return placed
    deadlines = [hold.deadline for hold in placed.holds.values() if hold.deadline is not None]
    where = Whereabout(
        command.id,
        tuple(placed.holds),
        caller.subject,
        command.customer,
        command.channel,
        min(deadlines) - timedelta(seconds=command.ttl_seconds),
    )
    rt.whereabouts.put(where)
    return as_reservation(where, placed.holds)


async def place_wants(
    rt: Runtime, asked: Asked, wants: Sequence[Want], region: str | None, deadline: datetime
) -> Placed | Refusal:
    """Places the wants, routing them again where another order was faster."""
    if all(want.warehouse is not None for want in wants):
        plan = route(wants, {}, None)
        assert isinstance(plan, dict), "nothing to route, nothing to refuse"
        placed = await place(rt, asked, plan, deadline)
        if not isinstance(placed, Elsewhere):
            return placed
    refusal: Refusal | None = None
    taken: dict[CellKey, int] = {}
    for _ in range(ROUTE_ATTEMPTS):
        routed = await plan_of(asked, wants, region, taken)
        if not isinstance(routed, dict):
            return routed
        placed = await place(rt, asked, routed, deadline)
        if isinstance(placed, InsufficientStock) and placed.warehouse is not None:
            taken[CellKey(placed.sku, placed.warehouse)] = placed.available
            refusal = placed
        elif not isinstance(placed, Elsewhere):
            return placed
    if refusal is None:
        raise Outage("an equal request is being placed at this moment", "BUSY")
    return refusal


async def plan_of(
    asked: Asked, wants: Sequence[Want], region: str | None, taken: dict[CellKey, int]
) -> dict[CellKey, int] | Refusal:
    """What an earlier run of this request has placed, and a route for the rest. `taken` are the
    levels that owners named when they refused."""
    stored = await stored_reservation(asked.id)
    plan = {key: hold.quantity for key, hold in stored.holds.items()} if stored else {}
    rest = remainder(wants, plan)
    if rest is None:
        return Conflict(asked.id)
    if not rest:
        return plan
    offers = await offers_of({want.sku for want in rest if want.warehouse is None}, taken)
    routed = route(rest, offers, region)
    if isinstance(routed, InsufficientStock):
        return routed
    for key, units in routed.items():
        plan[key] = plan.get(key, 0) + units
    return plan


def remainder(wants: Sequence[Want], placed: dict[CellKey, int]) -> list[Want] | None:
    """The wants less what is placed; None if more is placed than wanted."""
    left = dict(placed)
    rest: list[Want] = []
    for want in sorted(wants, key=lambda want: want.warehouse is None):
        missing = want.quantity
        for key in [key for key in left if key.sku == want.sku]:
            if want.warehouse in (None, key.warehouse):
                units = min(missing, left[key])
                missing -= units
                left[key] -= units
        if missing:
            rest.append(want._replace(quantity=missing))
    return None if any(left.values()) else rest


async def offers_of(skus: set[str], taken: dict[CellKey, int]) -> dict[str, list[Offer]]:
    """What active warehouses have of the SKUs, as committed."""
    offers: dict[str, list[Offer]] = {sku: [] for sku in skus}
    rows = await Cell.filter(sku__code__in=skus, warehouse__is_active=True).values_list(
        *OFFER_COLUMNS
    )
    for sku, warehouse, region, priority, available in rows:
        units = min(available, taken.get(CellKey(sku, warehouse), available))
        offers[sku].append(Offer(warehouse, region, priority, units))
    return offers


def merged(lines: Sequence[Want]) -> list[Want]:
    """Lines of one SKU and warehouse are one line; the order does not matter."""
    units: dict[tuple[str, str | None], int] = {}
    for line in lines:
        units[line.sku, line.warehouse] = units.get((line.sku, line.warehouse), 0) + line.quantity
    ordered = sorted(units.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    return [Want(sku, warehouse, quantity) for (sku, warehouse), quantity in ordered]


def bad_order(command: ReserveStock) -> Invalid | NotFound | None:
    if not 1 <= len(command.lines) <= LINES_LIMIT:
        return Invalid("lines", f"must have between 1 and {LINES_LIMIT} lines")
    if not 1 <= command.ttl_seconds <= TTL_LIMIT_SECONDS:
        return Invalid("ttlSeconds", f"must be between 1 and {TTL_LIMIT_SECONDS}")
    if command.sale_id is not None:
        return NotFound("sale", str(command.sale_id))
    return (
        bad_text("customer", command.customer, TEXT_LENGTH)
        or bad_text("channel", command.channel, TEXT_LENGTH)
        or bad_text("region", command.region, TEXT_LENGTH)
    )


async def bad_lines(rt: Runtime, lines: Sequence[Want]) -> Invalid | NotFound | None:
    """The first line that cannot be right, whatever the stock."""
    skus = await rt.catalogue.skus({line.sku for line in lines})
    named = {line.warehouse for line in lines if line.warehouse is not None}
    warehouses = await rt.catalogue.warehouses(named) if named else {}
    for index, line in enumerate(lines):
        if not 1 <= line.quantity <= QUANTITY_LIMIT:
            return Invalid(f"lines[{index}].quantity", f"must be between 1 and {QUANTITY_LIMIT}")
        sku = skus.get(line.sku)
        if sku is None:
            return NotFound("sku", line.sku)
        if not sku.is_active:
            return Invalid(f"lines[{index}].sku", f"{line.sku} is not active")
        if line.warehouse is None:
            continue
        warehouse = warehouses.get(line.warehouse)
        if warehouse is None:
            return NotFound("warehouse", line.warehouse)
        if not warehouse.is_active:
            return Invalid(f"lines[{index}].warehouse", f"{line.warehouse} is not active")
    return None
