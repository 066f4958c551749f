"""SKUs and warehouses: asking for them, and changing them in bulk.

An upsert of the same rows twice changes nothing the second time; a bad row does not stop the rest.
"""

from dataclasses import dataclass, fields
from typing import Any

from tortoise.expressions import Q

from domain.access import Caller, Permission
from domain.refusals import Invalid, NotPermitted, Refusal
from infra.models import CODE_LENGTH, NAME_LENGTH, Sku, Warehouse
from services.catalogue_cache import SKU_COLUMNS, WAREHOUSE_COLUMNS, SkuInfo, WarehouseInfo
from services.checks import bad_text, barred, denied, is_storable
from services.pages import Page, after_key, check_first, page_of
from services.runtime import Runtime
from services.sight import sight_of

ROWS_LIMIT = 500
"""Rows in one upsert."""
PRIORITY_LIMIT = 1_000_000
PRICE_LIMIT_CENTS = 10**9
WAREHOUSES_LIMIT = 1_000
SEARCH_LENGTH = 100


@dataclass(frozen=True, slots=True)
class SkuRow:
    """`last_price_cents` None leaves the price as it is."""

    code: str
    name: str
    category: str | None = None
    barcode: str | None = None
    is_active: bool = True
    last_price_cents: int | None = None


@dataclass(frozen=True, slots=True)
class WarehouseRow:
    """Lower `priority` is asked first when an order is routed."""

    code: str
    name: str
    region: str
    priority: int = 100
    is_active: bool = True


async def upsert_skus(rt: Runtime, caller: Caller, rows: list[SkuRow]) -> list[Refusal | None]:
    """One result per row, in order: None where it is done. Of two rows with one code the later
    counts."""
    no = denied(caller, Permission.CATALOGUE) or too_many(rows)
    if no is not None:
        return [no] * len(rows)
    results: list[Refusal | None] = [bad_sku(row) for row in rows]
    good = {row.code: row for row, bad in zip(rows, results, strict=True) if bad is None}
    priced = [row for row in good.values() if row.last_price_cents is not None]
    unpriced = [row for row in good.values() if row.last_price_cents is None]
    for part, columns in ((priced, SKU_COLUMNS[2:]), (unpriced, UNPRICED)):
        models = [Sku(**as_columns(row)) for row in sorted(part, key=lambda row: row.code)]
        if models:
            await Sku.bulk_create(models, on_conflict=["code"], update_fields=columns)
    rt.catalogue.forget(skus=good)
    return results


async def upsert_warehouses(
    rt: Runtime, caller: Caller, rows: list[WarehouseRow]
) -> list[Refusal | None]:
    no = denied(caller, Permission.CATALOGUE) or too_many(rows)
    if no is not None:
        return [no] * len(rows)
    results: list[Refusal | None] = [bad_warehouse(row) for row in rows]
    good = {row.code: row for row, bad in zip(rows, results, strict=True) if bad is None}
    models = [Warehouse(**as_columns(row)) for _, row in sorted(good.items())]
    if models:
        columns = WAREHOUSE_COLUMNS[2:]
        await Warehouse.bulk_create(models, on_conflict=["code"], update_fields=columns)
    rt.catalogue.forget(warehouses=good)
    return results


async def sku(rt: Runtime, caller: Caller, code: str) -> SkuInfo | NotPermitted | None:
    if no := barred(caller, Permission.READ_STOCK):
        return no
    return await rt.catalogue.sku(code, sight_of(caller, Permission.READ_STOCK).skus)


async def skus(
    rt: Runtime, caller: Caller, search: str | None, first: int, after: str | None
) -> Page[SkuInfo] | NotPermitted:
    """By code. `search` finds parts of code, name and barcode, whatever the case."""
    if no := barred(caller, Permission.READ_STOCK):
        return no
    check_first(first)
    key = after_key(after, (str,))
    query = Sku.filter(sight_of(caller, Permission.READ_STOCK).of_skus())
    if key is not None:
        query = query.filter(code__gt=key[0])
    if search and not is_storable(search[:SEARCH_LENGTH], SEARCH_LENGTH):
        return Page([], [], False)
    if search:
        text = search[:SEARCH_LENGTH]
        query = query.filter(
            Q(code__icontains=text) | Q(name__icontains=text) | Q(barcode__icontains=text)
        )
    rows = await query.order_by("code").limit(first + 1).values_list(*SKU_COLUMNS)
    return page_of(rows, first, lambda row: (row[1],), lambda row: SkuInfo(*row))


async def warehouses(rt: Runtime, caller: Caller) -> list[WarehouseInfo] | NotPermitted:
    """All that the caller sees, in the order in which routing asks them."""
    if no := barred(caller, Permission.READ_STOCK):
        return no
    seen = sight_of(caller, Permission.READ_STOCK).of_warehouses()
    query = Warehouse.filter(seen).order_by("priority", "code").limit(WAREHOUSES_LIMIT)
    return [WarehouseInfo(*row) for row in await query.values_list(*WAREHOUSE_COLUMNS)]


UNPRICED = tuple(column for column in SKU_COLUMNS[2:] if column != "last_price_cents")


def as_columns(row: SkuRow | WarehouseRow) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(row)}


def too_many(rows: list[SkuRow] | list[WarehouseRow]) -> Invalid | None:
    if len(rows) > ROWS_LIMIT:
        return Invalid("rows", f"at most {ROWS_LIMIT} rows at once")
    return None


def bad_sku(row: SkuRow) -> Invalid | None:
    price = row.last_price_cents
    return (
        bad_text("code", row.code, CODE_LENGTH)
        or bad_text("name", row.name, NAME_LENGTH)
        or bad_text("category", row.category, NAME_LENGTH)
        or bad_text("barcode", row.barcode, CODE_LENGTH)
        or (
            Invalid("lastPriceCents", f"must be between 0 and {PRICE_LIMIT_CENTS}")
            if price is not None and not 0 <= price <= PRICE_LIMIT_CENTS
            else None
        )
    )


def bad_warehouse(row: WarehouseRow) -> Invalid | None:
    return (
        bad_text("code", row.code, CODE_LENGTH)
        or bad_text("name", row.name, NAME_LENGTH)
        or bad_text("region", row.region, CODE_LENGTH)
        or (
            None
            if 0 <= row.priority <= PRIORITY_LIMIT
            else Invalid("priority", f"must be between 0 and {PRIORITY_LIMIT}")
        )
    )
