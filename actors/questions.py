"""Questions to an owner beside the flow of requests, over the same kind of stream: a frame that
begins with a mark no frame of requests begins with."""

from typing import Any

import msgspec

MARK = b"?"
STATS = MARK + b"stats"
RESIDENT = MARK + b"resident"
SOLD_OUT = MARK + b"sold out"
LOOK = MARK + b"look"
"""Look at the placement now; answered when cells that are another's are let go."""


def encode_stats(stats: dict[str, Any]) -> bytes:
    return msgspec.msgpack.encode(stats)


def decode_stats(answer: bytes) -> dict[str, Any]:
    stats: dict[str, Any] = msgspec.msgpack.decode(answer)
    return stats
