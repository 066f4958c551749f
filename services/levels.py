"""Stock levels as the outside sees them: a cell's level with its SKU and warehouse."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.expressions import Q

from domain.cell import Level
from domain.commands import CellKey
from infra.levels import CellLevel
from infra.models import Cell
from services.catalogue_cache import SkuInfo, WarehouseInfo
from services.runtime import Runtime

COLUMNS = (
    "id",
    "sku__code",
    "warehouse__code",
    "available",
    "reserved",
    "quarantined",
    "damaged",
    "pools",
    "seq",
    "as_of",
)


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Units of one SKU in one warehouse at `seq`. `incoming` is what open purchase orders and
    transfers will bring."""

    sku: SkuInfo
    warehouse: WarehouseInfo
    on_hand: int
    available: int
    reserved: int
    quarantined: int
    damaged: int
    incoming: int
    seq: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class StockFilter:
    """None means any. All conditions must hold."""

    skus: tuple[str, ...] | None = None
    warehouses: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    available_at_most: int | None = None


async def incoming_units(cells: Iterable[CellKey]) -> dict[CellKey, int]:
    """Units on their way to each cell. Neither purchase orders nor transfers have documents yet,
    so nothing can be on its way."""
    return {}


async def dress(rt: Runtime, levels: Sequence[CellLevel]) -> list[StockLevel]:
    """The levels with their SKUs and warehouses: two statements at most, whatever their number."""
    skus = await rt.catalogue.skus({level.sku for level in levels})
    warehouses = await rt.catalogue.warehouses({level.warehouse for level in levels})
    incoming = await incoming_units(CellKey(level.sku, level.warehouse) for level in levels)
    return [
        StockLevel(
            skus[level.sku],
            warehouses[level.warehouse],
            level.on_hand,
            level.available,
            level.reserved,
            level.quarantined,
            level.damaged,
            incoming.get(CellKey(level.sku, level.warehouse), 0),
            level.seq,
            level.as_of,
        )
        for level in levels
        if level.sku in skus and level.warehouse in warehouses
    ]


def of_cell(key: CellKey, level: Level, cell_id: int = 0) -> CellLevel:
    return CellLevel._make((cell_id, *key, *level, None))


def from_row(row: Sequence[Any]) -> CellLevel:
    """A row of COLUMNS."""
    pooled = sum(row[7].values()) if row[7] else 0
    return CellLevel._make((*row[:7], pooled, *row[8:], row[7] or None))


async def stored_levels(*limits: Q, **conditions: Any) -> list[CellLevel]:
    """From the database, by Tortoise's filter conditions."""
    query = Cell.filter(*limits, **conditions)
    return [from_row(row) for row in await query.values_list(*COLUMNS)]
