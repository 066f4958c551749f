"""Tables of what waits for a second person."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from infra.models import CODE_LENGTH, TEXT_LENGTH, Sku, Warehouse


class Approval(Model):
    """A sensitive act that was asked for, under the act's own id. `command` is what will be done,
    `changes` what the asker was shown: names with what was before and what will be. SKU and
    warehouse are null where it is not about a cell. `decided_*` tell of the decision, `outcome` is
    the code of the answer when it was carried out."""

    id = fields.UUIDField(primary_key=True)
    act = fields.CharField(CODE_LENGTH)
    state = fields.CharField(CODE_LENGTH)
    sku: fields.ForeignKeyNullableRelation[Sku] = fields.ForeignKeyField(
        "onhand.Sku", on_delete=fields.RESTRICT, null=True, related_name=False, db_index=False
    )
    sku_id: int | None
    warehouse: fields.ForeignKeyNullableRelation[Warehouse] = fields.ForeignKeyField(
        "onhand.Warehouse", on_delete=fields.RESTRICT, null=True, related_name=False, db_index=False
    )
    warehouse_id: int | None
    target = fields.CharField(TEXT_LENGTH)
    command = fields.JSONField[dict[str, object]]()
    changes = fields.JSONField[list[dict[str, str | None]]]()
    fingerprint = fields.BigIntField()
    asked_by = fields.CharField(TEXT_LENGTH, db_index=True)
    asked_person: UUID | None = fields.UUIDField(null=True)
    created_at = fields.DatetimeField(db_index=True)
    expires_at = fields.DatetimeField()
    changed_at = fields.DatetimeField(db_index=True)
    decided_by = fields.CharField(TEXT_LENGTH, null=True)
    decided_person: UUID | None = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)
    outcome = fields.CharField(CODE_LENGTH, null=True)

    class Meta:
        table = "approval"


class ApprovalCode(Model):
    """A code sent to a person for a request. `tries` are looks at it; `ended_at` is when it was
    used, or another was sent. The hash is keyed: services/approval_codes.py."""

    id = fields.UUIDField(primary_key=True)
    approval_id = fields.UUIDField()
    person_id = fields.UUIDField()
    code_hash = fields.BinaryField()
    sent_at = fields.DatetimeField()
    tries = fields.IntField(default=0)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "approval_code"
