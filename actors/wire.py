"""Requests and replies as bytes between an API process and an owner.

Refusals travel as values, not as exceptions. Everything is msgpack arrays; a tag tells the type.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from domain.cell import Hold, Level
from domain.commands import COMMANDS, Buyer, CellKey, Request
from domain.ledger import Note
from domain.refusals import REFUSALS, Refusal
from infra.outage import Outage, OutageCode


class LineDone(NamedTuple):
    """What one line of a request did. Reservation commands answer with the hold, others with the
    level. `fresh` is False when this is a stored first answer."""

    cell: CellKey
    level: Level | None
    hold: Hold | None
    fresh: bool


class Done(NamedTuple):
    lines: tuple[LineDone, ...]


class Elsewhere(NamedTuple):
    """The id was claimed by an equal request that put it into another cell."""


class Failed(NamedTuple):
    """Not decided. `code` INTERNAL is a bug of ours; the others are outages."""

    code: OutageCode | Literal["INTERNAL"]
    message: str


class Moved(NamedTuple):
    """Not decided, for it is not for this owner: where the request's cells are by now. Without
    cells: the owner has no seat any more."""

    cells: tuple[tuple[CellKey, str], ...]

    @property
    def code(self) -> str:
        return "MOVED"


Reply = Done | Elsewhere | Failed | Moved | Refusal

ENCODER = msgspec.msgpack.Encoder(uuid_format="bytes")
TAGS = {command: tag for tag, command in enumerate(COMMANDS)}
FRAME = msgspec.msgpack.Decoder(list[tuple[int, msgspec.Raw]])
"""Of requests: runs of those with one type of command; of replies: each with its tag."""
LINES: list[Any] = [
    tuple[tuple[CellKey, command], ...]  # type: ignore[valid-type]
    for command in COMMANDS
]
SHAPES: list[Any] = [
    list[tuple[UUID, int, CellKey, lines, Note, Buyer]]  # type: ignore[valid-type]
    for lines in LINES
]
REQUESTS = [msgspec.msgpack.Decoder[Any](shape) for shape in SHAPES]
REPLY_TYPES: tuple[Any, ...] = (Done, Elsewhere, Failed, Moved, *REFUSALS)
REPLY_TAGS = {kind: tag for tag, kind in enumerate(REPLY_TYPES)}
REPLIES = [msgspec.msgpack.Decoder(kind) for kind in REPLY_TYPES]
LINE_DONE = msgspec.msgpack.Decoder(LineDone)
DONE = msgspec.msgpack.Decoder(Done)
ARRAY_OF_ONE = 0x91
"""The first byte of a Done; a LineDone is an array of four."""


def encode_requests(requests: Sequence[Request]) -> bytes:
    return ENCODER.encode([(tag, list(run)) for tag, run in groupby(requests, tag_of)])


def tag_of(request: Request) -> int:
    return TAGS[type(request.lines[0].command)]


def decode_requests(frame: bytes) -> list[Request]:
    made = Request._make
    return [
        made(fields) for tag, raw in FRAME.decode(frame) for fields in REQUESTS[tag].decode(raw)
    ]


def encode_replies(replies: Sequence[Reply]) -> bytes:
    return ENCODER.encode([(REPLY_TAGS[type(reply)], reply) for reply in replies])


def decode_replies(frame: bytes) -> list[Reply]:
    return [REPLIES[tag].decode(raw) for tag, raw in FRAME.decode(frame)]


def encode_answer(answer: LineDone | Done) -> bytes:
    """As an outcome keeps it: of most commands a line per cell, of a draw all of it at its home."""
    return ENCODER.encode(answer)


def decode_answer(answer: bytes) -> LineDone | Done:
    return DONE.decode(answer) if answer[0] == ARRAY_OF_ONE else LINE_DONE.decode(answer)


def unwrap(reply: Reply) -> Done | Elsewhere | Refusal:
    """The reply, or the exception that it stands for."""
    if isinstance(reply, Moved):
        raise Outage("the cells are moving", "BUSY")
    if not isinstance(reply, Failed):
        return reply
    if reply.code == "INTERNAL":
        raise RuntimeError(reply.message)
    raise Outage(reply.message, reply.code)
