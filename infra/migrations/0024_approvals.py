"""Requests for a second person, from infra/approval_models.py."""

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("onhand", "0022_placement_state")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Approval",
            fields=[
                ("id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("act", fields.CharField(max_length=64)),
                ("state", fields.CharField(max_length=64)),
                ("sku", fields.ForeignKeyField("onhand.Sku", source_field="sku_id", null=True, db_constraint=True, to_field="id", related_name=False, on_delete=OnDelete.RESTRICT)),
                ("warehouse", fields.ForeignKeyField("onhand.Warehouse", source_field="warehouse_id", null=True, db_constraint=True, to_field="id", related_name=False, on_delete=OnDelete.RESTRICT)),
                ("target", fields.CharField(max_length=200)),
                ("command", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("changes", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("fingerprint", fields.BigIntField()),
                ("asked_by", fields.CharField(db_index=True, max_length=200)),
                ("asked_person", fields.UUIDField(null=True)),
                ("created_at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("changed_at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ("decided_by", fields.CharField(null=True, max_length=200)),
                ("decided_person", fields.UUIDField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("outcome", fields.CharField(null=True, max_length=64)),
            ],
            options={"table": "approval", "app": "onhand", "pk_attr": "id", "table_description": "A sensitive act that was asked for, under the act's own id. `command` is what will be done,"},
            bases=["Model"],
        ),
    ]
