"""The ledger's alphabet: buckets, movement kinds and entries.

A movement is one row of MOVEMENTS; the code is what the database stores. To add a movement, add a
row with a new code. A kind may have several rows where goods may come from several buckets.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Bucket(StrEnum):
    AVAILABLE = "available"
    RESERVED = "reserved"
    QUARANTINED = "quarantined"
    DAMAGED = "damaged"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    TRANSIT = "transit"
    SCRAP = "scrap"
    VARIANCE = "variance"


TRACKED = (Bucket.AVAILABLE, Bucket.RESERVED, Bucket.QUARANTINED, Bucket.DAMAGED)
OUTSIDE = tuple(bucket for bucket in Bucket if bucket not in TRACKED)


class Kind(StrEnum):
    RECEIVE = "receive"
    RESERVE = "reserve"
    RELEASE = "release"
    EXPIRE = "expire"
    DEDUCT = "deduct"
    RETURN = "return"
    QUARANTINE = "quarantine"
    CLEAR = "clear"
    DAMAGE = "damage"
    SCRAP = "scrap"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    COUNT_GAIN = "count_gain"
    COUNT_LOSS = "count_loss"
    ALLOT = "allot"
    UNALLOT = "unallot"


class Movement(NamedTuple):
    code: int
    kind: Kind
    source: Bucket
    target: Bucket


MOVEMENTS = (
    Movement(1, Kind.RECEIVE, Bucket.SUPPLIER, Bucket.AVAILABLE),
    Movement(2, Kind.RESERVE, Bucket.AVAILABLE, Bucket.RESERVED),
    Movement(3, Kind.RELEASE, Bucket.RESERVED, Bucket.AVAILABLE),
    Movement(4, Kind.EXPIRE, Bucket.RESERVED, Bucket.AVAILABLE),
    Movement(5, Kind.DEDUCT, Bucket.RESERVED, Bucket.CUSTOMER),
    Movement(6, Kind.RETURN, Bucket.CUSTOMER, Bucket.QUARANTINED),
    Movement(7, Kind.RETURN, Bucket.CUSTOMER, Bucket.AVAILABLE),
    Movement(8, Kind.RETURN, Bucket.CUSTOMER, Bucket.DAMAGED),
    Movement(9, Kind.QUARANTINE, Bucket.AVAILABLE, Bucket.QUARANTINED),
    Movement(10, Kind.QUARANTINE, Bucket.DAMAGED, Bucket.QUARANTINED),
    Movement(11, Kind.CLEAR, Bucket.QUARANTINED, Bucket.AVAILABLE),
    Movement(12, Kind.CLEAR, Bucket.DAMAGED, Bucket.AVAILABLE),
    Movement(13, Kind.DAMAGE, Bucket.AVAILABLE, Bucket.DAMAGED),
    Movement(14, Kind.DAMAGE, Bucket.QUARANTINED, Bucket.DAMAGED),
    Movement(15, Kind.SCRAP, Bucket.DAMAGED, Bucket.SCRAP),
    Movement(16, Kind.TRANSFER_OUT, Bucket.AVAILABLE, Bucket.TRANSIT),
    Movement(17, Kind.TRANSFER_IN, Bucket.TRANSIT, Bucket.AVAILABLE),
    Movement(18, Kind.COUNT_GAIN, Bucket.VARIANCE, Bucket.AVAILABLE),
    Movement(19, Kind.COUNT_GAIN, Bucket.VARIANCE, Bucket.QUARANTINED),
    Movement(20, Kind.COUNT_GAIN, Bucket.VARIANCE, Bucket.DAMAGED),
    Movement(21, Kind.COUNT_LOSS, Bucket.AVAILABLE, Bucket.VARIANCE),
    Movement(22, Kind.COUNT_LOSS, Bucket.QUARANTINED, Bucket.VARIANCE),
    Movement(23, Kind.COUNT_LOSS, Bucket.DAMAGED, Bucket.VARIANCE),
    Movement(24, Kind.ALLOT, Bucket.AVAILABLE, Bucket.AVAILABLE),
    Movement(25, Kind.UNALLOT, Bucket.AVAILABLE, Bucket.AVAILABLE),
)

BY_CODE = {movement.code: movement for movement in MOVEMENTS}
BY_PATH = {(m.kind, m.source, m.target): m for m in MOVEMENTS}
MOVES = {
    (m.source, m.target): m
    for m in MOVEMENTS
    if m.kind in (Kind.QUARANTINE, Kind.CLEAR, Kind.DAMAGE)
}


class Entry(NamedTuple):
    """One ledger row of a cell. `pool` is None for the open pool; for allot and unallot it names
    the ring-fence on the other side. `quantity` is in base units and positive."""

    seq: int
    movement: Movement
    quantity: int
    pool: str | None
    request_id: UUID
    at: datetime


class Note(NamedTuple):
    """What people and documents say about an entry; the rules do not look at it."""

    caller: str
    reference: str | None = None
    reason: str | None = None
    lot: str | None = None
