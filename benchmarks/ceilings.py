"""What the owners stand on, each alone: the append's own statement in a bare loop, with nothing
decided, and an empty Ray actor that is sent the same frames and answers the same bytes."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import ray

from actors.client import Ask, StockClient
from actors.wire import Done, LineDone, encode_replies
from benchmarks.ground import Ground, new_cell
from benchmarks.load import Roles
from benchmarks.stock import BUYER, CALLER, FINGERPRINT, PLENTY, TTL, Owners
from domain.cell import Cell, Hold
from domain.commands import CellKey, Reserve
from domain.states import ReservationState
from domain.usual import reserve_at_once
from infra.database import OWNER_SETTINGS
from infra.ledger import Batch, Fresh, append

BATCH = 512
EMPTY_ACTOR = "empty Ray actor"
PREPARED = 150_000
"""Reservations laid ready per round: more than its seconds can take."""


async def append_rate(ground: Ground, code: str, seconds: float) -> float:
    """Reservations per second, when batches laid ready are written one after the other."""
    url = ground.settings.database_url
    key, number = await new_cell(url, code, PLENTY)
    cell = Cell(key, datetime.now(UTC), number, units=[PLENTY, 0, 0, 0])
    batches = [prepared(cell) for _ in range(PREPARED // BATCH)]
    connection = await asyncpg.connect(url, server_settings=OWNER_SETTINGS)
    begun = perf_counter()
    written = 0
    try:
        while batches and perf_counter() - begun < seconds:
            await append(connection, batches.pop(0))
            written += BATCH
        return written / (perf_counter() - begun)
    finally:
        await connection.close()


def prepared(cell: Cell) -> Batch:
    """BATCH reservations of one unit; the cell is moved on as if they had been written."""
    now = datetime.now(UTC)
    batch = Batch(now)
    for _ in range(BATCH):
        reserve_one(batch, cell, uuid4(), now)
    batch.seal()
    cell.version += 1
    return batch


def reserve_one(batch: Batch, cell: Cell, reservation: UUID, now: datetime) -> None:
    command = Reserve(reservation, 1, now + TTL)
    hold = reserve_at_once(cell, command, reservation, now)
    assert hold is not None
    which = (reservation, 0, cell.id, FINGERPRINT, hold.seq, 1, command.deadline)
    batch.add_fresh(cell, Fresh(*which, hold.available_after, *BUYER, CALLER))


class Echo:
    """Answers every frame with as many replies as it holds requests, without looking at them."""

    def __init__(self) -> None:
        hold = Hold(1, 0, ReservationState.HELD, datetime.now(UTC) + TTL, None, 1, 1)
        self.done = Done((LineDone(CellKey("SKU", "BENCH"), None, hold, True),))
        self.answers: dict[int, bytes] = {}

    async def call(self, frame: bytes, size: int) -> bytes:
        if size not in self.answers:
            self.answers[size] = encode_replies([self.done] * size)
        return self.answers[size]


class RayChannel:
    """A frame here is one run of requests: an array of one, in it an array of two, the tag in one
    byte, and then the array of the requests, whose header tells how many there are."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def call(self, frame: bytes) -> bytes:
        head = frame[3]
        size = head & 0x0F if head != 0xDC else int.from_bytes(frame[4:6], "big")
        answer: bytes = await self.actor.call.remote(frame, size)
        return answer

    def close(self) -> None:
        ray.kill(self.actor)


class EmptyActor(Owners):
    """The stock client in front of an actor that does nothing, through Ray's own calls."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, EMPTY_ACTOR, 0)

    async def open(self, code: str) -> Roles:
        self.key = CellKey(code, "BENCH")
        actor: Any = ray.remote(Echo).options(num_cpus=0).remote()
        self.client = StockClient([RayChannel(actor)], nothing_to_ask())
        return self.ground.roles()


def nothing_to_ask() -> Ask:
    async def nobody() -> list[Any]:
        return []

    async def ready() -> bool:
        return True

    return Ask(nobody, nobody, ready)
