"""Choosing the cells of an order and placing it there, again where another order was faster.

Equal requests may be at work at the same time, or one may have broken off: they meet in what is
stored, and go on with what they find there. Two that chose different cells both notice, as each
looks after it has placed, and take back what they made last.
"""

import asyncio
from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tortoise.expressions import Q

from actors.wire import Elsewhere
from domain.commands import CellKey
from domain.refusals import InsufficientStock, Refusal
from domain.routing import Offer, Want, route
from infra.models import Cell
from infra.outage import Outage
from services.holding import Asked, Contested, Placed, adopt, place, withdraw
from services.outcomes import home_of
from services.reservations import ENDED, Stored, stored_reservation
from services.runtime import Runtime

ATTEMPTS = 3
"""Times an order is routed before its refusal is final: stock moves while we look."""
TWIN_SECONDS = 0.05
"""What a twin that is at work is given to end, before what it has placed is looked at again."""
OFFER_COLUMNS = (
    "sku__code",
    "warehouse__code",
    "warehouse__region",
    "warehouse__priority",
    "available",
)


class Destination(NamedTuple):
    """Where the goods shall go, and which cells they may come from."""

    region: str | None
    within: Q


class Plan(NamedTuple):
    """Units per cell, and the cell in which the id is claimed."""

    units: dict[CellKey, int]
    home: CellKey


async def place_wants(
    rt: Runtime,
    asked: Asked,
    wants: Sequence[Want],
    destination: Destination,
    deadline: datetime,
) -> Placed | Stored | Refusal:
    """All wants placed. Stored: an earlier attempt placed a part that has ended since, so this id
    holds nothing any more."""
    is_routed = any(want.warehouse is None for want in wants)
    refusal: Refusal | None = None
    taken: dict[CellKey, int] = {}
    for attempt in range(ATTEMPTS):
        mark = deadline + attempt * timedelta.resolution
        plan = await plan_of(rt, asked, wants, destination, taken) if is_routed else named(wants)
        if not isinstance(plan, Plan):
            return plan
        placed = await place(rt, asked, *plan, mark)
        if isinstance(placed, Placed):
            found = await checked(rt, asked, wants, placed, plan.home, mark)
            if isinstance(found, Placed):
                return found
            if isinstance(found, Stored):
                await withdraw(rt, asked, placed.own, mark)
                return found.without(placed.own)
            await withdraw(rt, asked, found, mark)
        elif is_routed and isinstance(placed, InsufficientStock) and placed.warehouse is not None:
            taken[CellKey(placed.sku, placed.warehouse)] = placed.available
            refusal = placed
        elif isinstance(placed, Contested):
            refusal = placed.refusal
            await asyncio.sleep(TWIN_SECONDS)
        elif not isinstance(placed, Elsewhere):
            return placed
    if refusal is None:
        raise Outage("an equal request is being placed at this moment", "BUSY")
    return refusal


def named(wants: Sequence[Want]) -> Plan:
    units = route(wants, {}, None)
    assert isinstance(units, dict), "nothing to route, nothing to refuse"
    return Plan(units, min(units))


async def plan_of(
    rt: Runtime,
    asked: Asked,
    wants: Sequence[Want],
    destination: Destination,
    taken: dict[CellKey, int],
) -> Plan | Refusal:
    """What an earlier run of this request has placed, and a route for the rest. `taken` are the
    levels that owners named when they refused. The offers are read first: what an equal request
    takes out of them is then certainly seen as placed."""
    offered = await offers_of(
        {want.sku for want in wants if want.warehouse is None}, destination.within
    )
    stored = await stored_reservation(rt, asked.id)
    units = units_of(stored)
    home = await home_of(asked.id) if stored else None
    rest = remainder(wants, units)
    if not rest:
        return Plan(units, home or min(units))
    routed = route(rest, within(offered, taken | dict.fromkeys(units, 0)), destination.region)
    if isinstance(routed, InsufficientStock):
        return routed
    for key, more in routed.items():
        units[key] = units.get(key, 0) + more
    return Plan(units, home or min(routed))


async def checked(
    rt: Runtime,
    asked: Asked,
    wants: Sequence[Want],
    placed: Placed,
    home: CellKey,
    deadline: datetime,
) -> Placed | Stored | set[CellKey]:
    """The same, if it is what was wanted and all that is stored under its id, and nobody will take
    any of it back. Cells: a twin is at work or has placed otherwise, and these are to be withdrawn
    before another look. Stored: a part that was there before has ended."""
    units = {key: hold.quantity for key, hold in placed.holds.items()}
    is_whole = remainder(wants, units) == []
    is_routed = any(want.warehouse is None for want in wants)
    could_differ = bool(placed.own) and is_routed and placed.owners > 1
    makers = {hold.deadline for hold in placed.holds.values()}
    if is_whole and len(makers) == 1 and not could_differ:
        return placed
    stored = await stored_reservation(rt, asked.id)
    if stored is None or not is_whole or units_of(stored) != units:
        return surplus(wants, stored, placed.own - {home})
    before = {key: hold for key, hold in stored.holds.items() if key not in placed.own}
    if placed.own and any(hold.state in ENDED for hold in before.values()):
        return stored
    if any(hold.seq != placed.holds[key].seq for key, hold in stored.holds.items()):
        return set()
    unpaid = {key: hold for key, hold in before.items() if hold.deadline is not None}
    marks = {hold.deadline for hold in unpaid.values()} | ({deadline} if placed.own else set())
    if len(marks) < 2 or await adopt(rt, asked, unpaid, deadline):
        return placed
    return set()


def surplus(wants: Sequence[Want], stored: Stored | None, own: Container[CellKey]) -> set[CellKey]:
    """The newest of our own holds, until no more is held than was wanted: a twin may have been
    answered already with the older ones, and with the home for certain."""
    units = units_of(stored)
    too_many: set[CellKey] = set()
    for key in reversed(stored.made if stored else ()):
        if remainder(wants, units) is not None:
            break
        if key in own:
            del units[key]
            too_many.add(key)
    return too_many


def units_of(stored: Stored | None) -> dict[CellKey, int]:
    return {key: hold.quantity for key, hold in stored.holds.items()} if stored else {}


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


async def offers_of(skus: set[str], cells: Q) -> dict[str, list[Offer]]:
    """What active warehouses have of the SKUs, as committed, where the cell fits."""
    offers: dict[str, list[Offer]] = {sku: [] for sku in skus}
    rows = await Cell.filter(cells, sku__code__in=skus, warehouse__is_active=True).values_list(
        *OFFER_COLUMNS
    )
    for sku, *offer in rows:
        offers[sku].append(Offer(*offer))
    return offers


def within(
    offers: Mapping[str, list[Offer]], limits: Mapping[CellKey, int]
) -> dict[str, list[Offer]]:
    """The offers, where no cell offers more than its limit."""
    return {
        sku: [
            offer._replace(
                available=min(
                    offer.available, limits.get(CellKey(sku, offer.warehouse), offer.available)
                )
            )
            for offer in offered
        ]
        for sku, offered in offers.items()
    }
