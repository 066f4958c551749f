"""What of the stock a caller may see, or act on: all of it, or what the scopes of its grants cover;
and of the reservations, those whose cells and channel one of these scopes covers.

Who may not see a SKU, warehouse or reservation is answered as if it did not exist, for the same
questions to the database: nothing of it can be inferred.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tortoise.expressions import Q

from domain.access import Caller, Permission, Scope
from domain.commands import CellKey
from domain.refusals import NotFound, NotPermitted
from services.catalogue_cache import SeesSku, SeesWarehouse, SkuInfo, WarehouseInfo
from services.runtime import Runtime

SKU_COLUMN = {"categories": "category"}
WAREHOUSE_COLUMNS = {"warehouses": "code", "regions": "region"}
CELL_COLUMNS = {
    "categories": "sku__category",
    "warehouses": "warehouse__code",
    "regions": "warehouse__region",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """`scopes` None: everything."""

    scopes: tuple[Scope, ...] | None

    def sees_sku(self, sku: SkuInfo) -> bool:
        return self.scopes is None or any(s.covers_sku(sku.category) for s in self.scopes)

    def sees_warehouse(self, warehouse: WarehouseInfo) -> bool:
        code, region = warehouse.code, warehouse.region
        return self.scopes is None or any(s.covers_warehouse(code, region) for s in self.scopes)

    def sees(self, sku: SkuInfo, warehouse: WarehouseInfo) -> bool:
        return self.scopes is None or any(
            scope.covers_sku(sku.category)
            and scope.covers_warehouse(warehouse.code, warehouse.region)
            for scope in self.scopes
        )

    def in_channel(self, channel: str | None) -> "Sight":
        """The part of it in which that holds for the reservations of this channel (None: of those
        that have none) too."""
        if self.scopes is None:
            return self
        return Sight(tuple(scope for scope in self.scopes if scope.covers_channel(channel)))

    @property
    def skus(self) -> SeesSku | None:
        return None if self.scopes is None else self.sees_sku

    @property
    def warehouses(self) -> SeesWarehouse | None:
        return None if self.scopes is None else self.sees_warehouse

    def of_cells(self) -> Q:
        return condition(self.scopes, CELL_COLUMNS)

    def of_skus(self) -> Q:
        return condition(self.scopes, SKU_COLUMN)

    def of_warehouses(self) -> Q:
        return condition(self.scopes, WAREHOUSE_COLUMNS)


EVERYTHING = Sight(None)
NOTHING = Sight(())


def sight_of(caller: Caller, permission: Permission) -> Sight:
    """The stock that the caller has this permission for."""
    if caller.may(permission):
        return EVERYTHING
    scopes = caller.scopes.get(permission)
    return NOTHING if scopes is None else Sight(scopes)


async def out_of_reach(
    rt: Runtime, caller: Caller, permission: Permission, key: CellKey
) -> NotFound | NotPermitted | None:
    """None: the SKU and the warehouse are there, and the caller may do this with that cell."""
    seen = sight_of(caller, Permission.READ_STOCK)
    sku = await rt.catalogue.sku(key.sku, seen.skus)
    if sku is None:
        return NotFound("sku", key.sku)
    warehouse = await rt.catalogue.warehouse(key.warehouse, seen.warehouses)
    if warehouse is None:
        return NotFound("warehouse", key.warehouse)
    return None if sight_of(caller, permission).sees(sku, warehouse) else NotPermitted(permission)


async def unseen(rt: Runtime, sight: Sight, cells: Iterable[CellKey]) -> tuple[CellKey, ...]:
    """Those of the cells that are out of sight, or gone from the catalogue."""
    if sight.scopes is None:
        return ()
    keys = list(cells)
    if not sight.scopes:
        return tuple(keys)
    skus = await rt.catalogue.skus({key.sku for key in keys})
    warehouses = await rt.catalogue.warehouses({key.warehouse for key in keys})
    return tuple(
        key
        for key in keys
        if key.sku not in skus
        or key.warehouse not in warehouses
        or not sight.sees(skus[key.sku], warehouses[key.warehouse])
    )


def condition(scopes: tuple[Scope, ...] | None, columns: dict[str, str]) -> Q:
    """For a query of rows with these columns, by the dimension that each of them answers."""
    if scopes is None:
        return Q()
    wanted = []
    for scope in scopes:
        names = ((column, getattr(scope, name)) for name, column in columns.items())
        limits: dict[str, Any] = {
            f"{column}__in": sorted(given) for column, given in names if given is not None
        }
        if not limits:
            return Q()
        wanted.append(Q(**limits))
    return Q(*wanted, join_type=Q.OR) if wanted else Q(id__in=[])
