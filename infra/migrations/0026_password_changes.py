"""The last change of a person's own password: its request, and how many sessions it ended."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("onhand", "0024_approvals")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Person", name="changed_by_request", field=fields.UUIDField(null=True)
        ),
        ops.AddField(
            model_name="Person", name="sessions_ended", field=fields.IntField(null=True)
        ),
    ]
