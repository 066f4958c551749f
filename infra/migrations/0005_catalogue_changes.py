"""Rows of the catalogue tell when they changed, whoever changes them."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TOUCH = """
CREATE FUNCTION onhand_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_at = now();
  RETURN NEW;
END $$
"""
TRIGGERS = [
    f"CREATE TRIGGER {table}_touch BEFORE INSERT OR UPDATE ON {table}"
    " FOR EACH ROW EXECUTE FUNCTION onhand_touch()"
    for table in ("sku", "warehouse")
]
TRIGGERS_BACK = [f"DROP TRIGGER {table}_touch ON {table}" for table in ("sku", "warehouse")]
INDEXES = [
    f"CREATE INDEX {table}_changed_at ON {table} (changed_at)" for table in ("sku", "warehouse")
]
INDEXES_BACK = [f"DROP INDEX {table}_changed_at" for table in ("sku", "warehouse")]


class Migration(migrations.Migration):
    dependencies = [("onhand", "0004_rows")]

    operations = [
        ops.AddField("Sku", "changed_at", fields.DatetimeField(null=True)),
        ops.AddField("Warehouse", "changed_at", fields.DatetimeField(null=True)),
        ops.RunSQL(INDEXES, INDEXES_BACK),
        ops.RunSQL(TOUCH, "DROP FUNCTION onhand_touch"),
        ops.RunSQL(TRIGGERS, TRIGGERS_BACK),
    ]
