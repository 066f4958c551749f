"""Loading a shop from its order lines: catalogue, warehouses and opening stock.

Opening stock is a share of what each cell sold, rounded up, and is received under ids that derive
from source, SKU and warehouse: importing the same again changes nothing twice, and importing it
with another share is refused as a conflict.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import islice
from math import ceil
from typing import NamedTuple, TypeVar
from uuid import UUID, uuid5

from services.abreast import abreast
from services.door import Door, Refused, SkuRow, WarehouseRow
from services.orders_in import OrderLine

OPENING_IDS = UUID("5d0f2c3e-7a41-5b0e-9c6d-3f8e1b7a2c94")
ROWS_AT_ONCE = 500
"""SKUs in one call, as many as the server takes."""
NAME_LENGTH = 200
"""Characters of a SKU's name; a longer description is cut."""

Step = Callable[[str, int], None]
"""Told which stage went on, and by how much."""
SKUS, OPENING = "SKUs", "opening stock"
T = TypeVar("T")


class Cell(NamedTuple):
    sku: str
    warehouse: str


@dataclass(slots=True)
class Seen:
    """What the lines say of one SKU. Sales name it best; a cancellation is better than nothing."""

    names: Counter[str] = field(default_factory=Counter)
    names_of_returns: Counter[str] = field(default_factory=Counter)
    category: str | None = None
    barcode: str | None = None
    priced_at: datetime | None = None
    price_cents: int | None = None

    def add(self, line: OrderLine) -> None:
        if line.name is not None:
            names = self.names_of_returns if line.comes_back else self.names
            names[line.name] += 1
        self.category = line.category or self.category
        self.barcode = line.barcode or self.barcode
        if line.comes_back or not line.price_cents:
            return
        if self.priced_at is None or line.at >= self.priced_at:
            self.priced_at, self.price_cents = line.at, line.price_cents

    def row(self, code: str) -> SkuRow:
        """Named by the most frequent description, priced by the last sale."""
        names = self.names or self.names_of_returns
        name = names.most_common(1)[0][0] if names else code
        return SkuRow(code, name[:NAME_LENGTH], self.category, self.barcode, self.price_cents)


@dataclass(slots=True)
class ShopInput:
    """What is read from the order lines, one by one. `demand` counts units sold per cell."""

    skus: dict[str, Seen] = field(default_factory=dict)
    demand: Counter[Cell] = field(default_factory=Counter)

    def add(self, line: OrderLine) -> None:
        seen = self.skus.get(line.sku)
        if seen is None:
            seen = self.skus[line.sku] = Seen()
        seen.add(line)
        if not line.comes_back:
            self.demand[Cell(line.sku, line.warehouse)] += line.quantity

    def rows(self) -> list[SkuRow]:
        return [self.skus[code].row(code) for code in sorted(self.skus)]

    def opening(self, cover: Fraction) -> dict[Cell, int]:
        """Units each cell begins with."""
        return {cell: ceil(cover * self.demand[cell]) for cell in sorted(self.demand)}


class RefusedRow(NamedTuple):
    what: str
    code: str
    message: str


@dataclass(slots=True)
class Imported:
    warehouses: int = 0
    skus: int = 0
    cells: int = 0
    units: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


class Loading(NamedTuple):
    """`source` names the input for good: its digest."""

    source: str
    cover: Fraction
    concurrency: int
    step: Step


async def load_shop(
    door: Door, warehouses: Sequence[WarehouseRow], shop: ShopInput, loading: Loading
) -> Imported:
    """Raises Outage or DoorError; calling it again goes on where it broke off."""
    done = Imported()
    for row, refused in zip(warehouses, await door.upsert_warehouses(warehouses), strict=True):
        done.warehouses += note(done, f"warehouse {row.code}", refused)
    for rows in in_chunks(shop.rows(), ROWS_AT_ONCE):
        for sku, refused in zip(rows, await door.upsert_skus(rows), strict=True):
            done.skus += note(done, f"SKU {sku.code}", refused)
        loading.step(SKUS, len(rows))
    await receive_opening(door, shop.opening(loading.cover), loading, done)
    return done


async def receive_opening(
    door: Door, opening: dict[Cell, int], loading: Loading, done: Imported
) -> None:
    async def receive(cell: Cell, quantity: int) -> None:
        key = uuid5(OPENING_IDS, f"{loading.source}/{cell.sku}/{cell.warehouse}")
        reference = f"opening {loading.source[:12]}"
        answer = await door.receive(key, cell.sku, cell.warehouse, quantity, reference)
        refused = answer if isinstance(answer, Refused) else None
        accepted = note(done, f"stock of {cell.sku} in {cell.warehouse}", refused)
        done.cells += accepted
        done.units += accepted * quantity
        loading.step(OPENING, 1)

    filled = ((cell, quantity) for cell, quantity in opening.items() if quantity)
    await abreast(loading.concurrency, (receive(*cell) for cell in filled))


def note(done: Imported, what: str, refused: Refused | None) -> int:
    """1 if it was accepted, else 0 and the refusal is listed."""
    if refused is None:
        return 1
    done.refused.append(RefusedRow(what, refused.code, refused.message))
    return 0


def in_chunks(rows: Sequence[T], size: int) -> Iterator[list[T]]:
    waiting = iter(rows)
    while chunk := list(islice(waiting, size)):
        yield chunk
