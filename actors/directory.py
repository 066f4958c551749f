"""Which owner hosts which cell. Placement is for speed only: the ledger's fence keeps it safe."""

from zlib import crc32

from domain.commands import CellKey

NAMESPACE = "onhand"


def owner_of(cell: CellKey, owners: int) -> int:
    """The index of the cell's owner, the same in every process and at every start."""
    return crc32(f"{cell.warehouse}\x00{cell.sku}".encode()) % owners


def owner_name(index: int) -> str:
    return f"owner-{index}"
