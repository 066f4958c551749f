"""Which seat hosts which cell. Placement is for speed only: the ledger's fence keeps it safe."""

from collections.abc import Collection, Mapping
from zlib import crc32

from domain.commands import CellKey
from infra.seats import SHARED

NAMESPACE = "onhand"


def owner_of(cell: CellKey, owners: int) -> int:
    """The index of the cell's shared seat, the same in every process and at every start."""
    return crc32(f"{cell.warehouse}\x00{cell.sku}".encode()) % owners


def shared(index: int) -> str:
    return f"{SHARED}{index}"


def seat_of(cell: CellKey, owners: int, placed: Mapping[CellKey, str]) -> str:
    """The seat that the cell was placed in, or else the shared one that it falls to."""
    return placed.get(cell) or shared(owner_of(cell, owners))


def stand_in(absent: int, present: Collection[int], owners: int) -> int | None:
    """Who keeps the deadlines of an owner that is not there: the next one that is."""
    after = ((absent + step) % owners for step in range(1, owners))
    return next((index for index in after if index in present), None)


def stand_in_of(cell: CellKey, seat: str, present: Collection[str], owners: int) -> str | None:
    """Who keeps the cell's deadlines while its `seat` is empty: for a dedicated one that is the
    shared seat that the cell would fall to, or the next one there."""
    home = owner_of(cell, owners)
    if shared(home) != seat and shared(home) in present:
        return shared(home)
    there = {index for index in range(owners) if shared(index) in present}
    index = stand_in(home, there, owners)
    return None if index is None else shared(index)
