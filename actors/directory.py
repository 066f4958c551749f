"""Which owner hosts which cell. Placement is for speed only: the ledger's fence keeps it safe."""

from collections.abc import Collection
from zlib import crc32

from domain.commands import CellKey

NAMESPACE = "onhand"


def owner_of(cell: CellKey, owners: int) -> int:
    """The index of the cell's owner, the same in every process and at every start."""
    return crc32(f"{cell.warehouse}\x00{cell.sku}".encode()) % owners


def stand_in(absent: int, present: Collection[int], owners: int) -> int | None:
    """Who keeps the deadlines of an owner that is not there: the next one that is."""
    after = ((absent + step) % owners for step in range(1, owners))
    return next((index for index in after if index in present), None)


def owner_name(index: int) -> str:
    return f"owner-{index}"
