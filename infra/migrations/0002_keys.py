"""What Tortoise cannot say: composite keys, partial indexes, storage settings and the fence."""

from tortoise import migrations
from tortoise.migrations import operations as ops

KEYS = [
    "ALTER TABLE entry DROP CONSTRAINT entry_pkey, ADD PRIMARY KEY (cell_id, seq)",
    "ALTER TABLE hold DROP CONSTRAINT hold_pkey, ADD PRIMARY KEY (reservation_id, cell_id)",
    "ALTER TABLE outcome DROP CONSTRAINT outcome_pkey, ADD PRIMARY KEY (request_id, slot)",
]
KEYS_BACK = [
    "ALTER TABLE outcome DROP CONSTRAINT outcome_pkey, ADD PRIMARY KEY (request_id)",
    "ALTER TABLE hold DROP CONSTRAINT hold_pkey, ADD PRIMARY KEY (reservation_id)",
    "ALTER TABLE entry DROP CONSTRAINT entry_pkey, ADD PRIMARY KEY (cell_id)",
]
INDEXES = [
    "CREATE INDEX hold_open ON hold (cell_id) WHERE state <= 1",
    "CREATE INDEX hold_due ON hold (deadline) WHERE state = 0",
]
INDEXES_BACK = ["DROP INDEX hold_due", "DROP INDEX hold_open"]
STORAGE = [
    "ALTER TABLE cell SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)",
    "ALTER TABLE hold SET (fillfactor = 80)",
    "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)",
]
STORAGE_BACK = [
    "ALTER TABLE outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
    "ALTER TABLE hold RESET (fillfactor)",
    "ALTER TABLE cell RESET (fillfactor, autovacuum_vacuum_scale_factor)",
]
FENCE = """
CREATE FUNCTION onhand_fence(moved bigint, expected bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
  IF moved <> expected THEN
    RAISE EXCEPTION 'stale append: % of % cells moved', moved, expected USING ERRCODE = 'OH001';
  END IF;
  RETURN moved;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("onhand", "0001_first")]

    operations = [
        ops.RunSQL(KEYS, KEYS_BACK),
        ops.RunSQL(INDEXES, INDEXES_BACK),
        ops.RunSQL(STORAGE, STORAGE_BACK),
        ops.RunSQL(FENCE, "DROP FUNCTION onhand_fence"),
    ]
