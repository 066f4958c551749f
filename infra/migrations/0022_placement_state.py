"""One row about the placement: how often hot pairs were given a seat, and taken back."""

from tortoise import migrations
from tortoise.migrations import operations as ops

STATE = """
CREATE TABLE placement_state (
  is_it boolean PRIMARY KEY DEFAULT true CHECK (is_it),
  promotions bigint NOT NULL DEFAULT 0,
  demotions bigint NOT NULL DEFAULT 0
)
"""
ROW = "INSERT INTO placement_state DEFAULT VALUES"


class Migration(migrations.Migration):
    dependencies = [("onhand", "0017_trail")]

    operations = [
        ops.RunSQL(STATE, "DROP TABLE placement_state"),
        ops.RunSQL(ROW, []),
    ]
