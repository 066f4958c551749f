"""A rival that shares commits without owners: one writer in the caller's own process feeds batches
to a function in the database, which decides and writes them as sets. There can be only one such
process, and it looks up no earlier outcome."""

import asyncio
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

from benchmarks.ground import Ground
from benchmarks.load import Roles
from benchmarks.rivals import RESERVE, Rival
from benchmarks.stock import BUYER, CALLER, FINGERPRINT, TTL

BATCH_LIMIT = 1_024
FUNCTION = f"""
CREATE OR REPLACE FUNCTION reserve_batch(the_cell int, ids uuid[], now timestamptz,
  caller text, until timestamptz, customer text, channel text, fingerprint bigint)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  accepted int;
  last_seq int;
  left_over int;
BEGIN
  SELECT least(cardinality(ids), available - floor), seq, available
  INTO accepted, last_seq, left_over FROM cell WHERE id = the_cell FOR UPDATE;
  IF accepted <= 0 THEN RETURN 0; END IF;
  UPDATE cell SET version = version + 1, seq = seq + accepted, available = available - accepted,
    reserved = reserved + accepted, as_of = now WHERE id = the_cell;
  INSERT INTO entry (cell_id, seq, movement, quantity, request_id, at, caller)
  SELECT the_cell, last_seq + x.n, {RESERVE}, 1, x.id, now, caller
  FROM unnest(ids) WITH ORDINALITY AS x (id, n) WHERE x.n <= accepted;
  INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, seq,
    available_after, customer, channel, caller, created_at)
  SELECT x.id, the_cell, 1, 0, 0, until, last_seq + x.n, left_over - x.n, customer, channel,
    caller, now
  FROM unnest(ids) WITH ORDINALITY AS x (id, n) WHERE x.n <= accepted;
  INSERT INTO outcome (request_id, slot, cell_id, fingerprint, answer, at)
  SELECT x.id, 0, the_cell, fingerprint, int4send((last_seq + x.n)::int), now
  FROM unnest(ids) WITH ORDINALITY AS x (id, n) WHERE x.n <= accepted;
  INSERT INTO outbox (levels, made_at)
  VALUES (int4send(the_cell) || int4send(last_seq + accepted), now);
  RETURN accepted;
END $$
"""
CALL = "SELECT reserve_batch($1, $2, $3, $4, $5, $6, $7, $8)"


class Batches(Rival):
    """What waited while one batch was written is the next."""

    name = "one writer, function"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, 1)
        self.waiting: deque[tuple[UUID, asyncio.Future[bool]]] = deque()

    async def open(self, code: str) -> Roles:
        roles = await super().open(code)
        async with self.pool.acquire() as connection:
            await connection.execute(FUNCTION)
        self.filled = asyncio.Event()
        self.writing = asyncio.create_task(self.write_batches())
        return roles

    async def close(self) -> None:
        self.writing.cancel()
        with suppress(asyncio.CancelledError):
            await self.writing
        await super().close()

    async def write_batches(self) -> None:
        async with self.pool.acquire() as connection:
            while True:
                await self.filled.wait()
                size = min(len(self.waiting), BATCH_LIMIT)
                batch = [self.waiting.popleft() for _ in range(size)]
                if not self.waiting:
                    self.filled.clear()
                now = datetime.now(UTC)
                ids = [reservation for reservation, _ in batch]
                accepted = await connection.fetchval(
                    CALL, self.cell, ids, now, CALLER, now + TTL, *BUYER, FINGERPRINT
                )
                for place, (_, answered) in enumerate(batch):
                    answered.set_result(place < accepted)

    async def once(self) -> bool:
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.waiting.append((uuid4(), answered))
        self.filled.set()
        return await answered
