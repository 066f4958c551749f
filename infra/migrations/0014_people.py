"""People, their grants, sessions and keys, and failed sign-ins, as Tortoise writes them from
infra/identity_models.py."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('onhand', '0010_fresh')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Person',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('email', fields.CharField(unique=True, max_length=200)),
                ('name', fields.CharField(max_length=200)),
                ('password_hash', fields.CharField(null=True, max_length=255)),
                ('must_change', fields.BooleanField(default=False)),
                ('is_active', fields.BooleanField(default=True)),
                ('oidc_subject', fields.CharField(null=True, unique=True, max_length=255)),
                ('fingerprint', fields.BigIntField()),
                ('created_by', fields.CharField(max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'person', 'app': 'onhand', 'pk_attr': 'id', 'table_description': '`must_change`: the password was set by somebody else. `oidc_subject`: who that is at the'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ApiKey',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('maker', fields.ForeignKeyField('onhand.Person', source_field='maker_id', db_index=True, db_constraint=True, to_field='id', related_name='api_keys', on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(max_length=200)),
                ('prefix', fields.CharField(unique=True, max_length=64)),
                ('key_hash', fields.BinaryField()),
                ('previous_prefix', fields.CharField(null=True, unique=True, max_length=64)),
                ('previous_hash', fields.BinaryField(null=True)),
                ('previous_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_rotation', fields.UUIDField(null=True)),
                ('grants', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('fingerprint', fields.BigIntField()),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_by', fields.CharField(null=True, max_length=200)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'api_key', 'app': 'onhand', 'pk_attr': 'id', 'table_description': "A machine's. `grants` as they were given; it has no more than its maker has by then. While"},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PersonGrant',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('person', fields.ForeignKeyField('onhand.Person', source_field='person_id', db_index=True, db_constraint=True, to_field='id', related_name='grants', on_delete=OnDelete.RESTRICT)),
                ('role', fields.CharField(max_length=64)),
                ('scope', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('fingerprint', fields.BigIntField()),
                ('granted_by', fields.CharField(max_length=200)),
                ('granted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ended_by', fields.CharField(null=True, max_length=200)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'person_grant', 'app': 'onhand', 'pk_attr': 'id', 'table_description': 'A role within a scope: a dimension that is not named is not limited. Ended, it stays as a'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SessionFamily',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('person', fields.ForeignKeyField('onhand.Person', source_field='person_id', db_index=True, db_constraint=True, to_field='id', related_name='families', on_delete=OnDelete.RESTRICT)),
                ('generation', fields.IntField()),
                ('token_hash', fields.BinaryField()),
                ('previous_hash', fields.BinaryField(null=True)),
                ('last_request', fields.UUIDField(null=True)),
                ('began_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('rotated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'session_family', 'app': 'onhand', 'pk_attr': 'id', 'table_description': 'All refresh tokens of one sign-in: domain/sessions.py.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SignInFailure',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('count', fields.IntField()),
                ('last_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('locked_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sign_in_failure', 'app': 'onhand', 'pk_attr': 'key', 'table_description': 'domain/lockout.py. `key` is an account or an address, hashed: what was typed may be a'},
            bases=['Model'],
        ),
    ]
