"""Authenticators and recovery codes, from infra/identity_models.py."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("onhand", "0017_trail")]

    initial = False

    operations = [
        ops.CreateModel(
            name="SecondFactor",
            fields=[
                ("id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("person", fields.OneToOneField("onhand.Person", source_field="person_id", db_index=True, db_constraint=True, to_field="id", related_name="second_factor", on_delete=OnDelete.RESTRICT)),
                ("nonce", fields.CharField(max_length=64)),
                ("begun_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("confirmed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_step", fields.BigIntField()),
            ],
            options={"table": "second_factor", "app": "onhand", "pk_attr": "id", "table_description": "A person's authenticator. `nonce` is no secret: infra/totp.py. Until `confirmed_at` it is"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("factor", fields.ForeignKeyField("onhand.SecondFactor", source_field="factor_id", db_index=True, db_constraint=True, to_field="id", related_name="codes", on_delete=OnDelete.CASCADE)),
                ("code_hash", fields.BinaryField()),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "recovery_code", "app": "onhand", "pk_attr": "id", "table_description": "As a hash; used once. Goes with its second factor."},
            bases=["Model"],
        ),
    ]
