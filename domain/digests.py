"""Proof of the ledger: digests of its entries, told by records of the trail.

A *stretch* is a run of entries of one cell. Its hash covers the cell's hash before it and every
field of its entries; a record of the trail carries the digest of all stretches taken together. So
who changes an entry does not get past a head of the trail that was told elsewhere.
"""

from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

ACT = "digestLedger"
"""The act of its records."""


class Stretch(NamedTuple):
    """Entries of a cell, from `first` up to and with `last`."""

    cell: int
    first: int
    last: int
    hash: bytes


class LedgerFault(StrEnum):
    CHANGED = "changed"
    MISSING = "missing"


def digest_of(stretches: Iterable[Stretch]) -> bytes:
    """Of those taken together, in the order of their cells."""
    digest = sha256()
    for one in stretches:
        digest.update(f"{one.cell} {one.first} {one.last} {one.hash.hex()}\n".encode())
    return digest.digest()


def fault_of(stretch: Stretch, before: int, found: int, again: bytes) -> LedgerFault | None:
    """`before` is where the cell's stretch before it ended (0: there is none), `found` how many of
    its entries are there, `again` its hash as it is by what is there now."""
    if stretch.first != before + 1 or found != stretch.last - before:
        return LedgerFault.MISSING
    return None if again == stretch.hash else LedgerFault.CHANGED
