"""Codes that were sent by mail, each to one person for one request: from infra/approval_models.py."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

SENT = "CREATE INDEX approval_code_sent ON approval_code (person_id, sent_at)"


class Migration(migrations.Migration):
    dependencies = [("onhand", "0030_ledger_digests")]

    initial = False

    operations = [
        ops.CreateModel(
            name="ApprovalCode",
            fields=[
                ("id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("approval_id", fields.UUIDField()),
                ("person_id", fields.UUIDField()),
                ("code_hash", fields.BinaryField()),
                ("sent_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("tries", fields.IntField(default=0)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "approval_code", "app": "onhand", "pk_attr": "id", "table_description": "A code sent to a person for a request. `tries` are looks at it; `ended_at` is when it was"},
            bases=["Model"],
        ),
        ops.RunSQL(SENT, "DROP INDEX approval_code_sent"),
    ]
