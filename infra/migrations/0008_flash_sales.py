"""Flash sales, as Tortoise writes them from infra/models.py, with their key and indexes."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields

INDEXES = [
    "ALTER TABLE flash_sale_refusal DROP CONSTRAINT flash_sale_refusal_pkey,"
    " ADD PRIMARY KEY (sale_id, code)",
    "CREATE INDEX flash_sale_unsettled ON flash_sale (opens_at) WHERE NOT is_settled",
    "CREATE INDEX flash_sale_listed ON flash_sale (opens_at DESC, id DESC)",
]
INDEXES_BACK = [
    "DROP INDEX flash_sale_listed",
    "DROP INDEX flash_sale_unsettled",
    "ALTER TABLE flash_sale_refusal DROP CONSTRAINT flash_sale_refusal_pkey,"
    " ADD PRIMARY KEY (sale_id)",
]

class Migration(migrations.Migration):
    dependencies = [('onhand', '0007_sale_holds')]

    initial = False

    operations = [
        ops.CreateModel(
            name='FlashSale',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=200)),
                ('opens_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('closes_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('limit_per_customer', fields.IntField(null=True)),
                ('ttl_seconds', fields.IntField()),
                ('waiting_room', fields.BooleanField()),
                ('admitted_per_second', fields.IntField()),
                ('state', fields.CharField(max_length=16)),
                ('revision', fields.IntField()),
                ('fingerprint', fields.BigIntField()),
                ('work', fields.BinaryField(null=True)),
                ('seat', fields.CharField(null=True, max_length=64)),
                ('created_by', fields.CharField(max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('touched_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('opened_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('closed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('finished_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('is_settled', fields.BooleanField(default=False)),
            ],
            options={'table': 'flash_sale', 'app': 'onhand', 'pk_attr': 'id', 'table_description': '`revision` counts what people changed. `work` is a change under way: its content, and what'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FlashSaleCell',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('sale', fields.ForeignKeyField('onhand.FlashSale', source_field='sale_id', db_constraint=True, to_field='id', related_name='cells', on_delete=OnDelete.CASCADE)),
                ('sku', fields.CharField(max_length=64)),
                ('warehouse', fields.CharField(max_length=64)),
                ('units', fields.IntField()),
            ],
            options={'table': 'flash_sale_cell', 'app': 'onhand', 'unique_together': (('sale', 'sku', 'warehouse'),), 'pk_attr': 'id', 'table_description': 'Units set aside for a sale in one cell, as it was agreed last. Key: (sale, cell).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FlashSaleRefusal',
            fields=[
                ('sale_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('code', fields.CharField(max_length=64)),
                ('times', fields.BigIntField()),
            ],
            options={'table': 'flash_sale_refusal', 'app': 'onhand', 'pk_attr': 'sale_id', 'table_description': 'How often a sale refused for one reason. Key: (sale_id, code).'},
            bases=['Model'],
        ),
        ops.RunSQL(INDEXES, INDEXES_BACK),
    ]
