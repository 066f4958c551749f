"""The first tables, as Tortoise writes them from infra/models.py."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='Entry',
            fields=[
                ('cell_id', fields.IntField(primary_key=True, unique=True, db_index=True)),
                ('seq', fields.IntField()),
                ('movement', fields.SmallIntField()),
                ('quantity', fields.IntField()),
                ('pool', fields.CharField(null=True, max_length=200)),
                ('request_id', fields.UUIDField()),
                ('caller', fields.CharField(max_length=200)),
                ('reference', fields.CharField(null=True, max_length=200)),
                ('reason', fields.CharField(null=True, max_length=1000)),
                ('lot', fields.CharField(null=True, max_length=200)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'entry', 'app': 'onhand', 'constraints': [CheckConstraint(check='quantity > 0 AND seq > 0', name='entry_quantity_positive')], 'pk_attr': 'cell_id', 'table_description': 'The ledger. Key: (cell_id, seq).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Hold',
            fields=[
                ('reservation_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('cell_id', fields.IntField()),
                ('quantity', fields.IntField()),
                ('deducted', fields.IntField()),
                ('state', fields.SmallIntField()),
                ('deadline', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('pool', fields.CharField(null=True, max_length=200)),
                ('seq', fields.IntField()),
                ('available_after', fields.IntField()),
                ('customer', fields.CharField(null=True, max_length=200)),
                ('channel', fields.CharField(null=True, max_length=200)),
                ('caller', fields.CharField(max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('closed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'hold', 'app': 'onhand', 'constraints': [CheckConstraint(check='quantity > 0 AND deducted >= 0 AND deducted <= quantity', name='hold_deducted_within')], 'pk_attr': 'reservation_id', 'table_description': "A reservation's part in one cell. Key: (reservation_id, cell_id)."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Outbox',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('levels', fields.BinaryField()),
                ('made_at', fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={'table': 'outbox', 'app': 'onhand', 'pk_attr': 'id', 'table_description': 'Levels that were committed and not yet told to anybody; one row per append.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Outcome',
            fields=[
                ('request_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('slot', fields.IntField()),
                ('cell_id', fields.IntField()),
                ('fingerprint', fields.BigIntField()),
                ('answer', fields.BinaryField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'outcome', 'app': 'onhand', 'pk_attr': 'request_id', 'table_description': 'The first answer to a request, per cell. Key: (request_id, slot); slot 0 is its home.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Sku',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('code', fields.CharField(unique=True, max_length=64)),
                ('name', fields.CharField(max_length=200)),
                ('category', fields.CharField(null=True, max_length=200)),
                ('barcode', fields.CharField(null=True, db_index=True, max_length=64)),
                ('last_price_cents', fields.BigIntField(null=True)),
                ('is_active', fields.BooleanField(default=True)),
            ],
            options={'table': 'sku', 'app': 'onhand', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Warehouse',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('code', fields.CharField(unique=True, max_length=64)),
                ('name', fields.CharField(max_length=200)),
                ('region', fields.CharField(max_length=64)),
                ('priority', fields.IntField(default=100)),
                ('is_active', fields.BooleanField(default=True)),
            ],
            options={'table': 'warehouse', 'app': 'onhand', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Cell',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('sku', fields.ForeignKeyField('onhand.Sku', source_field='sku_id', db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
                ('warehouse', fields.ForeignKeyField('onhand.Warehouse', source_field='warehouse_id', db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
                ('version', fields.BigIntField(default=0)),
                ('seq', fields.IntField(default=0)),
                ('floor', fields.IntField(default=0)),
                ('available', fields.IntField(default=0)),
                ('reserved', fields.IntField(default=0)),
                ('quarantined', fields.IntField(default=0)),
                ('damaged', fields.IntField(default=0)),
                ('pools', fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ('as_of', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'cell', 'app': 'onhand', 'unique_together': (('sku', 'warehouse'),), 'constraints': [CheckConstraint(check='available >= floor AND floor <= 0 AND reserved >= 0 AND quarantined >= 0 AND damaged >= 0', name='cell_above_floor')], 'pk_attr': 'id', 'table_description': "The stored fold of a cell's entries. `version` is the fence: it grows with every append."},
            bases=['Model'],
        ),
    ]
