"""Finds confirmed holds in the order of their reservations, for the sweep of stranded ones."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("onhand", "0002_keys")]

    operations = [
        ops.RunSQL(
            "CREATE INDEX hold_confirmed ON hold (reservation_id, cell_id) WHERE state = 1",
            "DROP INDEX hold_confirmed",
        ),
    ]
