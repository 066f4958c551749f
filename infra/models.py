"""The tables, as Tortoise models. How they are indexed, and why, is told in docs/architecture.md.

Tortoise has no composite keys: entry, hold and outcome get theirs in the first migration, and are
read by filter, never by pk. Codes of movements and states are those of the domain.
"""

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

CODE_LENGTH = 64
"""Characters of a SKU's or warehouse's code."""
NAME_LENGTH = 200
TEXT_LENGTH = 200
"""Characters of a customer, channel, reference, lot, pool or caller."""
NOTE_LENGTH = 1_000


class Sku(Model):
    """`changed_at` is set by a trigger: whoever changes a row, processes that remember it learn."""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(CODE_LENGTH, unique=True)
    name = fields.CharField(NAME_LENGTH)
    category = fields.CharField(NAME_LENGTH, null=True)
    barcode = fields.CharField(CODE_LENGTH, null=True, db_index=True)
    last_price_cents = fields.BigIntField(null=True)
    is_active = fields.BooleanField(default=True)
    changed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sku"


class Warehouse(Model):
    id = fields.IntField(primary_key=True)
    code = fields.CharField(CODE_LENGTH, unique=True)
    name = fields.CharField(NAME_LENGTH)
    region = fields.CharField(CODE_LENGTH)
    priority = fields.IntField(default=100)
    is_active = fields.BooleanField(default=True)
    changed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "warehouse"


class Cell(Model):
    """The stored fold of a cell's entries. `version` is the fence: it grows with every append."""

    id = fields.IntField(primary_key=True)
    sku: fields.ForeignKeyRelation[Sku] = fields.ForeignKeyField(
        "onhand.Sku", on_delete=fields.RESTRICT, db_index=False
    )
    warehouse: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "onhand.Warehouse", on_delete=fields.RESTRICT, db_index=True
    )
    version = fields.BigIntField(default=0)
    seq = fields.IntField(default=0)
    floor = fields.IntField(default=0)
    available = fields.IntField(default=0)
    reserved = fields.IntField(default=0)
    quarantined = fields.IntField(default=0)
    damaged = fields.IntField(default=0)
    pools = fields.JSONField[dict[str, int]](null=True)
    as_of = fields.DatetimeField()

    class Meta:
        table = "cell"
        unique_together = (("sku", "warehouse"),)
        constraints = (
            CheckConstraint(
                check="available >= floor AND floor <= 0 AND reserved >= 0"
                " AND quarantined >= 0 AND damaged >= 0",
                name="cell_above_floor",
            ),
        )


class Entry(Model):
    """The ledger. Key: (cell_id, seq)."""

    cell_id = fields.IntField(primary_key=True, generated=False)
    seq = fields.IntField()
    movement = fields.SmallIntField()
    quantity = fields.IntField()
    pool = fields.CharField(TEXT_LENGTH, null=True)
    request_id = fields.UUIDField()
    caller = fields.CharField(TEXT_LENGTH)
    reference = fields.CharField(TEXT_LENGTH, null=True)
    reason = fields.CharField(NOTE_LENGTH, null=True)
    lot = fields.CharField(TEXT_LENGTH, null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "entry"
        constraints = (
            CheckConstraint(check="quantity > 0 AND seq > 0", name="entry_quantity_positive"),
        )


class Hold(Model):
    """A reservation's part in one cell. Key: (reservation_id, cell_id)."""

    reservation_id = fields.UUIDField(primary_key=True)
    cell_id = fields.IntField()
    quantity = fields.IntField()
    deducted = fields.IntField()
    state = fields.SmallIntField()
    deadline = fields.DatetimeField(null=True)
    pool = fields.CharField(TEXT_LENGTH, null=True)
    seq = fields.IntField()
    available_after = fields.IntField()
    customer = fields.CharField(TEXT_LENGTH, null=True)
    channel = fields.CharField(TEXT_LENGTH, null=True)
    caller = fields.CharField(TEXT_LENGTH)
    created_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "hold"
        constraints = (
            CheckConstraint(
                check="quantity > 0 AND deducted >= 0 AND deducted <= quantity",
                name="hold_deducted_within",
            ),
        )


class Outcome(Model):
    """The first answer to a request, per cell. Key: (request_id, slot); slot 0 is its home."""

    request_id = fields.UUIDField(primary_key=True)
    slot = fields.IntField()
    cell_id = fields.IntField()
    fingerprint = fields.BigIntField()
    answer = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "outcome"


class Outbox(Model):
    """Levels that were committed and not yet told to anybody; one row per append."""

    id = fields.BigIntField(primary_key=True)
    levels = fields.BinaryField()
    made_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "outbox"
