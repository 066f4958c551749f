"""The tables of people, their grants, sessions and keys, and of failed sign-ins, as Tortoise
models. Nothing in them signs anybody in: passwords, tokens and keys are there as hashes only."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from infra.models import CODE_LENGTH, NAME_LENGTH, TEXT_LENGTH

HASH_LENGTH = 255
"""Characters of an Argon2 hash with its parameters."""


class Person(Model):
    """`must_change`: the password was set by somebody else. `oidc_subject`: who that is at the
    OpenID Connect provider, once they came from there. `changed_by_request`, `sessions_ended`: the
    last change of the password by the person, for whom the answer was lost to."""

    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(TEXT_LENGTH, unique=True)
    name = fields.CharField(NAME_LENGTH)
    password_hash = fields.CharField(HASH_LENGTH, null=True)
    must_change = fields.BooleanField(default=False)
    changed_by_request = fields.UUIDField(null=True)
    sessions_ended = fields.IntField(null=True)
    is_active = fields.BooleanField(default=True)
    oidc_subject = fields.CharField(HASH_LENGTH, null=True, unique=True)
    fingerprint = fields.BigIntField()
    created_by = fields.CharField(TEXT_LENGTH)
    created_at = fields.DatetimeField()
    grants: fields.ReverseRelation["PersonGrant"]

    class Meta:
        table = "person"


class PersonGrant(Model):
    """A role within a scope: a dimension that is not named is not limited. Ended, it stays as a
    fact."""

    id = fields.UUIDField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "onhand.Person", related_name="grants", on_delete=fields.RESTRICT, db_index=True
    )
    person_id: UUID
    role = fields.CharField(CODE_LENGTH)
    scope = fields.JSONField[dict[str, list[str]]]()
    fingerprint = fields.BigIntField()
    granted_by = fields.CharField(TEXT_LENGTH)
    granted_at = fields.DatetimeField()
    ended_by = fields.CharField(TEXT_LENGTH, null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "person_grant"


class SessionFamily(Model):
    """All refresh tokens of one sign-in: domain/sessions.py."""

    id = fields.UUIDField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "onhand.Person", related_name="families", on_delete=fields.RESTRICT, db_index=True
    )
    person_id: UUID
    generation = fields.IntField()
    token_hash = fields.BinaryField()
    previous_hash = fields.BinaryField(null=True)
    last_request = fields.UUIDField(null=True)
    began_at = fields.DatetimeField()
    rotated_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(db_index=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "session_family"


class SignInFailure(Model):
    """domain/lockout.py. `key` is an account or an address, hashed: what was typed may be a
    password in the wrong field."""

    key = fields.CharField(CODE_LENGTH, primary_key=True)
    count = fields.IntField()
    last_at = fields.DatetimeField(db_index=True)
    locked_until = fields.DatetimeField(null=True)

    class Meta:
        table = "sign_in_failure"


class ApiKey(Model):
    """A machine's. `grants` as they were given; it has no more than its maker has by then. While
    `previous_until` has not passed, the secret before the last rotation is good as well."""

    id = fields.UUIDField(primary_key=True)
    maker: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "onhand.Person", related_name="api_keys", on_delete=fields.RESTRICT, db_index=True
    )
    maker_id: UUID
    name = fields.CharField(NAME_LENGTH)
    prefix = fields.CharField(CODE_LENGTH, unique=True)
    key_hash = fields.BinaryField()
    previous_prefix = fields.CharField(CODE_LENGTH, null=True, unique=True)
    previous_hash = fields.BinaryField(null=True)
    previous_until = fields.DatetimeField(null=True)
    last_rotation = fields.UUIDField(null=True)
    grants = fields.JSONField[list[dict[str, object]]]()
    fingerprint = fields.BigIntField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_by = fields.CharField(TEXT_LENGTH, null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_key"


class SecondFactor(Model):
    """A person's authenticator. `nonce` is no secret: infra/totp.py. Until `confirmed_at` it is
    good for nothing; `last_step` is that of the last code that was taken."""

    id = fields.UUIDField(primary_key=True)
    person: fields.OneToOneRelation[Person] = fields.OneToOneField(
        "onhand.Person", related_name="second_factor", on_delete=fields.RESTRICT
    )
    person_id: UUID
    nonce = fields.CharField(CODE_LENGTH)
    begun_at = fields.DatetimeField()
    confirmed_at = fields.DatetimeField(null=True)
    last_step = fields.BigIntField()

    class Meta:
        table = "second_factor"


class RecoveryCode(Model):
    """As a hash; used once. Goes with its second factor."""

    id = fields.UUIDField(primary_key=True)
    factor: fields.ForeignKeyRelation[SecondFactor] = fields.ForeignKeyField(
        "onhand.SecondFactor", related_name="codes", on_delete=fields.CASCADE, db_index=True
    )
    factor_id: UUID
    code_hash = fields.BinaryField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "recovery_code"
