"""A rival that keeps one row per unit: buyers take the next row that nobody else has locked, and do
not wait for each other. It writes what the others write, and a unit is found by index."""

from datetime import UTC, datetime
from uuid import uuid4

from benchmarks.load import Roles
from benchmarks.rivals import RESERVE, Rival
from benchmarks.stock import BUYER, CALLER, FINGERPRINT, TTL

UNITS = 200_000
"""Rows per round: more than the rounds of any machine we know can take."""
TABLE = """
CREATE TABLE IF NOT EXISTS unit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cell_id int NOT NULL, reservation_id uuid) WITH (fillfactor = 50)
"""
INDEX = "CREATE INDEX IF NOT EXISTS unit_free ON unit (cell_id, id) WHERE reservation_id IS NULL"
FILL = "INSERT INTO unit (cell_id) SELECT $1 FROM generate_series(1, $2)"
TAKE = f"""
WITH free AS (
  SELECT id FROM unit WHERE cell_id = $1 AND reservation_id IS NULL
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE unit SET reservation_id = $2 FROM free WHERE unit.id = free.id RETURNING unit.id
), entries AS (
  INSERT INTO entry (cell_id, seq, movement, quantity, request_id, at, caller)
  SELECT $1, id, {RESERVE}, 1, $2, $3, $4 FROM taken
), made AS (
  INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, seq,
    available_after, customer, channel, caller, created_at)
  SELECT $2, $1, 1, 0, 0, $5, id, 0, $6, $7, $4, $3 FROM taken
), outcomes AS (
  INSERT INTO outcome (request_id, slot, cell_id, fingerprint, answer, at)
  SELECT $2, 0, $1, $8, int8send(id), $3 FROM taken
), told AS (
  INSERT INTO outbox (levels, made_at) SELECT int4send($1) || int8send(id), $3 FROM taken
)
SELECT id FROM taken
"""


class Units(Rival):
    """One autocommitted statement per request; the pool's best size is the statement's."""

    name = "row per unit"

    async def open(self, code: str) -> Roles:
        roles = await super().open(code)
        async with self.pool.acquire() as connection:
            await connection.execute(TABLE)
            await connection.execute(INDEX)
            await connection.execute(FILL, self.cell, UNITS)
            await connection.execute("ANALYZE unit")
        return roles

    async def once(self) -> bool:
        now = datetime.now(UTC)
        async with self.pool.acquire() as connection:
            taken = await connection.fetchval(
                TAKE, self.cell, uuid4(), now, CALLER, now + TTL, *BUYER, FINGERPRINT
            )
        return taken is not None
