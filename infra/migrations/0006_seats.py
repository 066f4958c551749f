"""Who sits where: the seats that owner processes take, and the cells that have a seat of their own."""

from tortoise import migrations
from tortoise.migrations import operations as ops

SEAT = """
CREATE TABLE seat (
  name text PRIMARY KEY,
  holder uuid,
  host text,
  port int,
  key bytea,
  lease_until timestamptz,
  taken_at timestamptz,
  takeovers int NOT NULL DEFAULT 0
)
"""
PLACEMENT = """
CREATE TABLE placement (
  sku text NOT NULL,
  warehouse text NOT NULL,
  seat text NOT NULL REFERENCES seat,
  PRIMARY KEY (sku, warehouse)
)
"""
INDEX = "CREATE INDEX placement_seat ON placement (seat)"


class Migration(migrations.Migration):
    dependencies = [("onhand", "0005_catalogue_changes")]

    operations = [
        ops.RunSQL(SEAT, "DROP TABLE seat"),
        ops.RunSQL(PLACEMENT, "DROP TABLE placement"),
        ops.RunSQL(INDEX, "DROP INDEX placement_seat"),
    ]
