"""Sold out, said by others than the owner: a mark says that these cells of a sale have nothing
left, and which reservations the sale has ever accepted. Its holder refuses all other ids from
memory, for MARK_SECONDS from before it asked. Until all marks are over the owner accepts nothing
that they exclude: so no id is accepted here and refused there, and what comes back meanwhile can be
had after SHUT.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

import msgspec

from actors import questions
from actors.drain import Owner
from actors.host import Shut
from domain.commands import CellKey, Draw, Request

MARK_SECONDS = 0.1
SHUT = timedelta(milliseconds=150)
"""Longer than a mark lives, by more than an owner's clock is ever set at once."""
IDS_LIMIT = 50_000
"""In one answer; the rest is asked for next."""
NOT_NOW = b""
"""The answer: something is left, or it cannot be said without reading."""
ID_BYTES = 16


class Asked(NamedTuple):
    """`known` ids of the tally with this number were told already."""

    anchor: CellKey
    which: Shut
    tally: int
    known: int


class Told(NamedTuple):
    """The ids from `known` on, 16 bytes each, and how many there are in all."""

    tally: int
    known: int
    ids: bytes
    total: int


ENCODER = msgspec.msgpack.Encoder()
ASKED = msgspec.msgpack.Decoder(Asked)
TOLD = msgspec.msgpack.Decoder(Told)


def which_of(request: Request) -> list[Shut]:
    """What a draw asks for: a part for each SKU."""
    cells: dict[str, list[CellKey]] = {}
    for key, _ in request.lines:
        cells.setdefault(key.sku, []).append(key)
    draw = request.lines[0][1]
    assert isinstance(draw, Draw)
    return [Shut(draw.pool, tuple(sorted(keys))) for keys in cells.values()]


def encode_question(asked: Asked) -> bytes:
    return questions.SOLD_OUT + ENCODER.encode(asked)


async def answer(owner: Owner, question: bytes) -> bytes:
    """For an owner that is sure of its seat. Between two rounds memory is what the ledger is."""
    asked = ASKED.decode(question[len(questions.SOLD_OUT) :])
    async with owner.between_rounds():
        told = tell(owner, asked)
    return NOT_NOW if told is None else ENCODER.encode(told)


def tell(owner: Owner, asked: Asked) -> Told | None:
    host, which = owner.host, asked.which
    found = host.tally(which.pool)
    cells = [host.peek(key) for key in which.cells]
    if found is None or found[0].key != asked.anchor:
        return None
    if any(cell is None or cell.in_pool(which.pool) > 0 for cell in cells):
        return None
    if not all(owner.guard.is_mine(key) for key in which.cells):
        return None
    host.shut(which, owner.clock.now() + SHUT)
    drawn, number = found[1].drawn, host.tally_number(which.pool)
    known = asked.known if asked.tally == number else 0
    ids = b"".join([id.bytes for id in islice(drawn, known, known + IDS_LIMIT)])
    return Told(number, known, ids, len(drawn))


def decode_told(answer: bytes) -> Told | None:
    return TOLD.decode(answer) if answer else None


def split(ids: bytes) -> Sequence[bytes]:
    return [ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES)]
