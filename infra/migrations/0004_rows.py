"""What an append is given: rows of these types, each section of it as one array."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TYPES = [
    """CREATE TYPE cell_row AS (id int, version bigint, seq int, available int, reserved int,
      quarantined int, damaged int, pools text)""",
    """CREATE TYPE entry_row AS (cell_id int, seq int, movement smallint, quantity int, pool text,
      request_id uuid, caller text, reference text, reason text, lot text)""",
    """CREATE TYPE hold_row AS (reservation_id uuid, cell_id int, quantity int, deducted int,
      state smallint, deadline timestamptz, pool text, seq int, available_after int,
      customer text, channel text, caller text)""",
    """CREATE TYPE hold_change_row AS (reservation_id uuid, cell_id int, deducted int,
      state smallint, deadline timestamptz)""",
    "CREATE TYPE hold_key AS (reservation_id uuid, cell_id int)",
    """CREATE TYPE outcome_row AS (request_id uuid, slot int, cell_id int, fingerprint bigint,
      answer bytea)""",
]
TYPES_BACK = ["DROP TYPE cell_row, entry_row, hold_row, hold_change_row, hold_key, outcome_row"]


class Migration(migrations.Migration):
    dependencies = [("onhand", "0003_stranded")]

    operations = [ops.RunSQL(TYPES, TYPES_BACK)]
