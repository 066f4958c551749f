"""Waiting rooms, as Tortoise writes them from infra/models.py, with their key and index."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint
from uuid import uuid4
from tortoise import fields

INDEXES = [
    "ALTER TABLE flash_sale_admission DROP CONSTRAINT flash_sale_admission_pkey,"
    " ADD PRIMARY KEY (sale_id, place)",
    "CREATE INDEX flash_sale_admission_at ON flash_sale_admission (sale_id, at)",
]
INDEXES_BACK = [
    "DROP INDEX flash_sale_admission_at",
    "ALTER TABLE flash_sale_admission DROP CONSTRAINT flash_sale_admission_pkey,"
    " ADD PRIMARY KEY (sale_id)",
]


class Migration(migrations.Migration):
    dependencies = [('onhand', '0008_flash_sales')]

    initial = False

    operations = [
        ops.CreateModel(
            name='FlashSaleQueue',
            fields=[
                ('sale_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('epoch', fields.IntField()),
                ('admitted_upto', fields.IntField()),
                ('highest_place', fields.IntField()),
                ('is_sold_out', fields.BooleanField()),
                ('paced_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'flash_sale_queue', 'app': 'onhand', 'constraints': [CheckConstraint(check='admitted_upto >= 0 AND admitted_upto <= highest_place', name='flash_sale_queue_in_order')], 'pk_attr': 'sale_id', 'table_description': 'The waiting room of a sale: how far places were given and let in. `epoch` counts how often'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FlashSaleAdmission',
            fields=[
                ('sale_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('place', fields.IntField()),
                ('customer', fields.CharField(null=True, max_length=200)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'flash_sale_admission', 'app': 'onhand', 'pk_attr': 'sale_id', 'table_description': 'Who was let in and when; no customer: Redis did not know. Key: (sale_id, place).'},
            bases=['Model'],
        ),
        ops.RunSQL(INDEXES, INDEXES_BACK),
    ]
