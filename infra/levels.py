"""The level of a cell as it travels: in the outbox, on the bus and in the read model."""

from datetime import datetime
from typing import NamedTuple

import msgspec


class CellLevel(NamedTuple):
    """A cell and what it holds at `seq`, in base units; `pooled` lies in pools but the open one,
    and `pools` says in which: None if in none, or if nobody told."""

    cell_id: int
    sku: str
    warehouse: str
    available: int
    reserved: int
    quarantined: int
    damaged: int
    pooled: int
    seq: int
    as_of: datetime
    pools: dict[str, int] | None = None

    @property
    def on_hand(self) -> int:
        return self.available + self.reserved + self.quarantined + self.damaged + self.pooled


ENCODER = msgspec.msgpack.Encoder()
LEVEL = msgspec.msgpack.Decoder(CellLevel)
LEVELS = msgspec.msgpack.Decoder(list[CellLevel])


def encode_level(level: CellLevel) -> bytes:
    return ENCODER.encode(level)


def decode_level(payload: bytes) -> CellLevel:
    return LEVEL.decode(payload)


def encode_levels(levels: list[CellLevel]) -> bytes:
    return ENCODER.encode(levels)


def decode_levels(payload: bytes) -> list[CellLevel]:
    return LEVELS.decode(payload)
