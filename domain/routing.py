"""Choosing the warehouses of an order's lines that name none.

For each line the warehouses are asked in the order: lowest priority number, then the buyer's
region, then most available. The first that can fill the whole line gets it. Only when none can,
the line is split, over as few warehouses as possible.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.commands import CellKey
from domain.refusals import InsufficientStock


class Offer(NamedTuple):
    """What one warehouse could give of one SKU."""

    warehouse: str
    region: str
    priority: int
    available: int


class Want(NamedTuple):
    """One line of an order; `warehouse` None means: routed."""

    sku: str
    warehouse: str | None
    quantity: int


def route(
    wants: Sequence[Want], offers: Mapping[str, Sequence[Offer]], region: str | None
) -> dict[CellKey, int] | InsufficientStock:
    """Units per cell, or the first routed line that cannot be filled. Lines that name a warehouse
    come first and are not weighed against the offers: their owner knows better."""
    plan: dict[CellKey, int] = {}
    for want in wants:
        if want.warehouse is not None:
            key = CellKey(want.sku, want.warehouse)
            plan[key] = plan.get(key, 0) + want.quantity
    for want in wants:
        if want.warehouse is None:
            parts = route_line(want, offers.get(want.sku, ()), region, plan)
            if isinstance(parts, InsufficientStock):
                return parts
            for key, units in parts.items():
                plan[key] = plan.get(key, 0) + units
    return plan


def route_line(
    want: Want, offers: Sequence[Offer], region: str | None, planned: Mapping[CellKey, int]
) -> dict[CellKey, int] | InsufficientStock:
    left = {
        o.warehouse: o.available - planned.get(CellKey(want.sku, o.warehouse), 0) for o in offers
    }

    def preference(offer: Offer) -> tuple[int, bool, int, str]:
        return (offer.priority, offer.region != region, -left[offer.warehouse], offer.warehouse)

    for offer in sorted(offers, key=preference):
        if left[offer.warehouse] >= want.quantity:
            return {CellKey(want.sku, offer.warehouse): want.quantity}
    return split(want, left)


def split(want: Want, left: Mapping[str, int]) -> dict[CellKey, int] | InsufficientStock:
    """Most available first, which is the fewest parcels."""
    parts: dict[CellKey, int] = {}
    missing = want.quantity
    for warehouse in sorted(left, key=lambda code: (-left[code], code)):
        units = min(missing, left[warehouse])
        if units > 0:
            parts[CellKey(want.sku, warehouse)] = units
            missing -= units
    if missing:
        total = sum(units for units in left.values() if units > 0)
        return InsufficientStock(want.sku, None, want.quantity, total)
    return parts
