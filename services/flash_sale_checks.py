"""What may be wrong with a flash sale, whatever the stock: each refusal names its field."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.decisions import QUANTITY_LIMIT
from domain.refusals import Invalid, NotFound
from infra.models import CODE_LENGTH, NAME_LENGTH
from services.checks import bad_text, is_storable
from services.flash_sale_rows import Allotment
from services.flash_sale_work import Content
from services.runtime import Runtime

CELLS_LIMIT = 100
"""Pairs of SKU and warehouse in one sale."""
DURATION_LIMIT = timedelta(days=31)
AHEAD_LIMIT = timedelta(days=366)
"""How long before it opens a sale may be made."""
CUSTOMER_LIMIT = 1_000_000
"""The highest limit per customer, in units."""
TTL_LIMIT_SECONDS = 86_400
ADMITTED_LIMIT = 100_000
"""Buyers let in per second."""


def bad_content(content: Content) -> Invalid | None:
    return (
        bad_text("name", content.name, NAME_LENGTH)
        or bad_window(content)
        or out_of_range("limitPerCustomer", content.limit_per_customer, CUSTOMER_LIMIT)
        or out_of_range("ttlSeconds", content.ttl_seconds, TTL_LIMIT_SECONDS)
        or out_of_range("admittedPerSecond", content.admitted_per_second, ADMITTED_LIMIT)
        or bad_allotments(content.allotments)
    )


def bad_window(content: Content) -> Invalid | None:
    if content.closes_at <= content.opens_at:
        return Invalid("closesAt", "must be after opensAt")
    if content.closes_at - content.opens_at > DURATION_LIMIT:
        return Invalid("closesAt", f"must be at most {DURATION_LIMIT.days} days after opensAt")
    return None


def bad_time(content: Content, now: datetime) -> Invalid | None:
    """A sale may open at once, but not be over already."""
    if content.closes_at <= now:
        return Invalid("closesAt", "must be in the future")
    if content.opens_at - now > AHEAD_LIMIT:
        return Invalid("opensAt", f"must be within {AHEAD_LIMIT.days} days")
    return None


def out_of_range(field: str, value: int | None, highest: int) -> Invalid | None:
    if value is None or 1 <= value <= highest:
        return None
    return Invalid(field, f"must be between 1 and {highest}")


def bad_allotments(allotments: Sequence[Allotment]) -> Invalid | None:
    if not 1 <= len(allotments) <= CELLS_LIMIT:
        return Invalid("allotments", f"must have between 1 and {CELLS_LIMIT} lines")
    seen: set[tuple[str, str]] = set()
    for index, line in enumerate(allotments):
        place = f"allotments[{index}]"
        if not is_storable(line.sku, CODE_LENGTH):
            return Invalid(f"{place}.sku", "is not a code")
        if not is_storable(line.warehouse, CODE_LENGTH):
            return Invalid(f"{place}.warehouse", "is not a code")
        if not 1 <= line.quantity <= QUANTITY_LIMIT:
            return Invalid(f"{place}.quantity", f"must be between 1 and {QUANTITY_LIMIT}")
        if (line.sku, line.warehouse) in seen:
            return Invalid(place, f"{line.sku} in {line.warehouse} stands there twice")
        seen.add((line.sku, line.warehouse))
    return None


async def unknown_allotments(
    rt: Runtime, allotments: Sequence[Allotment]
) -> Invalid | NotFound | None:
    """The first line whose SKU or warehouse does not exist, or is not active any more."""
    skus = await rt.catalogue.skus({line.sku for line in allotments})
    warehouses = await rt.catalogue.warehouses({line.warehouse for line in allotments})
    for index, line in enumerate(allotments):
        if line.sku not in skus:
            return NotFound("sku", line.sku)
        if line.warehouse not in warehouses:
            return NotFound("warehouse", line.warehouse)
        if not skus[line.sku].is_active:
            return Invalid(f"allotments[{index}].sku", f"{line.sku} is not active")
        if not warehouses[line.warehouse].is_active:
            return Invalid(f"allotments[{index}].warehouse", f"{line.warehouse} is not active")
    return None
