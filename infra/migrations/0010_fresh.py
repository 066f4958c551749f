"""The usual reservation as one row, which an append puts into entry, hold and outcome; and outcomes
that need no bytes of their own, because the hold that they made tells the answer."""

from tortoise import migrations
from tortoise.migrations import operations as ops

ANSWER = [
    "ALTER TABLE outcome ALTER COLUMN answer DROP NOT NULL",
    "ALTER TABLE outcome ADD COLUMN deadline timestamptz",
]
ANSWER_BACK = [
    "ALTER TABLE outcome DROP COLUMN deadline",
    "ALTER TABLE outcome ALTER COLUMN answer SET NOT NULL",
]
FRESH = """
CREATE TYPE fresh_row AS (reservation_id uuid, slot int, cell_id int, fingerprint bigint, seq int,
  quantity int, deadline timestamptz, available_after int, customer text, channel text, caller text)
"""
OUTCOME = "ALTER TYPE outcome_row ADD ATTRIBUTE deadline timestamptz"


class Migration(migrations.Migration):
    dependencies = [("onhand", "0009_waiting_room")]

    operations = [
        ops.RunSQL(ANSWER, ANSWER_BACK),
        ops.RunSQL(FRESH, "DROP TYPE fresh_row"),
        ops.RunSQL(OUTCOME, "ALTER TYPE outcome_row DROP ATTRIBUTE deadline"),
    ]
